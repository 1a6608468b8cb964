"""One TA-Lib streaming handle that opens itself as soon as it has enough bars."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ticktick.analytics.bars import Bar
from ticktick.analytics.talib import stream


class Handle:
    """A streaming function of TA-Lib over bars.

    `first` is the place of the first valid bar, counted from 0. Until then every output is
    None, afterwards it equals the batch function over the same bars, bit for bit.
    """

    def __init__(
        self, function: str, inputs: Sequence[str], parameters: Sequence[float], first: int
    ) -> None:
        self._open: Any = getattr(stream, function)
        self._places = [Bar._fields.index(name) for name in inputs]
        self._parameters = parameters
        self._first = first
        self._waiting: list[list[float]] = []
        self._stream: Any = None

    def seed(self, columns: NDArray[np.float64]) -> None:
        """Take many bars at once, before any other: `columns` of `bars.columns_of`."""
        if columns.shape[1] > self._first:
            inputs = [columns[place] for place in self._places]
            self._stream = self._open(*inputs, *self._parameters)
        else:
            self._waiting = columns[self._places].T.tolist()

    def update(self, bar: Bar) -> tuple[float, ...] | None:
        """The outputs after the bar; None while there are too few."""
        values = self._values(bar)
        if self._stream is not None:
            return _outputs(self._stream.update(*values))
        self._waiting.append(values)
        if len(self._waiting) <= self._first:
            return None
        columns = np.array(self._waiting, np.float64).T.copy()
        self._waiting = []
        self._stream = self._open(*columns, *self._parameters)
        return _outputs(self._stream.value)

    def peek(self, bar: Bar) -> tuple[float, ...] | None:
        """The outputs if the bar were the next one; nothing is kept of it."""
        if self._stream is None:
            return None
        return _outputs(self._stream.peek(*self._values(bar)))

    def _values(self, bar: Bar) -> list[float]:
        return [bar[place] for place in self._places]


def _outputs(value: Any) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,)
