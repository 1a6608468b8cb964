"""Indicators that TA-Lib has not, or defines otherwise: bands about the session's VWAP, Keltner
channel about the close, momentum score, relative volume by time of day."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import takewhile
from statistics import median
from typing import Final, TypeAlias

from ticktick.domain.clock import IST_OFFSET_NS, NS_PER_DAY, ist_day_number
from ticktick.domain.market import Candle

_SCORE_LIMIT: Final = 3.0
_ROOT_5, _ROOT_15, _ROOT_30 = math.sqrt(5), math.sqrt(15), math.sqrt(30)
SESSIONS: Final = 20

Sums: TypeAlias = tuple[int, int, int]
"""Of a session: volume, and thrice and nine times the typical price and its square by volume."""


class SessionVwap:
    """The session's VWAP of typical prices and bands of 1, 2 and 3 standard deviations.

    Restarts with each day in India; nothing before any volume. Sums are exact whole numbers, so
    the variance never falls below zero.
    """

    def __init__(self) -> None:
        self._day_ns = 0  # when the day began in India
        self._sums = (0, 0, 0)

    def seed(self, bars: Sequence[Candle]) -> None:
        """Take bars at once, oldest first; only those of the last day count."""
        if bars:
            day = ist_day_number(bars[len(bars) - 1].start_ns)
            today = takewhile(lambda bar: ist_day_number(bar.start_ns) == day, reversed(bars))
            for bar in reversed([*today]):
                self._sums = self._with(bar)

    def update(self, bar: Candle) -> dict[str, float]:
        """VWAP and bands after the bar, in price units; empty while nothing was traded."""
        return bands(self.take(bar))

    def take(self, bar: Candle) -> Sums:
        """The session's sums after the bar, of which `bands` are made."""
        self._sums = self._with(bar)
        return self._sums

    def peek(self, bar: Candle) -> Sums:
        """The sums if the bar were the next one."""
        return self._with(bar)

    def _with(self, bar: Candle) -> Sums:
        """Volume, value and square of the session with the bar; a new day begins with it."""
        start_ns = bar.start_ns
        if not self._day_ns <= start_ns < self._day_ns + NS_PER_DAY:
            self._day_ns = ist_day_number(start_ns) * NS_PER_DAY - IST_OFFSET_NS
            self._sums = (0, 0, 0)
        thrice, volume = bar.high + bar.low + bar.close, bar.volume
        total, value, square = self._sums
        return total + volume, value + thrice * volume, square + thrice * thrice * volume


def bands(sums: Sums) -> dict[str, float]:
    """VWAP and bands of a session's sums, in price units; empty while nothing was traded."""
    volume, value, square = sums
    if volume == 0:
        return {}
    weight = 3 * volume
    mean: float = value / weight
    deviation: float = math.sqrt(square * volume - value * value) / weight
    return {
        "vwap": mean,
        "vwap_upper_1": mean + deviation,
        "vwap_upper_2": mean + 2.0 * deviation,
        "vwap_upper_3": mean + 3.0 * deviation,
        "vwap_lower_1": mean - deviation,
        "vwap_lower_2": mean - 2.0 * deviation,
        "vwap_lower_3": mean - 3.0 * deviation,
    }


class RelativeVolume:
    """The session's volume so far over the median at the same time of 20 sessions before.

    None until 20 sessions are known at that time of day.
    """

    def __init__(self) -> None:
        self._day = 0
        self._volume = 0.0
        self._past: dict[int, deque[float]] = {}
        self._today: dict[int, float] = {}

    def update(self, bar: Candle) -> float | None:
        """The ratio after the bar."""
        ratio = self.peek(bar)
        self._volume += bar.volume
        self._today[bar.start_ns % NS_PER_DAY] = self._volume
        return ratio

    def peek(self, bar: Candle) -> float | None:
        """The ratio if the bar were the next one; a new day begins with it."""
        day = ist_day_number(bar.start_ns)
        if day != self._day:
            self._close_day()
            self._day = day
        past = self._past.get(bar.start_ns % NS_PER_DAY, ())
        usual = median(past) if len(past) == SESSIONS else 0.0
        return (self._volume + bar.volume) / usual if usual > 0 else None

    def _close_day(self) -> None:
        for time_ns, volume in self._today.items():
            self._past.setdefault(time_ns, deque(maxlen=SESSIONS)).append(volume)
        self._today = {}
        self._volume = 0.0


def keltner(values: Mapping[str, float]) -> dict[str, float]:
    """Average of 20 closes and 2 true ranges of 10 bars on either side."""
    middle, reach = values.get("ema_20"), values.get("atr_10")
    if middle is None or reach is None:
        return {}
    return {
        "keltner_upper": middle + 2.0 * reach,
        "keltner_middle": middle,
        "keltner_lower": middle - 2.0 * reach,
    }


def bollinger(values: Mapping[str, float], close: float) -> dict[str, float]:
    """Where the close lies between the bands (0 to 1) and how wide they are to their middle.

    Without width there is no place between them.
    """
    middle = values.get("bb_middle")
    if middle is None:
        return {}
    lower = values["bb_lower"]
    width = values["bb_upper"] - lower
    if width > 0:
        return {"bb_width": width / middle, "bb_percent": (close - lower) / width}
    return {"bb_width": width / middle}


def momentum(values: Mapping[str, float]) -> dict[str, float]:
    """Score in [-1, 1]: returns of 5, 15 and 30 bars in units of their usual size, averaged.

    Each is clip(ROC_k / (NATR14 * sqrt(k)), -3, 3) / 3; none without a range to compare with.
    """
    natr = values.get("natr_14", 0.0)
    slow = values.get("roc_30")
    if natr <= 0 or slow is None:
        return {}
    score = (
        _score(values["roc_5"] / (natr * _ROOT_5))
        + _score(values["roc_15"] / (natr * _ROOT_15))
        + _score(slow / (natr * _ROOT_30))
    )
    return {"momentum": score / 3.0}


def _score(moves: float) -> float:
    if moves > _SCORE_LIMIT:
        return 1.0
    return -1.0 if moves < -_SCORE_LIMIT else moves / _SCORE_LIMIT
