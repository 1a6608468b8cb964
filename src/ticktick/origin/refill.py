"""The task that reads the broker's candles: at the start, and again after every gap."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ticktick.brokers.upstox.history import UpstoxHistory
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import Clock
from ticktick.domain.event import NoteTaken
from ticktick.domain.instrument import Instrument
from ticktick.domain.sessions import Calendar
from ticktick.engine.runner import Runner
from ticktick.engine.sources import DEEP_SESSIONS, history


class Refill:
    """History at the start, deep; after each return of the link the newest minutes again.

    `before` is awaited before each reading after a return.
    """

    def __init__(
        self,
        rest: UpstoxRest,
        clock: Clock,
        instruments: Callable[[], Sequence[Instrument]],
        before: Callable[[], Awaitable[None]],
    ) -> None:
        self._rest = rest
        self._clock = clock
        self._instruments = instruments
        self._before = before
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Read the newest minutes of every symbol again."""
        self._asked.set()

    async def run(self, runner: Runner) -> None:
        """Read, then wait to be asked."""
        notes: list[str] = []
        sessions = DEEP_SESSIONS
        while True:
            instruments = self._instruments()
            source = UpstoxHistory(self._rest, instruments, self._clock, Calendar(), notes.append)
            symbols = [instrument.symbol for instrument in instruments]
            await runner.take_from(
                history(source, symbols, self._clock, notes.append, asyncio.sleep, sessions)
            )
            for text in dict.fromkeys(notes):
                await runner.put(NoteTaken(self._clock.now_ns(), "warning", text))
            notes.clear()
            await self._asked.wait()
            self._asked.clear()
            await self._before()
            sessions = 0
