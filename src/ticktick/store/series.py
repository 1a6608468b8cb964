"""The one door to series in Redis: four methods, with the TimeSeries module or without.

Both encodings hold the same points under the keys of keys.py and pass the same tests. Writing a
point again changes nothing, so a batch may be repeated after an error.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import isnan
from typing import Any, Final, Protocol

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from redis.exceptions import RedisError

from ticktick.domain.clock import NS_PER_MS, ist_day
from ticktick.store.columns import SAMPLES_AT_ONCE, PointColumns, SeriesWords
from ticktick.store.keys import Family
from ticktick.store.link import Command, Link, Word, require

_CHUNK_SAMPLES: Final = 6_000
LATEST_MS: Final = 7_258_118_400_000  # 2200-01-01
_MISSING_SERIES: Final = "not a TSDB key"
_OLD_NEWS: Final = ("older than retention", "equal or smaller than the target stream top item")
_FOREIGN: Final = "WRONGTYPE"


class Point(Struct, frozen=True):
    """Values of one family at one time; a field that is not known is left out."""

    family: Family
    at_ms: int
    values: Mapping[str, float]


class SeriesLost(Exception):
    """Series that were there are gone: the server was emptied under us."""


class Series(Protocol):
    """Points in a database. Every method raises RedisError where the server fails it."""

    def append(self, points: Sequence[Point] | PointColumns) -> int:
        """Write points; a point of the same family and time is overwritten in a daily family.

        Returns how many were refused because a key holds data of another program.
        Raises SeriesLost if series written before are gone.
        """
        ...

    def range(self, family: Family, from_ms: int = 0, to_ms: int = LATEST_MS) -> list[Point]:
        """Points of that time, both ends included, oldest first."""
        ...

    def latest(self, family: Family, count: int) -> list[Point]:
        """The newest `count` points, oldest first."""
        ...

    def trim(self, family: Family, before_ms: int) -> None:
        """Remove the points older than that."""
        ...


def series_of(link: Link) -> Series:
    """The encoding this server can hold, found by asking for the command, never by version."""
    return TimeSeriesModule(link) if has_time_series(link) else PlainEncoding(link)


def has_time_series(link: Link) -> bool:
    """Whether the server knows the commands of the TimeSeries module."""
    return any(link.ask("COMMAND", "INFO", "TS.ADD"))


class TimeSeriesModule:
    """One time series per family and field."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._made: set[str] = set()
        self._foreign: set[str] = set()
        self._words = SeriesWords()

    def append(self, points: Sequence[Point] | PointColumns) -> int:
        if isinstance(points, PointColumns):
            return self._append_columns(points)
        self._make({point.family.key: point.family for point in points}.values())
        refused = 0
        samples = (
            (point.family.keys[name], point.at_ms, value)
            for point in points
            for name, value in point.values.items()
        )
        while chunk := list(islice(samples, _CHUNK_SAMPLES)):
            wanted = [sample for sample in chunk if sample[0] not in self._foreign]
            refused += len(chunk) - len(wanted)
            self._add(wanted)
        return refused

    def range(self, family: Family, from_ms: int = 0, to_ms: int = LATEST_MS) -> list[Point]:
        return self._read(family, "TS.RANGE", from_ms, to_ms)

    def latest(self, family: Family, count: int) -> list[Point]:
        return self._read(family, "TS.REVRANGE", "-", "+", "COUNT", count)[-count:]

    def trim(self, family: Family, before_ms: int) -> None:
        keys = family.keys.values()
        replies = self._link.ask_all(("TS.DEL", key, 0, before_ms - 1) for key in keys)
        require(replies, "does not exist")

    def _append_columns(self, columns: PointColumns) -> int:
        fresh = [columns.family_of(n) for n in self._words.unknown(columns)]
        if fresh:
            self._make(fresh)
            self._words.add(fresh)
        columns, refused = self._without_foreign(columns)
        commands = self._words.commands(columns)
        while some := list(islice(commands, _CHUNK_SAMPLES // SAMPLES_AT_ONCE)):
            for replies in self._link.ask_packed(some, len(some)):
                _look_through(replies)
        return refused

    def _without_foreign(self, columns: PointColumns) -> tuple[PointColumns, int]:
        """The points without the samples of keys that hold foreign data, and how many those are."""
        if not self._foreign:
            return columns, 0
        values = columns.values.copy()
        for n in range(len(columns.keys)):
            for field, key in enumerate(columns.family_of(n).keys.values()):
                if key in self._foreign:
                    values[field, n] = np.nan
        left = replace(columns, values=values)
        return left, int(columns.counts.sum() - left.counts.sum())

    def _add(self, samples: Iterable[tuple[str, int, float]]) -> None:
        words = [word for sample in samples for word in sample]
        if words:
            _look_through(self._link.ask("TS.MADD", *words))

    def _make(self, families: Iterable[Family]) -> None:
        fresh = [family for family in families if family.key not in self._made]
        fields = [(family, name) for family in fresh for name in family.keys]
        for verb in ("TS.CREATE", "TS.ALTER"):
            replies = self._link.ask_all((verb, *_definition(*field)) for field in fields)
            require(replies, "already exists", _FOREIGN)
            fields = [
                field
                for field, reply in zip(fields, replies, strict=True)
                if isinstance(reply, RedisError)
            ]
        self._foreign.update(family.keys[name] for family, name in fields)
        self._made.update(family.key for family in fresh)

    def _read(self, family: Family, verb: str, *span: Word) -> list[Point]:
        replies = self._link.ask_all((verb, key, *span) for key in family.keys.values())
        require(replies, "does not exist", _FOREIGN)
        values: dict[int, dict[str, float]] = {}
        for name, reply in zip(family.keys, replies, strict=True):
            for at_ms, value in () if isinstance(reply, RedisError) else reply:
                values.setdefault(int(at_ms), {})[name] = float(value)
        return [Point(family, at_ms, values[at_ms]) for at_ms in sorted(values)]


def _look_through(replies: Any) -> None:
    """Raise what is no answer to a TS.MADD: SeriesLost, or what the server says."""
    if isinstance(replies, RedisError):
        raise replies
    errors = [reply for reply in replies if type(reply) is not int]
    if any(_MISSING_SERIES in str(error) for error in errors):
        raise SeriesLost
    require(errors, *_OLD_NEWS)


class PlainEncoding:
    """A stream per growing family; per daily family one hash a day and the set of its days."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._families: dict[str, Family] = {}

    def append(self, points: Sequence[Point] | PointColumns) -> int:
        if isinstance(points, PointColumns):
            points = self._points(points)
        replies = self._link.ask_all(command for point in points for command in _plain(point))
        require(replies, *_OLD_NEWS, _FOREIGN)
        newest = {p.family.key: p for p in sorted(points, key=_time) if p.family.daily}
        for point in newest.values():
            oldest_ms = point.at_ms - max(point.family.retention_ms.values())
            self._drop_days(point.family, _day(oldest_ms))
        return sum(isinstance(reply, RedisError) and _FOREIGN in str(reply) for reply in replies)

    def range(self, family: Family, from_ms: int = 0, to_ms: int = LATEST_MS) -> list[Point]:
        if not family.daily:
            entries = self._link.ask("XRANGE", family.key, from_ms, to_ms)
            return [_of_entry(family, entry) for entry in entries]
        first, last = _day(from_ms), _day(to_ms)
        days = [day for day in self._days(family) if first <= day <= last]
        return [p for p in self._of_days(family, days) if from_ms <= p.at_ms <= to_ms]

    def latest(self, family: Family, count: int) -> list[Point]:
        if not family.daily:
            entries = self._link.ask("XREVRANGE", family.key, "+", "-", "COUNT", count)
            return [_of_entry(family, entry) for entry in entries][::-1]
        points: list[Point] = []
        for day in reversed(self._days(family)):
            points = self._of_days(family, [day]) + points
            if len(points) >= count:
                break
        return points[-count:]

    def trim(self, family: Family, before_ms: int) -> None:
        if not family.daily:
            self._link.ask("XTRIM", family.key, "MINID", "=", before_ms)
            return
        border = _day(before_ms)
        old = [p.at_ms for p in self._of_days(family, [border]) if p.at_ms < before_ms]
        if old:
            self._link.ask("HDEL", _day_key(family, border), *old)
        self._drop_days(family, border)

    def _points(self, columns: PointColumns) -> list[Point]:
        """The same points one by one; one that holds nothing is none."""
        points = []
        for n, values in enumerate(columns.plain.T.tolist()):
            family = self._families.get(columns.keys[n]) or columns.family_of(n)
            self._families[family.key] = family
            named = zip(family.keys, values, strict=True)
            known = {name: value for name, value in named if not isnan(value)}
            if known:
                points.append(Point(family, int(columns.at_ms[n]), known))
        return points

    def _drop_days(self, family: Family, before: str) -> None:
        old = [day for day in self._days(family) if day < before]
        if old:
            self._link.ask("DEL", *(_day_key(family, day) for day in old))
            self._link.ask("SREM", _days_key(family), *old)

    def _days(self, family: Family) -> list[str]:
        return sorted(self._link.ask("SMEMBERS", _days_key(family)))

    def _of_days(self, family: Family, days: Sequence[str]) -> list[Point]:
        replies = self._link.ask_all(("HGETALL", _day_key(family, day)) for day in days)
        require(replies)
        packed = {int(at_ms): text for reply in replies for at_ms, text in reply.items()}
        return [Point(family, at_ms, _UNPACK(packed[at_ms])) for at_ms in sorted(packed)]


def _definition(family: Family, name: str) -> Command:
    # history older than what is there comes in late: compressed, each sample costs 25 us
    encoding = "UNCOMPRESSED" if family.daily else "COMPRESSED"
    rules = ("RETENTION", family.retention_ms[name], "ENCODING", encoding)
    policy = ("DUPLICATE_POLICY", "LAST", "LABELS", *family.labels(name))
    return (family.keys[name], *rules, *policy)


def _plain(point: Point) -> Iterator[Command]:
    family, at_ms = point.family, point.at_ms
    if family.daily:
        day = _day(at_ms)
        yield "HSET", _day_key(family, day), at_ms, _PACK(point.values)
        yield "SADD", _days_key(family), day
    else:
        oldest_ms = max(0, at_ms - max(family.retention_ms.values()))
        flat = [word for pair in point.values.items() for word in pair]
        yield "XADD", family.key, "MINID", "=", oldest_ms, f"{at_ms}-0", *flat


def _of_entry(family: Family, entry: tuple[str, list[str]]) -> Point:
    at_ms = int(entry[0].partition("-")[0])
    names, texts = entry[1][::2], map(float, entry[1][1::2])
    return Point(family, at_ms, dict(zip(names, texts, strict=True)))


def _time(point: Point) -> int:
    return point.at_ms


def _day(at_ms: int) -> str:
    return ist_day(min(at_ms, LATEST_MS) * NS_PER_MS).isoformat()


def _day_key(family: Family, day: str) -> str:
    return f"{family.key}:{day}"


def _days_key(family: Family) -> str:
    return f"{family.key}:days"


_PACK = msgspec.json.Encoder().encode
_UNPACK = msgspec.json.Decoder(dict[str, float]).decode
