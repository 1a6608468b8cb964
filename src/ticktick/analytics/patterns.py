"""Candlestick patterns of one symbol and timeframe, one step per final candle.

The verdicts are TA-Lib's on integer prices; around them stand what it leaves out: the trend
before, the textbook's stricter shape, the price that proves it wrong, and what came of it. Rules:
quant.md 4.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from ticktick.analytics.bars import Bar, bar_of
from ticktick.analytics.handle import Handle
from ticktick.analytics.record import Record, Records
from ticktick.analytics.shapes import SHAPES, Shape
from ticktick.domain.market import Candle

Trend = Literal["up", "down", "none"]

_PRICES: Final = ("open", "high", "low", "close")
_STRICT_RATIO: Final = 2.0
_AVERAGE_BARS: Final = 10
_TREND_BARS: Final = 5
_LONGEST: Final = max(shape.bars for shape in SHAPES)


class Pattern(Struct, frozen=True):
    """One pattern that ended with the candle at `start_ns`; it never changes afterwards.

    `value` is TA-Lib's; `direction` 1, -1 or 0. `shadow_ratio` is the shape's shadow over the
    body (None without a body), `strict` says whether the textbook agrees; both None for shapes
    without such a shadow. `in_context` says whether the trend before it was against it, None for
    what is no reversal or while the trend is not known. `invalidation` is the price beyond which
    it failed, `confirmation` the close that confirms it, in price units, None without direction.
    """

    name: str
    minutes: int
    start_ns: int
    value: int
    direction: int
    strict: bool | None
    shadow_ratio: float | None
    trend: Trend | None
    in_context: bool | None
    confirmation: int | None
    invalidation: int | None
    record: Record


class Confirmation(Struct, frozen=True):
    """Whether the candle after a pattern closed beyond its extreme; `start_ns` is the pattern's."""

    name: str
    minutes: int
    start_ns: int
    confirmed: bool


class Patterns:
    """The streaming patterns of one symbol and timeframe.

    Feed final candles in order of their start; after a corrected candle make new ones and feed
    the stored candles. Values are those of TA-Lib's batch functions over the same candles.
    """

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes
        self._handles = [Handle(s.function, _PRICES, s.parameters, s.first) for s in SHAPES]
        self._average = Handle("EMA", ("close",), (_AVERAGE_BARS,), _AVERAGE_BARS - 1)
        self._bars: deque[Bar] = deque(maxlen=_LONGEST)
        self._trends: deque[Trend | None] = deque(maxlen=_LONGEST + 1)
        self._averages: deque[float | None] = deque(maxlen=_TREND_BARS + 1)
        self._records = Records()
        self._latest: list[Pattern] = []

    def seed(self, candles: Iterable[Candle]) -> None:
        """Take stored candles, oldest first."""
        for candle in candles:
            self.update(candle)

    def update(self, candle: Candle) -> tuple[list[Pattern], list[Confirmation]]:
        """The patterns that end with the next final candle, and what it says of those before."""
        bar = bar_of(candle)
        self._bars.append(bar)
        self._trends.append(self._trend(bar))
        self._records.take(bar.close)
        verdicts = [_verdict(handle.update(bar)) for handle in self._handles]
        confirmations = [_confirmed(pattern, bar) for pattern in self._latest if pattern.direction]
        found = [
            self._pattern(shape, value)
            for shape, value in zip(SHAPES, verdicts, strict=True)
            if value
        ]
        self._records.foretell([(p.name, p.direction) for p in found if p.direction])
        self._latest = found
        return found, confirmations

    def _pattern(self, shape: Shape, value: int) -> Pattern:
        direction = shape.direction
        if direction is None:
            direction = 1 if value > 0 else -1
        bars = list(self._bars)[-shape.bars :]
        top, bottom = int(max(b.high for b in bars)), int(min(b.low for b in bars))
        trend = self._trends[-1 - shape.bars] if len(self._trends) > shape.bars else None
        ratio, strict = _textbook(shape, bars[-1])
        return Pattern(
            name=shape.name,
            minutes=self._minutes,
            start_ns=bars[-1].start_ns,
            value=value,
            direction=direction,
            strict=strict,
            shadow_ratio=ratio,
            trend=trend,
            in_context=_in_context(shape, direction, trend),
            confirmation={1: top, -1: bottom}.get(direction),
            invalidation={1: bottom, -1: top}.get(direction),
            record=self._records.of(shape.name, direction) if direction else Record(0),
        )

    def _trend(self, bar: Bar) -> Trend | None:
        """The trend after the bar: the close against its average and where that went."""
        output = self._average.update(bar)
        self._averages.append(None if output is None else output[0])
        now, before = self._averages[-1], self._averages[0]
        if now is None or before is None or len(self._averages) <= _TREND_BARS:
            return None
        if bar.close < now < before:
            return "down"
        return "up" if bar.close > now > before else "none"


def _verdict(output: tuple[float, ...] | None) -> int:
    return 0 if output is None else int(output[0])


def _confirmed(pattern: Pattern, bar: Bar) -> Confirmation:
    beyond = pattern.confirmation
    is_beyond = beyond is not None and (bar.close - beyond) * pattern.direction > 0
    return Confirmation(pattern.name, pattern.minutes, pattern.start_ns, is_beyond)


def _textbook(shape: Shape, bar: Bar) -> tuple[float | None, bool | None]:
    """Shadow over body, and whether it is at least twice as long."""
    if shape.shadow is None:
        return None, None
    body = abs(bar.close - bar.open)
    lower = min(bar.open, bar.close) - bar.low
    shadow = lower if shape.shadow == "lower" else bar.high - max(bar.open, bar.close)
    return (shadow / body if body else None), shadow >= _STRICT_RATIO * body


def _in_context(shape: Shape, direction: int, trend: Trend | None) -> bool | None:
    if not shape.is_reversal or not direction or trend is None:
        return None
    return trend == ("down" if direction > 0 else "up")
