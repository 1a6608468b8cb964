"""What becomes of single stocks: splits that change their key, and holds on their trading.

One register outlives every market that is opened with it, so a jump of the clock forgets nothing.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from ticktick.emulator.isin import next_isin
from ticktick.emulator.listings import INDICES, STOCKS, Listing, price_band
from ticktick.emulator.model import FREE, N_STOCKS, TICK, Condition, Floats, Ints

_ROW: Final = {listing.symbol: row for row, listing in enumerate(STOCKS)}


class Hold(StrEnum):
    """What may be held back of a stock; at a limit of its price band the other side is gone."""

    TRADES = "trades"
    BOOK = "book"
    LISTING = "listing"
    AT_UPPER_LIMIT = "upper"
    AT_LOWER_LIMIT = "lower"


class Split(Struct, frozen=True):
    """One share becomes `ratio` shares on a day; a new ISIN means a new instrument key."""

    symbol: str
    ratio: float
    day: date
    has_new_isin: bool


Holds = Mapping[str, frozenset[Hold]]
"""What is held by trading symbol."""


class Register:
    """Splits by day, and what is held at the moment."""

    def __init__(self) -> None:
        self._splits: list[Split] = []
        self._holds: Holds = {}

    def symbol_of(self, text: str) -> str:
        """The trading symbol of a stock named by it or by any key it has had.

        Raises LookupError if there is none.
        """
        for row, listing in enumerate(STOCKS):
            if text == listing.symbol or text in self._keys(row):
                return listing.symbol
        raise LookupError(f"match must be the symbol or key of a stock, such as INFY, was {text!r}")

    def add(self, split: Split) -> None:
        """Let a split happen at the start of its day.

        Raises ValueError if the stock's ISIN has no successor.
        """
        if split.has_new_isin:
            next_isin(self._keys(_ROW[split.symbol])[-1].partition("|")[2])
        self._splits.append(split)

    def hold(self, holds: Holds) -> None:
        """Hold this back from the next minute on, and nothing else."""
        self._holds = dict(holds)

    def shares(self, day: date) -> Floats:
        """What one share of each stock has become by the day."""
        found = np.ones(N_STOCKS)
        for split in self._splits:
            if split.day <= day:
                found[_ROW[split.symbol]] *= split.ratio
        return found

    def stocks(self, day: date) -> tuple[Listing, ...]:
        """Every stock with the key of the day, in order of the market's rows."""
        return tuple(
            replace(listing, key=self._keys(row, day)[-1]) for row, listing in enumerate(STOCKS)
        )

    def unlisted(self) -> frozenset[str]:
        """Symbols that a day which starts at the moment does not list."""
        return frozenset(symbol for symbol, held in self._holds.items() if Hold.LISTING in held)

    def condition(self, previous_close: Ints) -> Condition:
        """What is held of a minute that starts at the moment; closes in paise."""
        if not self._holds:
            return FREE
        held = Condition(
            np.zeros(N_STOCKS, np.bool_),
            np.zeros(N_STOCKS, np.bool_),
            np.zeros(N_STOCKS, np.int64),
            np.zeros(N_STOCKS, np.int64),
        )
        for symbol, words in self._holds.items():
            row = _ROW[symbol]
            held.mute[row] = bool(words & {Hold.TRADES, Hold.LISTING})
            held.still[row] = bool(words & {Hold.BOOK, Hold.LISTING})
            lower, upper = price_band(int(previous_close[row]), int(TICK[row]))
            if Hold.AT_UPPER_LIMIT in words:
                held.limit[row], held.side[row] = upper, 1
            elif Hold.AT_LOWER_LIMIT in words:
                held.limit[row], held.side[row] = lower, -1
        return held

    def _keys(self, row: int, day: date = date.max) -> list[str]:
        """Every key that the stock of a row has had up to a day, oldest first."""
        keys = [STOCKS[row].key]
        for split in self._splits:
            if split.symbol == STOCKS[row].symbol and split.has_new_isin and split.day <= day:
                segment, _, isin = keys[-1].partition("|")
                keys.append(f"{segment}|{next_isin(isin)}")
        return keys


def listings_of(register: Register, day: date) -> tuple[Listing, ...]:
    """Stocks with the keys of the day, then the indices, in order of the market's rows."""
    return (*register.stocks(day), *INDICES)
