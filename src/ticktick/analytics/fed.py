"""What a line was fed, in little room: five hundred symbols have a million candles."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from ticktick.analytics.leaps import is_leap
from ticktick.domain.clock import NS_PER_MINUTE
from ticktick.domain.market import Candle

CANDLES_KEPT: Final = 1200
_SPARE: Final = 100  # so that the oldest are dropped seldom
_MOST_NARROW: Final = 2**31 - 1


class Fed:
    """The newest candles of a line, at least CANDLES_KEPT of them, in order of their start.

    Of each the minute in which it starts, 64 bits into which all its numbers went, and its close; 0
    for the close of a candle that leapt away from the one before, of which it says nothing.
    """

    def __init__(self, candles: Iterable[Candle] = ()) -> None:
        self._minutes = array("i")
        self._closes = array("i")  # of wider numbers once one does not fit
        self._marks = array("q")
        self._close = 0
        for candle in candles:
            self.take(candle)

    def __contains__(self, start_ns: int) -> bool:
        return self._place(start_ns) is not None

    def take(self, candle: Candle) -> None:
        """Take the next candle."""
        self._minutes.append(candle.start_ns // NS_PER_MINUTE)
        has_leapt = self._close > 0 and is_leap(self._close, candle.open)
        self._close = candle.close
        if candle.close > _MOST_NARROW and self._closes.typecode == "i":
            self._closes = array("q", self._closes)
        self._closes.append(0 if has_leapt else candle.close)
        self._marks.append(_mark(candle))
        if len(self._minutes) > CANDLES_KEPT + _SPARE:
            for kept in (self._minutes, self._closes, self._marks):
                del kept[:_SPARE]

    def knows(self, candle: Candle) -> bool:
        """Whether the same numbers were fed."""
        place = self._place(candle.start_ns)
        return place is not None and self._marks[place] == _mark(candle)

    def close_after(self, start_ns: int) -> int | None:
        """The close of the candle after the one that starts then.

        None while unknown, and where that candle leapt.
        """
        place = self._place(start_ns)
        if place is None or place + 1 == len(self._closes):
            return None
        return self._closes[place + 1] or None

    def _place(self, start_ns: int) -> int | None:
        minute, rest = divmod(start_ns, NS_PER_MINUTE)
        place = bisect_left(self._minutes, minute)
        is_there = not rest and place < len(self._minutes) and self._minutes[place] == minute
        return place if is_there else None


def _mark(candle: Candle) -> int:
    return hash((candle.open, candle.high, candle.low, candle.close, candle.volume))
