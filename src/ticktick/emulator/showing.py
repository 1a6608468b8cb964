"""Which book of each stock the exchange shows."""

from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np
from msgspec import Struct

from ticktick.emulator.auction import Call, CallDepth, depth_of_call
from ticktick.emulator.book import LEVELS, Depth, deeper, depth_of
from ticktick.emulator.model import Flags, Ints, Tape
from ticktick.emulator.wire import Indication, Level


class Shown(Struct, frozen=True):
    """A book, best level first, and the whole book's quantities to buy and to sell."""

    levels: tuple[Level, ...] = ()
    bid_total: int = 0
    ask_total: int = 0

    def cut(self, levels: int) -> "Shown":
        """The same book with so many levels at most."""
        return Shown(self.levels[:levels], self.bid_total, self.ask_total)


EMPTY: Final = Shown()
CLEARED: Final = Shown(((0, 0, 0, 0),) * LEVELS)


class Books(Protocol):
    """The books of all stocks after the step of a minute that is set."""

    step: int

    def book(self, row: int, deep: bool) -> Shown:
        """The book of a stock; a deep one has every level there is."""
        ...

    def indication(self, row: int) -> Indication | None:
        """What an auction of the stock tells; None if there is none."""
        ...


class NoBooks:
    """Before the day's first book."""

    step = 0

    def book(self, row: int, deep: bool) -> Shown:
        """Nothing."""
        return EMPTY

    def indication(self, row: int) -> Indication | None:
        """Nothing."""
        return None


class ClearedBooks:
    """Books that are taken away, each after a step of its own; the feed shows empty levels."""

    def __init__(self, before: Books, after_step: Ints) -> None:
        self.step = 0
        self._before = before
        self._after_step = after_step

    def book(self, row: int, deep: bool) -> Shown:
        """The book as it was, then five levels of nothing; what was empty stays so."""
        before = self._before.book(row, deep)
        is_gone = self.step >= self._after_step[row] and bool(before.levels)
        return CLEARED if is_gone else before

    def indication(self, row: int) -> Indication | None:
        """As it was, until the book is gone."""
        return None if self.step >= self._after_step[row] else self._before.indication(row)


class CallBooks:
    """Crossed books of an auction, minute by minute."""

    def __init__(self, call: Call) -> None:
        self.step = 0
        self._call = call
        self._first = 0
        self._out: Flags = np.zeros(call.price.shape[1], np.bool_)
        self._depth: CallDepth | None = None

    def begin(self, first: int, out: Flags) -> None:
        """Start a minute with a step of the auction; these stocks take no part in it."""
        self._first, self._out, self.step = first, out, 0

    def book(self, row: int, deep: bool) -> Shown:
        """The book of a stock, empty before its first order; no more than five levels."""
        latest = self._latest(row)
        if latest < 0:
            return EMPTY
        if self._depth is None:
            self._depth = depth_of_call(self._call)
        price = int(self._call.price[latest, row])
        bids, asks = (price + self._depth.away[latest, row]).tolist()
        bid_sizes, ask_sizes = self._depth.quantity[latest, row].tolist()
        matching, left_over = self._call.quantity[latest, row], self._call.left_over[latest, row]
        return Shown(
            tuple(zip(bid_sizes, bids, ask_sizes, asks, strict=True)),
            int(matching + max(left_over, 0)) + sum(bid_sizes),
            int(matching + max(-left_over, 0)) + sum(ask_sizes),
        )

    def indication(self, row: int) -> Indication | None:
        """What was told last; None before the first order."""
        latest, call = self._latest(row), self._call
        if latest < 0:
            return None
        columns = (call.price, call.quantity)
        price, quantity = (int(column[latest, row]) for column in columns)
        return Indication(
            price,
            quantity,
            int(call.reference[row]),
            int(call.left_over[latest, row]),
            int(call.at_market[latest, row]),
        )

    def _latest(self, row: int) -> int:
        return -1 if self._out[row] else int(self._call.latest[self._first + self.step, row])


class ClosingBooks:
    """After the close: orders of one side, all at the closing price.

    `price` is 0 and `quantity` too where a stock has none; a positive `quantity` [STEPS, stocks]
    is to buy, a negative one to sell.
    """

    def __init__(self, price: Ints, quantity: Ints) -> None:
        self.step = 0
        self._price = price
        self._quantity = quantity

    def book(self, row: int, deep: bool) -> Shown:
        """One level on one side, four empty ones behind it."""
        quantity, price = int(self._quantity[self.step, row]), int(self._price[row])
        if quantity == 0:
            return CLEARED
        if quantity > 0:
            return Shown(((quantity, price, 0, 0), *CLEARED.levels[1:]), quantity, 0)
        return Shown(((0, 0, -quantity, price), *CLEARED.levels[1:]), 0, -quantity)

    def indication(self, row: int) -> Indication | None:
        """Nothing."""
        return None


class TapeBooks:
    """Books of a minute of continuous trading; the `kept` ones stay as they were before it."""

    def __init__(self, tape: Tape, kept: Mapping[int, Shown]) -> None:
        self.step = 0
        self._tape = tape
        self._kept = kept
        self._depth: Depth | None = None
        self._deep_depth: Depth | None = None

    def book(self, row: int, deep: bool) -> Shown:
        """The book of a stock, with one side alone if it is locked at a limit."""
        kept = self._kept.get(row)
        if kept is not None:
            return kept if deep else kept.cut(LEVELS)
        if self._depth is None:
            self._depth = depth_of(self._tape)
        levels = self._levels(self._depth, row)
        if deep:
            levels += self._levels(self._deeper(self._depth), row)
        bids, asks = self._depth.total[self.step, row].tolist()
        side = self._tape.side[row]
        return Shown(tuple(levels), bids if side >= 0 else 0, asks if side <= 0 else 0)

    def indication(self, row: int) -> Indication | None:
        """Nothing: trading is continuous."""
        return None

    def _deeper(self, depth: Depth) -> Depth:
        """The levels behind the usual ones; drawn only if somebody looks at them."""
        if self._deep_depth is None:
            self._deep_depth = deeper(self._tape, depth)
        return self._deep_depth

    def _levels(self, depth: Depth, row: int) -> list[Level]:
        bids, asks = depth.price[self.step, row].tolist()
        bid_sizes, ask_sizes = depth.quantity[self.step, row].tolist()
        levels = list(zip(bid_sizes, bids, ask_sizes, asks, strict=True))
        match int(self._tape.side[row]):
            case 1:
                return [(size, bid, 0, 0) for size, bid, _, _ in levels]
            case -1:
                return [(0, 0, size, ask) for _, _, size, ask in levels]
        return levels
