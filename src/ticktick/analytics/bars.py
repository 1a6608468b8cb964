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


def columns_of(bars: Sequence[Bar]) -> NDArray[np.float64]:
    """The bars as float64[len(Bar._fields), n], each field one contiguous row."""
    return np.array(bars, np.float64).reshape(len(bars), len(Bar._fields)).T.copy()
