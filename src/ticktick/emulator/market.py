"""The model market as it runs: day after day, and what each step of a quarter second changes."""

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np

from ticktick.domain.clock import NS_PER_MS, ist_midnight_ns
from ticktick.domain.instrument import Kind
from ticktick.domain.sessions import Calendar, SessionClass
from ticktick.emulator.annals import Annals, in_shares
from ticktick.emulator.bars import Bars, joined
from ticktick.emulator.board import Board
from ticktick.emulator.calendar import trading_day_after
from ticktick.emulator.lead import Path
from ticktick.emulator.listings import Listing, price_band
from ticktick.emulator.model import BASES, N_LISTINGS, N_STOCKS, TICK, Carry, Floats, Ints, opening
from ticktick.emulator.register import Register, listings_of
from ticktick.emulator.source import Update
from ticktick.emulator.stock_day import StockDay
from ticktick.proto.MarketDataFeed_pb2 import Feed


class Market:
    """A seeded market from a day on, run by `advance` and by nothing else.

    The same seed, first day and register give the same market, however it is advanced.
    """

    def __init__(
        self, seed: int, start_ns: int, calendar: Calendar, register: Register | None = None
    ) -> None:
        self._seed = seed
        self._calendar = calendar
        self._register = register or Register()
        day = calendar.latest_trading_day(start_ns)
        self._annals = Annals(seed, day, calendar)
        self._halted = False
        (before,) = calendar.trading_days_before(day, 1)
        last = calendar.session(before, SessionClass.AUCTION_CASH)
        last_ns = np.full(N_LISTINGS, 0 if last is None else last.close_ns - NS_PER_MS)
        self._today = self._opened(day, opening(BASES, 0.0), BASES, last_ns, 0.0)
        self.now_ns = ist_midnight_ns(day)
        for _ in self.advance(start_ns, frozenset()):
            pass

    @property
    def listings(self) -> Sequence[Listing]:
        """Stocks and indices of the day's master."""
        return [self._listed[row] for row in self._row_of.values()]

    @property
    def day(self) -> date:
        """The running day."""
        return self._today.day

    @property
    def next_day(self) -> date:
        """The trading day after it."""
        return self._next_day

    def advance(
        self, to_ns: int, wanted: frozenset[str], deep: frozenset[str] = frozenset()
    ) -> Iterator[Update]:
        """Run to the moment, yielding the changes of the wanted keys in order of time.

        Of keys that are `deep` every level of the book is told.
        """
        rows = self._rows(wanted)
        while (due_ns := self.next_ns()) <= to_ns:
            if self._today.next_ns() is None:
                self._close_day()
                rows = self._rows(wanted)
            elif not len(rows) and self._today.ends_minute_by(to_ns):
                self._today.whole_minute()
            elif feeds := self._today.step(rows, deep):
                yield Update(due_ns, feeds)
        self.now_ns = max(self.now_ns, to_ns)

    def next_ns(self) -> int:
        """End of the next step, or the next day's start."""
        due_ns = self._today.next_ns()
        return ist_midnight_ns(self._next_day) if due_ns is None else due_ns

    def snapshot(self, key: str, deep: bool = False) -> Feed | None:
        """Everything known of one listing; the last session's values outside market hours."""
        row = self._row_of.get(key)
        if row is None:
            return None
        return self._today.feed(row, traded=True, booked=True, barred=True, deep=deep)

    def bars(self, key: str) -> Bars:
        """One-minute bars of the history and of the day so far."""
        row = self._row_of[key]
        return joined([self._annals.bars(row), self._today.bars(row)])

    def day_bars(self, key: str) -> Bars:
        """Bars of the days before and of the day so far."""
        row = self._row_of[key]
        return joined([self._annals.days(row), self._today.day_bar(row)])

    def halt(self, halted: bool) -> None:
        """Stop trading from the next minute on, or let it go on."""
        self._halted = self._today.is_halted = halted

    def replan(self) -> None:
        """Take up changed hours: of the day what has not begun, and the days after it."""
        self._next_day = trading_day_after(self.day, self._calendar)
        if not self._today.has_begun and not self._calendar.is_trading_day(self.day):
            self._close_day(is_empty=True)
        else:
            self._today.replan(self.now_ns)

    def price_band(self, listing: Listing, previous_close: int) -> tuple[int, int] | None:
        """A tenth around the close before; of an option nobody knows it."""
        if listing.kind in (Kind.CALL, Kind.PUT):
            return None
        return price_band(previous_close, listing.tick_size)

    def open_interest(self, key: str, at_ns: Ints) -> Ints:
        """Nothing is outstanding in stocks and indices."""
        return np.zeros(len(at_ns), np.int64)

    def index_path(self, start_ns: int) -> Path | None:
        """Where the stocks' books put the indices in a minute of the day that has begun."""
        return self._today.index_path(start_ns)

    def trades(self, key: str, from_ns: int, to_ns: int) -> list[tuple[int, int, int]]:
        """The day's trades of one listing in [from_ns, to_ns) up to now."""
        return self._today.trades(self._row_of[key], from_ns, to_ns)

    def _rows(self, wanted: frozenset[str]) -> Ints:
        found = [self._row_of[key] for key in wanted if key in self._row_of]
        return np.array(sorted(found), np.int64)

    def _close_day(self, is_empty: bool = False) -> None:
        """Turn the day into history, unless nothing has happened, and open the next one."""
        today = self._today
        overnight = 0.0
        if not is_empty:
            rows = range(N_LISTINGS)
            self._annals.add(
                [today.bars(row) for row in rows], [today.day_bar(row) for row in rows]
            )
            overnight = today.calls.overnight()
        self._today = self._opened(
            self._next_day, today.script.carry, today.closes, today.last_ns, overnight
        )

    def _opened(
        self, day: date, carry: Carry, closes: Ints, last_ns: Ints, overnight: float
    ) -> StockDay:
        """A day in its own shares, from the state and closes of the day before."""
        self._next_day = trading_day_after(day, self._calendar)
        self._listed = listings_of(self._register, day)
        unlisted = self._register.unlisted()
        self._row_of = {
            listing.key: row
            for row, listing in enumerate(self._listed)
            if listing.symbol not in unlisted
        }
        shares = self._register.shares(day)
        ratio = shares / carry.shares
        self._annals.split(ratio)
        last_price = _in_shares(carry.last_price, ratio)
        board = Board(_in_shares(closes, ratio), last_ns)
        start = opening(last_price, carry.vix_away, overnight, shares)
        today = StockDay(
            self._seed, day, self._calendar, self._register, self._listed, start, board
        )
        today.is_halted = self._halted
        return today


def _in_shares(price: Ints, ratio: Floats) -> Ints:
    """Prices by row after splits of the stocks."""
    found = price.copy()
    found[:N_STOCKS] = in_shares(price[:N_STOCKS], ratio, TICK)
    return found
