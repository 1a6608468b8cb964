"""Bars of the days that are over, in the shares of the running day."""

from datetime import date
from typing import Final

import numpy as np

from ticktick.domain.sessions import Calendar
from ticktick.emulator.bars import Bars, columns, daily, joined
from ticktick.emulator.history import history
from ticktick.emulator.model import N_STOCKS, TICK, Floats, Ints

_MOST_BARS: Final = 30_000


class Annals:
    """Bars by row of the market; those before its first day are drawn when first asked for."""

    def __init__(self, seed: int, first_day: date, calendar: Calendar) -> None:
        self._seed = seed
        self._first_day = first_day
        self._calendar = calendar
        self._minutes: list[Bars] = []
        self._days: list[Bars] = []
        self._shares = np.ones(N_STOCKS)

    def bars(self, row: int) -> Bars:
        """One-minute bars of a row, oldest first."""
        self._draw()
        return self._minutes[row]

    def days(self, row: int) -> Bars:
        """Daily bars of a row, with auctions and trades after the close."""
        self._draw()
        return self._days[row]

    def add(self, minutes: list[Bars], days: list[Bars]) -> None:
        """Take over a day that is over, one entry per row; very old minutes are forgotten."""
        self._draw()
        both = zip(self._minutes, minutes, strict=True)
        self._minutes = [_newest(joined([old, new])) for old, new in both]
        self._days = [joined([old, new]) for old, new in zip(self._days, days, strict=True)]

    def split(self, ratio: Floats) -> None:
        """Tell everything in new shares, so many of which one old share has become."""
        if self._minutes:
            self._minutes = _in_shares(self._minutes, ratio)
            self._days = _in_shares(self._days, ratio)
        else:
            self._shares = self._shares * ratio

    def _draw(self) -> None:
        if not self._minutes:
            drawn = history(self._seed, self._first_day, self._calendar)
            self._minutes = _in_shares(drawn, self._shares)
            self._days = [daily(bars) for bars in self._minutes]


def in_shares(price: Ints, ratio: Floats | float, tick: Ints | int) -> Ints:
    """Prices in paise after a split, in whole ticks and at least one."""
    ticks = np.maximum(1, np.round(price / (ratio * np.asarray(tick))))
    return np.asarray(ticks, np.int64) * tick


def _in_shares(bars: list[Bars], ratio: Floats) -> list[Bars]:
    return [
        bars[row] if row >= N_STOCKS or ratio[row] == 1.0 else _split(bars[row], ratio[row], row)
        for row in range(len(bars))
    ]


def _split(bars: Bars, ratio: float, row: int) -> Bars:
    _, *prices, volume = columns(bars)
    found = [in_shares(price, ratio, int(TICK[row])) for price in prices]
    return Bars(*(bars.start_ns, *found, np.round(volume * ratio).astype(np.int64)))


def _newest(bars: Bars) -> Bars:
    return Bars(*(column[-_MOST_BARS:] for column in columns(bars)))
