"""The volatility flag: how much the mid moves against what is usual, and the price band."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ticktick.analytics.microstructure.ground import Ground
from ticktick.analytics.microstructure.ladder import HYSTERESIS, Ladder, Levels
from ticktick.core.columns import Floats, Rows
from ticktick.domain.clock import NS_PER_MINUTE
from ticktick.domain.market import Volatility

UNKNOWN_NS: Final = 5 * NS_PER_MINUTE
BAND_FRACTION: Final = 0.01

_UNKNOWN: Final = float(list(Volatility).index(Volatility.UNKNOWN))
_EXTREME: Final = list(Volatility).index(Volatility.EXTREME)
# between low and normal, normal and high, high and extreme; times what is usual
_LIMITS: Final = np.array([0.6, 1.6, 3.0])
_UP: Final = _LIMITS * [1 + HYSTERESIS, 1, 1]
_DOWN: Final = _LIMITS * [1, 1 - HYSTERESIS, 1 - HYSTERESIS]


def level_of(ratio: Floats, limits: Floats = _LIMITS) -> Levels:
    """How many of the limits each ratio reaches; NaN reaches none."""
    levels: Levels = (ratio[:, np.newaxis] >= limits).sum(axis=1)
    return levels


class VolatilityFlag:
    """Judges rows that trade over a healthy link."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._ladder = Ladder(ground.table.capacity)

    def forget(self, rows: Rows) -> None:
        """Begin anew after a gap."""
        self._ladder.forget(rows)

    def judge(self, rows: Rows, rv: Floats, usual_rv: Floats, now_ns: int) -> Floats:
        """The codes of the rows.

        rv, usual_rv: the volatility of the last 300 s and what is usual by now, one per row of
        `rows`, in one unit, NaN = not known.
        """
        if not len(rows):
            return np.empty(0)
        is_near = self._is_near_band(rows, BAND_FRACTION)
        is_extreme = self._ladder.level(rows) == _EXTREME
        is_near |= is_extreme & self._is_near_band(rows, BAND_FRACTION * (1 + HYSTERESIS))
        ratio = self._ratio(rows, rv, usual_rv, now_ns)
        known = np.flatnonzero(~np.isnan(ratio) | is_near)
        codes = np.full(len(rows), _UNKNOWN)
        codes[known] = self._settle(rows[known], ratio[known], is_near[known], now_ns)
        return codes

    def _ratio(self, rows: Rows, rv: Floats, usual_rv: Floats, now_ns: int) -> Floats:
        """How much more the mid moves than usual, NaN where nobody can tell yet."""
        is_told = now_ns - self._ground.phases.began_ns[rows] >= UNKNOWN_NS
        ratio: Floats = np.full(len(rows), np.nan)
        np.divide(rv, usual_rv, out=ratio, where=is_told & (usual_rv > 0))
        return ratio

    def _settle(self, rows: Rows, ratio: Floats, is_near: NDArray[np.bool_], now_ns: int) -> Levels:
        levels = (level_of(ratio, limits) for limits in (_LIMITS, _UP, _DOWN))
        first, least, most = (np.where(is_near, _EXTREME, level) for level in levels)
        return self._ladder.settle(rows, first, least, most, now_ns)

    def _is_near_band(self, rows: Rows, fraction: float) -> NDArray[np.bool_]:
        """Whether the last price lies so near to an end of the day's price band, or beyond."""
        low, high = self._ground.screen.bands(rows)
        price = self._ground.table.records["last_price"][rows]
        near: NDArray[np.bool_] = (price <= low * (1 + fraction)) | (price >= high * (1 - fraction))
        return near & (low > 0) & (price > 0)
