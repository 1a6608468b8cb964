"""The demo against a broken exchange: after every fault prices are fresh again, nothing crashed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.program_stage import Program, ask, eventually, exchange, fetch, program
from ticktick.errors import TickTickError

START = "2026-11-20T10:59:30"
SPEED = 10

pytestmark = pytest.mark.timeout(180)


class Stage:
    """A demo at ten times the speed and the exchange behind it."""

    def __init__(self, home: Path, url: str, demo: Program) -> None:
        self.home = home
        self.demo = demo
        self.fault_url = f"{url}/_emu/fault"

    def status(self) -> Any:
        """What the program says of itself."""
        return json.loads(ask(self.home, "/api/v1/status"))

    def is_fresh(self) -> bool:
        """Whether every symbol is fresh."""
        try:
            told = self.status()
        except (OSError, TickTickError):
            return False
        return {symbol["freshness"] for symbol in told["symbols"]} == {"fresh"}

    def suffers(self, verb: str, **order: Any) -> None:
        """Order a fault and wait until it is over."""
        fetch(self.fault_url, json.dumps({"verb": verb, **order}).encode())
        assert eventually(lambda: fetch(self.fault_url) == [])

    def recovers(self) -> bool:
        """Whether all is fresh again, by frames that came later than now."""
        last_ms = self.status()["feed"]["last_frame_ms"]

        def is_better() -> bool:
            return self.is_fresh() and self.status()["feed"]["last_frame_ms"] > last_ms

        return eventually(is_better)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("demo")
    options = ("--speed", str(SPEED), "--start", START)
    with exchange(tmp_path_factory.mktemp("exchange"), *options) as (_, url):
        with program(home, "demo", "--exchange", url, "--no-browser", "--port", "0") as demo:
            made = Stage(home, url, demo)
            assert eventually(made.is_fresh), demo.lines
            yield made
        assert demo.process.returncode == 0
        log = (home / "logs" / "error.log").read_text()
        assert "Traceback" not in log, log


@pytest.mark.parametrize("verb", ["ws.close", "ws.rst"])
def test_the_demo_survives_the_end_of_its_connection(stage: Stage, verb: str) -> None:
    before = stage.status()["counters"]["frames"]
    stage.suffers(verb)
    assert stage.recovers()
    assert stage.status()["counters"]["frames"] > before


@pytest.mark.parametrize(
    "verb",
    ["ws.bitflip", *(pytest.param(v, marks=pytest.mark.slow) for v in ("ws.random", "ws.text"))],
)
def test_the_demo_counts_damaged_frames_and_goes_on(stage: Stage, verb: str) -> None:
    before = stage.status()["counters"]["frames_rejected"]
    stage.suffers(verb, **{"for": 30})
    assert stage.recovers()
    assert stage.status()["counters"]["frames_rejected"] > before


def test_the_demo_takes_repeated_frames_for_what_they_are(stage: Stage) -> None:
    stage.suffers("ws.dup", args={"n": 3}, **{"for": 30})
    assert stage.recovers()


def test_the_demo_stays_fresh_while_candles_are_refused(stage: Stage) -> None:
    order = {"args": {"code": 500}, "match": "historical-candle", "for": 60}
    fetch(stage.fault_url, json.dumps({"verb": "rest.status", **order}).encode())
    stage.suffers("ws.close", after=1, **{"for": 1})
    assert eventually(lambda: fetch(stage.fault_url) == [])
    assert stage.recovers()


def test_F03_the_demo_leaves_a_feed_that_pongs_but_tells_nothing(stage: Stage) -> None:
    stage.suffers("ws.silence", **{"for": 120})
    assert stage.recovers()
    causes = [outage["cause"] for outage in stage.status()["health"]["outages"]]
    assert "silent" in causes


def test_P23_the_demo_goes_on_with_a_new_token_when_its_own_is_refused(stage: Stage) -> None:
    stage.suffers("auth.expire")
    stage.suffers("ws.close", **{"for": 1})
    assert stage.recovers()
    assert stage.status()["token"]["state"] in {"valid", "expiring"}


def test_P21_a_skewed_clock_of_the_exchange_is_told_and_ages_stay_true(stage: Stage) -> None:
    order = {"verb": "clock.skew", "args": {"s": 3600}, "for": 120}
    fetch(stage.fault_url, json.dumps(order).encode())

    def is_told() -> bool:
        offset_ms = stage.status()["health"]["clock_offset_ms"]
        return bool(abs(offset_ms - 3_600_000) < 2_000)

    assert eventually(is_told)
    told = stage.status()
    assert abs(told["server_time_ms"] - told["feed"]["last_frame_ms"]) < 600_000
    assert {symbol["freshness"] for symbol in told["symbols"]} <= {"fresh", "quiet"}
    assert eventually(lambda: fetch(stage.fault_url) == [])
    assert eventually(lambda: stage.status()["health"]["clock_offset_ms"] == 0)
    assert stage.recovers()
