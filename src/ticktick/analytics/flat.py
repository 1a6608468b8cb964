"""Where an oscillator has nothing to measure: windows in which no price moved."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ticktick.analytics.bars import Bar
from ticktick.analytics.catalogue import Flat
from ticktick.analytics.talib import talib

AverageOf: TypeAlias = Callable[[NDArray[np.float64], int], NDArray[np.float64]]

_PERIOD: Final = 14
_FAST, _SLOW = 3, 5  # windows that enter the last value of the fast and the slow stochastic
_ZERO: Final = 1e-14  # below it TA-Lib takes a denominator for zero


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
        self._closes: deque[float] = deque(maxlen=_PERIOD + 1)
        self._highs: deque[float] = deque(maxlen=_PERIOD)
        self._lows: deque[float] = deque(maxlen=_PERIOD)
        self._flows: deque[float] = deque(maxlen=_PERIOD)
        self._typical: float | None = None
        self._since_flat_range = _SLOW
        self._wilder = _Average(_PERIOD, 1.0 / _PERIOD)
        self._first = _Average(25, 2.0 / 26.0)
        self._second = _Average(13, 2.0 / 14.0)

    def seed(self, bars: Sequence[Bar], closes: NDArray[np.float64]) -> None:
        """Take many bars at once, before any other; `closes` are theirs."""
        moves = np.abs(np.diff(closes))
        self._wilder.seed(moves, talib.RMA)
        smoothed = self._first.seed(moves, talib.EMA)
        self._second.seed(smoothed, talib.EMA)
        averages = self._wilder, self._first, self._second
        self._wilder, self._first, self._second = (copy(average) for average in averages)
        for bar in bars[-_PERIOD - _SLOW - 1 :]:
            self.update(bar)
        self._wilder, self._first, self._second = averages

    def update(self, bar: Bar) -> Mapping[Flat, bool]:
        """Take the next bar; whether each kind of window is flat now."""
        if self._closes:
            self._take_move(abs(bar.close - self._closes[-1]))
        self._closes.append(bar.close)
        self._highs.append(bar.high)
        self._lows.append(bar.low)
        self._take_money(bar)
        is_flat = len(self._highs) == _PERIOD and max(self._highs) == min(self._lows)
        self._since_flat_range = 0 if is_flat else self._since_flat_range + 1
        return {
            "range": is_flat,
            "fast_range": self._since_flat_range < _FAST,
            "slow_range": self._since_flat_range < _SLOW,
            "change": min(self._closes) == max(self._closes),
            "money": not any(self._flows),
            "strength": self._wilder.is_zero,
            "double": self._second.is_zero,
        }

    def _take_move(self, move: float) -> None:
        self._wilder.update(move)
        smoothed = self._first.update(move)
        if smoothed is not None:
            self._second.update(smoothed)

    def _take_money(self, bar: Bar) -> None:
        typical = bar.high + bar.low + bar.close
        moved = self._typical is not None and typical != self._typical
        self._flows.append(typical * bar.volume if moved else 0.0)
        self._typical = typical


class _Average:
    """An exponential average that begins with the mean of its first values."""

    def __init__(self, period: int, weight: float) -> None:
        self._period = period
        self._weight = weight
        self._count = 0
        self._value = 0.0

    @property
    def is_zero(self) -> bool:
        return self._value < _ZERO

    def seed(self, values: NDArray[np.float64], function: AverageOf) -> NDArray[np.float64]:
        """Take many values at once, before any other; the averages that are ready.

        `function` is TA-Lib's for this weight.
        """
        self._count = len(values)
        ready = values[:0]
        if self._count >= self._period:
            ready = function(values, self._period)[self._period - 1 :]
            self._value = float(ready[-1])
        elif self._count:
            self._value = float(values.mean())
        return ready

    def update(self, value: float) -> float | None:
        """The average with the next value; None until there are enough."""
        self._count += 1
        if self._count <= self._period:
            self._value += (value - self._value) / self._count
        else:
            self._value += self._weight * (value - self._value)
        return self._value if self._count >= self._period else None
