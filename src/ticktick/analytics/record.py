"""What came of each pattern so far: its own measured record, and that of any candle."""

import math
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ticktick.analytics.shapes import SHAPES
from ticktick.domain.analysis import Record

Case: TypeAlias = int
"""A pattern and the direction it foretells: twice its place in SHAPES, and 1 more if up."""
Floats: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.int64]

HORIZON_BARS: Final = 10
LEAST_CASES: Final = 30
CASES: Final = 2 * len(SHAPES)
_CLOSES: Final = HORIZON_BARS + 1
_Z95: Final = 1.959963984540054
_SQUARE: Final = _Z95 * _Z95
_NAN: Final = float("nan")
_BIT: Final = 1  # as wide as the bits of all cases, where it is compiled


class Records:
    """Outcomes of one symbol and timeframe, told as soon as they are known and never before.

    Closes and what was foretold stand in rings, by the number of their candle; what one candle
    foretold is a bit for each case.
    """

    def __init__(self) -> None:
        self._taken = 0
        self._closes = [0.0 for _ in range(_CLOSES)]
        self._foretold = [0 for _ in range(HORIZON_BARS)]
        self._cases = [0 for _ in range(CASES)]
        self._hits = [0 for _ in range(CASES)]
        self._moves = 0
        self._rises = 0
        self._falls = 0

    def seed(
        self, closes: Floats, foretold: Mapping[Case, Places], leaps: Sequence[int] = ()
    ) -> None:
        """Take many candles at once, before any other.

        `foretold` holds the places in `closes` at which each pattern was seen, `leaps` those,
        rising, at which the price began anew.
        """
        count = len(closes)
        self._taken = count
        anew = max(leaps, default=0)
        for place in range(max(count - _CLOSES, 0), count):
            self._closes[place % _CLOSES] = float(closes[place]) if place >= anew else _NAN
        moves = closes[HORIZON_BARS:] - closes[: max(count - HORIZON_BARS, 0)]
        for leap in leaps:
            moves[max(leap - HORIZON_BARS, 0) : leap] = _NAN
        known = len(moves)
        self._moves = int((~np.isnan(moves)).sum())
        self._rises, self._falls = int((moves > 0).sum()), int((moves < 0).sum())
        for case, places in foretold.items():
            told = moves[places[places < known]]
            self._cases[case] = int((~np.isnan(told)).sum())
            self._hits[case] = int((told > 0 if case & 1 else told < 0).sum())
            for place in places[places >= max(known, anew)].tolist():
                self._foretold[place % HORIZON_BARS] |= _BIT << case

    def take(self, close: float) -> None:
        """Let a final candle settle what was foretold HORIZON_BARS before it."""
        place = self._taken
        self._taken = place + 1
        self._closes[place % _CLOSES] = close
        if place < HORIZON_BARS:
            return
        move = close - self._closes[(place + 1) % _CLOSES]
        if move != move:
            return
        self._moves += 1
        self._rises += move > 0
        self._falls += move < 0
        cases = self._foretold[place % HORIZON_BARS]
        self._foretold[place % HORIZON_BARS] = 0
        case = 0
        while cases:
            if cases & 1:
                self._cases[case] += 1
                self._hits[case] += move > 0 if case & 1 else move < 0
            cases >>= 1
            case += 1

    def begin_anew(self) -> None:
        """Let no outcome span what comes next: the price of before is another one."""
        for place in range(_CLOSES):
            self._closes[place] = _NAN
        for place in range(HORIZON_BARS):
            self._foretold[place] = 0

    def foretell(self, case: Case) -> None:
        """Note a pattern of the candle taken last."""
        place = self._taken - 1
        self._foretold[place % HORIZON_BARS] |= _BIT << case

    def of(self, case: Case) -> Record:
        """The record of a pattern up to now; bounds by Wilson 1927."""
        cases, hits = self._cases[case], self._hits[case]
        if cases < LEAST_CASES:
            return Record(cases)
        low, high = wilson(hits, cases)
        moves = self._rises if case & 1 else self._falls
        return Record(cases, hits / cases, low, high, moves / self._moves)


def wilson(hits: int, cases: int) -> tuple[float, float]:
    """The 95 % interval of a rate, within [0, 1]; `cases` is above 0. Source: Wilson 1927."""
    rate, weight = hits / cases, _SQUARE / cases
    middle = (rate + weight / 2) / (1 + weight)
    reach = _Z95 * math.sqrt(rate * (1 - rate) / cases + weight / (4 * cases)) / (1 + weight)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)
