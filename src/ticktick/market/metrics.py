"""The published tick metrics of every instrument, measured once per frame."""

from typing import Final

import numpy as np

from ticktick.core import flow, moments, vwap
from ticktick.core.columns import Flags, Rows
from ticktick.core.kernels import (
    add_signed_values,
    detect_trades,
    expire_flow,
    expire_trades,
    measure_prints,
    measure_quotes,
    note_mids,
    push_ticks,
    settle_before,
    settle_until,
    take_flow,
    take_trades,
)
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.metric import METRIC_ROW, METRICS
from ticktick.market.table import SlotTable
from ticktick.market.windows import Windows

_LATE_NS: Final = 2 * NS_PER_S  # what is told of a moment is here by then
_OF_QUOTES: Final = ("ofi_10", "ofi", "ofi_60", "rv", "realised_spread")
_OF_TRADES: Final = (
    *("tick_return", "log_return", "trade_sign", "vwap", "vwap_exact", "effective_spread"),
)
_MOVES: Final = np.array([METRIC_ROW[name] for name in _OF_QUOTES])
_OF_WINDOWS: Final = np.array([METRIC_ROW[name] for name in (*_OF_QUOTES, *_OF_TRADES)])


class TickMetrics:
    """Metrics as columns: `values` is float64[len(METRICS), capacity], NaN = not known.

    Prices are in price units. `warm` (bool[capacity]) says whose time windows are full since the
    last gap and the begin of the day. `continuous` (uint8[capacity]) says whose quotes stand.
    `counters` holds `trades` and `volume_falls`.
    """

    def __init__(
        self, table: SlotTable, windows: Windows, continuous: Flags, vwap_window_ns: int
    ) -> None:
        self._table = table
        self._windows = windows
        self._continuous = continuous
        self._vwap_ns = vwap_window_ns
        self._spans_ns = np.array(flow.SECONDS, np.int64) * NS_PER_S
        self._has_volume = np.zeros(table.capacity, np.uint8)
        self._tick_size = np.zeros(table.capacity, np.int64)
        self._price_scale = np.zeros(table.capacity, np.int64)
        self._untraded = np.zeros(table.capacity, np.uint8)
        self.values = np.full((len(METRICS), table.capacity), np.nan)
        self.warm = np.zeros(table.capacity, np.bool_)
        self.counters = {"trades": 0, "volume_falls": 0}

    def watch(self) -> None:
        """Take over the instruments of the table."""
        instruments = self._table.instruments
        self._has_volume[: len(instruments)] = [each.has_volume for each in instruments]
        self._tick_size[: len(instruments)] = [each.tick_size for each in instruments]
        self._price_scale[: len(instruments)] = [each.price_scale for each in instruments]

    def restart(self, rows: Rows) -> None:
        """Begin anew after a gap of the rows: nothing may span it."""
        self._windows.restart(rows)
        self.warm[rows] = False
        self.values[np.ix_(_OF_WINDOWS, rows)] = np.nan

    def restart_quotes(self, rows: Rows) -> None:
        """Begin anew what follows the quotes of the rows, which were not seen for a while."""
        self._windows.restart_quotes(rows)
        self.values[np.ix_(_MOVES, rows)] = np.nan

    def begin_day(self) -> None:
        """Publish nothing of the day before."""
        self._windows.begin_day()
        self.warm.fill(False)
        self.values.fill(np.nan)

    def clear(self, row: int) -> None:
        """Publish nothing of the row: its values are of another moment than what is known now."""
        self.restart(np.array([row], np.int32))
        self.values[:, row] = np.nan

    def forget(self, rows: Rows) -> None:
        """Know nothing of these rows any more."""
        self._windows.forget(rows)
        self.warm[rows] = False
        self.values[:, rows] = np.nan

    def take(self, rows: Rows, exchange_ns: int) -> None:
        """Find the trades of the touched rows and measure everything of them."""
        slots, windows, words = self._table.records, self._windows, self._table.words
        self.counters["volume_falls"] += detect_trades(
            rows,
            self._has_volume,
            slots["last_price"],
            slots["last_trade_ns"],
            slots["volume"],
            windows.base_price,
            windows.base_trade_ns,
            windows.base_volume,
            windows.suspect_volume,
            windows.traded,
            windows.previous_price,
            windows.volume_delta,
        )
        self.counters["trades"] += int(np.count_nonzero(windows.traded[rows]))
        settle_before(
            rows,
            words,
            windows.moments,
            windows.mids,
            windows.squares,
            windows.waiting,
            self.values,
        )
        self._measure_quotes(rows)
        measure_prints(
            rows,
            self._has_volume,
            windows.traded,
            windows.previous_price,
            words,
            windows.direction,
            self.values,
        )
        add_signed_values(
            rows, windows.traded, windows.volume_delta, words, self.values, windows.signed
        )
        self._follow(rows, exchange_ns, windows.traded)
        take_trades(
            rows,
            exchange_ns,
            self._vwap_ns,
            windows.started_ns,
            self._tick_size,
            self._price_scale,
            windows.traded,
            windows.volume_delta,
            words,
            windows.day,
            windows.trades,
            self.values,
        )
        push_ticks(
            rows,
            windows.volume_delta,
            words,
            self.values,
            windows.tick_head,
            windows.tick_count,
            windows.started_ns,
            windows.ticks,
        )

    def requote(self, rows: Rows, at_ns: int) -> None:
        """Measure the quotes of rows that began or ceased to trade at the moment."""
        self._settle(rows, at_ns)
        self._measure_quotes(rows)
        self._follow(rows, at_ns, self._untraded)

    def expire(self, now_ns: int) -> Rows:
        """Let time take from the windows what is too old; return the rows that changed."""
        windows = self._windows
        full_ns = now_ns - self._vwap_ns
        is_full = (windows.started_ns <= full_ns) & ~self.warm
        self.warm |= is_full
        is_due = windows.day[:, vwap.OLDEST_NS] <= full_ns
        is_due |= windows.flow[:, flow.DUE_NS] <= now_ns
        is_due |= windows.moments[:, moments.DUE_NS] < now_ns - _LATE_NS
        rows = np.flatnonzero(is_due | is_full).astype(np.int32)
        before = self.values[:, rows]
        expire_trades(
            rows,
            now_ns,
            self._vwap_ns,
            windows.started_ns,
            self._tick_size,
            self._price_scale,
            windows.day,
            windows.trades,
            self.values,
        )
        expire_flow(rows, now_ns, self._spans_ns, windows.flow, windows.changes, self.values)
        self._settle(rows, now_ns - _LATE_NS)
        after = self.values[:, rows]
        has_changed = ((after != before) & ~(np.isnan(after) & np.isnan(before))).any(axis=0)
        changed: Rows = rows[has_changed | is_full[rows]]
        return changed

    def _measure_quotes(self, rows: Rows) -> None:
        measure_quotes(
            rows,
            self._continuous,
            self._tick_size,
            self._table.words,
            self._table.deep_words,
            self.values,
        )

    def _follow(self, rows: Rows, now_ns: int, traded: Flags) -> None:
        """Follow the quotes of the rows as they stand now."""
        windows, words = self._windows, self._table.words
        take_flow(
            rows,
            now_ns,
            self._continuous,
            self._spans_ns,
            words,
            windows.flow,
            windows.changes,
            self.values,
        )
        note_mids(
            rows,
            now_ns,
            self._continuous,
            traded,
            words,
            windows.moments,
            windows.mids,
            windows.waiting,
            self.values,
        )

    def _settle(self, rows: Rows, until_ns: int) -> None:
        windows = self._windows
        settle_until(
            rows,
            until_ns,
            windows.moments,
            windows.mids,
            windows.squares,
            windows.waiting,
            self.values,
        )
