"""What came of each pattern so far: its own measured record, and that of any candle."""

import math
from collections import deque
from typing import Final

from msgspec import Struct

HORIZON_BARS: Final = 10
LEAST_CASES: Final = 30
_Z95: Final = 1.959963984540054


class Record(Struct, frozen=True):
    """How often a close lay in the foretold direction HORIZON_BARS later.

    `low` and `high` bound the rate with 95 % confidence (Wilson 1927); `base_rate` is the rate of
    all candles in that direction. All are None below LEAST_CASES cases: not enough history.
    """

    cases: int
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    base_rate: float | None = None


class Records:
    """Outcomes of one symbol and timeframe, told as soon as they are known and never before."""

    def __init__(self) -> None:
        self._closes: deque[float] = deque(maxlen=HORIZON_BARS + 1)
        self._waiting: deque[list[tuple[str, int]]] = deque(maxlen=HORIZON_BARS)
        self._tallies: dict[tuple[str, int], tuple[int, int]] = {}
        self._candles = 0
        self._moves = {1: 0, -1: 0}

    def take(self, close: float) -> None:
        """Let a final candle settle what was foretold HORIZON_BARS before it."""
        self._closes.append(close)
        if len(self._closes) <= HORIZON_BARS:
            return
        move = close - self._closes[0]
        self._candles += 1
        for direction in self._moves:
            self._moves[direction] += move * direction > 0
        for case in self._waiting[0]:
            cases, hits = self._tallies.get(case, (0, 0))
            self._tallies[case] = cases + 1, hits + (move * case[1] > 0)

    def foretell(self, cases: list[tuple[str, int]]) -> None:
        """Note the patterns, by name and direction, of the candle taken last."""
        self._waiting.append(cases)

    def of(self, name: str, direction: int) -> Record:
        """The record of a pattern up to now."""
        cases, hits = self._tallies.get((name, direction), (0, 0))
        if cases < LEAST_CASES:
            return Record(cases)
        low, high = wilson(hits, cases)
        return Record(cases, hits / cases, low, high, self._moves[direction] / self._candles)


def wilson(hits: int, cases: int) -> tuple[float, float]:
    """The 95 % interval of a rate, within [0, 1]; `cases` is above 0. Source: Wilson 1927."""
    rate, weight = hits / cases, _Z95**2 / cases
    middle = (rate + weight / 2) / (1 + weight)
    reach = _Z95 * math.sqrt(rate * (1 - rate) / cases + weight / (4 * cases)) / (1 + weight)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)
