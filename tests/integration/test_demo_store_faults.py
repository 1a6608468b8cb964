"""The whole program while its Redis or its disk fails: the page lives, nothing shown is lost."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.disk_stage import fill, small_disk
from tests.program_stage import Program, ask, eventually, exchange, figures, program
from tests.store_stage import Asking
from ticktick.running import find_running
from ticktick.store.keys import candle_family
from ticktick.store.link import LOST, Link
from ticktick.store.series import series_of

START = "2026-11-20T10:59:30"
SPEED = 5
LINK_LIMIT_S = 2.0  # what waits for Redis waits so long

pytestmark = pytest.mark.timeout(300)


class Stage:
    """A running demo with a Redis of its own."""

    def __init__(self, home: Path, demo: Program) -> None:
        self.home = home
        self.demo = demo
        self.slowest_s = 0.0

    def get(self, path: str) -> bytes:
        """An answer of the demo's server, timed."""
        began = time.monotonic()
        body = ask(self.home, path)
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        return body

    def status(self) -> Any:
        return json.loads(self.get("/api/v1/status"))

    def figure(self, name: str) -> float:
        return float(figures(self.home)[name])

    @property
    def redis(self) -> str:
        return find_running(self.home / "data" / "server.json").redis or ""

    @property
    def redis_pid(self) -> int:
        (left,) = (self.home / "data" / "demo" / "redis").glob("*/server.json")
        return int(json.loads(left.read_bytes())["pid"])

    def is_on(self) -> bool:
        return bool(self.status()["store"]["state"] == "on")

    def lives_through(self, seconds: float) -> None:
        """The check of P18: prices go on, the page answers, no answer waits for Redis."""
        self.slowest_s = 0.0
        before = self.status()
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            told = self.status()
            assert told["feed"]["up"]
            threading.Event().wait(0.1)
        assert told["feed"]["last_frame_ms"] > before["feed"]["last_frame_ms"]
        assert told["counters"]["frames"] > before["counters"]["frames"]
        assert self.slowest_s < LINK_LIMIT_S

    def lost_candles(self) -> list[int]:
        """Starts of confirmed minutes that are on the page and not the same in Redis."""
        told = json.loads(self.get(f"/api/v1/candles/{quote('RELIANCE')}/1"))["candles"]
        shown = {
            candle["start_ms"]: [candle[name] for name in ("open", "high", "low", "close")]
            for candle in told[-200:]
            if candle["confirmed"] and candle["state"] in ("final", "backfilled")
        }
        link = Link(self.redis, 0)
        try:
            points = series_of(link).range(candle_family("RELIANCE", 1, many=False))
        finally:
            link.close()
        kept = {
            point.at_ms: [point.values.get(name) for name in ("open", "high", "low", "close")]
            for point in points
        }
        assert len(shown) > 5
        return [start for start, prices in shown.items() if kept.get(start) != prices]


@contextmanager
def demo(home: Path, folder: Path) -> Iterator[Stage]:
    """A demo in that workspace until the block ends."""
    exchange_home = folder / "exchange"
    exchange_home.mkdir()
    options = ("--speed", str(SPEED), "--start", START)
    with (
        exchange(exchange_home, *options) as (_, url),
        program(home, "demo", "--exchange", url, "--no-browser", "--port", "0") as running,
    ):
        running.line_with("are fresh")
        stage = Stage(home, running)
        assert eventually(stage.is_on)
        yield stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stores")
    (folder / "home").mkdir()
    with demo(folder / "home", folder) as made:
        yield made


def freeze(stage: Stage, seconds: float) -> None:
    pid = stage.redis_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        stage.lives_through(seconds)
        state = stage.status()["store"]
        assert state["state"] == "degraded"
        assert "does not answer in time" in state["text"]
        assert stage.figure('ticktick_redis_state{state="degraded"}') == 1
        assert stage.figure("ticktick_redis_waiting_points") > 0
    finally:
        os.kill(pid, signal.SIGCONT)
    assert eventually(stage.is_on)
    assert eventually(lambda: stage.lost_candles() == [])


def test_P18_F33_the_page_lives_while_redis_stands_still(stage: Stage) -> None:
    freeze(stage, 5.0)


@pytest.mark.slow
def test_P18_F33_the_page_lives_while_redis_stands_still_for_half_a_minute(stage: Stage) -> None:
    freeze(stage, 30.0)


def test_P18_F33_redis_that_is_killed_is_started_again_with_every_candle(stage: Stage) -> None:
    losses = stage.status()["counters"]["redis_losses"]
    os.kill(stage.redis_pid, signal.SIGKILL)
    stage.lives_through(3.0)
    assert eventually(lambda: stage.status()["counters"]["redis_losses"] > losses)
    assert eventually(stage.is_on)
    assert eventually(lambda: stage.lost_candles() == [])


def test_P18_F34_the_page_lives_while_redis_is_out_of_memory(stage: Stage) -> None:
    ask = Asking(stage.redis)
    ask(0, "CONFIG", "SET", "maxmemory", "1mb")
    try:
        assert eventually(lambda: "out of memory" in stage.status()["store"]["text"])
        stage.lives_through(2.0)
    finally:
        ask(0, "CONFIG", "SET", "maxmemory", "512mb")
    assert eventually(stage.is_on)
    assert eventually(lambda: stage.lost_candles() == [])


def test_F37_a_full_disk_stops_no_price_and_everything_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path, megabytes=400) as disk, demo(disk, tmp_path) as stage:
        fill(disk / "filler")
        assert eventually(lambda: stage.status()["recording"]["state"] == "degraded")
        assert "No space left" in stage.status()["recording"]["text"]
        assert eventually(lambda: "cannot write to its disk" in stage.status()["store"]["text"])
        stage.lives_through(3.0)
        assert stage.figure("ticktick_recorder_dropped_total") > 0
        assert stage.figure('ticktick_redis_dropped_total{kind="candles"}') == 0

        (disk / "filler").unlink()
        assert eventually(stage.is_on)
        assert eventually(lambda: stage.status()["recording"]["state"] == "on")
        assert eventually(lambda: stage.lost_candles() == [])
        assert "events are missing" in stage.status()["recording"]["text"]
        assert len(list((disk / "data" / "demo" / "recordings").glob("*.ttrec"))) == 2
        assert stage.demo.end() == 0


def test_the_check_itself_sees_a_lost_candle(stage: Stage) -> None:
    def spoil() -> bool:
        newest = json.loads(stage.get("/api/v1/candles/RELIANCE/1"))["candles"][-5]
        link = Link(stage.redis, 0)
        try:
            link.ask("TS.DEL", "candle:RELIANCE:1m:close", newest["start_ms"], newest["start_ms"])
        except LOST:
            return False
        finally:
            link.close()
        return stage.lost_candles() == [newest["start_ms"]]

    assert eventually(spoil)
