"""TA-Lib's streaming handles of one line, opened as soon as there are enough bars."""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, Final, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ticktick.analytics.talib import stream
from ticktick.analytics.values import pack
from ticktick.compiled import part

_compiled: Final = part("ticktick.analytics.handles")


class Streaming(Struct, frozen=True):
    """A streaming function of TA-Lib.

    `fields` are the places of its inputs in `bars.FIELDS`. `parameters` are float where TA-Lib's
    are real numbers, else int. `first` is the place of the first valid bar, counted from 0.
    `outputs` has a letter for each: d, a number, or i, a verdict. Where it `is_windowed` the newest
    `first + 1` bars decide alone, to the last bit: whole numbers, whose sums are exact in any
    order, or none at all.
    """

    function: str
    fields: tuple[int, ...]
    parameters: tuple[float, ...]
    first: int
    outputs: str
    is_windowed: bool = False


class Handles(Protocol):
    """The handles of one line; outputs are float64s, one after the other, packed into bytes.

    They are NaN until there are enough bars. Then they equal the batch functions over the same
    bars, bit for bit.
    """

    def seed(self, columns: NDArray[np.float64], /) -> None:
        """Take many bars at once, before any other: float64[5, n] in rows of `bars.FIELDS`."""
        ...

    def update(
        self, opened: float, high: float, low: float, close: float, volume: float, /
    ) -> bytes:
        """The outputs after the next bar."""
        ...

    def verdicts(
        self, opened: float, high: float, low: float, close: float, volume: float, /
    ) -> list[tuple[int, float]]:
        """What the outputs after the next bar say, by place; 0 and NaN say nothing."""
        ...

    def peek(self, opened: float, high: float, low: float, close: float, volume: float, /) -> bytes:
        """The outputs if the bar were the next one; nothing is kept of it."""
        ...


def handles_of(streams: tuple[Streaming, ...]) -> Handles:
    """New handles: called straight in C where that is compiled, else through Python."""
    plan = _plan(streams)
    if plan is None or _compiled is None:
        return PlainHandles(streams)
    made: Handles = _compiled.Handles(plan)
    return made


@cache
def _plan(streams: tuple[Streaming, ...]) -> Any:
    if _compiled is None:
        return None
    try:
        return _compiled.Plan(streams)
    except (AttributeError, OSError):  # a TA-Lib that keeps its C functions to itself
        return None


class PlainHandles:
    """Handles as TA-Lib's Python module has them."""

    def __init__(self, streams: Sequence[Streaming]) -> None:
        self._streams = [_Part(each) for each in streams]
        self._waiting: list[tuple[float, ...]] = []

    def seed(self, columns: NDArray[np.float64]) -> None:
        """Take many bars at once."""
        if columns.shape[1]:
            for one in self._streams:
                one.open(columns)
            self._keep(columns.T.tolist())

    def update(self, opened: float, high: float, low: float, close: float, volume: float) -> bytes:
        """The outputs after the next bar."""
        return pack(self._take((opened, high, low, close, volume)))

    def verdicts(
        self, opened: float, high: float, low: float, close: float, volume: float
    ) -> list[tuple[int, float]]:
        """What the outputs after the next bar say, by place; 0 and NaN say nothing."""
        outputs = self._take((opened, high, low, close, volume))
        return [(place, value) for place, value in enumerate(outputs) if value and value == value]

    def peek(self, opened: float, high: float, low: float, close: float, volume: float) -> bytes:
        """The outputs if the bar were the next one."""
        bar = (opened, high, low, close, volume)
        return pack([output for one in self._streams for output in one.peek(bar)])

    def _take(self, bar: tuple[float, ...]) -> list[float]:
        if self._waiting or not all(one.is_open for one in self._streams):
            self._keep([bar])
        found: list[float] = []
        for one in self._streams:
            found += one.update(bar, self._waiting)
        self._keep([])
        return found

    def _keep(self, bars: Sequence[tuple[float, ...]]) -> None:
        """Keep the bars as long as they are needed to open a handle."""
        if all(one.is_open for one in self._streams):
            self._waiting = []
        else:
            self._waiting += bars


class _Part:
    """One handle."""

    def __init__(self, what: Streaming) -> None:
        self._what = what
        self._stream: Any = None

    @property
    def is_open(self) -> bool:
        return self._stream is not None

    def open(self, columns: NDArray[np.float64]) -> None:
        """Open the handle over the bars if they are enough."""
        what = self._what
        if columns.shape[1] > what.first:
            inputs = [np.ascontiguousarray(columns[field]) for field in what.fields]
            self._stream = getattr(stream, what.function)(*inputs, *what.parameters)

    def update(self, bar: Sequence[float], waiting: Sequence[tuple[float, ...]]) -> Sequence[float]:
        if self.is_open:
            return self._told(self._stream.update(*self._inputs(bar)))
        if len(waiting) > self._what.first:
            self.open(np.array(waiting, np.float64).T)
            return self._told(self._stream.value)
        return [math.nan] * len(self._what.outputs)

    def peek(self, bar: Sequence[float]) -> Sequence[float]:
        if self._stream is None:
            return [math.nan] * len(self._what.outputs)
        return self._told(self._stream.peek(*self._inputs(bar)))

    def _inputs(self, bar: Sequence[float]) -> list[float]:
        return [bar[field] for field in self._what.fields]

    def _told(self, value: Any) -> Sequence[float]:
        return [float(each) for each in value] if isinstance(value, tuple) else [float(value)]
