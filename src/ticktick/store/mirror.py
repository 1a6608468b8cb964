"""The market as Redis shows it: what is written at each flush and again after a loss."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from redis.exceptions import ResponseError

from ticktick.domain.analysis import Reading
from ticktick.domain.market import TIMEFRAMES, Candle, CandleState, Freshness
from ticktick.market.series import Series as Candles
from ticktick.store.analysis import reading_commands
from ticktick.store.keys import (
    ANALYSIS_DATABASE,
    CANDLE_DATABASE,
    MANY_SYMBOLS,
    OWNER_KEY,
    TICK_DATABASE,
    candle_family,
    candle_latest,
    indicators_latest,
    tick_latest,
)
from ticktick.store.link import Command, Link, require
from ticktick.store.market_view import MarketView
from ticktick.store.records import candle_hash, candle_point, tick_columns
from ticktick.store.series import Point, Series, SeriesLost, series_of
from ticktick.store.spool import Batch, CandleId, Said
from ticktick.store.streams import ALREADY_THERE
from ticktick.store.tick_rows import Packed, packed_rows

# A value counts as fresh for 5 s: what nobody renews for so long must not stand there as fresh.
HASH_LIFE_MS: Final = 5_000
_LIFE: Final = b"*3\r\n$7\r\nPEXPIRE\r\n$%d\r\n%b\r\n$4\r\n5000\r\n"  # HASH_LIFE_MS
_AGE: Final = b"*4\r\n$4\r\nHSET\r\n$%d\r\n%b\r\n$9\r\nfreshness\r\n$%d\r\n%b\r\n"
_HELD_MINUTES: Final = 800
_HELD_ELSE: Final = 400
_RUN_ID: Final = re.compile(r"run_id:(\w+)")
_IN_SERIES: Final = (CandleState.FINAL, CandleState.BACKFILLED)


class Mirror:
    """Three databases, and what was written to them; used by one thread.

    `now_ns` is market time, by which an alert says how late it is written.

    Every method but `close` raises RedisError, OSError or SeriesLost; then close it, and after
    the next `open` write everything again that failed or that `open` returns.
    """

    def __init__(self, url: str, market: MarketView, now_ns: Callable[[], int] = lambda: 0) -> None:
        self._market = market
        self._now_ns = now_ns
        self._candle_link = Link(url, CANDLE_DATABASE)
        self._tick_link = Link(url, TICK_DATABASE)
        self._analysis_link = Link(url, ANALYSIS_DATABASE)
        self._readings: dict[tuple[str, int], Reading] = {}
        self._series: tuple[Series, Series] | None = None
        self._owner: str | None = None
        self._run: str | None = None
        self._ticks: dict[str, Packed] = {}
        self._words: dict[str, Freshness] = {}
        self._is_late = False
        self._held: dict[tuple[str, int], Candles] = {}
        self._newest_ns: dict[tuple[str, int], int] = {}

    @property
    def is_open(self) -> bool:
        """Whether all databases answered and nothing has failed since."""
        return self._series is not None

    def open(self) -> dict[CandleId, Candle]:
        """Connect; return the candles to write again, newest first.

        There are none if the server has run on since the last call, lost no series and still
        holds what `claim` noted there; what is gone of that note is noted again.
        """
        owner: str | None = self._candle_link.ask("GET", OWNER_KEY)
        run = _run_id(self._candle_link)
        is_whole = owner is not None and run is not None and run == self._run
        if not is_whole:
            self._run = None  # also where a later step of this call fails
        if owner is not None:
            self._owner = owner
        elif self._owner is not None:
            self._candle_link.ask("SET", OWNER_KEY, self._owner)
        series = series_of(self._candle_link), series_of(self._tick_link)
        self._show(self._ticks)
        self._write_said(Said(self._readings))
        self._series, self._run = series, run
        return {} if is_whole else self._held_newest_first()

    def close(self) -> None:
        """Give the connections up."""
        self._series = None
        for link in (self._candle_link, self._tick_link, self._analysis_link):
            link.close()

    def write(self, batch: Batch) -> tuple[int, int]:
        """Write a batch to open databases.

        Returns the samples written, and those refused because a key holds foreign data.
        """
        if self._series is None:
            return (0, 0)
        try:
            return self._write(batch, *self._series)
        except SeriesLost:
            self._run = None  # a server that lost one series may have lost more
            raise

    def beat(self) -> bool:
        """Tell that the rows shown are still looked after; false if there are none yet.

        Raises SeriesLost if the server was emptied.
        """
        if self._owner is not None and not self._candle_link.ask("EXISTS", OWNER_KEY):
            raise SeriesLost
        keys = list(self._ticks)
        lives: list[Command] = [("PEXPIRE", key, HASH_LIFE_MS) for key in keys]
        replies = self._tick_link.ask_all([("PING",), *lives])[1:]
        require(replies)
        self._show(key for key, reply in zip(keys, replies, strict=True) if not reply)
        return bool(keys)

    def be_late(self, is_late: bool) -> None:
        """Show no row as timely while the engine lags, and what it says again from then on."""
        if is_late != self._is_late:
            self._is_late = is_late
            self._show(self._ticks)

    def say_goodbye(self) -> None:
        """Leave the last rows readable, but marked as stale."""
        self._words = dict.fromkeys(self._ticks, Freshness.STALE)
        self._show(self._ticks)
        require(self._tick_link.ask_all(("PERSIST", key) for key in self._ticks))

    def _write(self, batch: Batch, candle_series: Series, tick_series: Series) -> tuple[int, int]:
        many = len(self._market.table) > MANY_SYMBOLS
        ticks = tick_columns(batch.rows, many=many)
        self._write_latest_ticks(batch)
        self._void(batch.restated, candle_series, many=many)
        refused = tick_series.append(ticks)
        bars = self._candle_points(batch.candles.values(), many=many)
        refused += candle_series.append(bars)
        self._write_latest_candles(batch.candles.values())
        self._write_said(batch.said)
        self._hold(batch.candles.values())
        self._remove(batch.removed)
        written = int(ticks.counts.sum()) + sum(len(bar.values) for bar in bars)
        return written - refused, refused

    def _write_latest_ticks(self, batch: Batch) -> None:
        fresh = packed_rows(batch.rows, is_late=self._is_late)
        self._ticks |= fresh
        self._words |= {key: row.freshness for key, row in fresh.items() if row.freshness}
        aged = {tick_latest(symbol): word for symbol, word in batch.freshness.items()}
        for key in aged:
            self._ticks.setdefault(key, Packed())
        self._words |= aged
        self._show({**fresh, **aged})

    def _show(self, keys: Iterable[str]) -> None:
        """Write the hashes of these keys, and let them live for a while."""
        chunks, replies = list[bytes](), 0
        for key in keys:
            row, name = self._ticks[key], key.encode()
            chunks.append(row.commands)
            replies += row.replies + 1
            word = self._words[key].when_late() if self._is_late else self._words[key]
            if word is not row.told:
                chunks.append(_AGE % (len(name), name, len(word), word.encode()))
                replies += 1
            chunks.append(_LIFE % (len(name), name))
        require(self._tick_link.ask_packed([b"".join(chunks)], replies))

    def _candle_points(self, candles: Iterable[Candle], *, many: bool) -> list[Point]:
        return [
            candle_point(candle, self._market.table.scale(candle.symbol), many=many)
            for candle in candles
            if candle.state in _IN_SERIES
        ]

    def _write_latest_candles(self, candles: Iterable[Candle]) -> None:
        latest: dict[tuple[str, int], Candle] = {}
        for candle in candles:
            line = (candle.symbol, candle.minutes)
            if candle.start_ns >= self._newest_ns.get(line, 0):
                self._newest_ns[line] = candle.start_ns
                latest[line] = candle
        hashes = [
            candle_hash(candle, self._market.table.scale(candle.symbol))
            for candle in latest.values()
        ]
        commands = [command for hash_ in hashes for command in hash_.commands()]
        require(self._candle_link.ask_all(commands))

    def _void(self, restated: Mapping[str, int], series: Series, *, many: bool) -> None:
        """Remove candles of another price level: mixed with the new ones they would be wrong."""
        for symbol, before_ms in restated.items():
            for minutes in TIMEFRAMES:
                series.trim(candle_family(symbol, minutes, many=many), before_ms)
                self._held.pop((symbol, minutes), None)
                self._newest_ns.pop((symbol, minutes), None)

    def _remove(self, removed: Iterable[str]) -> None:
        """Let nothing latest stand there of symbols that are followed no more."""
        gone = [symbol for symbol in removed if symbol not in self._market.table.row_of_symbol]
        for symbol in gone:
            self._ticks.pop(tick_latest(symbol), None)
            self._words.pop(tick_latest(symbol), None)
            for minutes in TIMEFRAMES:
                self._readings.pop((symbol, minutes), None)
                self._held.pop((symbol, minutes), None)
                self._newest_ns.pop((symbol, minutes), None)
        if gone:
            hashes = [candle_latest(symbol, minutes) for symbol in gone for minutes in TIMEFRAMES]
            self._candle_link.ask("DEL", *hashes)
            self._tick_link.ask("DEL", *map(tick_latest, gone))
            self._analysis_link.ask("DEL", *map(indicators_latest, gone))

    def _write_said(self, said: Said) -> None:
        self._readings |= said.readings
        commands = [
            command
            for reading in said.readings.values()
            for command in reading_commands(reading, self._market.table.scale(reading.symbol))
        ]
        require(self._analysis_link.ask_all([("PING",), *commands]))
        now_ns = self._now_ns()
        entries = [entry(now_ns) if callable(entry) else entry for entry in said.entries]
        require(self._analysis_link.ask_all([("PING",), *entries]), ALREADY_THERE)

    def _held_newest_first(self) -> dict[CandleId, Candle]:
        held = [candle for candles in self._held.values() for candle in candles]
        held.sort(key=lambda candle: candle.start_ns, reverse=True)
        return {(one.symbol, one.minutes, one.start_ns): one for one in held}

    def _hold(self, candles: Iterable[Candle]) -> None:
        for candle in candles:
            name = (candle.symbol, candle.minutes)
            held = self._held.get(name)
            if held is None:
                most = _HELD_MINUTES if candle.minutes == 1 else _HELD_ELSE
                held = self._held[name] = Candles(*name, most)
            held.put(candle)
            held.trim()


def _run_id(link: Link) -> str | None:
    """What tells one run of a server from the next; None if it does not say."""
    try:
        told = str(link.ask("INFO", "server"))
    except ResponseError:  # a user who may write need not be allowed to ask
        return None
    found = _RUN_ID.search(told)
    return found[1] if found else None
