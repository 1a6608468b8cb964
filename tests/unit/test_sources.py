"""The timer and the history as sources of events."""

from collections.abc import Sequence
from contextlib import aclosing

from tests.market_stage import OPEN, candle
from tests.upstox_stage import StandingClock
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, NS_PER_S
from ticktick.domain.event import HistoryRead
from ticktick.domain.market import Candle
from ticktick.engine.sources import FIRST_MINUTES, deep_history, newest_history, timers
from ticktick.errors import BrokerError


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


class Books:
    """A broker's candles, by symbol; a symbol it does not know fails."""

    def __init__(self, **candles: Sequence[Candle]) -> None:
        self._candles = candles

    async def minutes(self, symbol: str, count: int) -> Sequence[Candle]:
        if symbol not in self._candles:
            raise BrokerError("no")
        return self._candles[symbol][-count:]


async def newest(books: Books, symbol: str) -> tuple[list[HistoryRead], list[str]]:
    notes: list[str] = []
    source = newest_history(books, symbol, StandingClock(OPEN), notes.append)
    return [event async for event in source], notes


async def deep(books: Books, symbol: str) -> tuple[list[HistoryRead], list[str], list[float]]:
    notes: list[str] = []
    pauses: list[float] = []

    async def sleep(pause_s: float) -> None:
        pauses.append(pause_s)

    source = deep_history(books, symbol, StandingClock(OPEN), notes.append, sleep)
    return [event async for event in source], notes, pauses


def days(symbol: str, count: int) -> list[Candle]:
    return [
        candle(OPEN - day * NS_PER_DAY + minute * NS_PER_MINUTE, symbol=symbol)
        for day in range(count, 0, -1)
        for minute in range(360)
    ]


async def test_the_newest_minutes_are_one_event() -> None:
    events, notes = await newest(Books(A=days("A", 3)), "A")
    assert [(event.symbol, len(event.candles)) for event in events] == [("A", FIRST_MINUTES)]
    assert notes == []


async def test_the_deep_past_comes_day_by_day_with_a_pause_after_each() -> None:
    events, notes, pauses = await deep(Books(A=days("A", 3)), "A")
    assert [len(event.candles) for event in events] == [360] * 3
    starts = [event.candles[0].start_ns for event in events]
    assert starts == sorted(starts)
    assert len(pauses) == 3
    assert notes == []


async def test_a_symbol_without_history_is_told_and_one_that_is_new_has_none() -> None:
    books = Books(NEW=[])
    assert await newest(books, "GONE") == ([], ["GONE: history could not be read: no"])
    assert await newest(books, "NEW") == ([], [])
    assert (await deep(books, "GONE"))[1] == ["GONE: history could not be read: no"]
