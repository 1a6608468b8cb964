"""The watch on the event loop: how late it is, what the user is told, and when it stood still."""

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.market_stage import OPEN, Stage
from ticktick.domain.clock import NS_PER_MS, NS_PER_S
from ticktick.domain.event import TimerFired
from ticktick.domain.market import Freshness
from ticktick.engine.loop_lag import ALARM_MS, LoopLag


class OverError(Exception):
    """The test has seen enough."""


class Loop:
    """An event loop whose sleeps take as much longer as the test says."""

    def __init__(self, *late_ms: float) -> None:
        self.now_ns = 5_000 * NS_PER_S
        self.late_ms = list(late_ms)
        self.notes: list[tuple[str, str]] = []
        self.stops: list[float] = []
        self.lag = LoopLag(lambda: self.now_ns, self.sleep, self.stops.append)

    async def sleep(self, seconds: float) -> None:
        if not self.late_ms:
            raise OverError
        self.now_ns += round((seconds * 1000 + self.late_ms.pop(0)) * NS_PER_MS)

    async def note(self, level: str, text: str) -> None:
        self.notes.append((level, text))


async def measured(*late_ms: float) -> Loop:
    loop = Loop(*late_ms)
    with pytest.raises(OverError):
        await loop.lag.run(loop.note)
    return loop


async def test_before_the_first_beat_nothing_is_known() -> None:
    assert Loop().lag.recent_ms is None


async def test_each_beat_is_counted_and_the_worst_of_the_last_second_is_told() -> None:
    loop = await measured(0.0, 40.0, *[1.0] * 10)
    assert loop.lag.lags_ms.count == 12
    assert loop.lag.lags_ms.total == pytest.approx(50.0)
    assert loop.lag.recent_ms == pytest.approx(1.0)
    assert loop.notes == []


async def test_F50_a_loop_that_is_late_is_told_once_a_minute_with_the_worst() -> None:
    loop = await measured(300.0, *[0.0] * 10, 900.0, *[0.0] * 600)
    assert [level for level, _ in loop.notes] == ["warning"] * 2
    assert "stood still for 300 ms" in loop.notes[0][1]
    assert "stood still for 900 ms" in loop.notes[1][1]


async def test_F39_a_program_that_stood_still_for_long_was_stopped_and_is_no_lag() -> None:
    loop = await measured(0.0, 3 * 3_600_000.0, 0.0)
    assert loop.stops == [pytest.approx(10_800.0)]
    assert loop.lag.lags_ms.worst == 0.0
    assert loop.notes == []


async def alarm_after_a_block(counter_ns: Callable[[], int]) -> None:
    """The check of F50 on a real loop: half a second of work is measured and told."""
    noted = asyncio.Event()

    async def note(level: str, text: str) -> None:
        noted.set()

    lag = LoopLag(counter_ns, asyncio.sleep, lambda _: None)
    task = asyncio.create_task(lag.run(note))
    await asyncio.sleep(0)
    time.sleep(0.5)  # noqa: ASYNC251  the fault itself
    try:
        async with asyncio.timeout(1):
            await noted.wait()
    except TimeoutError:
        pass
    task.cancel()
    assert noted.is_set()
    assert lag.lags_ms.worst > ALARM_MS


async def test_F50_half_a_second_of_blocking_raises_the_alarm() -> None:
    await alarm_after_a_block(time.monotonic_ns)
    with pytest.raises(AssertionError):  # a counter that stands cannot see it
        await alarm_after_a_block(lambda: 0)


def test_F50_a_blocked_loop_makes_nothing_stale_that_the_exchange_told_in_time() -> None:
    stage = Stage()
    stage.begin(OPEN)
    for second in range(1, 30):
        told_ns = OPEN + second * NS_PER_S
        blocked_until_ns = told_ns + NS_PER_S // 2
        stage.process(TimerFired(blocked_until_ns))
        assert stage.freshness() is Freshness.FRESH
        stage.trade(told_ns, 100 + second)
        assert stage.freshness() is Freshness.FRESH
