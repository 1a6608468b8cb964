"""Which book of each stock the exchange shows."""

from collections.abc import Mapping
from typing import Final, Protocol

from msgspec import Struct

from ticktick.emulator.book import LEVELS, Depth, deeper, depth_of
from ticktick.emulator.model import Tape
from ticktick.emulator.wire import Level


class Shown(Struct, frozen=True):
    """A book, best level first, and the whole book's quantities to buy and to sell."""

    levels: tuple[Level, ...] = ()
    bid_total: int = 0
    ask_total: int = 0

    def cut(self, levels: int) -> "Shown":
        """The same book with so many levels at most."""
        return Shown(self.levels[:levels], self.bid_total, self.ask_total)


EMPTY: Final = Shown()


class Books(Protocol):
    """The books of all stocks after the step of a minute that is set."""

    step: int

    def book(self, row: int, deep: bool) -> Shown:
        """The book of a stock; a deep one has every level there is."""
        ...


class NoBooks:
    """Before the day's first book."""

    step = 0

    def book(self, row: int, deep: bool) -> Shown:
        """Nothing."""
        return EMPTY


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
