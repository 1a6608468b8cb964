"""The published tick metrics of every instrument, measured once per frame."""

from typing import Final

import numpy as np

from ticktick.core import flow, moments, vwap
from ticktick.core.columns import Flags, Floats, Rows, apart
from ticktick.core.kernels import Gauge
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
    """

    def __init__(
        self, table: SlotTable, windows: Windows, continuous: Flags, vwap_window_ns: int
    ) -> None:
        self._table = table
        self._windows = windows
        self._vwap_ns = vwap_window_ns
        self._has_volume = np.zeros(table.capacity, np.uint8)
        self._tick_size = np.zeros(table.capacity, np.int64)
        self._price_scale = np.zeros(table.capacity, np.int64)
        self.values: Floats = apart(len(METRICS), table.capacity).view(np.float64)
        self.values.fill(np.nan)
        self.warm = np.zeros(table.capacity, np.bool_)
        self._gauge = Gauge(
            table,
            windows,
            self._has_volume,
            continuous,
            self._tick_size,
            self._price_scale,
            np.array(flow.SECONDS, np.int64) * NS_PER_S,
            vwap_window_ns,
            self.values,
        )

    @property
    def counters(self) -> dict[str, int]:
        """What was counted since the start, by name."""
        return {"trades": self._gauge.traded, "volume_falls": self._gauge.falls}

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
        self._gauge.take(rows, exchange_ns)

    def requote(self, rows: Rows, at_ns: int) -> None:
        """Measure the quotes of rows that began or ceased to trade at the moment."""
        self._gauge.requote(rows, at_ns)

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
        self._gauge.expire(rows, now_ns, now_ns - _LATE_NS)
        after = self.values[:, rows]
        has_changed = ((after != before) & ~(np.isnan(after) & np.isnan(before))).any(axis=0)
        changed: Rows = rows[has_changed | is_full[rows]]
        return changed
