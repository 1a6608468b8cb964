"""What was usual, kept between days: one measured quarter of an hour a line.

A line that holds a symbol alone says that its prices are of another level from there on.
"""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from ticktick.domain.clock import ist_day_number
from ticktick.domain.event import BaselinesRead, QuarterEnded, WatchlistChanged
from ticktick.domain.market import QuarterHour
from ticktick.engine.ports import Outputs

KEPT_DAYS: Final = 45  # calendar days that hold 20 sessions, with holidays to spare

_log = logging.getLogger(__name__)


class BaselineFile:
    """A sink that appends every measured quarter of an hour to a file of the workspace.

    A disk that refuses is told in the log and disturbs nobody: what could not be written is
    missing from later days' baselines.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._encode = msgspec.json.Encoder().encode

    def read(self, now_ns: int) -> Iterator[BaselinesRead]:
        """What was measured in the last 45 days, symbol by symbol; older lines leave the file.

        A line that is none, as of a program killed while it wrote, is left out.
        """
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        except OSError as error:
            self._complain("read", error)
            return
        kept = _kept(lines, ist_day_number(now_ns) - KEPT_DAYS)
        if sum(map(len, kept.values())) < len(lines):
            self._replace([quarter for quarters in kept.values() for quarter in quarters])
        for symbol, quarters in kept.items():
            yield BaselinesRead(now_ns, symbol, tuple(quarters))

    def take(self, outputs: Outputs) -> None:
        """Append what was measured, and of whom nothing measured before counts any more."""
        news: list[QuarterHour | str] = []
        for fact in outputs.facts:
            if isinstance(fact, QuarterEnded):
                news.append(fact.quarter)
            elif isinstance(fact, WatchlistChanged):
                news += fact.restated
        if not news:
            return
        try:
            with self._path.open("ab") as file:
                file.write(self._lines(news))
        except OSError as error:
            self._complain("written", error)

    def _replace(self, quarters: list[QuarterHour]) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_bytes(self._lines(quarters))
            fresh.replace(self._path)
        except OSError as error:
            self._complain("written", error)

    def _lines(self, news: Iterable[QuarterHour | str]) -> bytes:
        return b"".join(self._encode(each) + b"\n" for each in news)

    def _complain(self, what: str, error: OSError) -> None:
        reason = error.strerror or str(error)
        _log.warning("%s cannot be %s (%s): its flags lack a baseline", self._path, what, reason)


def _kept(lines: Iterable[bytes], oldest_day: int) -> dict[str, list[QuarterHour]]:
    """What counts of the lines, by symbol in order."""
    found: dict[str, list[QuarterHour]] = {}
    for line in lines:
        match _told(line):
            case QuarterHour() as quarter if quarter.day >= oldest_day:
                found.setdefault(quarter.symbol, []).append(quarter)
            case str(restated):
                found.pop(restated, None)
    return dict(sorted(found.items()))


def _told(line: bytes) -> QuarterHour | str | None:
    try:
        return msgspec.json.decode(line, type=QuarterHour | str)
    except msgspec.DecodeError:
        return None
