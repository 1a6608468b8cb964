"""Where an oscillator has nothing to measure: windows in which no price moved."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from ticktick.analytics.catalogue import Flat
from ticktick.analytics.talib import talib
from ticktick.domain.market import Candle

AverageOf: TypeAlias = Callable[[NDArray[np.float64], int], NDArray[np.float64]]

_PERIOD: Final = 14
_FAST, _SLOW = 3, 5  # windows that enter the last value of the fast and the slow stochastic
_ZERO: Final = 1e-14  # below it TA-Lib takes a denominator for zero
_KINDS: Final[tuple[Flat, ...]] = get_args(Flat)
_SAID: Final = tuple(
    {kind: bool(bits >> place & 1) for place, kind in enumerate(_KINDS)}
    for bits in range(1 << len(_KINDS))
)
(_SLOW_RANGE, _FAST_RANGE, _RANGE, _STRENGTH, _DOUBLE, _CHANGE, _MONEY) = (
    1 << _KINDS.index(kind)
    for kind in ("slow_range", "fast_range", "range", "strength", "double", "change", "money")
)

NOTHING_FLAT: Final[Mapping[Flat, bool]] = _SAID[0]


class Flatness:
    """Which windows are flat after each bar, where TA-Lib would divide by zero and says 0.

    - `range`: the 14 bars have one price; `fast_range` and `slow_range`: one of the 3 or 5
      windows that the stochastic averages has;
    - `change`: 14 closes in a row did not move; `money`: no traded value moved the typical price
      in 14 bars;
    - `strength`, `double`: Wilder's and the double exponential average of the moves are zero,
      so that no close has moved since the history began, or for hundreds of bars.
    """

    def __init__(self) -> None:
        self._close = 0  # prices are above 0
        self._typical = 0
        self._one_price = 0  # bars in a row that have one price, all of them the same
        self._unmoved = 0  # closes in a row that equal the one before
        self._unpaid = 0  # bars in a row in which no value moved the typical price
        self._since_flat_range = _SLOW
        self._wilder = _Average(_PERIOD, 1.0 / _PERIOD)
        self._first = _Average(25, 2.0 / 26.0)
        self._second = _Average(13, 2.0 / 14.0)

    def seed(self, bars: Sequence[Candle], closes: NDArray[np.float64]) -> None:
        """Take many bars at once, before any other; `closes` are theirs."""
        for bar in bars[max(len(bars) - _PERIOD - _SLOW - 1, 0) :]:
            self.update(bar)
        moves = np.abs(np.diff(closes))
        self._wilder.seed(moves, talib.RMA)
        smoothed = self._first.seed(moves, talib.EMA)
        self._second.seed(smoothed, talib.EMA)

    def fork(self) -> "Flatness":
        """Another that goes on from here by itself."""
        other = Flatness()
        other._close, other._typical = self._close, self._typical
        other._one_price, other._unmoved = self._one_price, self._unmoved
        other._unpaid, other._since_flat_range = self._unpaid, self._since_flat_range
        other._wilder, other._first = self._wilder.fork(), self._first.fork()
        other._second = self._second.fork()
        return other

    def update(self, bar: Candle) -> Mapping[Flat, bool]:
        """Take the next bar; whether each kind of window is flat now."""
        close = bar.close
        if self._close:
            move = abs(close - self._close)
            self._wilder.update(move)
            self._first.update(move)
            if self._first.is_ready:
                self._second.update(self._first.value)
            self._unmoved = 0 if move else self._unmoved + 1
        self._take_range(bar)
        self._take_money(bar)
        self._close = close
        return _SAID[self._bits()]

    def _take_range(self, bar: Candle) -> None:
        if bar.high != bar.low:
            self._one_price = 0
        else:
            self._one_price = self._one_price + 1 if bar.high == self._close else 1
        is_flat = self._one_price >= _PERIOD
        self._since_flat_range = 0 if is_flat else self._since_flat_range + 1

    def _take_money(self, bar: Candle) -> None:
        typical = bar.high + bar.low + bar.close
        moved = typical != self._typical and bar.volume > 0 and self._typical > 0
        self._unpaid = 0 if moved else self._unpaid + 1
        self._typical = typical

    def _bits(self) -> int:
        bits = 0
        if self._since_flat_range < _SLOW:
            bits = _SLOW_RANGE
            bits |= _FAST_RANGE if self._since_flat_range < _FAST else 0
            bits |= _RANGE if not self._since_flat_range else 0
        if self._unmoved >= _PERIOD:
            bits |= _CHANGE
        if self._unpaid >= _PERIOD:
            bits |= _MONEY
        if self._wilder.value < _ZERO:
            bits |= _STRENGTH
        if self._second.value < _ZERO:
            bits |= _DOUBLE
        return bits


class _Average:
    """An exponential average that begins with the mean of its first values."""

    def __init__(self, period: int, weight: float) -> None:
        self._period = period
        self._weight = weight
        self._count = 0
        self.value = 0.0
        self.is_ready = False

    def seed(self, values: NDArray[np.float64], function: AverageOf) -> NDArray[np.float64]:
        """Take many values at once, before any other; the averages that are ready.

        `function` is TA-Lib's for this weight.
        """
        self._count = len(values)
        self.is_ready = self._count >= self._period
        ready = values[:0]
        if self.is_ready:
            ready = function(values, self._period)[self._period - 1 :]
            self.value = float(ready[len(ready) - 1])
        elif self._count:
            self.value = float(values.mean())
        return ready

    def fork(self) -> "_Average":
        """Another that goes on from here by itself."""
        other = _Average(self._period, self._weight)
        other._count, other.value, other.is_ready = self._count, self.value, self.is_ready
        return other

    def update(self, value: float) -> None:
        """Take the next value; `value` is their average once it `is_ready`."""
        self._count += 1
        if self._count <= self._period:
            self.value += (value - self.value) / self._count
        else:
            self.value += self._weight * (value - self.value)
        self.is_ready = self._count >= self._period
