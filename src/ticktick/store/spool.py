"""What waits for Redis: bounded, the oldest metric points go first, candles never.

The bound is that of what waits; a batch on its way to Redis comes on top of it until it is
written or given back, so that never a newer point is dropped for an older one.

The engine's side adds, the writer's thread takes everything and gives it back if it could not
be written; nothing here waits for more than a lock held for microseconds.
"""

import threading
from collections import deque
from collections.abc import Iterable, Set
from itertools import islice
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ticktick.domain.analysis import Reading
from ticktick.domain.instrument import Instrument
from ticktick.domain.market import Candle, Freshness
from ticktick.store.link import Entry

MOST_POINTS: Final = 400_000  # half a minute of fifteen busy symbols with every metric
MOST_BYTES: Final = 64 << 20
MOST_ENTRIES: Final = 10_000

CandleId = tuple[str, int, int]


class Rows(Struct, frozen=True):
    """Copies of the rows one event touched.

    `at_ms` is int64[n], the time of each in its series, or 0 where it must not go there; `full`
    bool[n], whether its metrics go there with the last price; `freshness` uint8[n], places in the
    order of the classes; `warm` bool[n], whether its time
    windows were full; `records` SLOT[n]; `metrics` float64[len(METRICS), n].
    """

    taken_s: float
    at_ms: NDArray[np.int64]
    full: NDArray[np.bool_]
    instruments: list[Instrument]
    freshness: NDArray[np.uint8]
    warm: NDArray[np.bool_]
    records: NDArray[np.void]
    metrics: NDArray[np.float64]

    @property
    def points(self) -> int:
        """Values it may become in series."""
        return len(self.records) + int(np.count_nonzero(self.full)) * len(self.metrics)

    @property
    def bytes(self) -> int:
        """Memory of the copies."""
        return self.records.nbytes + self.metrics.nbytes + self.at_ms.nbytes


class Said(Struct):
    """What candles say: the newest reading of each symbol and timeframe, entries in order."""

    readings: dict[tuple[str, int], Reading] = {}
    entries: list[Entry] = []

    def followed_by(self, other: "Said") -> "Said":
        """Both; of readings the other's win, of very many entries the oldest go."""
        entries = [*self.entries, *other.entries][-MOST_ENTRIES:]
        return Said(self.readings | other.readings, entries)

    def without(self, symbols: Set[str]) -> "Said":
        """All but the readings of these symbols; entries are history and stay."""
        kept = {name: r for name, r in self.readings.items() if r.symbol not in symbols}
        return Said(kept, self.entries)


class Batch(Struct):
    """What is written together; candles by symbol, minutes and start, each the newest revision.

    Of the `restated` symbols every candle before that moment (ms) is void, and is removed first;
    of the `removed` ones nothing latest is left in the end.
    """

    rows: list[Rows]
    candles: dict[CandleId, Candle]
    freshness: dict[str, Freshness]
    restated: dict[str, int]
    removed: set[str]
    said: Said


class Spool:
    """The two-sided store of waiting rows and candles."""

    def __init__(self, most_points: int = MOST_POINTS, most_bytes: int = MOST_BYTES) -> None:
        self.dropped_points = 0
        self._most_points = most_points
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._rows: deque[Rows] = deque()
        self._candles: dict[CandleId, Candle] = {}
        self._freshness: dict[str, Freshness] = {}
        self._restated: dict[str, int] = {}
        self._removed: set[str] = set()
        self._said = Said()
        self._points = 0
        self._bytes = 0
        self._points_under_way = 0

    @property
    def waiting_points(self) -> int:
        """Metric points that are not written yet, those on the way included."""
        return self._points + self._points_under_way

    @property
    def waiting_candles(self) -> int:
        """Candles that nobody has taken yet."""
        return len(self._candles)

    def add(
        self, rows: Rows | None, candles: list[Candle], freshness: dict[str, Freshness]
    ) -> None:
        """Append what one event changed."""
        with self._lock:
            for candle in candles:
                self._candles[_id(candle)] = candle
            self._freshness |= freshness
            if rows is not None:
                self._rows.append(rows)
                self._points += rows.points
                self._bytes += rows.bytes
                self._drop_oldest()

    def forget(self, removed: Iterable[str], restated: Iterable[str], at_ms: int) -> None:
        """Let what was kept of these symbols before the moment be gone."""
        with self._lock:
            self._removed.update(removed)
            self._restated |= dict.fromkeys(restated, at_ms)
            self._candles = self._valid(self._candles)
            self._said = self._said.without(self._void)

    def say(self, said: Said) -> None:
        """Append what candles say."""
        with self._lock:
            self._said = self._said.followed_by(said)

    def take(self, most_candles: int) -> Batch:
        """Remove all rows and up to so many candles, in the order in which they came."""
        with self._lock:
            rows, self._rows = list(self._rows), deque()
            self._points_under_way += self._points
            self._points = self._bytes = 0
            freshness, self._freshness = self._freshness, {}
            restated, self._restated = self._restated, {}
            removed, self._removed = self._removed, set()
            said, self._said = self._said, Said()
            ids = list(islice(self._candles, most_candles))
            candles = {key: self._candles.pop(key) for key in ids}
            return Batch(rows, candles, freshness, restated, removed, said)

    def done(self, batch: Batch) -> None:
        """Forget a batch that was written."""
        with self._lock:
            self._points_under_way -= sum(one.points for one in batch.rows)

    def give_back(self, batch: Batch) -> None:
        """Put back a batch that was not, or only partly, written; what is newer wins."""
        with self._lock:
            self._rows.extendleft(reversed(batch.rows))
            points = sum(one.points for one in batch.rows)
            self._points_under_way -= points
            self._points += points
            self._bytes += sum(one.bytes for one in batch.rows)
            self._candles = self._valid(batch.candles) | self._candles
            self._freshness = batch.freshness | self._freshness
            self._restated = batch.restated | self._restated
            self._said = batch.said.without(self._void).followed_by(self._said)
            self._removed |= batch.removed
            self._drop_oldest()

    def again(self, candles: dict[CandleId, Candle]) -> None:
        """Queue candles that were written before behind those that wait, and no older revision."""
        with self._lock:
            old = self._valid(candles)
            self._candles |= {key: old[key] for key in old if key not in self._candles}

    @property
    def _void(self) -> Set[str]:
        return self._restated.keys() | self._removed

    def _valid(self, candles: dict[CandleId, Candle]) -> dict[CandleId, Candle]:
        """Those of no symbol that was restated or removed since."""
        void = self._void
        if not void:
            return candles
        return {key: candle for key, candle in candles.items() if candle.symbol not in void}

    def _drop_oldest(self) -> None:
        while self._rows and (self._points > self._most_points or self._bytes > self._most_bytes):
            oldest = self._rows.popleft()
            self.dropped_points += oldest.points
            self._points -= oldest.points
            self._bytes -= oldest.bytes


def _id(candle: Candle) -> CandleId:
    return (candle.symbol, candle.minutes, candle.start_ns)
