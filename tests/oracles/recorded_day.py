"""What a recorded file says, counted line by line with nothing but the standard library.

Times are nanoseconds since the Unix epoch, prices paise, volumes shares.
"""

import csv
import gzip
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

NS_PER_MS = 1_000_000
NS_PER_MINUTE = 60_000_000_000
OUTAGE_NS = 35_000_000_000
_OFFSET = "+05:30"

Values = tuple[int, ...]
"""Open, high, low, close, volume of one minute."""


class Line(NamedTuple):
    """One update: when it is played, its last trade, the day's volume, and all it says.

    `volume` is None where the file tells none, `minutes` are the broker's own candles in it.
    """

    at_ns: int
    key: str
    price: int
    trade_ns: int
    volume: int | None
    minutes: dict[int, Values]
    said: str


class RecordedDay(NamedTuple):
    """The updates of one instrument in one file."""

    key: str
    lines: list[Line]

    @property
    def repeats(self) -> int:
        """Updates that say exactly what the one before said."""
        return sum(one.said == other.said for one, other in pairwise(self.lines))

    @property
    def minute_ends(self) -> int:
        """Such repeats that are news all the same: by now the minute they tell is over."""
        return sum(
            one.said == other.said
            and any(one.at_ns < start + NS_PER_MINUTE <= other.at_ns for start in other.minutes)
            for one, other in pairwise(self.lines)
        )

    @property
    def trades(self) -> list[tuple[Line, int]]:
        """Updates that prove a trade since the one before, and how much was traded.

        The volume rose above every one before; of an index, which has none, the time rose, or
        the price moved at the same time.
        """
        found, last = [], self.lines[0]
        for line in self.lines[1:]:
            bought = (line.volume or 0) - (last.volume or 0)
            moved = (line.trade_ns, line.price) != (last.trade_ns, last.price)
            if bought > 0 or (line.volume is None and moved and line.trade_ns >= last.trade_ns):
                found.append((line, max(bought, 0)))
                last = line
        return found

    def trades_after(self, silence_ns: int, from_ns: int, to_ns: int) -> int:
        """Trades of the time whose update came later than that after the one before."""
        before_ns = {id(line): one.at_ns for one, line in pairwise(self.lines)}
        return sum(
            from_ns <= line.at_ns < to_ns and line.at_ns - before_ns[id(line)] > silence_ns
            for line, _ in self.trades
        )

    @property
    def last_volume(self) -> int:
        """The day's volume as the last update tells it."""
        return self.lines[-1].volume or 0

    @property
    def minutes(self) -> dict[int, Values]:
        """The broker's one-minute candles by start."""
        told: dict[int, Values] = {}
        for line in self.lines:
            told |= line.minutes
        return told

    @property
    def lost_minutes(self) -> list[int]:
        """Minutes between the broker's first and last candle of which the file has none."""
        told = self.minutes
        if not told:
            return []
        every = range(min(told), max(told) + NS_PER_MINUTE, NS_PER_MINUTE)
        return [start for start in every if start not in told]

    def outages(self, from_ns: int, to_ns: int) -> list[tuple[int, int]]:
        """Spans between two updates of the time that are too long for a quiet stock."""
        at = [line.at_ns for line in self.lines if from_ns <= line.at_ns < to_ns]
        return [(one, other) for one, other in pairwise(at) if other - one > OUTAGE_NS]

    def built_minutes(self) -> dict[int, Values]:
        """Candles of the trades, by their own time."""
        built: dict[int, list[tuple[int, int]]] = {}
        for line, bought in self.trades:
            start = line.trade_ns // NS_PER_MINUTE * NS_PER_MINUTE
            built.setdefault(start, []).append((line.price, bought))
        return {start: _candle(trades) for start, trades in built.items()}


def _candle(trades: list[tuple[int, int]]) -> Values:
    prices = [price for price, _ in trades]
    volume = sum(bought for _, bought in trades)
    return prices[0], max(prices), min(prices), prices[-1], volume


def recorded_days(path: Path, key: str = "") -> list[RecordedDay]:
    """Every instrument of a file; `key` is that of a tick file."""
    days: dict[str, RecordedDay] = {}
    latest_ns = 0
    for line in _ticks(path, key) if key else _messages(path):
        latest_ns = max(latest_ns, line.at_ns)
        day = days.setdefault(line.key, RecordedDay(line.key, []))
        day.lines.append(line._replace(at_ns=latest_ns))
    return list(days.values())


def _messages(path: Path) -> Iterator[Line]:
    for text in _texts(path):
        content = json.loads(text)
        if "instrumentKey" in content:
            at_ns = _ns(content.pop("_insertion_time"))
            yield _line(at_ns, content.pop("instrumentKey"), content)
        for key, feed in content.get("feeds", {}).items():
            yield _line(int(content["currentTs"]) * NS_PER_MS, key, feed)


def _line(at_ns: int, key: str, feed: dict[str, Any]) -> Line:
    full = next(iter(feed["fullFeed"].values()))
    trade = full.get("ltpc", {})
    bars = full.get("marketOHLC", {}).get("ohlc", [])
    return Line(
        at_ns,
        key,
        _paise(trade.get("ltp", 0.0)),
        int(trade.get("ltt", 0)) * NS_PER_MS,
        int(full["vtt"]) if "vtt" in full else None,
        {
            int(bar["ts"]) * NS_PER_MS: (
                *(_paise(bar[name]) for name in ("open", "high", "low", "close")),
                int(bar.get("vol", 0)),
            )
            for bar in bars
            if bar.get("interval") == "I1"
        },
        json.dumps(feed, sort_keys=True),
    )


def _ticks(path: Path, key: str) -> Iterator[Line]:
    for row in csv.reader(_texts(path)):
        if row[0] == "timestamp":
            continue
        at_ns, price = _ns(row[0]), _paise(float(row[1]))
        volume = int(row[2]) if len(row) > 2 and "INDEX" not in key else None
        yield Line(at_ns, key, price, at_ns, volume, {}, ",".join(row))


def _texts(path: Path) -> Sequence[str]:
    raw = path.read_bytes()
    data = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return [text for text in data.decode().splitlines() if text.strip()]


def _ns(text: str) -> int:
    moment = datetime.fromisoformat(text + _OFFSET)
    return round(moment.timestamp() * 1000) * NS_PER_MS


def _paise(rupees: float) -> int:
    return round(rupees * 100)
