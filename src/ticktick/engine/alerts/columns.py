"""The columns that alerts look at: the metrics, the price and its change, and states as codes."""

from collections.abc import Sequence, Set
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ticktick.core.columns import Rows
from ticktick.domain.market import Freshness
from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.sessions import Phase
from ticktick.market.freshness import CODES, FreshnessColumn
from ticktick.market.table import SlotTable

TIMELY: Final = frozenset({Freshness.FRESH, Freshness.QUIET})
_TIMELY_CODES: Final = [CODES[word] for word in sorted(TIMELY)]
_PHASE_CODE: Final = {word: code for code, word in enumerate(Phase)}
_OWN: Final = ("last_price", "change", "change_percent", "freshness", "phase")
COLUMN: Final[dict[str, int]] = METRIC_ROW | {
    name: len(METRIC_ROW) + place for place, name in enumerate(_OWN)
}
"""Where each source of one number per row is found."""

WINDOWED: Final = frozenset({"vwap"})
"""Metrics of a time window, which say little before it is full."""


class LiveRows(Protocol):
    """What alerts read of the market half."""

    @property
    def table(self) -> SlotTable: ...
    @property
    def metrics(self) -> NDArray[np.float64]: ...
    @property
    def warm(self) -> NDArray[np.bool_]: ...
    @property
    def freshness(self) -> FreshnessColumn: ...
    @property
    def row_phases(self) -> Sequence[Phase]: ...
    @property
    def link_up(self) -> bool: ...
    @property
    def last_frame_ns(self) -> int: ...
    @property
    def extras(self) -> Set[str]: ...


class Columns:
    """float64[sources, capacity] in the order of COLUMN; NaN where nothing can be vouched for.

    `look` brings some rows up to date. The metrics and prices of a row are NaN unless its data is
    fresh or quiet; what needs a full window is NaN before that; a price of another day is none.
    """

    def __init__(self, market: LiveRows) -> None:
        self._market = market
        self._windowed = np.array([METRIC_ROW[name] for name in sorted(WINDOWED)], np.intp)
        self.values = np.full((len(COLUMN), market.table.capacity), np.nan)

    def look(self, rows: Rows) -> None:
        """Take over what is known of these rows now."""
        market, values, count = self._market, self.values, len(METRIC_ROW)
        codes = market.freshness.codes[rows]
        metrics = market.metrics[:, rows]
        metrics[self._windowed[:, None], np.flatnonzero(~market.warm[rows])] = np.nan
        values[:count, rows] = metrics
        values[count : count + 3, rows] = self._prices(rows)
        values[: count + 3, rows[~np.isin(codes, _TIMELY_CODES)]] = np.nan
        is_known = codes != CODES[Freshness.UNKNOWN]
        values[COLUMN["freshness"], rows] = np.where(is_known, codes, np.nan)
        values[COLUMN["phase"], rows] = [
            np.nan if phase is Phase.UNKNOWN else _PHASE_CODE[phase]
            for phase in (market.row_phases[row] for row in rows.tolist())
        ]

    def _prices(self, rows: Rows) -> NDArray[np.float64]:
        """Last price, its change and that as a fraction, float64[3, n]."""
        table = self._market.table
        last, previous = (
            table.records[name][rows].astype(np.float64)
            for name in ("last_price", "previous_close")
        )
        last[(last <= 0) | ~table.traded_today(rows)] = np.nan
        previous[previous <= 0] = np.nan
        return np.stack((last, last - previous, (last - previous) / previous))
