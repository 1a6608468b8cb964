"""Kyle's lambda: how far the mid moves for each lakh of rupees bought or sold."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ticktick.analytics.microstructure.ground import Ground
from ticktick.core.columns import Floats, Ints, Rows
from ticktick.domain.clock import NS_PER_S

BUCKETS: Final = 180
LEAST_BUCKETS: Final = 60
LEAST_T: Final = 2.0
BUCKET_NS: Final = 10 * NS_PER_S
_RUPEES_PER_LAKH: Final = 100_000
_BPS: Final = 1e4


class Impact:
    """Cuts time into ten seconds and measures Kyle's lambda at the end of each."""

    def __init__(self, ground: Ground) -> None:
        capacity = ground.table.capacity
        self._ground = ground
        self._pairs = Regression(capacity)
        self._mid: Floats = np.full(capacity, np.nan)  # as the present bucket began
        self._signed: Ints = np.zeros(capacity, np.int64)
        self._bucket = 0

    def forget(self, rows: Rows) -> None:
        """Begin anew after a gap."""
        self._pairs.forget(rows)
        self._mid[rows] = np.nan
        for name in ("kyle_lambda", "kyle_lambda_se"):
            self._ground.column(name)[rows] = np.nan

    def advance(self, trading: Rows, now_ns: int) -> tuple[Floats, Floats] | None:
        """Slopes and errors of the rows that trade, as a bucket ends; None within one.

        A bucket counts where a quote stood at both its ends. Where time leaps, as at the start,
        the one that it leaves and the one in which it lands count for nobody.
        """
        bucket = now_ns // BUCKET_NS
        if bucket == self._bucket:
            return None
        is_next, self._bucket = bucket == self._bucket + 1, bucket
        if is_next:
            self._push(trading)
        self._mid.fill(np.nan)
        if is_next:
            self._mid[trading] = self._ground.column("mid")[trading]
            self._signed[:] = self._ground.windows.signed
        return self._pairs.slopes(trading)

    def _push(self, trading: Rows) -> None:
        bought, moved = (np.full(len(self._mid), np.nan) for _ in range(2))
        value = self._ground.windows.signed[trading] - self._signed[trading]
        scale = self._ground.table.price_scales()[trading]
        bought[trading] = value / scale / _RUPEES_PER_LAKH
        moved[trading] = _BPS * (self._ground.column("mid")[trading] / self._mid[trading] - 1)
        self._pairs.push(bought, moved)


class Regression:
    """The newest 180 pairs of each row, and the line through them.

    A pair is what was bought less what was sold (rupees lakh) and by how much the mid changed
    (basis points), both in the same ten seconds.
    """

    def __init__(self, capacity: int) -> None:
        self._bought: Floats = np.full((BUCKETS, capacity), np.nan)
        self._moved: Floats = np.full((BUCKETS, capacity), np.nan)
        self._place = 0

    def forget(self, rows: Rows) -> None:
        """Begin anew: no line is drawn across a gap."""
        self._bought[:, rows] = np.nan

    def push(self, bought: Floats, moved: Floats) -> None:
        """Add a pair of every row, float64[capacity]; NaN where there is none."""
        self._bought[self._place] = np.where(np.isnan(moved), np.nan, bought)
        self._moved[self._place] = moved
        self._place = (self._place + 1) % BUCKETS

    def slopes(self, rows: Rows) -> tuple[Floats, Floats]:
        """The slope of each row (basis points per lakh) and its standard error.

        NaN with fewer than 60 pairs, where nothing was traded, and where the slope is less than
        twice its error: then it cannot be told from none. Ordinary least squares with an
        intercept; the error has n - 2 degrees of freedom.
        """
        bought, moved = self._bought[:, rows], self._moved[:, rows]
        is_pair = ~np.isnan(bought)
        count = is_pair.sum(axis=0).astype(np.float64)
        count[count < LEAST_BUCKETS] = np.nan
        x, y = (_centred(values, is_pair, count) for values in (bought, moved))
        spread = (x * x).sum(axis=0)
        spread[spread == 0] = np.nan
        slope = (x * y).sum(axis=0) / spread
        left = ((y - slope * x) ** 2).sum(axis=0)
        error = np.sqrt(left / (count - 2) / spread)
        is_told = slope >= LEAST_T * error
        is_told &= slope > 0
        return np.where(is_told, slope, np.nan), np.where(is_told, error, np.nan)


def _centred(values: Floats, is_pair: NDArray[np.bool_], count: Floats) -> Floats:
    """The values less their mean, 0 where there is no pair."""
    kept = np.where(is_pair, values, 0.0)
    mean = kept.sum(axis=0) / count
    return np.where(is_pair, kept - mean, 0.0)
