"""Candlestick patterns of one symbol and timeframe, one step per final candle.

The verdicts are TA-Lib's on integer prices; around them stand what it leaves out: the trend
before, the textbook's stricter shape, the price that proves it wrong, and what came of it. Rules:
quant.md 4.
"""

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from struct import Struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ticktick.analytics.bars import CLOSE, FIELDS, Bars, input_fields
from ticktick.analytics.handle import Streaming, handles_of
from ticktick.analytics.record import Case, Records
from ticktick.analytics.shapes import SHAPES, Shape
from ticktick.analytics.talib import talib
from ticktick.domain.analysis import Confirmation, Pattern, Record, Trend
from ticktick.domain.market import Candle

_PRICES: Final = ("open", "high", "low", "close")
_STRICT_RATIO: Final = 2.0
_AVERAGE_BARS: Final = 10
_TREND_BARS: Final = 5
_LONGEST: Final = max(shape.bars for shape in SHAPES)
_CONTEXT: Final = _LONGEST + _TREND_BARS + 1
STREAMS: Final = (
    *(Streaming(s.function, input_fields(_PRICES), s.parameters, s.first, "i") for s in SHAPES),
    Streaming("EMA", (CLOSE,), (_AVERAGE_BARS,), _AVERAGE_BARS - 1, "d"),
)

_unpack: Final = Struct(f"{len(STREAMS)}d").unpack
_NO_RECORD: Final = Record(0)

SEED_TOLD: Final = 60


class Patterns:
    """The streaming patterns of one symbol and timeframe.

    Feed final candles in order of their start; after a corrected candle make new ones and feed
    the stored candles. Values are those of TA-Lib's batch functions over the same candles.
    """

    def __init__(self, symbol: str, minutes: int) -> None:
        self._symbol = symbol
        self._minutes = minutes
        self._handles = handles_of(STREAMS)
        self._bars: deque[Candle] = deque(maxlen=_LONGEST)
        self._trends: deque[Trend | None] = deque(maxlen=_LONGEST + 1)
        self._averages: deque[float] = deque(maxlen=_TREND_BARS + 1)
        self._records = Records()
        self._latest: list[Pattern] = []

    def seed(self, stored: Bars, from_ns: int | None = None) -> list[Pattern]:
        """Take stored candles at once, oldest first, before any other.

        The patterns of the last SEED_TOLD of them and of all since `from_ns`, oldest first; those
        before count in the record.
        """
        bars, columns = stored
        self._handles.seed(columns)
        verdicts = np.array([_batch(shape, columns) for shape in SHAPES])
        averages = self._averages_of(columns)
        told = max(len(bars) - SEED_TOLD, 0)
        if from_ns is not None:
            told = min(told, bisect_left(bars, from_ns, key=lambda bar: bar.start_ns))
        self._records.seed(columns[CLOSE, :told], _foretold(verdicts[:, :told]))
        for place in range(max(told - _CONTEXT, 0), told):
            self._bars.append(bars[place])
            self._trends.append(self._trend(bars[place], averages[place]))
        found: list[Pattern] = []
        for place in range(told, len(bars)):
            found += self._step(bars[place], verdicts[:, place].tolist(), averages[place])
        return found

    def update(self, candle: Candle) -> tuple[list[Pattern], list[Confirmation]]:
        """The patterns that end with the next final candle, and what it says of those before."""
        confirmations = [
            _confirmed(pattern, candle) for pattern in self._latest if pattern.direction
        ]
        outputs = _unpack(
            self._handles.update(candle.open, candle.high, candle.low, candle.close, candle.volume)
        )
        return self._step(candle, outputs, outputs[-1]), confirmations

    def _step(self, bar: Candle, verdicts: Sequence[float], average: float) -> list[Pattern]:
        self._bars.append(bar)
        self._trends.append(self._trend(bar, average))
        self._records.take(bar.close)
        found = [
            self._pattern(shape, int(value))
            for shape, value in zip(SHAPES, verdicts, strict=False)
            if value and value == value  # NaN: not judged yet
        ]
        self._records.foretell([(p.name, p.direction) for p in found if p.direction])
        self._latest = found
        return found

    def _averages_of(self, columns: NDArray[np.float64]) -> list[float]:
        """The trend's average after each bar, NaN while there are too few."""
        if columns.shape[1] < _AVERAGE_BARS:
            return [math.nan] * columns.shape[1]
        values: list[float] = talib.EMA(columns[CLOSE], _AVERAGE_BARS).tolist()
        return values

    def _pattern(self, shape: Shape, value: int) -> Pattern:
        direction = _direction(shape, value)
        last = self._bars[-1]
        top, bottom = last.high, last.low
        for place in range(2, min(shape.bars, len(self._bars)) + 1):
            bar = self._bars[-place]
            top, bottom = max(top, bar.high), min(bottom, bar.low)
        trend = self._trends[-1 - shape.bars] if len(self._trends) > shape.bars else None
        ratio, strict = (None, None) if shape.shadow is None else _textbook(shape, last)
        beyond, against = (top, bottom) if direction > 0 else (bottom, top)
        return Pattern(
            self._symbol,
            self._minutes,
            last.start_ns,
            shape.name,
            value,
            direction,
            strict,
            ratio,
            trend,
            _in_context(shape, direction, trend),
            beyond if direction else None,
            against if direction else None,
            self._records.of(shape.name, direction) if direction else _NO_RECORD,
        )

    def _trend(self, bar: Candle, average: float) -> Trend | None:
        """The trend after the bar: the close against its average and where that went."""
        self._averages.append(average)
        before = self._averages[0]
        if len(self._averages) <= _TREND_BARS or before != before:
            return None
        if bar.close < average < before:
            return "down"
        return "up" if bar.close > average > before else "none"


