"""Minute bars of the days that are over, in the shares of the running day."""

from datetime import date
from typing import Final

import numpy as np

from ticktick.domain.sessions import Calendar
from ticktick.emulator.bars import Bars, columns, joined
from ticktick.emulator.history import history
from ticktick.emulator.model import N_STOCKS, TICK, Floats, Ints

_MOST_BARS: Final = 30_000


class Annals:
    """Bars by row of the market; those before its first day are drawn when first asked for."""

    def __init__(self, seed: int, first_day: date, calendar: Calendar) -> None:
        self._seed = seed
        self._first_day = first_day
        self._calendar = calendar
        self._bars: list[Bars] = []
        self._shares = np.ones(N_STOCKS)

    def bars(self, row: int) -> Bars:
        """One-minute bars of a row, oldest first."""
        return self._drawn()[row]

    def add(self, today: list[Bars]) -> None:
        """Take over a day that is over, one entry per row; very old bars are forgotten."""
        self._bars = [
            _newest(joined([old, new])) for old, new in zip(self._drawn(), today, strict=True)
        ]

    def split(self, ratio: Floats) -> None:
        """Tell everything in new shares, so many of which one old share has become."""
        if self._bars:
            self._bars = _in_shares(self._bars, ratio)
        else:
            self._shares = self._shares * ratio

    def _drawn(self) -> list[Bars]:
        if not self._bars:
            drawn = history(self._seed, self._first_day, self._calendar)
            self._bars = _in_shares(drawn, self._shares)
        return self._bars


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
