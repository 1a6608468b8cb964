"""What the stores read of the engine: the newest state of every instrument."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ticktick.market.freshness import FreshnessColumn
from ticktick.market.table import SlotTable


class MarketView(Protocol):
    """The engine's market half, as far as a store needs it.

    `metrics` is float64[len(METRICS), capacity], NaN where not known, price metrics in price
    units; `freshness` goes by row; `warm` (bool[capacity]) says whose time windows are full.
    """

    @property
    def table(self) -> SlotTable:
        """Newest state of each instrument."""
        ...

    @property
    def metrics(self) -> NDArray[np.float64]:
        """Newest metrics, one column per row of the table."""
        ...

    @property
    def freshness(self) -> FreshnessColumn:
        """How old each row may be."""
        ...

    @property
    def warm(self) -> NDArray[np.bool_]:
        """Whether the row's time windows are full since the last gap."""
        ...
