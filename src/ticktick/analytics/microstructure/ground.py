"""What the microstructure reads of the market, and where its own metrics are written."""

import numpy as np
from msgspec import Struct

from ticktick.core.columns import Floats, Ints, Rows
from ticktick.core.ticks import TICK_COLUMNS
from ticktick.core.vwap import COUNT
from ticktick.domain.metric import METRIC_ROW
from ticktick.market.candles import Candles
from ticktick.market.freshness import FreshnessColumn
from ticktick.market.metrics import TickMetrics
from ticktick.market.phases import Phases
from ticktick.market.screen import Screen
from ticktick.market.table import SlotTable
from ticktick.market.watch import Watch
from ticktick.market.windows import Windows


class Ground(Struct, frozen=True):
    """The parts of the market as they are after the newest event.

    `fresh_ns` is how long the feed may say nothing before its link counts as unhealthy.
    """

    table: SlotTable
    metrics: TickMetrics
    windows: Windows
    phases: Phases
    watch: Watch
    screen: Screen
    candles: Candles
    freshness: FreshnessColumn
    fresh_ns: int

    def column(self, name: str) -> Floats:
        """The metric of that name, one value per row of the table."""
        column: Floats = self.metrics.values[METRIC_ROW[name]]
        return column

    def rows(self) -> Rows:
        """The rows of everything that is followed, in order."""
        return np.array(sorted(self.table.followed), np.int32)

    @property
    def prices(self) -> Ints:
        """Last price of the kept updates of each row, int64[capacity, depth]."""
        prices: Ints = self.windows.ticks[:, :, TICK_COLUMNS.index("last_price")]
        return prices

    @property
    def trades(self) -> Ints:
        """How many trades each row has within its VWAP."""
        trades: Ints = self.windows.day[:, COUNT]
        return trades
