"""Candlestick patterns of one symbol and timeframe, one step per final candle.

The verdicts are TA-Lib's on integer prices; what stands around them is in story.py.
"""

import math
from bisect import bisect_left
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ticktick.analytics.bars import CLOSE, FIELDS, Bars, input_fields
from ticktick.analytics.handle import Streaming, handles_of
from ticktick.analytics.kernels import Leaps, Records, Story
from ticktick.analytics.leaps import leap_places
from ticktick.analytics.record import Case
from ticktick.analytics.shapes import SHAPES, Shape
from ticktick.analytics.story import CONTEXT_BARS, case_of, direction_of
from ticktick.analytics.talib import talib
from ticktick.domain.analysis import BARS_NEEDED, Confirmation, Pattern
from ticktick.domain.market import Candle

_PRICES: Final = ("open", "high", "low", "close")
_AVERAGE_BARS: Final = 10
_AVERAGE: Final = len(SHAPES)
STREAMS: Final = (
    *(
        Streaming(s.function, input_fields(_PRICES), s.parameters, s.first, "i", is_windowed=True)
        for s in SHAPES
    ),
    Streaming("EMA", (CLOSE,), (_AVERAGE_BARS,), _AVERAGE_BARS - 1, "d"),
)
"""The shapes in their order, then the average that tells the trend."""

SEED_TOLD: Final = 60


class Patterns:
    """The streaming patterns of one symbol and timeframe.

    Feed final candles in order of their start; after a corrected candle make new ones and feed
    the stored candles. Values are those of TA-Lib's batch functions over the same candles, but
    for those that look at candles on both sides of a leap nobody explained: they are left out.
    Nor is a trend known after it before the indicators are.
    """

    def __init__(self, symbol: str, minutes: int) -> None:
        self._handles = handles_of(STREAMS)
        self._records = Records()
        self._story = Story(symbol, minutes, self._records)
        self._leaps = Leaps()

    def seed(self, stored: Bars, from_ns: int | None = None) -> list[Pattern]:
        """Take stored candles at once, oldest first, before any other.

        The patterns of the last SEED_TOLD of them and of all since `from_ns`, oldest first; those
        before count in the record.
        """
        bars, columns = stored
        self._handles.seed(columns)
        verdicts = np.array([_batch(shape, columns) for shape in SHAPES])
        averages = _averages_of(columns)
        self._leaps.seed(stored)
        leaps = leap_places(stored).tolist()
        for leap in leaps:
            for row, shape in zip(verdicts, SHAPES, strict=True):
                row[leap : leap + shape.first] = 0
            averages[leap : leap + BARS_NEEDED] = math.nan
        told = max(len(bars) - SEED_TOLD, 0)
        if from_ns is not None:
            told = min(told, bisect_left(bars, from_ns, key=lambda bar: bar.start_ns))
        before = [leap for leap in leaps if leap < told]
        self._records.seed(columns[CLOSE, :told], _foretold(verdicts[:, :told]), before)
        for place in range(max(told - CONTEXT_BARS, 0), told):
            self._story.begin(bars[place], averages[place])
        found: list[Pattern] = []
        for place in range(told, len(bars)):
            if place in leaps:
                self._records.begin_anew()
            column = verdicts[:, place]
            said = [(shape, float(column[shape])) for shape in np.flatnonzero(column).tolist()]
            found += self._story.take(bars[place], averages[place], said)
        return found

    def update(self, candle: Candle) -> tuple[list[Pattern], list[Confirmation]]:
        """The patterns that end with the next final candle, and what it says of those before."""
        judged = self._story.judge(candle)
        said = self._handles.verdicts(
            candle.open, candle.high, candle.low, candle.close, candle.volume
        )
        average = said.pop()[1] if said and said[-1][0] == _AVERAGE else math.nan
        if self._leaps.update(candle):
            bars = self._leaps.bars
            said = [one for one in said if SHAPES[one[0]].first < bars]
            average = math.nan
            if bars == 1:  # the leap itself
                judged = []
                self._records.begin_anew()
        return self._story.take(candle, average, said), judged


def _averages_of(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """The trend's average after each bar, NaN while there are too few."""
    if columns.shape[1] < _AVERAGE_BARS:
        return np.full(columns.shape[1], math.nan)
    values: NDArray[np.float64] = talib.EMA(columns[CLOSE], _AVERAGE_BARS)
    return values


def _foretold(verdicts: NDArray[np.int32]) -> dict[Case, NDArray[np.int64]]:
    """Where each shape foretold each direction; `verdicts` is int32[shapes, bars]."""
    found: dict[Case, NDArray[np.int64]] = {}
    for shape, (what, row) in enumerate(zip(SHAPES, verdicts, strict=True)):
        for sign in (1, -1):
            places = np.flatnonzero(row * sign > 0)
            way = direction_of(what, sign)
            if way and len(places):
                found[case_of(shape, way)] = places
    return found


def _batch(shape: Shape, columns: NDArray[np.float64]) -> NDArray[np.int32]:
    """TA-Lib's verdict on every bar; 0 where it judges none yet."""
    if columns.shape[1] <= shape.first:
        return np.zeros(columns.shape[1], np.int32)
    function = getattr(talib, shape.function)
    prices = (columns[FIELDS.index(name)] for name in _PRICES)
    verdicts: NDArray[np.int32] = function(*prices, *shape.parameters)
    return verdicts
