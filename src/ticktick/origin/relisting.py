"""The one way in which a run's list changes: the engine first, then the feed and the history."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from ticktick.domain.event import InstrumentsResolved
from ticktick.engine.runner import Runner

_PATIENCE_S: Final = 3.0


class Feed(Protocol):
    """The feed, as far as the list concerns it."""

    def change_keys(self, keys: Sequence[str]) -> None:
        """Follow these instruments from now on."""
        ...


class History(Protocol):
    """The reader of candles, as far as the list concerns it."""

    def seed(self, symbols: Iterable[str]) -> None:
        """Read the whole past of these symbols."""
        ...


class Relisting:
    """Makes one change after the other; each is complete when `change` returns.

    Only where the engine is further behind than `patience_s` it follows later, in its turn.
    """

    def __init__(self, feed: Feed, history: History, patience_s: float = _PATIENCE_S) -> None:
        self._feed = feed
        self._history = history
        self._patience_s = patience_s
        self._turn = asyncio.Lock()
        self._symbols: frozenset[str] = frozenset()

    def begin(self, first: InstrumentsResolved) -> None:
        """Take over the list of the start, whose history is read without being asked for."""
        self._symbols = _symbols(first)

    async def change(
        self, runner: Runner, make: Callable[[], Awaitable[InstrumentsResolved | None]]
    ) -> InstrumentsResolved | None:
        """Let `make` change the list, and everybody follow it; None where it changed nothing.

        What `make` raises passes.
        """
        async with self._turn:
            made = await make()
            if made is None:
                return None
            with suppress(TimeoutError):  # an engine that is behind takes it in its turn
                async with asyncio.timeout(self._patience_s):
                    await runner.let_happen(made)  # before any frame of a new instrument
            self._feed.change_keys([one.instrument_key for one in made.instruments])
            symbols = _symbols(made)
            self._history.seed(sorted(symbols - self._symbols | {*made.restated}))
            self._symbols = symbols
            return made


def _symbols(made: InstrumentsResolved) -> frozenset[str]:
    return frozenset(instrument.symbol for instrument in made.instruments)
