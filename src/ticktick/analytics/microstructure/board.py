"""The microstructure of every symbol: what is judged once a second, and once a closed minute."""

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ticktick.analytics.kernels import Doubt, amihud, garman_klass, parkinson
from ticktick.analytics.microstructure.baselines import Baselines
from ticktick.analytics.microstructure.crossing import Crossings
from ticktick.analytics.microstructure.ground import Ground
from ticktick.analytics.microstructure.impact import Impact
from ticktick.analytics.microstructure.liquidity import NO_QUOTE, SILENT_NS, LiquidityFlag
from ticktick.analytics.microstructure.ranges import last_bars
from ticktick.analytics.microstructure.volatility import VolatilityFlag
from ticktick.core.columns import NO_ROWS, Floats, Ints, Rows, union
from ticktick.domain.event import (
    BaselinesRead,
    CandleChanged,
    Event,
    Fact,
    TimerFired,
    WatchlistChanged,
)
from ticktick.domain.market import Candle, CandleState
from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.sessions import Calendar
from ticktick.market.freshness import IS_TIMELY

Bools: TypeAlias = NDArray[np.bool_]

_OF_BARS: Final = ("parkinson", "garman_klass", "amihud")
_OF_BUCKETS: Final = ("kyle_lambda", "kyle_lambda_se")
_FLAGS: Final = ("liquidity", "liquidity_baseline", "volatility", "volatility_baseline")
_VOLATILITY: Final = _FLAGS.index("volatility")
_FLAG_ROWS: Final = np.array([[METRIC_ROW[name]] for name in _FLAGS])


