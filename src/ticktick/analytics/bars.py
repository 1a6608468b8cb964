"""A final candle as the indicators take it: floats in the instrument's price unit."""

from typing import NamedTuple

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
