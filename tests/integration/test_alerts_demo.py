"""Alerts of a running demo: set by command and by hand, told by log, API, Redis and replay."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.program_stage import Program, ask, eventually, exchange, program, ticktick

START = "2026-11-20T11:00:00"

pytestmark = pytest.mark.timeout(240)


class Stage:
    """A demo at twenty times the speed, with one alert from before its start."""

    def __init__(self, home: Path, demo: Program) -> None:
        self.home = home
        self.demo = demo

    def alerts(self, *arguments: str) -> str:
        done = ticktick(self.home, "alerts", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def history(self) -> list[dict[str, Any]]:
        answer = json.loads(ask(self.home, "/api/v1/alerts/history"))
        told: list[dict[str, Any]] = answer["alerts"]
        return told

    def raised(self, rule_id: int) -> list[dict[str, Any]]:
        return [one for one in self.history() if one["rule_id"] == rule_id]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("demo")
    before = ticktick(home, "alerts", "add", "*", "tick_return", "above", "0.02", "--level", "info")
    assert before.stdout.endswith("It counts from the next start.\n")
    options = ("--speed", "20", "--start", START)
    with exchange(tmp_path_factory.mktemp("exchange"), *options) as (_, url):
        outputs = ("--outputs", str(home / "live.jsonl"))
        running = ("demo", "--exchange", url, "--no-browser", "--port", "0", *outputs)
        with program(home, *running) as demo:
            demo.line_with("are fresh")
            yield Stage(home, demo)


def test_an_alert_set_before_the_start_is_raised(stage: Stage) -> None:
    assert eventually(lambda: bool(stage.raised(1)))
    told = stage.raised(1)[0]
    assert told["value"] > 0.02
    assert (told["unit"], told["level"]) == ("percent", "info")


def test_one_set_while_it_runs_is_raised_logged_and_put_into_redis(stage: Stage) -> None:
    said = stage.alerts("add", "RELIANCE", "last_price", "above", "1", "--level", "urgent")
    assert said == "Alert 2 is set: RELIANCE last price above ₹1.00.\n"
    assert eventually(lambda: len(stage.raised(2)) == 1)
    text = stage.raised(2)[0]["text"]
    assert text in (stage.home / "logs" / "system.log").read_text()
    assert "now true for RELIANCE" in stage.alerts("list")

    def stored() -> str:
        return ticktick(stage.home, "redis-cli", "-n", "2", "XRANGE", "alerts", "-", "+").stdout

    assert eventually(lambda: text in stored())


def test_one_written_by_hand_is_taken_up_and_a_broken_one_is_told(stage: Stage) -> None:
    path = stage.home / "alerts.json"
    content = json.loads(path.read_text())
    tcs = {"symbol": "TCS", "source": "mid", "comparison": "above", "threshold": 1}
    content["alerts"] += [tcs, {**tcs, "source": "middle"}]
    path.write_text(json.dumps(content))
    assert eventually(lambda: bool(stage.raised(3)))
    done = ticktick(stage.home, "alerts")
    assert "entry 4 is not used: source is 'middle'" in done.stderr
    assert "TCS mid above ₹1.00" in done.stdout


def test_an_alert_is_acknowledged_and_its_rule_removed(stage: Stage) -> None:
    body = {"numbers": [stage.raised(2)[0]["number"]]}
    ask(stage.home, "/api/v1/alerts/acknowledge", body)
    assert stage.raised(2)[0]["acknowledged"]
    assert "RELIANCE last price is" in stage.alerts("history", "--json")
    stage.alerts("remove", "2")
    assert "RELIANCE last price" not in stage.alerts("list")


def test_a_replay_raises_the_same_alerts_byte_for_byte(stage: Stage) -> None:
    assert stage.demo.end() == 0
    (recording,) = (stage.home / "data" / "demo" / "recordings").glob("*.ttrec")
    live = (stage.home / "live.jsonl").read_bytes()
    assert live.count(b'"type":"alert"') >= 3
    played = stage.home / "played.jsonl"
    done = ticktick(stage.home, "replay", str(recording), "--outputs", str(played))
    assert done.returncode == 0, done.stderr
    assert played.read_bytes() == live
