"""The timer and the history as sources of events."""

from contextlib import aclosing
from itertools import pairwise

from tests.market_stage import OPEN, candle
from tests.upstox_stage import StandingClock
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, NS_PER_S
from ticktick.domain.market import Minutes
from ticktick.engine.sources import by_day, timers


async def fired(clock: StandingClock, rate: float, count: int) -> tuple[list[int], list[float]]:
    """The first timer events and how long the source slept between them."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.at_ns += max(round(seconds * rate * NS_PER_S), 1)
        if rate == 0:
            clock.at_ns += NS_PER_S // 2

    events: list[int] = []
    async with aclosing(timers(clock, lambda: rate, sleep)) as source:
        async for event in source:
            events.append(event.at_ns)
            if len(events) == count:
                break
    return events, slept


async def test_the_timer_fires_at_every_whole_second_of_market_time() -> None:
    events, slept = await fired(StandingClock(OPEN + NS_PER_S // 4), 1.0, 3)
    assert events == [OPEN + n * NS_PER_S for n in (1, 2, 3)]
    assert slept == [0.75, 1.0, 1.0]


async def test_a_fast_market_makes_the_timer_sleep_less() -> None:
    _, slept = await fired(StandingClock(OPEN), 20.0, 2)
    assert slept == [0.05, 0.05]


async def test_seconds_that_the_market_jumped_over_are_skipped() -> None:
    clock = StandingClock(OPEN)

    async def sleep(_: float) -> None:
        clock.at_ns += 90 * NS_PER_S

    async with aclosing(timers(clock, lambda: 1.0, sleep)) as source:
        assert (await anext(source)).at_ns == OPEN + 90 * NS_PER_S


async def test_when_the_clock_is_set_back_the_timer_goes_on_from_there() -> None:
    clock = StandingClock(OPEN)

    async def sleep(_: float) -> None:
        clock.at_ns -= 90 * NS_PER_S

    async with aclosing(timers(clock, lambda: 1.0, sleep)) as source:
        assert (await anext(source)).at_ns == OPEN - 90 * NS_PER_S


async def test_while_the_market_stands_the_timer_looks_again_every_second() -> None:
    _, slept = await fired(StandingClock(OPEN), 0.0, 1)
    assert set(slept) == {1.0}


def test_history_is_cut_into_days_that_together_tell_the_same_span() -> None:
    days = [OPEN - day * NS_PER_DAY for day in (4, 2, 0)]
    candles = [candle(day + minute * NS_PER_MINUTE) for day in days for minute in range(3)]
    span = (days[0] - NS_PER_MINUTE, days[-1] + 9 * NS_PER_MINUTE)
    cut = list(by_day(Minutes(tuple(candles), span)))
    assert [len(part.candles) for part in cut] == [3, 3, 3]
    assert [c for part in cut for c in part.candles] == candles
    assert (cut[0].span[0], cut[-1].span[1]) == span
    assert all(one.span[1] == two.span[0] for one, two in pairwise(cut))
    for part in cut:
        assert part.span[0] <= part.candles[0].start_ns < part.candles[-1].end_ns <= part.span[1]


def test_a_history_of_nothing_has_no_days() -> None:
    assert list(by_day(Minutes(()))) == []
