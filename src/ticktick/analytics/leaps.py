"""Leaps from one close to the next open that no market makes: mostly a split nobody told of."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ticktick.analytics.bars import CLOSE, OPEN, Bars
from ticktick.domain.analysis import BARS_NEEDED
from ticktick.domain.clock import iso_ist
from ticktick.domain.market import Candle

LIMIT: Final = 0.15


def withheld(bars: Bars) -> list[str]:
    """Why the values after each bar, oldest first, must be withheld; empty if they need not."""
    found = [""] * len(bars.rows)
    for place in leap_places(bars).tolist():
        why = _why(bars.rows[place], bars.rows[place - 1].close)
        for after in range(place, min(place + BARS_NEEDED, len(found))):
            found[after] = why
    return found


class Leaps:
    """Whether the values of a line must be withheld, and why.

    A split or bonus that is known restates the symbol: its history is forgotten and read again,
    adjusted. Any other leap beyond LIMIT would stand in every average as a move that nobody could
    trade, until BARS_NEEDED candles later.
    """

    def __init__(self) -> None:
        self._close = 0
        self._since = BARS_NEEDED
        self._why = ""

    def seed(self, bars: Bars) -> None:
        """Take many bars at once, before any other."""
        places = leap_places(bars)
        if len(places):
            last = int(places[len(places) - 1])
            self._why = _why(bars.rows[last], bars.rows[last - 1].close)
            self._since = len(bars.rows) - last
        if bars.rows:
            self._close = bars.rows[len(bars.rows) - 1].close

    def update(self, bar: Candle) -> str:
        """Why the values after the bar must be withheld; empty if they need not."""
        close, opened = self._close, bar.open
        self._close = bar.close
        if close and is_leap(close, opened):
            self._why = _why(bar, close)
            self._since = 0
        if self._since >= BARS_NEEDED:
            return ""
        self._since += 1
        return self._why

    @property
    def bars(self) -> int:
        """How many bars the newest leap and what came after it are, BARS_NEEDED at most."""
        return self._since

    def peek(self, bar: Candle) -> str:
        """Why they would have to be if the bar were the next one."""
        other = Leaps()
        other._close, other._since, other._why = self._close, self._since, self._why
        return other.update(bar)


def is_leap(close: int, opened: int) -> bool:
    """Whether no market makes that open after that close."""
    return abs(opened - close) > LIMIT * close


def _why(bar: Candle, close: int) -> str:
    leap = bar.open / close - 1
    return (
        f"the open of {iso_ist(bar.start_ns)[:16]} is {leap:+.1%} from the close before it and "
        f"no split or bonus is known: withheld for {BARS_NEEDED} candles"
    )


def leap_places(bars: Bars) -> NDArray[np.intp]:
    """The places of the bars that open too far from the close before them."""
    opens, closes = bars.columns[OPEN, 1:], bars.columns[CLOSE, :-1]
    return np.flatnonzero(np.abs(opens - closes) > LIMIT * closes) + 1
