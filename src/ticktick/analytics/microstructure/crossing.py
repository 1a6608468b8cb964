"""Crossings of the VWAP: the step over the touched rows, and its facts."""

from collections.abc import Iterator

import numpy as np

from ticktick.analytics.microstructure.ground import Ground
from ticktick.core.columns import Floats, Ints, Rows
from ticktick.core.crossing import UNSUMMED, UPDATES
from ticktick.core.kernels import CrossingSearch
from ticktick.domain.event import VwapCrossed


class Crossings:
    """Writes the metric `vwap_cross` of touched rows."""

    def __init__(self, ground: Ground) -> None:
        capacity = ground.table.capacity
        self._ground = ground
        self._side: Ints = np.zeros(capacity, np.int64)
        self._told_ns: Ints = np.zeros(capacity, np.int64)
        self._average: Floats = np.full(capacity, np.nan)
        self._last: Ints = np.zeros((capacity, UPDATES), np.int64)
        self._total: Ints = np.zeros(capacity, np.int64)
        self._summed: Ints = np.full(capacity, UNSUMMED)
        self._crossed: Rows = np.zeros(capacity, np.int32)
        self._search = CrossingSearch(
            ground.prices,
            ground.windows.tick_head,
            ground.windows.tick_count,
            ground.trades,
            ground.table.tick_sizes,
            ground.column("spread"),
            ground.column("vwap"),
            self._side,
            self._told_ns,
            ground.column("vwap_cross"),
            self._average,
            self._last,
            self._total,
            self._summed,
            self._crossed,
        )

    def forget(self, rows: Rows) -> None:
        """Begin anew: the side before a gap is no side to come from."""
        self._side[rows] = self._told_ns[rows] = 0
        self._summed[rows] = UNSUMMED

    def find(self, rows: Rows, now_ns: int) -> Iterator[VwapCrossed]:
        """Look at the touched rows and tell who crossed."""
        found = self._search.find(rows, now_ns)
        if not found:
            return
        instruments, trades = self._ground.table.instruments, self._ground.trades
        vwap = self._ground.column("vwap")
        for row in self._crossed[:found].tolist():
            yield VwapCrossed(
                now_ns,
                instruments[row].symbol,
                int(self._side[row]),
                float(self._average[row]),
                float(vwap[row]),
                int(trades[row]),
            )
