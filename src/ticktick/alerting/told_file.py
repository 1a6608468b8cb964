"""What was raised today, kept for the next start: a restart does not tell it once more."""

import logging
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

    Nothing is written before `read`. A disk that refuses is told in the log and disturbs nobody:
    the next start may then tell an alert again, and never misses one.
    """

    def __init__(self, path: Path, told: Callable[[], Sequence[Told]]) -> None:
        self._path = path
        self._told = told
        self._is_read = False

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
        """Keep what the alerts are after the event, if it changed any."""
        if self._is_read and any(isinstance(fact, _CHANGING) for fact in outputs.facts):
            self._write()

    def _write(self) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_bytes(msgspec.json.encode(self._told()))
            fresh.replace(self._path)
        except OSError as error:
            _log.warning("%s cannot be written (%s)", self._path, error.strerror or error)
