"""What was raised today, kept for the next start: a restart does not tell it once more."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from ticktick.domain.alert import Told
from ticktick.domain.clock import ist_day_number
from ticktick.domain.event import (
    AlertCleared,
    AlertRaised,
    AlertRulesChanged,
    WatchlistChanged,
)
from ticktick.engine.ports import Outputs

_CHANGING: Final = (AlertRaised, AlertCleared, AlertRulesChanged, WatchlistChanged)
_ENDLESS: Final = 2**53  # no day has so many; a browser cannot count on from there
_log = logging.getLogger(__name__)


class ToldFile:
    """A sink that keeps `told`, the newest alert of each rule and symbol, in a file.

    Nothing is written before `read`. `keep` writes what `take` saw change, in a thread: nobody
    waits for the disk, and what changes meanwhile is written next, once. A disk that refuses is
    told in the log and disturbs nobody: the next start may then tell an alert again, and never
    misses one.
    """

    def __init__(self, path: Path, told: Callable[[], Sequence[Told]]) -> None:
        self._path = path
        self._told = told
        self._is_read = False
        self._changes = self._kept = 0  # how many changes there were, and the file has
        self._wake = asyncio.Event()
        self._turn = threading.Lock()
        self._is_over = False

    def read(self, now_ns: int) -> tuple[Told, ...]:
        """The alerts of the day of that moment; none if the file cannot be read."""
        self._is_read = True
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=tuple[Told, ...])
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("%s cannot be read (%s): alerts may be told again", self._path, error)
            return ()
        today = ist_day_number(now_ns)
        return tuple(
            told
            for told in found
            if ist_day_number(told.raised_ns) == today and 0 < told.number < _ENDLESS
        )

    def take(self, outputs: Outputs) -> None:
        """Note that the event changed alerts, if it did."""
        if self._is_read and any(isinstance(fact, _CHANGING) for fact in outputs.facts):
            self._changes += 1
            self._wake.set()

    async def keep(self) -> None:
        """Write after every change what the alerts are then, for ever."""
        while True:
            if self._kept == self._changes:
                self._wake.clear()
                await self._wake.wait()
            changes = self._changes
            await asyncio.to_thread(self._write, self._told())
            self._kept = changes

    def close(self, timeout_s: float = 3.0) -> None:
        """Write what changed last; give up on a disk that is busy for longer than `timeout_s`."""
        if not self._turn.acquire(timeout=timeout_s):
            _log.warning("%s was still being written at the end", self._path)
            return
        try:
            if self._kept != self._changes:
                self._replace(self._told())
            self._is_over = True
        finally:
            self._turn.release()

    def _write(self, told: Sequence[Told]) -> None:
        with self._turn:
            if not self._is_over:  # a write that begins after `close` is older than the file
                self._replace(told)

    def _replace(self, told: Sequence[Told]) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_bytes(msgspec.json.encode(told))
            fresh.replace(self._path)
        except OSError as error:
            _log.warning("%s cannot be written (%s)", self._path, error.strerror or error)
