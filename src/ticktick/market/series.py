"""Closed candles of one instrument and timeframe, in order of their start."""

from bisect import bisect_left
from collections.abc import Sequence

from ticktick.domain.market import Candle


class Series:
    """The newest `limit` closed candles, oldest first, found by their start."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._starts: list[int] = []
        self._candles: list[Candle] = []

    @property
    def candles(self) -> Sequence[Candle]:
        """All candles kept; a copy."""
        return tuple(self._candles)

    def get(self, start_ns: int) -> Candle | None:
        """The candle with that start, if it is kept."""
        place = bisect_left(self._starts, start_ns)
        found = place < len(self._starts) and self._starts[place] == start_ns
        return self._candles[place] if found else None

    def between(self, start_ns: int, end_ns: int) -> Sequence[Candle]:
        """The candles that start in [start_ns, end_ns), oldest first."""
        first = bisect_left(self._starts, start_ns)
        return self._candles[first : bisect_left(self._starts, end_ns, first)]

    def last(self) -> Candle | None:
        """The newest candle."""
        return self._candles[-1] if self._candles else None

    def put(self, candle: Candle) -> None:
        """Insert the candle, or replace the one with its start."""
        place = bisect_left(self._starts, candle.start_ns)
        if place < len(self._starts) and self._starts[place] == candle.start_ns:
            self._candles[place] = candle
            return
        self._starts.insert(place, candle.start_ns)
        self._candles.insert(place, candle)

    def trim(self) -> tuple[int, int] | None:
        """Drop the oldest beyond the limit; return the span (first start, new first start)."""
        surplus = len(self._starts) - self._limit
        if surplus <= 0:
            return None
        dropped = self._starts[0]
        del self._starts[:surplus]
        del self._candles[:surplus]
        return dropped, self._starts[0]
