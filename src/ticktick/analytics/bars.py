"""A final candle as the indicators take it: floats in the instrument's price unit."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ticktick.domain.market import Candle


class Bar(NamedTuple):
    """Prices are whole numbers of price units: ties on the tick grid stay ties."""

    start_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def bar_of(candle: Candle) -> Bar:
    """The candle's numbers."""
    return Bar(
        candle.start_ns,
        float(candle.open),
        float(candle.high),
        float(candle.low),
        float(candle.close),
        float(candle.volume),
    )


class Bars(NamedTuple):
    """Bars oldest first, and the same as float64[len(Bar._fields), n], a row for each field."""

    rows: Sequence[Bar]
    columns: NDArray[np.float64]


def bars_of(candles: Sequence[Candle]) -> Bars:
    """The numbers of the candles."""
    rows = [bar_of(candle) for candle in candles]
    columns = np.array(rows, np.float64).reshape(len(rows), len(Bar._fields)).T.copy()
    return Bars(rows, columns)
