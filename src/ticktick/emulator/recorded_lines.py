"""What one line of a recording tells, in each form that recorders write.

JSON: one instrument with the recorder's `_insertion_time` (a wall time in India), or a whole
feed message with its own `currentTs`. CSV: a tick, that is a time in India, the last price and,
where the instrument has one, the day's volume.
"""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from google.protobuf.json_format import ParseDict, ParseError
from msgspec import Struct

from ticktick.domain.clock import IST, NS_PER_MS, parse_iso_ns
from ticktick.emulator.full_form import full_form, tick_feed
from ticktick.emulator.wire import word_of_status
from ticktick.proto.MarketDataFeed_pb2 import Feed, FeedResponse, Type

_EARLIEST_NS: Final = parse_iso_ns("1990-01-01T00:00:00+05:30")
_LATEST_NS: Final = parse_iso_ns("2200-01-01T00:00:00+05:30")
_MOST_SHARES: Final = 2**53
_TICK_COLUMNS: Final = ("timestamp", "ltp", "volume")


class Recorded(Struct, frozen=True):
    """What one line tells: when, of which instruments, and the status of segments.

    `at_ns` is when it is played; `sent_ns` and `type` are those of a whole message. Feeds are in
    full form, whatever mode they were recorded in.
    """

    at_ns: int
    feeds: Mapping[str, Feed]
    status: Mapping[str, str] = {}
    type: Type = Type.live_feed
    sent_ns: int | None = None


class UnreadableLineError(ValueError):
    """A line that has none of the known forms."""


class JsonLines:
    """Reads lines of decoded feed messages."""

    def read(self, line: str) -> Recorded:
        """What the line tells. Raises ValueError if it is neither form of a message."""
        try:
            content = json.loads(line)
        except RecursionError as error:
            raise UnreadableLineError("it is nested too deep") from error
        if not isinstance(content, dict):
            raise UnreadableLineError("it is no JSON object")
        try:
            if "instrumentKey" in content:
                return _one_instrument(content)
            return _whole_message(content)
        except ParseError as error:
            raise UnreadableLineError(str(error)) from error


class TickLines:
    """Reads the lines of a tick file, whose ticks are all of the instrument with the key.

    A header may tell the order of the columns; without one it is time, price, volume.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self._columns: Sequence[str] = _TICK_COLUMNS

    def read(self, line: str) -> Recorded | None:
        """What the line tells; None for a header. Raises ValueError if it is neither."""
        cells = _cells(line)
        names = [cell.lower() for cell in cells]
        if {"timestamp", "ltp"} <= set(names):
            self._columns = names
            return None
        row = dict(zip(self._columns, cells, strict=False))
        if not row.get("timestamp") or not row.get("ltp"):
            raise UnreadableLineError("a tick needs a time and a price")
        at_ns = _wall_ns(row["timestamp"])
        price = float(row["ltp"])
        if not math.isfinite(price):
            raise UnreadableLineError(f"its price is {price}")
        volume = float(row.get("volume") or 0)
        if not abs(volume) <= _MOST_SHARES:
            raise UnreadableLineError(f"its volume is {volume}")
        feed = tick_feed(self._key, price, at_ns // NS_PER_MS, round(volume))
        return Recorded(at_ns, {self._key: feed})


def _cells(line: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line]), [])]
    except csv.Error as error:
        raise UnreadableLineError(str(error)) from error


def _one_instrument(content: dict[str, Any]) -> Recorded:
    key, written = content["instrumentKey"], content.get("_insertion_time")
    if not isinstance(key, str) or not isinstance(written, str):
        raise UnreadableLineError("instrumentKey and _insertion_time must be texts")
    feed = ParseDict(content, Feed(), ignore_unknown_fields=True)
    if not feed.WhichOneof("FeedUnion"):
        raise UnreadableLineError("it holds no feed of the instrument")
    return Recorded(_wall_ns(written), {key: full_form(key, feed)})


def _whole_message(content: dict[str, Any]) -> Recorded:
    message = ParseDict(content, FeedResponse(), ignore_unknown_fields=True)
    if not message.currentTs or not (message.feeds or message.marketInfo.segmentStatus):
        raise UnreadableLineError("it holds neither an instrument nor a market status with a time")
    sent_ns = _sane(message.currentTs * NS_PER_MS)
    feeds = {
        key: full_form(key, feed)
        for key, feed in message.feeds.items()
        if feed.WhichOneof("FeedUnion")
    }
    status = message.marketInfo.segmentStatus
    words = {segment: word_of_status(value) for segment, value in status.items()}
    return Recorded(sent_ns, feeds, words, message.type, sent_ns)


def _wall_ns(text: str) -> int:
    """A moment written without an offset is one in India."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=IST)
    return _sane(parse_iso_ns(moment.isoformat()))


def _sane(at_ns: int) -> int:
    if not _EARLIEST_NS <= at_ns < _LATEST_NS:
        raise UnreadableLineError(f"its time, {at_ns // NS_PER_MS} ms, is no market day's")
    return at_ns
