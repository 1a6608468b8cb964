"""Recorded sessions: feed messages as JSON lines and plain tick files, read as a stream.

Files may be gzipped. A name that ends in `.csv` or `.csv.gz` is a tick file, any other one holds
JSON lines. A line that cannot be read is counted, reported and left out.
"""

import gzip
import heapq
import logging
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TextIO

from msgspec import Struct
from msgspec.structs import replace

from ticktick.emulator.listings import LISTINGS
from ticktick.emulator.recorded_lines import JsonLines, Recorded, TickLines

_LOG = logging.getLogger(__name__)
_REPORTED_LINES = 3
_TICK_ENDINGS: Final = (".csv", ".csv.gz")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_KEY_OF_NAME: Final = {
    name.lower(): listing.key for listing in LISTINGS for name in (listing.symbol, listing.name)
}


class UnnamedTicksError(ValueError):
    """A tick file of which nobody knows the instrument."""


class RecordedFile(Struct, frozen=True):
    """A file to play; `key` is the instrument of a tick file, empty for JSON lines.

    Made by `recorded_file`.
    """

    path: Path
    key: str = ""


def recorded_file(path: Path, key: str = "") -> RecordedFile:
    """The file; a tick file without a key is that of the listing its name begins with.

    Raises UnnamedTicksError if a tick file has neither, ValueError if JSON lines have a key.
    """
    is_ticks = path.name.endswith(_TICK_ENDINGS)
    if key and not is_ticks:
        raise ValueError(f"{path.name} names its instruments itself; leave {key} out")
    if is_ticks and not key:
        key = _key_by_name(path)
    return RecordedFile(path, key)


class Recording:
    """Lines of several files in order of time; `bad_lines` counts what could not be read.

    Bad lines are reported to the log unless the recording is only `peeked` at.
    """

    def __init__(self, files: Sequence[RecordedFile], *, peeked: bool = False) -> None:
        self._files = files
        self._log_level = logging.DEBUG if peeked else logging.WARNING
        self.bad_lines = 0

    def messages(self) -> Iterator[Recorded]:
        """Every message of every file, merged by time; files are read as far as needed."""
        return heapq.merge(*(self.of_file(file) for file in self._files), key=_time)

    def of_file(self, file: RecordedFile) -> Iterator[Recorded]:
        """The messages of one file; one with a time before the line above is played with that."""
        form = TickLines(file.key) if file.key else JsonLines()
        bad, latest_ns = 0, 0
        with _opened(file.path) as lines:
            for number, line in enumerate(_whole(lines, file.path), 1):
                if not line.strip():
                    continue
                try:
                    message = form.read(line)
                except ValueError as error:
                    bad += 1
                    self.bad_lines += 1
                    if bad <= _REPORTED_LINES:
                        self._tell("line %d of %s is left out: %s", number, file.path, error)
                    continue
                if message is not None:
                    latest_ns = max(latest_ns, message.at_ns)
                    yield replace(message, at_ns=latest_ns)
        if bad > _REPORTED_LINES:
            self._tell("%d lines of %s were left out", bad, file.path)

    def _tell(self, text: str, *parts: object) -> None:
        _LOG.log(self._log_level, text, *parts)


def _key_by_name(path: Path) -> str:
    """The key of the listing whose symbol or name stands before the day in the file's name."""
    stem = path.name.removesuffix(".gz").removesuffix(".csv")
    name = _DAY.split(stem)[0].replace("_", " ").strip(" -.")
    key = _KEY_OF_NAME.get(name.lower())
    if key is None:
        raise UnnamedTicksError(
            f"whose ticks are in {path.name}? Write the key before it: 'NSE_EQ|INE...={path}'"
        )
    return key


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8", errors="replace")


def _whole(lines: TextIO, path: Path) -> Iterator[str]:
    """The lines of a file; a damaged one ends where the damage begins."""
    try:
        yield from lines
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        _LOG.warning("%s is damaged and ends early: %s", path, error)


def _time(message: Recorded) -> int:
    return message.at_ns
