"""The task that has the broker confirm the minutes of which the feed did not tell its own."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ticktick.brokers.budget import Priority
from ticktick.brokers.upstox.history import UpstoxHistory
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S
from ticktick.domain.event import HistoryRead
from ticktick.domain.market import Minutes
from ticktick.engine.runner import Runner
from ticktick.errors import BrokerError
from ticktick.origin.ports import RatedClock

# after a minute's end: when the feed has confirmed most, and once more for what came late
_LOOKS_NS: Final = (3 * NS_PER_S, 12 * NS_PER_S)
_LEAST_PAUSE_S: Final = 2.0
_LONGEST_PAUSE_S: Final = 1.0
_BACK_NS: Final = 10 * NS_PER_MINUTE
_SINGLE_READS: Final = 5
_TRIES: Final = 2


class Confirming:
    """Twice a minute: the last minute of all symbols in one call, older ones for few symbols.

    `source` is asked anew for each look. At high speed at most one look in two seconds is made.
    """

    def __init__(self, clock: RatedClock, source: Callable[[], UpstoxHistory]) -> None:
        self._clock = clock
        self._source = source
        self._asked: Counter[tuple[str, int]] = Counter()

    async def run(self, runner: Runner) -> None:
        """Wait for the next look and make it, for ever."""
        while True:
            await self._until(self._next_look_ns())
            try:
                await self.look(runner)
            except BrokerError:
                continue  # the minutes stay final but unconfirmed, and say so
            finally:
                await asyncio.sleep(_LEAST_PAUSE_S)

    async def look(self, runner: Runner) -> None:
        """Ask for what is unconfirmed at this moment."""
        over_ns = self._clock.now_ns() // NS_PER_MINUTE * NS_PER_MINUTE
        newest_ns, wishes = over_ns - NS_PER_MINUTE, runner.market.wishes
        await self._ask_together(runner, wishes.unconfirmed(newest_ns, over_ns))
        older = wishes.unconfirmed(over_ns - _BACK_NS, newest_ns)
        for symbol, start_ns in self._doubtful(older, over_ns):
            told = await self._source().since(symbol, start_ns, Priority.CONFIRM)
            await self._tell(runner, symbol, told)

    def _doubtful(self, older: Mapping[str, Sequence[int]], over_ns: int) -> list[tuple[str, int]]:
        """The oldest doubtful minute of a few symbols; each minute is asked for twice at most."""
        for minute in [minute for minute in self._asked if minute[1] < over_ns - _BACK_NS]:
            del self._asked[minute]
        found = list[tuple[str, int]]()
        for symbol, starts in older.items():
            minutes = [(symbol, start) for start in starts if self._asked[symbol, start] < _TRIES]
            if minutes and len(found) < _SINGLE_READS:
                self._asked.update(minutes)  # one reading tells all of them
                found.append(minutes[0])
        return found

    async def _ask_together(self, runner: Runner, wishes: Mapping[str, Sequence[int]]) -> None:
        if not wishes:
            return
        starts = {symbol: found[-1] for symbol, found in wishes.items()}
        for candle in await self._source().newest(starts):
            await self._tell(runner, candle.symbol, Minutes((candle,)))

    async def _tell(self, runner: Runner, symbol: str, told: Minutes) -> None:
        now_ns = self._clock.now_ns()
        await runner.put(HistoryRead(now_ns, symbol, told.candles, told.span))

    def _next_look_ns(self) -> int:
        now_ns = self._clock.now_ns()
        minute_ns = now_ns // NS_PER_MINUTE * NS_PER_MINUTE
        looks = [minute_ns + at_ns for at_ns in (*_LOOKS_NS, NS_PER_MINUTE + _LOOKS_NS[0])]
        return next(look_ns for look_ns in looks if look_ns > now_ns)

    async def _until(self, at_ns: int) -> None:
        while (left_ns := at_ns - self._clock.now_ns()) > 0:
            rate = self._clock.rate
            wait_s = left_ns / NS_PER_S / rate if rate > 0 else _LONGEST_PAUSE_S
            await asyncio.sleep(min(wait_s, _LONGEST_PAUSE_S))
