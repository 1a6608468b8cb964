"""The task that asks the broker for the candles that the feed did not tell.

What to ask is read from the engine: the past of new symbols, lost minutes, and closed minutes that
nobody confirmed. What is answered goes to the engine as an event, so asking twice is harmless.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from msgspec import Struct

from ticktick.brokers.budget import Priority
from ticktick.brokers.upstox.history import SETTLED_NS, UpstoxHistory
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.event import HistoryRead, NoteTaken
from ticktick.domain.instrument import Instrument
from ticktick.domain.market import Minutes
from ticktick.domain.sessions import Calendar
from ticktick.engine.runner import Runner
from ticktick.engine.sources import by_day
from ticktick.errors import BrokerError
from ticktick.origin.confirming import Confirming
from ticktick.origin.patience import Patience
from ticktick.origin.ports import RatedClock
from ticktick.origin.restated import is_restated

FIRST_MINUTES: Final = 250
DEEP_SESSIONS: Final = 42
_SESSION_MINUTES: Final = 375
_LOOK_S: Final = 0.5
_SLICE_PAUSE_S: Final = 0.02
_DEEP_PAUSE_S: Final = 30.0


class _Wish(Struct, frozen=True):
    """Something to read of one symbol."""

    name: str
    symbol: str
    read: Callable[[], Awaitable[Minutes]]


class Refill:
    """Reads history for new symbols, first the newest minutes, then deep; and what was lost.

    What is lost is read again and again, with pauses, until it is told. `before` is awaited
    before anything is read. A symbol whose minutes the broker tells at another price level than
    it did is given to `restate` instead of being passed on.
    """

    def __init__(
        self,
        rest: UpstoxRest,
        clock: RatedClock,
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
        self._woken = asyncio.Event()
        self._patience = Patience(time.monotonic)
        self._under_way: set[str] = set()
        self._deep: asyncio.Queue[str] = asyncio.Queue()
        self._again: set[str] = set()
        self._notes: list[str] = []
        self._is_failing = False

    def ask(self) -> None:
        """Look at once for what was lost, whatever was asked in vain before."""
        self._patience.forget()
        self._woken.set()

    def seed(self, symbols: Iterable[str]) -> None:
        """Look at once for the past of these symbols, of which the engine knows nothing."""
        self.ask()

    def read_again(self) -> None:
        """Read the newest minutes of every symbol, told or not: its past may have changed."""
        self._again = {instrument.symbol for instrument in self._instruments()}
        self.ask()

    async def run(self, runner: Runner) -> None:
        """Ask, for ever: for the lost, the doubtful and the old beside each other."""
        confirming = Confirming(self._clock, self._source)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repair(runner, tasks))
            tasks.create_task(self._deepen(runner))
            tasks.create_task(confirming.run(runner))

    async def _repair(self, runner: Runner, tasks: asyncio.TaskGroup) -> None:
        self._under_way.clear()
        while True:
            due = self._due(runner)
            if due:
                await self._before()
            for wish in due:
                self._under_way.add(wish.name)
                tasks.create_task(self._read(runner, wish))
            await self._tell_notes(runner)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._woken.wait()
            self._woken.clear()

    def _due(self, runner: Runner) -> list[_Wish]:
        """What is wished for and may be asked now."""
        wishes, source = runner.market.wishes, self._source()
        lost = wishes.lost(self._clock.now_ns() - SETTLED_NS)
        found = [
            _Wish(f"lost {symbol}", symbol, partial(source.since, symbol, span[0]))
            for symbol, span in lost.items()
        ]
        found += [
            _Wish(f"new {symbol}", symbol, partial(source.minutes, symbol, FIRST_MINUTES))
            for symbol in dict.fromkeys((*wishes.untold, *sorted(self._again)))
        ]
        self._patience.keep({wish.name for wish in found})
        followed = {instrument.symbol for instrument in self._instruments()}
        free = [w for w in found if w.symbol in followed and w.name not in self._under_way]
        return [wish for wish in free if self._patience.is_over(wish.name)]

    async def _read(self, runner: Runner, wish: _Wish) -> None:
        is_new = wish.symbol in runner.market.wishes.untold
        try:
            told = await wish.read()
        except BrokerError as error:
            await self._fail(runner, wish.symbol, error)
        else:
            self._again.discard(wish.symbol)
            await self._tell(runner, wish.symbol, told)
            await self._succeed(runner)
            if is_new and told.candles:
                self._deep.put_nowait(wish.symbol)
        finally:
            self._patience.asked(wish.name)
            self._under_way.discard(wish.name)

    async def _deepen(self, runner: Runner) -> None:
        """Read the deep history of one symbol after the other; what fails waits at the end."""
        while True:
            symbol = await self._deep.get()
            count = DEEP_SESSIONS * _SESSION_MINUTES
            if symbol not in {instrument.symbol for instrument in self._instruments()}:
                continue
            try:
                told = await self._source().minutes(symbol, count, Priority.DEEP)
            except BrokerError as error:
                await self._fail(runner, symbol, error)
                self._deep.put_nowait(symbol)
                await asyncio.sleep(_DEEP_PAUSE_S)
                continue
            for day in by_day(told):
                if not await self._tell(runner, symbol, day):
                    break
                await asyncio.sleep(_SLICE_PAUSE_S)

    async def _tell(self, runner: Runner, symbol: str, told: Minutes) -> bool:
        """Pass on what was told; false if that was the past at another price level."""
        instrument = next((i for i in self._instruments() if i.symbol == symbol), None)
        known = runner.market.candles(symbol, 1)
        if instrument is not None and is_restated(instrument, known, told.candles):
            await self._restate(runner, symbol)
            return False
        now_ns = self._clock.now_ns()
        await runner.put(HistoryRead(now_ns, symbol, told.candles, told.span))
        return True

    async def _tell_notes(self, runner: Runner) -> None:
        notes = tuple(dict.fromkeys(self._notes))
        self._notes.clear()
        for text in notes:
            await runner.put(NoteTaken(self._clock.now_ns(), "warning", text))

    async def _fail(self, runner: Runner, symbol: str, error: BrokerError) -> None:
        """Tell the user once that history cannot be read, of all symbols together."""
        if not self._is_failing:
            self._is_failing = True
            text = f"history of {symbol} could not be read ({error}); it is asked for again"
            await runner.put(NoteTaken(self._clock.now_ns(), "warning", text))

    async def _succeed(self, runner: Runner) -> None:
        if self._is_failing:
            self._is_failing = False
            await runner.put(NoteTaken(self._clock.now_ns(), "info", "history is read again"))

    def _source(self) -> UpstoxHistory:
        instruments = self._instruments()
        return UpstoxHistory(
            self._rest, instruments, self._clock, self._calendar(), self._notes.append
        )
