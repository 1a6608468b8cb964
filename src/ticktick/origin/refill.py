"""The task that reads the broker's candles: at the start, and again after every gap."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from functools import partial

from ticktick.brokers.upstox.history import UpstoxHistory
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import Clock
from ticktick.domain.event import HistoryRead, NoteTaken
from ticktick.domain.instrument import Instrument
from ticktick.domain.sessions import Calendar
from ticktick.engine.runner import Runner
from ticktick.engine.sources import deep_history, newest_history
from ticktick.origin.restated import is_restated


class Refill:
    """History at the start, deep; after each return of the link the newest minutes again.

    Symbol by symbol, all newest minutes before the depth of any. `before` is awaited before the
    readings after a return. A symbol whose minutes the broker tells at another price level than
    it did is given to `restate` instead of being passed on.
    """

    def __init__(
        self,
        rest: UpstoxRest,
        clock: Clock,
        instruments: Callable[[], Sequence[Instrument]],
        before: Callable[[], Awaitable[None]],
        restate: Callable[[Runner, str], Awaitable[None]],
        calendar: Callable[[], Calendar],
    ) -> None:
        self._rest = rest
        self._clock = clock
        self._instruments = instruments
        self._before = before
        self._restate = restate
        self._calendar = calendar
        self._is_return = False
        self._wanted = asyncio.Event()
        self._newest: dict[str, None] = {}
        self._deep: dict[str, None] = {}
        self._void: set[str] = set()

    def ask(self) -> None:
        """Read the newest minutes of every symbol again."""
        self._is_return = True
        self._newest |= dict.fromkeys(self._symbols())
        self._wanted.set()

    def seed(self, symbols: Iterable[str]) -> None:
        """Read the whole past of these symbols, of which nothing is known, before all others."""
        unknown = dict.fromkeys(symbols)
        self._newest = unknown | self._newest
        self._deep = unknown | self._deep
        self._void |= unknown.keys()
        self._wanted.set()

    async def run(self, runner: Runner) -> None:
        """Read everything, then what is asked for."""
        every = dict.fromkeys(self._symbols())
        self._newest |= every
        self._deep |= every
        while True:
            if self._is_return:
                self._is_return = False
                await self._before()
            if self._newest:
                await self._read(runner, self._newest, newest_history)
            elif self._deep:
                await self._read(runner, self._deep, partial(deep_history, sleep=asyncio.sleep))
            else:
                self._wanted.clear()
                await self._wanted.wait()

    async def _read(
        self,
        runner: Runner,
        waiting: dict[str, None],
        source_of: Callable[..., AsyncGenerator[HistoryRead]],
    ) -> None:
        """Pass on the history of the first waiting symbol."""
        symbol = next(iter(waiting))
        del waiting[symbol]
        instrument = next((i for i in self._instruments() if i.symbol == symbol), None)
        if instrument is None:  # it left the list meanwhile
            return
        notes: list[str] = []
        source = UpstoxHistory(
            self._rest, [instrument], self._clock, self._calendar(), notes.append
        )
        read = source_of(source, symbol, self._clock, notes.append)
        async with aclosing(read) as events:
            async for event in events:
                if self._is_restated(runner, instrument, event):
                    await self._restate(runner, symbol)
                    break
                await runner.put(event)
        if symbol not in self._newest and symbol not in self._deep:
            self._void.discard(symbol)
        for text in dict.fromkeys(notes):
            await runner.put(NoteTaken(self._clock.now_ns(), "warning", text))

    def _is_restated(self, runner: Runner, instrument: Instrument, event: HistoryRead) -> bool:
        if event.symbol in self._void:  # nothing is known to compare it with
            return False
        known = runner.market.candles(event.symbol, 1)
        return is_restated(instrument, known, event.candles)

    def _symbols(self) -> list[str]:
        return [instrument.symbol for instrument in self._instruments()]
