"""Final candles as the indicators take them: numbers in the instrument's price unit."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ticktick.domain.market import Candle

FIELDS: Final = ("open", "high", "low", "close", "volume")
"""What a bar holds, in the order in which everything here takes it.

Prices are whole numbers of price units: ties on the tick grid stay ties.
"""
OPEN: Final = FIELDS.index("open")
CLOSE: Final = FIELDS.index("close")


class Bars(NamedTuple):
    """Candles oldest first, and their numbers as float64[len(FIELDS), n], a row for each field."""

    rows: Sequence[Candle]
    columns: NDArray[np.float64]


def bars_of(candles: Sequence[Candle]) -> Bars:
    """The numbers of the candles."""
    numbers = [(c.open, c.high, c.low, c.close, c.volume) for c in candles]
    columns = np.array(numbers, np.float64).reshape(len(candles), len(FIELDS)).T.copy()
    return Bars(candles, columns)


def input_fields(names: Sequence[str]) -> tuple[int, ...]:
    """The places of named inputs in FIELDS."""
    return tuple(FIELDS.index(name) for name in names)
