"""What came of each pattern so far: its own measured record, and that of any candle."""

import math
from collections import deque
from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ticktick.domain.analysis import Record

Case: TypeAlias = tuple[str, int]
"""A pattern's name and the direction it foretells."""
Floats: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.int64]

HORIZON_BARS: Final = 10
LEAST_CASES: Final = 30
_Z95: Final = 1.959963984540054


class Records:
    """Outcomes of one symbol and timeframe, told as soon as they are known and never before."""

    def __init__(self) -> None:
        self._closes: deque[float] = deque(maxlen=HORIZON_BARS + 1)
        self._waiting: deque[list[Case]] = deque(maxlen=HORIZON_BARS)
        self._tallies: dict[Case, tuple[int, int]] = {}
        self._candles = 0
        self._moves = {1: 0, -1: 0}

    def seed(self, closes: Floats, foretold: Mapping[Case, Places]) -> None:
        """Take many candles at once, before any other.

        `foretold` holds the places in `closes` at which each pattern was seen.
        """
        count = len(closes)
        self._closes.extend(closes[-HORIZON_BARS - 1 :].tolist())
        moves = closes[HORIZON_BARS:] - closes[:-HORIZON_BARS]
        self._candles = len(moves)
        self._moves = {way: int((moves * way > 0).sum()) for way in self._moves}
        waiting: list[list[Case]] = [[] for _ in closes[-HORIZON_BARS:]]
        for case, places in foretold.items():
            known = places[places < len(moves)]
            if len(known):
                self._tallies[case] = len(known), int((moves[known] * case[1] > 0).sum())
            for place in places[places >= count - len(waiting)].tolist():
                waiting[place - count].append(case)
        self._waiting.extend(waiting)

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

    def foretell(self, cases: list[Case]) -> None:
        """Note the patterns, by name and direction, of the candle taken last."""
        self._waiting.append(cases)

    def of(self, name: str, direction: int) -> Record:
        """The record of a pattern up to now; bounds by Wilson 1927."""
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
