"""The Redis writer: copies of the outputs on their way into Redis, in a thread of its own.

Everything a batch does may be repeated, so after any error the whole batch is given back to the
spool and written again. When the server was started anew, or was emptied under us, the
candles and rows held in memory are written again too, behind what is new.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import (
    CandleChanged,
    Fact,
    FreshnessChanged,
    IndicatorsRead,
    WatchlistChanged,
)
from ticktick.domain.instrument import Instrument
from ticktick.domain.market import Candle
from ticktick.engine.distribution import Distribution
from ticktick.engine.lateness import Lateness
from ticktick.engine.ports import Outputs
from ticktick.engine.supervisor import Guard
from ticktick.errors import StoreError
from ticktick.store.alerts import alert_entries
from ticktick.store.analysis import crossing_entries, pattern_entries
from ticktick.store.copies import Copies
from ticktick.store.keys import CANDLE_DATABASE, candle_family
from ticktick.store.link import LOST, Entry, Link, masked, sentence
from ticktick.store.market_view import MarketView
from ticktick.store.mirror import Mirror
from ticktick.store.records import candle_of
from ticktick.store.series import SeriesLost, series_of
from ticktick.store.spool import Said, Spool
from ticktick.store.streams import Streams

FLUSH_S: Final = 0.1
CANDLES_AT_ONCE: Final = 2_000
BEAT_S: Final = 1.0
LAG_MS: Final = (50, 100, 150, 200, 300, 500, 750, 1_000, 2_000, 5_000, 15_000, 60_000)
SILENT_S: Final = 3.0
_PAUSES_S: Final = (FLUSH_S, 0.2, 0.5, 1.0, 2.0, 5.0)
_MS_PER_S: Final = 1_000


class RedisWriter:
    """A sink that keeps Redis up to date and never makes the engine wait.

    Raises ConfigError if `url` is no address; every later trouble is only told in `state`
    (`on`, `degraded`, `off`) and `text`. `revive` is called before each new connection; it may
    start the server again, and raise StoreError. `now_ns` is market time: while the engine lags
    behind it, no row is told as fresh, and an alert says how late it is written.
    """

    def __init__(
        self,
        url: str,
        market: MarketView,
        *,
        revive: Callable[[], None] = lambda: None,
        spool: Spool | None = None,
        guard: Guard | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        now_ns: Callable[[], int] = lambda: 0,
    ) -> None:
        self.state = "degraded"
        self.text = "Redis is being connected"
        self.written_samples = 0
        self.refused_samples = 0
        self.losses = 0
        self.lag_ms = 0.0
        self.lags_ms = Distribution(LAG_MS)
        self._revive = revive
        self._market = market
        self._monotonic = monotonic
        self._now_ns = now_ns
        self._lateness = Lateness()
        self._spool = spool or Spool()
        self._streams = Streams()
        self._guard = guard or Guard("the Redis writer")
        self._copies = Copies(market)
        self._taken_s = self._beaten_s = monotonic()
        self._was_degraded = False  # then an open connection proves nothing, only a write does
        self._closing = threading.Event()
        self._mirror = Mirror(url, market, now_ns)
        self._thread = threading.Thread(target=self._run, name="redis-writer", daemon=True)
        self._thread.start()

    @property
    def counters(self) -> dict[str, int]:
        """What was done, what waits and what was lost, by kind."""
        return {
            "redis_written_samples": self.written_samples,
            "redis_waiting_points": self._spool.waiting_points,
            "redis_waiting_candles": self._spool.waiting_candles,
            "redis_dropped_metric_points": self._spool.dropped_points,
            "redis_late_rows": self._copies.late_rows,
            "redis_refused_samples": self.refused_samples,
            "redis_losses": self.losses,
        }

    def take(self, outputs: Outputs) -> None:
        """Copy touched rows, candles and freshness."""
        self._taken_s = self._monotonic()
        self._lateness.take(outputs)
        candles: list[Candle] = []
        freshness = {}
        for fact in outputs.facts:
            if isinstance(fact, CandleChanged):
                candles.append(fact.candle)
            elif isinstance(fact, FreshnessChanged):
                freshness[fact.symbol] = fact.freshness
            elif isinstance(fact, WatchlistChanged):
                self._spool.forget(fact.removed, fact.restated, fact.at_ns // NS_PER_MS)
        self._spool.add(self._copies.take(outputs, self._taken_s), candles, freshness)
        self._say(outputs.facts)

    def close(self, timeout_s: float = 3.0) -> None:
        """Write what waits, mark the rows as stale; give up waiting after `timeout_s`."""
        self._closing.set()
        self._thread.join(timeout_s)
        self.state, self.text = "off", "Redis is closed"

    def _say(self, facts: Sequence[Fact]) -> None:
        readings = [fact.reading for fact in facts if isinstance(fact, IndicatorsRead)]
        entries: list[Entry] = [
            *pattern_entries(facts, self._market.table.scale, self._streams),
            *crossing_entries(facts, self._market.table.scale, self._streams),
            *alert_entries(facts, self._streams),
        ]
        if readings or entries:
            newest = {(reading.symbol, reading.minutes): reading for reading in readings}
            self._spool.say(Said(newest, entries))

    def _run(self) -> None:
        failures = 0
        while not self._closing.wait(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)]):
            failures = 0 if self._flush_safely() else failures + 1
        if self._flush_safely():
            self._guarded(self._mirror.say_goodbye)
        self._mirror.close()

    def _flush_safely(self) -> bool:
        """Flush whatever happens; false if anything failed, also in this program."""
        done = False

        def flush() -> None:
            nonlocal done
            done = self._flush_all()

        if not self._guard.attempt(flush):
            self._degrade(StoreError("the writer failed, logs/error.log tells why"))
        return done

    def _flush_all(self) -> bool:
        """Write all that waits and renew the shown rows; false if Redis failed on the way."""
        while self._flush():
            if not self._spool.waiting_candles:
                return self._beat()
        return False

    def _flush(self) -> bool:
        if not self._mirror.is_open and not self._guarded(self._open):
            return False
        batch = self._spool.take(CANDLES_AT_ONCE)
        is_written = False
        try:
            self._mirror.be_late(self._is_late())
            written, refused = self._mirror.write(batch)
            is_written = True
        except (*LOST, SeriesLost) as error:
            self._degrade(error)
            return False
        finally:
            if not is_written:
                self._spool.give_back(batch)
        self._spool.done(batch)
        if batch.rows or batch.candles or batch.freshness:
            self._be_on()
        self.written_samples += written
        self.refused_samples += refused
        if batch.rows:
            self.lag_ms = (self._monotonic() - batch.rows[0].taken_s) * _MS_PER_S
            self.lags_ms.add(self.lag_ms)
        return True

    def _is_late(self) -> bool:
        return self._lateness.behind_ms(self._now_ns() // NS_PER_MS) > 0

    def _beat(self) -> bool:
        now_s = self._monotonic()
        if now_s - self._beaten_s < BEAT_S or now_s - self._taken_s > SILENT_S:
            return True
        self._beaten_s = now_s
        return self._guarded(self._renew)

    def _renew(self) -> None:
        if self._mirror.beat():
            self._be_on()

    def _open(self) -> None:
        self._revive()
        self._spool.again(self._mirror.open())
        if not self._was_degraded:
            self._be_on()

    def _be_on(self) -> None:
        self.state, self.text = "on", "Redis is up to date"

    def _guarded(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except (*LOST, SeriesLost, StoreError) as error:
            self._degrade(error)
            return False
        return True

    def _degrade(self, error: Exception) -> None:
        self._mirror.close()
        if self.state == "on":
            self.losses += 1
        self.state, self._was_degraded = "degraded", True
        match error:
            case SeriesLost():
                trouble = "was emptied"
            case StoreError():
                trouble = f"is away: {error}"
            case _:
                trouble = sentence(error)
        dropped = self._spool.dropped_points
        lost = f"{dropped} old points dropped" if dropped else "nothing is lost"
        self.text = f"Redis {trouble}; what is new waits, {lost}"


def stored_minutes(url: str, instrument: Instrument, count: int) -> list[Candle]:
    """The newest `count` one-minute candles in Redis, oldest first; empty if there are none.

    Redis does not keep who confirmed a candle, so all of them are unconfirmed.
    Raises StoreError if Redis cannot be read, ConfigError if `url` is no address.
    """
    link = Link(url, CANDLE_DATABASE)
    try:
        family = candle_family(instrument.symbol, 1, many=False)
        points = series_of(link).latest(family, count)
    except LOST as error:
        raise StoreError(f"Redis at {masked(url)} {sentence(error)}") from error
    finally:
        link.close()
    found = (candle_of(point, instrument.symbol, 1, instrument.price_scale) for point in points)
    return [candle for candle in found if candle is not None]
