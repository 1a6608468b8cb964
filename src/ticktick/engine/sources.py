"""Where events come from besides the feed: the timer and the broker's history."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

from ticktick.domain.clock import NS_PER_S, Clock, ist_day
from ticktick.domain.event import HistoryRead, TimerFired
from ticktick.domain.market import Candle
from ticktick.engine.ports import CandleSource
from ticktick.errors import BrokerError

FIRST_MINUTES = 250
DEEP_SESSIONS = 42
_SESSION_MINUTES = 375
_SLICE_PAUSE_S = 0.02

Sleep: TypeAlias = Callable[[float], Awaitable[None]]


async def timers(
    clock: Clock, rate: Callable[[], float], sleep: Sleep
) -> AsyncGenerator[TimerFired]:
    """Yield a timer event at every whole second of market time, one at most per second.

    Where market time jumps ahead, the seconds in between are skipped; where it is set back, the
    events go on from there. While it stands (rate 0) the source looks again every second.
    """
    fired = clock.now_ns() // NS_PER_S
    while True:
        now_ns = clock.now_ns()
        second = now_ns // NS_PER_S
        if second != fired:
            fired = second
            yield TimerFired(at_ns=second * NS_PER_S)
            continue
        left_s = ((fired + 1) * NS_PER_S - now_ns) / NS_PER_S
        await sleep(min(left_s / rate(), 1.0) if rate() > 0 else 1.0)


async def newest_history(
    source: CandleSource, symbol: str, clock: Clock, note: Callable[[str], None]
) -> AsyncGenerator[HistoryRead]:
    """Yield the newest 250 minutes of the symbol; if they cannot be read, `note` is told."""
    if candles := await _minutes(source, symbol, FIRST_MINUTES, note):
        yield HistoryRead(clock.now_ns(), symbol, tuple(candles))


async def deep_history(
    source: CandleSource, symbol: str, clock: Clock, note: Callable[[str], None], sleep: Sleep
) -> AsyncGenerator[HistoryRead]:
    """Yield 42 sessions of the symbol, day by day; if they cannot be read, `note` is told.

    Between days the source pauses, so that live frames never wait behind a month of candles.
    """
    for day in _days(await _minutes(source, symbol, DEEP_SESSIONS * _SESSION_MINUTES, note)):
        yield HistoryRead(clock.now_ns(), symbol, day)
        await sleep(_SLICE_PAUSE_S)


async def _minutes(
    source: CandleSource, symbol: str, count: int, note: Callable[[str], None]
) -> Sequence[Candle]:
    try:
        return await source.minutes(symbol, count)
    except BrokerError as error:
        note(f"{symbol}: history could not be read: {error}")
        return ()


def _days(candles: Sequence[Candle]) -> Iterator[tuple[Candle, ...]]:
    """The candles of each day, oldest day first."""
    for _, day in groupby(candles, key=lambda candle: ist_day(candle.start_ns)):
        yield tuple(day)
