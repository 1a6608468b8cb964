"""The recording of a run in as many files as it takes: a new one where the disk failed."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from ticktick.domain.event import (
    BaselinesRead,
    CalendarRead,
    Event,
    HistoryRead,
    InstrumentsResolved,
    LinkChanged,
    RulesRead,
)
from ticktick.errors import StoreError
from ticktick.store.recording import Recorder

LOOK_S: Final = 10.0
LEAST_FREE_BYTES: Final = 256 << 20


class Recordings:
    """Keeps every event of a run; after a trouble with the disk a further file goes on.

    A recording cannot have a hole, so the further file begins like a start: with the calendar,
    the instruments, the link and `history`, the minutes, baselines and alerts known so far.
    `begin` makes a file, with a sentence for its header about what came before it.
    Raises StoreError if the first file cannot be made.
    """

    def __init__(
        self,
        begin: Callable[[str], Recorder],
        history: Callable[[], Iterable[HistoryRead | BaselinesRead | RulesRead]],
        least_free_bytes: int = LEAST_FREE_BYTES,
    ) -> None:
        self._begin = begin
        self._history = history
        self._least_free_bytes = least_free_bytes
        self._recorder = begin("")
        self._opening: dict[type[Event], Event] = {}
        self._written = self._dropped = 0

    @property
    def is_on(self) -> bool:
        """Whether events are kept at this moment."""
        return self._recorder.complete

    @property
    def text(self) -> str:
        """The state as a sentence for people."""
        lost = self.dropped
        return f"{self._recorder.text}, {lost} events are missing" if lost else self._recorder.text

    @property
    def written(self) -> int:
        """Events in all files."""
        return self._written + self._recorder.written

    @property
    def dropped(self) -> int:
        """Events in none."""
        return self._dropped + self._recorder.dropped

    @property
    def waiting_bytes(self) -> int:
        """What waits for the disk."""
        return self._recorder.waiting_bytes

    def write(self, event: Event) -> None:
        """Keep one event; never wait for the disk."""
        if isinstance(event, CalendarRead | InstrumentsResolved | LinkChanged):
            self._opening[type(event)] = event
        self._recorder.write(event)

    def close(self) -> None:
        """Write what is left."""
        self._recorder.close()

    async def mend(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Go on in a new file as soon as the disk has room again, for ever."""
        while True:
            await sleep(LOOK_S)
            if not self.is_on and not self._recorder.is_full:
                await self._go_on()

    async def _go_on(self) -> None:
        old = self._recorder
        try:
            usage = await asyncio.to_thread(shutil.disk_usage, old.path.parent)
            if usage.free < self._least_free_bytes:
                return
            new = await asyncio.to_thread(self._begin, f"goes on after {old.path.name}")
        except (StoreError, OSError):  # the next look may find it better
            return
        for kind in (CalendarRead, InstrumentsResolved, LinkChanged):
            if kind in self._opening:
                new.write(self._opening[kind])
        for history in self._history():
            new.write(history)
        self._written += old.written
        self._dropped += old.dropped
        self._recorder = new
