"""The whole trading floor: stocks and indices of the market model, and their derivatives."""

from collections.abc import Iterator, Sequence

import numpy as np

from ticktick.domain.clock import ist_midnight_ns
from ticktick.domain.sessions import Calendar
from ticktick.emulator.bars import Bars
from ticktick.emulator.derivatives import Derivatives
from ticktick.emulator.listings import Listing
from ticktick.emulator.market import Market
from ticktick.emulator.model import Ints
from ticktick.emulator.register import Register
from ticktick.emulator.source import Update
from ticktick.proto.MarketDataFeed_pb2 import Feed


class Floor:
    """A market source of everything that the built-in exchange lists."""

    def __init__(
        self, seed: int, start_ns: int, calendar: Calendar, register: Register | None = None
    ) -> None:
        self._stocks = Market(seed, start_ns, calendar, register)
        self._derivatives = Derivatives(seed, calendar, self._stocks)
        self._derivatives.today.run_to(start_ns)

    @property
    def now_ns(self) -> int:
        """Market time up to which everything has happened."""
        return self._stocks.now_ns

    @property
    def listings(self) -> Sequence[Listing]:
        """Every instrument of the day's master."""
        return (*self._stocks.listings, *self._derivatives.listings)

    def advance(
        self, to_ns: int, wanted: frozenset[str], deep: frozenset[str] = frozenset()
    ) -> Iterator[Update]:
        """Run to the moment, yielding the changes of the wanted keys in order of time."""
        while (midnight_ns := ist_midnight_ns(self._stocks.next_day)) <= to_ns:
            yield from self._within_day(midnight_ns - 1, wanted, deep)
            yield from self._stocks.advance(midnight_ns, wanted, deep)
            self._derivatives.next_day()
        yield from self._within_day(to_ns, wanted, deep)

    def next_ns(self) -> int | None:
        """End of the next step of either market, or the next day's start."""
        due = [self._stocks.next_ns(), self._derivatives.today.next_ns()]
        return min((at_ns for at_ns in due if at_ns is not None), default=None)

    def snapshot(self, key: str, deep: bool = False) -> Feed | None:
        """Everything known of one listing."""
        if self._derivatives.owns(key):
            return self._derivatives.today.snapshot(key, deep)
        return self._stocks.snapshot(key, deep)

    def bars(self, key: str) -> Bars:
        """One-minute bars of the history and of the day so far."""
        market = self._derivatives if self._derivatives.owns(key) else self._stocks
        return market.bars(key)

    def day_bars(self, key: str) -> Bars:
        """Daily bars of the history and of the day so far."""
        market = self._derivatives if self._derivatives.owns(key) else self._stocks
        return market.day_bars(key)

    def trades(self, key: str, from_ns: int, to_ns: int) -> list[tuple[int, int, int]]:
        """The day's trades of one listing in [from_ns, to_ns) up to now."""
        market = self._derivatives.today if self._derivatives.owns(key) else self._stocks
        return market.trades(key, from_ns, to_ns)

    def price_band(self, listing: Listing, previous_close: int) -> tuple[int, int] | None:
        """A tenth around the close before; of an option nobody knows it."""
        return self._stocks.price_band(listing, previous_close)

    def open_interest(self, key: str, at_ns: Ints) -> Ints:
        """Contracts outstanding at moments; none of what is no derivative."""
        market = self._derivatives if self._derivatives.owns(key) else self._stocks
        return market.open_interest(key, at_ns)

    def halt(self, halted: bool) -> None:
        """Stop trading from the next whole minute on, or let it go on."""
        self._stocks.halt(halted)
        self._derivatives.today.halt(halted)

    def replan(self) -> None:
        """Take up changed hours of the running day and of later ones."""
        self._stocks.replan()
        if self._stocks.day == self._derivatives.today.day:
            self._derivatives.today.replan(self.now_ns)
        else:
            self._derivatives.reopen()

    def _within_day(
        self, to_ns: int, wanted: frozenset[str], deep: frozenset[str]
    ) -> Iterator[Update]:
        """Run a part of a day; both markets' changes of a moment are one update."""
        today = self._derivatives.today
        keys = [key for key in wanted if self._derivatives.owns(key)]
        if not keys:
            yield from self._stocks.advance(to_ns, wanted, deep)
            today.run_to(to_ns)
            return
        rows = np.array(sorted(today.rows[key] for key in keys), np.int64)
        while (due_ns := self.next_ns()) is not None and due_ns <= to_ns:
            feeds: dict[str, Feed] = {}
            for update in self._stocks.advance(due_ns, wanted, deep):
                feeds |= update.feeds
            if today.next_ns() == due_ns:
                feeds |= today.step(rows, deep)
            if feeds:
                yield Update(due_ns, feeds)
        for _ in self._stocks.advance(to_ns, wanted, deep):
            continue