def _direction(shape: Shape, value: int) -> int:
    if shape.direction is not None:
        return shape.direction
    return 1 if value > 0 else -1


def _foretold(verdicts: NDArray[np.int32]) -> dict[Case, NDArray[np.int64]]:
    """Where each shape foretold each direction; `verdicts` is int32[shapes, bars]."""
    found: dict[Case, NDArray[np.int64]] = {}
    for shape, row in zip(SHAPES, verdicts, strict=True):
        for sign in (1, -1):
            places = np.flatnonzero(row * sign > 0)
            way = _direction(shape, sign)
            if way and len(places):
                found[shape.name, way] = places
    return found


def _batch(shape: Shape, columns: NDArray[np.float64]) -> NDArray[np.int32]:
    """TA-Lib's verdict on every bar; 0 where it judges none yet."""
    if columns.shape[1] <= shape.first:
        return np.zeros(columns.shape[1], np.int32)
    function = getattr(talib, shape.function)
    prices = (columns[FIELDS.index(name)] for name in _PRICES)
    verdicts: NDArray[np.int32] = function(*prices, *shape.parameters)
    return verdicts


def _confirmed(pattern: Pattern, bar: Candle) -> Confirmation:
    beyond = pattern.confirmation
    is_beyond = beyond is not None and (bar.close - beyond) * pattern.direction > 0
    return Confirmation(pattern.symbol, pattern.minutes, pattern.start_ns, pattern.name, is_beyond)


def _textbook(shape: Shape, bar: Candle) -> tuple[float | None, bool | None]:
    """Shadow over body, and whether it is at least twice as long."""
    body = abs(bar.close - bar.open)
    lower = min(bar.open, bar.close) - bar.low
    shadow = lower if shape.shadow == "lower" else bar.high - max(bar.open, bar.close)
    return (shadow / body if body else None), shadow >= _STRICT_RATIO * body


def _in_context(shape: Shape, direction: int, trend: Trend | None) -> bool | None:
    if not shape.is_reversal or not direction or trend is None:
        return None
    return trend == ("down" if direction > 0 else "up")
