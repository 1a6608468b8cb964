"""Where events come from besides the feed: the timer and what the broker's history told."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from datetime import date
from itertools import groupby
from typing import TypeAlias

from ticktick.domain.clock import NS_PER_S, Clock, ist_day, ist_midnight_ns
from ticktick.domain.event import TimerFired
from ticktick.domain.market import Candle, Minutes

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


def by_day(read: Minutes) -> Iterator[Minutes]:
    """The minutes of each day, oldest day first; together they tell the same span."""
    days = [tuple(day) for _, day in groupby(read.candles, key=_day)]
    firsts = [day[0].start_ns for day in days]
    begins = [read.span[0], *(ist_midnight_ns(ist_day(first)) for first in firsts[1:])]
    ends = [*begins[1:], read.span[1]]
    for day, begin_ns, end_ns in zip(days, begins, ends, strict=False):
        yield Minutes(day, (begin_ns, end_ns))


def _day(candle: Candle) -> date:
    return ist_day(candle.start_ns)
