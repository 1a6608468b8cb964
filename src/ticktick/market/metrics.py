"""The published tick metrics of every instrument, measured once per frame."""

import numpy as np
from numpy.typing import NDArray

from ticktick.core.columns import Flags, Rows
from ticktick.core.kernels import detect_trades
from ticktick.core.measure import measure_trades, measure_vwap, push_ticks, push_trades
from ticktick.core.quotes import measure_quotes
from ticktick.domain.metric import METRIC_ROW, METRICS
from ticktick.market.table import SlotTable
from ticktick.market.windows import Windows


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
        self._has_volume = np.zeros(table.capacity, np.uint8)
        self._tick_size = np.zeros(table.capacity, np.int64)
        self.values = np.full((len(METRICS), table.capacity), np.nan)
        self.warm = np.zeros(table.capacity, np.bool_)
        self.counters = {"trades": 0, "volume_falls": 0}

    def watch(self) -> None:
        """Take over the instruments of the table."""
        instruments = self._table.instruments
        self._has_volume[: len(instruments)] = [each.has_volume for each in instruments]
        self._tick_size[: len(instruments)] = [each.tick_size for each in instruments]

    def restart(self, rows: Rows) -> None:
        """Begin anew after a gap of the rows: nothing may span it."""
        self._windows.restart(rows)
        self.warm[rows] = False
        for name in ("tick_return", "vwap"):
            self._column(name)[rows] = np.nan

    def begin_day(self) -> None:
        """Publish nothing of the day before."""
        self._windows.begin_day()
        self.warm.fill(False)
        self.values.fill(np.nan)

    def clear(self, row: int) -> None:
        """Publish nothing of the row: its values are of another moment than what is known now."""
        self.values[:, row] = np.nan

    def forget(self, rows: Rows) -> None:
        """Know nothing of these rows any more."""
        self._windows.forget(rows)
        self.warm[rows] = False
        self.values[:, rows] = np.nan

    def take(self, rows: Rows, exchange_ns: int) -> None:
        """Find the trades of the touched rows and measure everything of them."""
        slots, windows = self._table.records, self._windows
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
        self.counters["trades"] += int(windows.traded[rows].sum())
        self._push(rows)
        self.requote(rows)
        measure_trades(
            rows,
            self._has_volume,
            windows.traded,
            slots["last_price"],
            windows.previous_price,
            slots["average_price"],
            slots["exchange_ns"],
            slots["last_trade_ns"],
            self._column("tick_return"),
            self._column("vwap_session"),
            self._column("vwap_distance"),
        )
        self._measure_vwap(rows, exchange_ns)

    def requote(self, rows: Rows) -> None:
        """Measure the quotes of the rows as they stand."""
        measure_quotes(rows, self._continuous, self._tick_size, self._table.words, self.values)

    def expire(self, now_ns: int) -> Rows:
        """Let time take trades out of the VWAP; return the rows that changed."""
        full_ns = now_ns - self._vwap_ns
        is_due = self._windows.oldest_ns <= full_ns
        is_full = (self._windows.started_ns <= full_ns) & ~self.warm
        self.warm |= is_full
        rows = np.flatnonzero(is_due | is_full).astype(np.int32)
        self._measure_vwap(rows, now_ns)
        return rows

    def _push(self, rows: Rows) -> None:
        slots, windows = self._table.records, self._windows
        push_ticks(
            rows,
            slots["exchange_ns"],
            slots["last_price"],
            windows.volume_delta,
            slots["bid_price"],
            slots["ask_price"],
            windows.tick_head,
            windows.tick_count,
            windows.started_ns,
            windows.ticks,
        )
        push_trades(
            rows,
            windows.traded,
            slots["exchange_ns"],
            slots["last_price"],
            windows.volume_delta,
            windows.trade_head,
            windows.trade_count,
            windows.oldest_ns,
            windows.sums,
            windows.trades,
        )

    def _measure_vwap(self, rows: Rows, now_ns: int) -> None:
        windows = self._windows
        measure_vwap(
            rows,
            now_ns - self._vwap_ns,
            windows.trade_head,
            windows.trade_count,
            windows.oldest_ns,
            windows.sums,
            windows.trades,
            self._column("vwap"),
        )

    def _column(self, name: str) -> NDArray[np.float64]:
        column: NDArray[np.float64] = self.values[METRIC_ROW[name]]
        return column
