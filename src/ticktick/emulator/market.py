"""The model market as it runs: days, minutes and quarter seconds, and what each changes."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

import numpy as np

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS, ist_midnight_ns
from ticktick.domain.sessions import Calendar, SessionClass
from ticktick.emulator.annals import Annals, in_shares
from ticktick.emulator.bars import Bars, joined
from ticktick.emulator.board import Board
from ticktick.emulator.calendar import trading_day_after
from ticktick.emulator.day import Minute, Prints, day_plan, prints_of
from ticktick.emulator.lead import Path, index_path, overnight_move
from ticktick.emulator.listings import Listing
from ticktick.emulator.model import (
    BASES,
    N_LISTINGS,
    N_STOCKS,
    STEP_NS,
    STEPS,
    TICK,
    Carry,
    Ints,
    Tape,
    chance,
    minute_tape,
    opening,
)
from ticktick.emulator.register import Register, listings_of
from ticktick.emulator.showing import Books, NoBooks, TapeBooks
from ticktick.emulator.source import Update
from ticktick.emulator.wire import DayTotals, index_feed, stock_feed
from ticktick.proto.MarketDataFeed_pb2 import Feed

_PUBLISH_STREAM = 2
_NEVER_TRADED: Final[Ints] = np.zeros(0, np.int64)


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
        self._carry = opening(BASES, 0.0)
        self._halted = False
        self._deep: frozenset[str] = frozenset()
        self._plan: list[Minute] = []
        self._number = 0
        self._step = 0
        self._finished: Ints = np.zeros((0, 5, N_LISTINGS), np.int64)
        self._open_day(day)
        self.now_ns = self._midnight_ns
        for _ in self.advance(start_ns, frozenset()):
            pass

    @property
    def listings(self) -> Sequence[Listing]:
        """Stocks and indices of the day's master."""
        return [self._listed[row] for row in self._row_of.values()]

    @property
    def day(self) -> date:
        """The running day."""
        return self._day

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
        self._deep = deep
        rows = np.array(
            sorted(self._row_of[key] for key in wanted if key in self._row_of), np.int64
        )
        while (due_ns := self.next_ns()) is not None and due_ns <= to_ns:
            if self._number == len(self._plan):
                self._close_day()
                continue
            if self._step == 0:
                self._begin_minute()
            if not len(rows) and self._step == 0 and due_ns - STEP_NS + NS_PER_MINUTE <= to_ns:
                self._whole_minute()
            elif feeds := self._one_step(rows):
                yield Update(due_ns, feeds)
        self.now_ns = max(self.now_ns, to_ns)

    def next_ns(self) -> int | None:
        """End of the next step, or the next day's start."""
        if self._number == len(self._plan):
            return ist_midnight_ns(self._next_day)
        return self._plan[self._number].start_ns + (self._step + 1) * STEP_NS

    def snapshot(self, key: str, deep: bool = False) -> Feed | None:
        """Everything known of one listing; the last session's values outside market hours."""
        row = self._row_of.get(key)
        if row is None:
            return None
        return self._feed(row, traded=True, booked=True, barred=True, deep=deep)

    def bars(self, key: str) -> Bars:
        """One-minute bars of the history and of the day so far."""
        row = self._row_of[key]
        return joined([self._annals.bars(row), self._bars_of_day(row)])

    def halt(self, halted: bool) -> None:
        """Stop trading from the next minute on, or let it go on."""
        self._halted = halted

    def replan(self) -> None:
        """Take up changed hours: of the day what has not begun, and the days after it."""
        begun = self._number + (self._step > 0)
        if begun == 0 and not self._calendar.is_trading_day(self._day):
            self._open_day(trading_day_after(self._day, self._calendar))
            return
        later = [
            minute
            for minute in day_plan(self._day, self._calendar, SessionClass.AUCTION_CASH)
            if self._is_ahead(minute)
        ]
        self._plan = self._plan[:begun] + later
        table: Ints = np.zeros((len(self._plan), 5, N_LISTINGS), np.int64)
        table[:begun] = self._finished[:begun]
        self._finished = table
        self._next_day = trading_day_after(self._day, self._calendar)

    def open_interest(self, key: str, at_ns: Ints) -> Ints:
        """Nothing is outstanding in stocks and indices."""
        return np.zeros(len(at_ns), np.int64)

    def index_path(self, start_ns: int) -> Path | None:
        """Where the stocks' books put the indices in a minute of the day that has begun."""
        return self._paths.get(start_ns)

    def trades(self, key: str, from_ns: int, to_ns: int) -> list[tuple[int, int, int]]:
        """The day's trades of one listing in [from_ns, to_ns) up to now."""
        row = self._row_of[key]
        kept = [*self._prints, *self._running_prints()]
        return [trade for prints in kept for trade in prints.between(row, from_ns, to_ns)]

    def _open_day(self, day: date, overnight: float = 0.0) -> None:
        self._day = day
        self._midnight_ns = ist_midnight_ns(day)
        self._next_day = trading_day_after(day, self._calendar)
        self._plan = day_plan(day, self._calendar, SessionClass.AUCTION_CASH)
        self._number = 0
        self._step = 0
        self._quiet = True
        self._tape: Tape | None = None
        self._books: Books = NoBooks()
        self._paths: dict[int, Path] = {}
        self._due = _NEVER_TRADED
        self._finished = np.zeros((len(self._plan), 5, N_LISTINGS), np.int64)
        self._prints: list[Prints] = []
        self._list(day)
        self._carry = self._opening(day, overnight)
        (before,) = self._calendar.trading_days_before(day, 1)
        last_end_ns = day_plan(before, self._calendar, SessionClass.AUCTION_CASH)[-1].start_ns
        self._board = Board(self._carry.last_price, last_end_ns - NS_PER_MS)

    def _list(self, day: date) -> None:
        """Take over the day's keys."""
        self._listed = listings_of(self._register, day)
        unlisted = self._register.unlisted()
        self._row_of = {
            listing.key: row
            for row, listing in enumerate(self._listed)
            if listing.symbol not in unlisted
        }

    def _opening(self, day: date, overnight: float) -> Carry:
        """The state before the day's first minute, in the shares of the day."""
        shares = self._register.shares(day)
        ratio = shares / self._carry.shares
        self._annals.split(ratio)
        last_price = self._carry.last_price.copy()
        last_price[:N_STOCKS] = in_shares(last_price[:N_STOCKS], ratio, TICK)
        return opening(last_price, self._carry.vix_away, overnight, shares)

    def _close_day(self) -> None:
        """Turn the day into history and open the next one."""
        self._annals.add([self._bars_of_day(row) for row in range(N_LISTINGS)])
        overnight = overnight_move(self._seed, self._day, self._calendar)
        self._open_day(self._next_day, overnight)

    def _is_ahead(self, minute: Minute) -> bool:
        """Whether a minute of the day may still be run."""
        running_ns = self._plan[self._number].start_ns if self._step else 0
        return minute.start_ns >= self.now_ns and minute.start_ns > running_ns

    def _begin_minute(self) -> None:
        minute = self._plan[self._number]
        self._quiet = minute.quiet or self._halted
        seeds = (self._seed, self._day.toordinal(), self._number)
        self._due = chance(seeds, _PUBLISH_STREAM).integers(1, 8, N_LISTINGS)
        if not self._quiet:
            held = self._register.condition(self._board.previous_close)
            self._tape, self._carry = minute_tape(
                seeds, minute.start_ns, minute.progress, self._carry, held
            )
            still = np.flatnonzero(held.still).tolist()
            self._books = TapeBooks(self._tape, {row: self._books.book(row, True) for row in still})
            self._paths[minute.start_ns] = index_path(self._tape)

    def _whole_minute(self) -> None:
        """Run a minute nobody listens to."""
        tape = self._active_tape()
        if tape is not None:
            self._board.take(tape.row, tape.at_ns, tape.price, tape.quantity)
            self._books.step = STEPS - 1
        self._board.publish(np.arange(N_LISTINGS))
        self._finish_minute()

    def _one_step(self, rows: Ints) -> dict[str, Feed]:
        step, tape = self._step, self._active_tape()
        traded = np.zeros(N_LISTINGS, np.bool_)
        booked = np.zeros(N_LISTINGS, np.bool_)
        if tape is not None:
            self._books.step = step
            now = slice(tape.bounds[step], tape.bounds[step + 1])
            row = tape.row[now]
            self._board.take(row, tape.at_ns[now], tape.price[now], tape.quantity[now])
            traded[row] = True
            booked[:N_STOCKS] = tape.refreshed[step]
        barred = traded.copy()
        barred[self._board.publish(np.flatnonzero(self._due == step))] = True
        changed = rows[(barred | booked)[rows]].tolist()
        feeds = {
            self._listed[row].key: self._feed(
                row,
                bool(traded[row]),
                bool(booked[row]),
                bool(barred[row]),
                self._listed[row].key in self._deep,
            )
            for row in changed
        }
        self._step += 1
        if self._step == STEPS:
            self._finish_minute()
        return feeds

    def _finish_minute(self) -> None:
        minute, tape = self._plan[self._number], self._active_tape()
        self._finished[self._number] = self._board.finish_minute(minute.start_ns)
        if tape is not None:
            self._prints.append(prints_of(tape, len(tape.row)))
        self._number += 1
        self._step = 0

    def _active_tape(self) -> Tape | None:
        """The tape of the running minute; None if it is quiet."""
        return None if self._quiet else self._tape

    def _running_prints(self) -> list[Prints]:
        if self._step == 0 or self._number == len(self._plan):
            return []
        tape = self._active_tape()
        return [] if tape is None else [prints_of(tape, int(tape.bounds[self._step]))]

    def _bars_of_day(self, row: int) -> Bars:
        starts = np.array([minute.start_ns for minute in self._plan[: self._number + 1]], np.int64)
        table = self._finished[: len(starts), :, row].copy()
        if self._number < len(self._plan):
            table[-1] = self._board.minute.table[:, row]
        traded = table[:, 0] > 0
        return Bars(starts[traded], *table[traded].T)

    def _feed(self, row: int, traded: bool, booked: bool, barred: bool, deep: bool) -> Feed:
        trade = self._board.last_trade(row) if traded else None
        bars = self._board.bars(row, self._midnight_ns) if barred else None
        if row >= N_STOCKS:
            return index_feed(trade, bars)
        book = self._books.book(row, deep)
        totals = DayTotals(
            self._board.average_rupees(row),
            int(self._board.day.volume[row]),
            book.bid_total,
            book.ask_total,
        )
        eligible = self._listed[row].cas_eligible
        return stock_feed(trade, book.levels if booked else None, bars, totals, eligible)
