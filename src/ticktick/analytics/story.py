"""What stands around TA-Lib's verdicts: the trend before, the textbook's stricter shape, the price
that proves a pattern wrong, and what came of it. Rules: quant.md 4."""

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

from ticktick.analytics.record import Records
from ticktick.analytics.shapes import SHAPES, Shape
from ticktick.domain.analysis import Confirmation, Pattern, Record, Trend
from ticktick.domain.market import Candle

Verdict: TypeAlias = tuple[int, float]
"""The place of a shape in SHAPES, and TA-Lib's value, which is not 0."""

TREND_BARS: Final = 5
LONGEST: Final = max(shape.bars for shape in SHAPES)
CONTEXT_BARS: Final = LONGEST + TREND_BARS + 1
"""So many bars before the first that may hold a pattern make its story whole."""
_STRICT_RATIO: Final = 2.0
_NO_RECORD: Final = Record(0)
_TRENDS: Final[tuple[Trend | None, ...]] = (None, "down", "none", "up")
_UNKNOWN, _DOWN, _NONE, _UP = range(len(_TRENDS))
_AVERAGES: Final = TREND_BARS + 1
_KEPT: Final = LONGEST + 1


class Story:
    """Patterns as they are told, of one symbol and timeframe; `records` are of the same.

    The last bars stand in rings, by their number: highs, lows, the trend after each.
    """

    def __init__(self, symbol: str, minutes: int, records: Records) -> None:
        self._symbol = symbol
        self._minutes = minutes
        self._records = records
        self._bars = 0
        self._highs = [0 for _ in range(LONGEST)]
        self._lows = [0 for _ in range(LONGEST)]
        self._averages = [math.nan for _ in range(_AVERAGES)]
        self._trends = [_UNKNOWN for _ in range(_KEPT)]
        self._latest: list[Pattern] = []

    def begin(self, bar: Candle, average: float) -> None:
        """Take a bar in which no pattern is looked for, before any other."""
        self._note(bar.high, bar.low, bar.close, average)

    def take(self, bar: Candle, average: float, verdicts: Sequence[Verdict]) -> list[Pattern]:
        """The patterns that end with the bar; `average` is the trend's, NaN while unknown."""
        self._note(bar.high, bar.low, bar.close, average)
        self._records.take(bar.close)
        found = [self._pattern(bar, place, value) for place, value in verdicts]
        self._latest = found
        return found

    def judge(self, bar: Candle) -> list[Confirmation]:
        """What the bar, not taken yet, says of the patterns that ended with the one before."""
        return [_confirmed(pattern, bar.close) for pattern in self._latest if pattern.direction]

    def _note(self, high: int, low: int, close: int, average: float) -> None:
        number = self._bars
        self._bars = number + 1
        self._highs[number % LONGEST] = high
        self._lows[number % LONGEST] = low
        self._averages[number % _AVERAGES] = average
        before = self._averages[(number + 1) % _AVERAGES]
        trend = _NONE
        if before != before or average != average:
            trend = _UNKNOWN
        elif close < average and average < before:
            trend = _DOWN
        elif close > average and average > before:
            trend = _UP
        self._trends[number % _KEPT] = trend

    def _pattern(self, bar: Candle, place: int, value: float) -> Pattern:
        shape = SHAPES[place]
        direction = direction_of(shape, value)
        top, bottom = self._top(shape.bars), self._bottom(shape.bars)
        trend = _TRENDS[self._trend_before(shape.bars)]
        ratio, strict = (None, None) if shape.shadow is None else _textbook(shape, bar)
        record = _NO_RECORD
        if direction:
            case = case_of(place, direction)
            record = self._records.of(case)
            self._records.foretell(case)
        return Pattern(
            self._symbol,
            self._minutes,
            bar.start_ns,
            shape.name,
            int(value),
            direction,
            strict,
            ratio,
            trend,
            _in_context(shape, direction, trend),
            (top if direction > 0 else bottom) if direction else None,
            (bottom if direction > 0 else top) if direction else None,
            record,
        )

    def _top(self, bars: int) -> int:
        """The high of the last bars."""
        top = 0
        for number in range(max(self._bars - bars, 0), self._bars):
            top = max(top, self._highs[number % LONGEST])
        return top

    def _bottom(self, bars: int) -> int:
        """The low of the last bars."""
        bottom = self._lows[(self._bars - 1) % LONGEST]
        for number in range(max(self._bars - bars, 0), self._bars):
            bottom = min(bottom, self._lows[number % LONGEST])
        return bottom

    def _trend_before(self, bars: int) -> int:
        """The trend before the last bars."""
        number = self._bars - 1 - bars
        return self._trends[number % _KEPT] if number >= 0 else _UNKNOWN


def case_of(place: int, direction: int) -> int:
    """The number under which records know the shape at this place of SHAPES, up or down."""
    return 2 * place + (direction > 0)


def direction_of(shape: Shape, value: float) -> int:
    """What a shape with this value of TA-Lib's foretells: 1 up, -1 down, 0 nothing."""
    if shape.direction is not None:
        return shape.direction
    return 1 if value > 0 else -1


def _confirmed(pattern: Pattern, close: int) -> Confirmation:
    beyond = pattern.confirmation
    is_beyond = beyond is not None and (close - beyond) * pattern.direction > 0
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
