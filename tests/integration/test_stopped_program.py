"""F39 on a real process: a program that stood still says so, connects anew and fills its gap."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.oracles.trades import candles_of_trades
from tests.program_stage import Program, ask, eventually, exchange, fetch, figures, program
from ticktick.domain.clock import parse_iso_ns

START = "2026-11-20T10:59:30"
OPEN_NS = parse_iso_ns("2026-11-20T09:15:00+05:30")
SPEED = 20
STOPPED_S = 7.0  # 140 s of the market
MINUTE_MS = 60_000

pytestmark = pytest.mark.timeout(240)


class Stage:
    """A demo at twenty times the speed and the exchange behind it."""

    def __init__(self, home: Path, url: str, demo: Program) -> None:
        self.home = home
        self.url = url
        self.demo = demo

    def get(self, path: str) -> bytes:
        """An answer of the demo's own server."""
        return ask(self.home, path)

    def status(self) -> Any:
        return json.loads(self.get("/api/v1/status"))

    def losses(self, cause: str) -> float:
        """How often the link was lost for this cause."""
        return float(figures(self.home)[f'ticktick_reconnects_total{{cause="{cause}"}}'])

    def closed(self) -> list[dict[str, Any]]:
        candles: list[dict[str, Any]] = json.loads(self.get("/api/v1/candles/RELIANCE/1"))[
            "candles"
        ]
        return [candle for candle in candles if candle["state"] != "forming"]

    def stand_still(self, seconds: float) -> None:
        """Stop the process for so long."""
        os.kill(self.demo.process.pid, signal.SIGSTOP)
        threading.Event().wait(seconds)
        os.kill(self.demo.process.pid, signal.SIGCONT)


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("demo")
    options = ("--speed", str(SPEED), "--start", START)
    with (
        exchange(tmp_path_factory.mktemp("exchange"), *options) as (_, url),
        program(home, "demo", "--exchange", url, "--no-browser", "--port", "0") as demo,
    ):
        demo.line_with("are fresh")
        yield Stage(home, url, demo)


def test_F39_a_stopped_program_connects_anew_and_has_every_minute(stage: Stage) -> None:
    assert stage.losses("resumed") == 0
    assert eventually(lambda: len(stage.closed()) > 2)
    before_ms = stage.status()["server_time_ms"]
    stage.stand_still(STOPPED_S)
    after = stage.status()
    assert after["server_time_ms"] - before_ms > STOPPED_S * SPEED * 1000
    assert eventually(lambda: stage.losses("resumed") >= 1)
    assert eventually(
        lambda: {symbol["freshness"] for symbol in stage.status()["symbols"]} == {"fresh"}
    )
    until_ms = before_ms // MINUTE_MS * MINUTE_MS + 5 * MINUTE_MS
    assert eventually(lambda: stage.closed()[-1]["start_ms"] >= until_ms)
    assert eventually(lambda: differences(stage, before_ms, until_ms) == [])


def differences(stage: Stage, from_ms: int, until_ms: int) -> list[str]:
    """The minutes around the stop that are not those of the exchange's trades."""
    first_ms = from_ms // MINUTE_MS * MINUTE_MS - 2 * MINUTE_MS
    candles = [c for c in stage.closed() if first_ms <= c["start_ms"] < until_ms]
    gaps = [b["start_ms"] for a, b in pairwise(candles) if b["start_ms"] - a["start_ms"] != 60_000]
    query = f"instrument_key={quote('NSE_EQ|INE002A01018')}&from_ns={OPEN_NS}"
    trades = fetch(f"{stage.url}/_emu/trades?{query}&to_ns={until_ms * 1_000_000}")
    wanted = candles_of_trades(trades, 1, OPEN_NS)
    found = [f"no minute before {start}" for start in gaps]
    for candle in candles:
        ours = [round(candle[name] * 100) for name in ("open", "high", "low", "close")]
        theirs = wanted.get(candle["start_ms"] * 1_000_000)
        if theirs is None or [*ours, candle["volume"]] != list(theirs):
            found.append(f"{candle} is not {theirs}")
    return found if len(candles) >= 5 else [*found, f"only {len(candles)} minutes"]


def test_a_short_pause_is_no_reason_to_connect_anew(stage: Stage) -> None:
    stage.stand_still(1.0)
    assert eventually(
        lambda: {symbol["freshness"] for symbol in stage.status()["symbols"]} == {"fresh"}
    )
    assert stage.losses("resumed") == 0
