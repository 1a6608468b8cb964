"""One-minute bars in columns, and the running bar of every instrument."""

from typing import Final

import numpy as np
from msgspec import Struct

from ticktick.domain.clock import NS_PER_DAY
from ticktick.emulator.model import Ints

_IST_OFFSET_NS: Final = 19_800_000_000_000


class Bars(Struct, frozen=True):
    """Bars of one instrument, oldest first; prices in paise, volume in shares."""

    start_ns: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints

    def __len__(self) -> int:
        return len(self.start_ns)

    def between(self, from_ns: int, to_ns: int) -> "Bars":
        """The bars that start in [from_ns, to_ns)."""
        first, last = np.searchsorted(self.start_ns, [from_ns, to_ns])
        return Bars(*(column[first:last] for column in columns(self)))

    def grouped(self, label_ns: Ints) -> "Bars":
        """Longer bars: one for each run of equal labels, which become the starts."""
        if not len(self):
            return self
        first = np.flatnonzero(np.diff(label_ns, prepend=label_ns[0] - 1))
        last = np.append(first[1:], len(label_ns)) - 1
        return Bars(
            label_ns[first],
            self.open[first],
            np.maximum.reduceat(self.high, first),
            np.minimum.reduceat(self.low, first),
            self.close[last],
            np.add.reduceat(self.volume, first),
        )


def columns(bars: Bars) -> tuple[Ints, ...]:
    """The six columns in the order of the fields."""
    return (bars.start_ns, bars.open, bars.high, bars.low, bars.close, bars.volume)


def joined(parts: list[Bars]) -> Bars:
    """One after the other."""
    if not parts:
        return NO_BARS
    return Bars(*(np.concatenate(column) for column in zip(*map(columns, parts), strict=True)))


def daily(bars: Bars) -> Bars:
    """One bar for each day in India, from its midnight on."""
    days = (bars.start_ns + _IST_OFFSET_NS) // NS_PER_DAY
    return bars.grouped(days * NS_PER_DAY - _IST_OFFSET_NS)


_NONE = np.zeros(0, np.int64)
NO_BARS: Final = Bars(_NONE, _NONE, _NONE, _NONE, _NONE, _NONE)


class Running:
    """Open, high, low, close and volume of every row since the last reset; 0 = no trade yet."""

    def __init__(self, rows: int) -> None:
        self.table: Ints = np.zeros((5, rows), np.int64)
        self.open, self.high, self.low, self.close, self.volume = self.table

    def reset(self) -> None:
        """Forget everything."""
        self.table[:] = 0

    def add(self, row: Ints, price: Ints, quantity: Ints) -> None:
        """Take over trades in order of time."""
        first = np.zeros_like(self.open)
        first[row[::-1]] = price[::-1]
        fresh = (self.open == 0) & (first > 0)
        self.open[fresh] = first[fresh]
        self.low[fresh] = first[fresh]
        np.maximum.at(self.high, row, price)
        np.minimum.at(self.low, row, price)
        self.close[row] = price
        np.add.at(self.volume, row, quantity)
