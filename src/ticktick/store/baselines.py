"""What was usual, kept between days: one measured quarter of an hour a line."""

import logging
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec

from ticktick.domain.clock import ist_day_number
from ticktick.domain.event import BaselinesRead, QuarterEnded
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
        found = [quarter for line in lines if (quarter := _quarter(line)) is not None]
        oldest = ist_day_number(now_ns) - KEPT_DAYS
        kept = sorted((q for q in found if q.day >= oldest), key=lambda q: q.symbol)
        if len(kept) < len(lines):
            self._replace(kept)
        for symbol, quarters in groupby(kept, key=lambda quarter: quarter.symbol):
            yield BaselinesRead(now_ns, symbol, tuple(quarters))

    def take(self, outputs: Outputs) -> None:
        """Append what was measured."""
        ended = [fact.quarter for fact in outputs.facts if isinstance(fact, QuarterEnded)]
        if not ended:
            return
        try:
            with self._path.open("ab") as file:
                file.write(self._lines(ended))
        except OSError as error:
            self._complain("written", error)

    def _replace(self, quarters: list[QuarterHour]) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_bytes(self._lines(quarters))
            fresh.replace(self._path)
        except OSError as error:
            self._complain("written", error)

    def _lines(self, quarters: list[QuarterHour]) -> bytes:
        return b"".join(self._encode(quarter) + b"\n" for quarter in quarters)

    def _complain(self, what: str, error: OSError) -> None:
        reason = error.strerror or str(error)
        _log.warning("%s cannot be %s (%s): its flags lack a baseline", self._path, what, reason)


def _quarter(line: bytes) -> QuarterHour | None:
    try:
        return msgspec.json.decode(line, type=QuarterHour)
    except msgspec.DecodeError:
        return None
