"""Recorded sessions of the real feed: JSON lines, plain or gzipped, read as a stream.

Two forms of line are known: one instrument with the recorder's `_insertion_time` (a wall time
in India), and a whole feed message with its own `currentTs`. A line that is neither is counted,
reported and left out.
"""

import gzip
import heapq
import json
import logging
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from google.protobuf.json_format import ParseDict, ParseError
from msgspec import Struct

from ticktick.domain.clock import IST, NS_PER_MS, parse_iso_ns
from ticktick.emulator.wire import word_of_status
from ticktick.proto.MarketDataFeed_pb2 import Feed, FeedResponse

_LOG = logging.getLogger(__name__)
_REPORTED_LINES = 3


class Recorded(Struct, frozen=True):
    """What one line tells: when, of which instruments, and the status of segments."""

    at_ns: int
    feeds: Mapping[str, Feed]
    status: Mapping[str, str]


class UnreadableLineError(ValueError):
    """A line that is neither form of a recorded message."""


class Recording:
    """Lines of several files in order of time; `bad_lines` counts what could not be read.

    Bad lines are reported to the log unless the recording is only `peeked` at.
    """

    def __init__(self, paths: Sequence[Path], *, peeked: bool = False) -> None:
        self._paths = paths
        self._log_level = logging.DEBUG if peeked else logging.WARNING
        self.bad_lines = 0

    def messages(self) -> Iterator[Recorded]:
        """Every message of every file, merged by time; files are read as far as needed."""
        return heapq.merge(*(self.of_file(path) for path in self._paths), key=_time)

    def of_file(self, path: Path) -> Iterator[Recorded]:
        """The messages of one file; a time before the line above is taken as that of the line."""
        bad, latest_ns = 0, 0
        with _opened(path) as lines:
            for number, line in enumerate(_whole(lines, path), 1):
                try:
                    message = parse_line(line)
                except ValueError as error:
                    bad += 1
                    self.bad_lines += 1
                    if bad <= _REPORTED_LINES:
                        _LOG.log(
                            self._log_level, "line %d of %s is left out: %s", number, path, error
                        )
                    continue
                latest_ns = max(latest_ns, message.at_ns)
                yield Recorded(latest_ns, message.feeds, message.status)
        if bad > _REPORTED_LINES:
            _LOG.log(self._log_level, "%d lines of %s were left out", bad, path)


def parse_line(line: str) -> Recorded:
    """Read one line of either form.

    Raises ValueError if the line is neither.
    """
    content = json.loads(line)
    if not isinstance(content, dict):
        raise UnreadableLineError("it is no JSON object")
    try:
        if "instrumentKey" in content:
            return _one_instrument(content)
        return _whole_message(content)
    except ParseError as error:
        raise UnreadableLineError(str(error)) from error


def _one_instrument(content: dict[str, Any]) -> Recorded:
    key, written = content["instrumentKey"], content.get("_insertion_time")
    if not isinstance(key, str) or not isinstance(written, str):
        raise UnreadableLineError("instrumentKey and _insertion_time must be texts")
    moment = datetime.fromisoformat(written).replace(tzinfo=IST)
    feed = ParseDict(content, Feed(), ignore_unknown_fields=True)
    if not feed.HasField("fullFeed"):
        raise UnreadableLineError("it holds no fullFeed")
    return Recorded(parse_iso_ns(moment.isoformat()), {key: feed}, {})


def _whole_message(content: dict[str, Any]) -> Recorded:
    message = ParseDict(content, FeedResponse(), ignore_unknown_fields=True)
    if not message.currentTs or not (message.feeds or message.marketInfo.segmentStatus):
        raise UnreadableLineError("it holds neither an instrument nor a market status with a time")
    feeds = {key: feed for key, feed in message.feeds.items() if feed.HasField("fullFeed")}
    status = message.marketInfo.segmentStatus
    words = {segment: word_of_status(value) for segment, value in status.items()}
    return Recorded(message.currentTs * NS_PER_MS, feeds, words)


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8", errors="replace")


def _whole(lines: TextIO, path: Path) -> Iterator[str]:
    """The lines of a file, blank ones left out; a damaged file ends where the damage begins."""
    try:
        yield from (line for line in lines if line.strip())
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        _LOG.warning("%s is damaged and ends early: %s", path, error)


def _time(message: Recorded) -> int:
    return message.at_ns