class MicrostructureBoard:
    """Writes the metrics of its own into the market's columns after each event."""

    def __init__(self, ground: Ground, calendar: Calendar, order_value_rupees: int) -> None:
        self._ground = ground
        self._baselines = Baselines(ground, calendar)
        self._liquidity = LiquidityFlag(ground, order_value_rupees)
        self._volatility = VolatilityFlag(ground)
        self._crossings = Crossings(ground)
        self._impact = Impact(ground)
        self._started_ns: Ints = ground.windows.started_ns.copy()
        self._judged: Floats = np.full((len(_FLAGS), ground.table.capacity), np.nan)
        self._is_withheld = np.zeros(ground.table.capacity, np.bool_)
        self._doubt = Doubt(
            self._judged[_VOLATILITY],
            ground.column("spread_bps"),
            ground.freshness.codes,
            IS_TIMELY.view(np.uint8),
            self._is_withheld.view(np.uint8),
        )

    def learn(self, event: BaselinesRead) -> tuple[Rows, list[Fact]]:
        """Take over what was usual on days before."""
        self._baselines.learn(event.quarters)
        self._baselines.refresh(self._ground.rows())
        return NO_ROWS, []

    def learned(self, at_ns: int) -> Iterator[BaselinesRead]:
        """What is known of days before and of this one, as events."""
        return self._baselines.known(at_ns)

    def hear(
        self, event: Event, at_ns: int, touched: Rows, facts: list[Fact]
    ) -> tuple[Rows, list[Fact]]:
        """Take what one event changed; return the touched rows and the facts with its own.

        Only time judges flags, so that frames may be cut in any way; what the newest book takes
        away is no judgement.
        """
        anew = self._begin_anew()
        for fact in facts:
            if isinstance(fact, WatchlistChanged):
                self._baselines.forget(fact.restated)
                self._baselines.refresh(self._ground.rows())
        found = [*facts, *self._crossings.find(touched, at_ns)]
        measured = self._measure_bars(union(anew, self._with_new_minutes(facts)), at_ns)
        if not isinstance(event, TimerFired):
            if self._doubt.is_any(touched):
                self._show(touched)
            return union(touched, measured), found
        rows = self._ground.rows()
        found += self._baselines.advance(rows, at_ns)
        return union(touched, measured, self._judge(rows, at_ns)), found

    def _with_new_minutes(self, facts: Iterable[Fact]) -> Rows:
        row_of_symbol = self._ground.table.row_of_symbol
        changed = {row_of_symbol[candle.symbol] for candle in _settled_minutes(facts)}
        return np.array(sorted(changed), np.int32) if changed else NO_ROWS

    def _measure_bars(self, rows: Rows, at_ns: int) -> Rows:
        """Measure what stands on closed minutes; return the rows where it changed."""
        rows = rows[self._ground.table.has_volume[rows]]
        if not len(rows):
            return NO_ROWS
        told = np.array([self._of_bars(row, at_ns) for row in rows.tolist()])
        has_changed = np.zeros(len(rows), np.bool_)
        for name, values in zip(_OF_BARS, told.T, strict=True):
            has_changed |= self._write(name, rows, rows, values)
        changed: Rows = rows[has_changed]
        return changed

    def _of_bars(self, row: int, at_ns: int) -> tuple[float, float, float]:
        lost = self._ground.candles.lost_minutes(row, at_ns)
        bars = last_bars(self._ground.candles.closed(row, 1), lost[-1] if lost else 0, at_ns)
        scale = self._ground.table.instruments[row].price_scale
        return parkinson(bars), garman_klass(bars), amihud(bars, scale)

    def _begin_anew(self) -> Rows:
        """Let nothing span the restart of windows; return the rows whose began anew."""
        started_ns = self._ground.windows.started_ns
        has_restarted = started_ns != self._started_ns
        if not has_restarted.any():
            return NO_ROWS
        anew = np.flatnonzero(has_restarted).astype(np.int32)
        self._started_ns[anew] = started_ns[anew]
        self._judged[:, anew] = np.nan
        self._liquidity.forget(anew)
        self._volatility.forget(anew)
        self._crossings.forget(anew)
        self._impact.forget(anew)
        return anew

    def _judge(self, rows: Rows, now_ns: int) -> Rows:
        """Write what time alone judges of every row, and return the rows where it changed."""
        trading = rows[self._trades(rows, now_ns)]
        spread_bps, rv = self._ground.column("spread_bps")[trading], self._rv(trading)
        self._baselines.sample(trading, spread_bps, rv, now_ns)
        usual_bps, usual_rv = self._baselines.spread_bps[trading], self._baselines.rv[trading]
        self._judged[:, rows] = np.nan
        self._judged[:, trading] = (
            self._liquidity.judge(trading, usual_bps, now_ns),
            ~np.isnan(usual_bps),
            self._volatility.judge(trading, rv, usual_rv, now_ns),
            ~np.isnan(usual_rv),
        )
        changed = self._show(rows)
        impact = self._impact.advance(trading, now_ns)
        for name, values in zip(_OF_BUCKETS, impact or (), strict=impact is not None):
            changed |= self._write(name, rows, trading, values)
        return rows[changed]

    def _show(self, rows: Rows) -> Bools:
        """Publish what was judged of the rows last, but nothing beside a quote that is no more.

        Whose quote nobody can vouch for has no flag; whose book is gone is called nothing but
        that. Returns for each row whether it changed.
        """
        codes = self._judged[:, rows]
        is_gone = np.isnan(self._ground.column("spread_bps")[rows]) & (codes[0] != NO_QUOTE)
        codes[0, is_gone] = np.nan
        is_old = ~IS_TIMELY[self._ground.freshness.codes[rows]]
        codes[:, is_old] = np.nan
        self._is_withheld[rows] = is_gone | is_old
        values = self._ground.metrics.values
        before = values[_FLAG_ROWS, rows]
        values[_FLAG_ROWS, rows] = codes
        is_same = (before == codes) | (np.isnan(before) & np.isnan(codes))
        changed: Bools = ~is_same.all(axis=0)
        return changed

    def _write(self, name: str, rows: Rows, trading: Rows, values: Floats | Bools) -> Bools:
        column = self._ground.column(name)
        before = column[rows]
        column[rows] = np.nan
        column[trading] = values
        after = column[rows]
        changed: Bools = (before != after) & ~(np.isnan(before) & np.isnan(after))
        return changed

    def _trades(self, rows: Rows, now_ns: int) -> Bools:
        """Whose flags can be told: in continuous trading, over a link that lives.

        Before the first packet of the trading nobody knows its book.
        """
        watch, phases = self._ground.watch, self._ground.phases
        began_ns = phases.began_ns[rows]
        is_healthy = now_ns - np.maximum(watch.life_ns, began_ns) <= self._ground.fresh_ns
        is_told = (watch.last_ns[rows] >= began_ns) | (now_ns - began_ns > SILENT_NS)
        trades: Bools = (
            watch.heard[rows] & is_healthy & is_told & self._ground.table.has_volume[rows]
        )
        return trades & (phases.continuous[rows] > 0)

    def _rv(self, rows: Rows) -> Floats:
        """The volatility of the last 300 seconds, NaN before they are over."""
        return np.where(self._ground.metrics.warm[rows], self._ground.column("rv")[rows], np.nan)


def _settled_minutes(facts: Iterable[Fact]) -> Iterator[Candle]:
    changed = (fact.candle for fact in facts if isinstance(fact, CandleChanged))
    for candle in changed:
        if candle.minutes == 1 and candle.state is not CandleState.PROVISIONAL:
            yield candle
