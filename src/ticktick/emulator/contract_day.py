"""One day of futures and options, run step by step behind the indices they follow.

Every minute is made from (seed, day, minute) and the indices' path, so past minutes need not be
kept: they are made again when somebody asks for their trades.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, Protocol

import numpy as np

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS, ist_midnight_ns
from ticktick.domain.instrument import Kind
from ticktick.domain.sessions import Calendar, SessionClass
from ticktick.emulator.bars import Bars
from ticktick.emulator.board import Board
from ticktick.emulator.day import Act, day_plan
from ticktick.emulator.interest import open_interest
from ticktick.emulator.lead import Path, after_hours_walk
from ticktick.emulator.listings import Listing
from ticktick.emulator.model import STEP_NS, STEPS, Floats, Ints, chance
from ticktick.emulator.strip import (
    Book,
    Chain,
    Sight,
    Strip,
    book_of,
    sight,
    strip_of,
)
from ticktick.emulator.wire import DayTotals, Level, stock_feed
from ticktick.proto.MarketDataFeed_pb2 import Feed, MarketFullFeed

USUAL_LEVELS: Final = 5
_PUBLISH_STREAM = 5
_GREEK_DIGITS = 4


class Leader(Protocol):
    """What contracts follow during a day."""

    def index_path(self, start_ns: int) -> Path | None:
        """The path of a minute that the day has begun; None if stocks do not trade in it."""
        ...


class ContractDay:
    """The contracts of a day from its opening values (spot and volatility) on."""

    def __init__(
        self,
        seed: int,
        day: date,
        listings: Sequence[Listing],
        chain: Chain,
        calendar: Calendar,
        leader: Leader,
        opening: tuple[Floats, float],
        closes: Ints,
        closed_ns: int,
    ) -> None:
        self.day = day
        self.listings = listings
        self.chain = chain
        self.rows = {listing.key: row for row, listing in enumerate(listings)}
        self._seed = seed
        self._leader = leader
        self._opening = opening
        self._plan = day_plan(day, calendar, SessionClass.DERIVATIVE)
        self._calendar = calendar
        self._set_evening()
        self._midnight_ns = ist_midnight_ns(day)
        self._board = Board(closes, np.full(len(closes), closed_ns - NS_PER_MS))
        self._finished: Ints = np.zeros((len(self._plan), 5, len(listings)), np.int64)
        self._number = 0
        self._step = 0
        self._shown_step = 0
        self._strip: Strip | None = None
        self._books: dict[int, Book] = {}
        self._sight: tuple[tuple[int, int], Sight] | None = None
        self._interest: tuple[int, Ints] | None = None
        self._is_halted = False
        self._halted_minutes: set[int] = set()

    @property
    def last_price(self) -> Ints:
        """The latest price of every row in paise."""
        return self._board.last_price

    def next_ns(self) -> int | None:
        """End of the next step; None when the day is over."""
        if self._number == len(self._plan):
            return None
        return self._plan[self._number].start_ns + (self._step + 1) * STEP_NS

    def run_to(self, to_ns: int) -> None:
        """Run up to the moment while nobody listens."""
        nobody: Ints = np.zeros(0, np.int64)
        while (due_ns := self.next_ns()) is not None and due_ns <= to_ns:
            if self._step == 0 and due_ns - STEP_NS + NS_PER_MINUTE <= to_ns:
                self._whole_minute()
            else:
                self.step(nobody, frozenset())

    def step(self, rows: Ints, deep: frozenset[str]) -> dict[str, Feed]:
        """Run one step; returns what changed in these rows, with the whole book where deep."""
        if self._step == 0:
            self._begin_minute()
        step, strip = self._step, self._active_strip()
        traded = np.zeros(len(self.listings), np.bool_)
        quoted = False
        if strip is not None:
            self._shown_step = step
            now = slice(strip.bounds[step], strip.bounds[step + 1])
            row = strip.row[now]
            self._board.take(row, strip.at_ns[now], strip.price[now], strip.quantity[now])
            traded[row] = True
            quoted = bool(strip.refreshed[step])
        barred = traded.copy()
        barred[self._board.publish(np.flatnonzero(self._due == step))] = True
        feeds = {}
        for one in rows[barred[rows] | quoted].tolist():
            key = self.listings[one].key
            feeds[key] = self._feed(one, bool(traded[one]), quoted, bool(barred[one]), key in deep)
        self._step += 1
        if self._step == STEPS:
            self._finish_minute()
        return feeds

    def halt(self, halted: bool) -> None:
        """Stop trading from the next minute on, or let it go on."""
        self._is_halted = halted

    def replan(self, now_ns: int) -> None:
        """Take up changed hours for the minutes that have not begun."""
        begun = self._number + (self._step > 0)
        plan = day_plan(self.day, self._calendar, SessionClass.DERIVATIVE)
        self._plan = self._plan[:begun] + [one for one in plan if one.start_ns >= now_ns]
        table: Ints = np.zeros((len(self._plan), 5, len(self.listings)), np.int64)
        table[:begun] = self._finished[:begun]
        self._finished = table
        self._set_evening()

    def snapshot(self, key: str, deep: bool) -> Feed:
        """Everything known of one contract."""
        return self._feed(self.rows[key], True, True, True, deep)

    def bars(self, row: int) -> Bars:
        """One-minute bars of the day so far."""
        starts = np.array([minute.start_ns for minute in self._plan[: self._number + 1]], np.int64)
        table = self._finished[: len(starts), :, row].copy()
        if self._number < len(self._plan):
            table[-1] = self._board.minute.table[:, row]
        traded = table[:, 0] > 0
        return Bars(starts[traded], *table[traded].T)

    def trades(self, key: str, from_ns: int, to_ns: int) -> list[tuple[int, int, int]]:
        """Trades of one contract in [from_ns, to_ns) up to now: nanoseconds, paise, quantity."""
        reached_ns = self.next_ns()
        end_ns = to_ns if reached_ns is None else min(to_ns, reached_ns - STEP_NS)
        found: list[tuple[int, int, int]] = []
        for number, minute in enumerate(self._plan):
            inside = minute.start_ns < end_ns and minute.start_ns + NS_PER_MINUTE > from_ns
            if inside and not self._is_quiet(number):
                strip = self._made(number)
                mine = (strip.row == self.rows[key]) & (strip.at_ns >= from_ns)
                mine &= strip.at_ns < end_ns
                columns = (strip.at_ns[mine], strip.price[mine], strip.quantity[mine])
                found += zip(*(column.tolist() for column in columns), strict=True)
        return found

    def standing(self) -> tuple[Floats, float]:
        """Index levels in paise and volatility at the latest step that the contracts show."""
        if self._strip is None:
            return self._opening
        step = self._shown_step
        return self._strip.spot[step], float(self._strip.volatility[step])

    def sight(self) -> Sight | None:
        """What is quoted at the latest step; None before the first."""
        if self._strip is None:
            return None
        moment = (self._strip.start_ns, int(self._strip.latest[self._shown_step]))
        if self._sight is None or self._sight[0] != moment:
            self._sight = (moment, sight(self._strip, self._shown_step))
        return self._sight[1]

    def interest(self) -> Ints:
        """Contracts outstanding in every row, told once a minute."""
        start_ns = self._plan[min(self._number, len(self._plan) - 1)].start_ns
        if self._interest is None or self._interest[0] != start_ns:
            rows, at_ns = np.arange(len(self.chain)), np.array([start_ns])
            self._interest = (start_ns, open_interest(self._seed, self.chain, rows, at_ns)[0])
        return self._interest[1]

    def _set_evening(self) -> None:
        self._walk = after_hours_walk(self._seed, self.day, self._calendar)
        stocks = self._calendar.session(self.day, SessionClass.AUCTION_CASH)
        self._stocks_close_ns = 0 if stocks is None else stocks.close_ns

    def _begin_minute(self) -> None:
        seeds = (self._seed, self.day.toordinal(), self._number)
        self._due = chance(seeds, _PUBLISH_STREAM).integers(1, 8, len(self.listings))
        if self._is_halted:
            self._halted_minutes.add(self._number)
        if not self._is_quiet(self._number):
            self._strip = self._made(self._number)
            self._books = {}

    def _whole_minute(self) -> None:
        self._begin_minute()
        strip = self._active_strip()
        if strip is not None:
            self._board.take(strip.row, strip.at_ns, strip.price, strip.quantity)
            self._shown_step = STEPS - 1
        self._board.publish(np.arange(len(self.listings)))
        self._finish_minute()

    def _finish_minute(self) -> None:
        start_ns = self._plan[self._number].start_ns
        self._finished[self._number] = self._board.finish_minute(start_ns)
        self._number += 1
        self._step = 0

    def _active_strip(self) -> Strip | None:
        return None if self._is_quiet(self._number) else self._strip

    def _is_quiet(self, number: int) -> bool:
        return self._plan[number].act is Act.REST or number in self._halted_minutes

    def _made(self, number: int) -> Strip:
        """A minute of the plan, the same whenever it is made."""
        minute = self._plan[number]
        seeds = (self._seed, self.day.toordinal(), number)
        spot, volatility = self._path(number)
        return strip_of(seeds, minute.start_ns, minute.progress, self.chain, spot, volatility)

    def _path(self, number: int) -> Path:
        """The stocks' own path, else the walk after their close from where they ended."""
        start_ns = self._plan[number].start_ns
        path = self._leader.index_path(start_ns)
        if path is not None:
            return path
        spot, volatility = self._before(number)
        away = np.zeros(STEPS)
        after = (start_ns - self._stocks_close_ns) // NS_PER_MINUTE
        if 0 <= after < len(self._walk):
            away = self._walk[after]
        levels = np.asarray(spot * np.exp(away)[:, None], np.float64)
        return levels, np.full(STEPS, volatility)

    def _before(self, number: int) -> tuple[Floats, float]:
        """Levels and volatility at the stocks' last step before a minute."""
        for minute in self._plan[:number][::-1]:
            path = self._leader.index_path(minute.start_ns)
            if path is not None:
                return path[0][-1], float(path[1][-1])
        return self._opening

    def _feed(self, row: int, traded: bool, quoted: bool, barred: bool, deep: bool) -> Feed:
        levels, bid_total, ask_total = self._levels(row, deep)
        totals = DayTotals(
            self._board.average_rupees(row), int(self._board.day.volume[row]), bid_total, ask_total
        )
        feed = stock_feed(
            self._board.last_trade(row) if traded else None,
            levels if quoted else None,
            self._board.bars(row, self._midnight_ns) if barred else None,
            totals,
            cas_eligible=False,
        )
        self._add_interest(feed.fullFeed.marketFF, row, quoted)
        return feed

    def _add_interest(self, full: MarketFullFeed, row: int, quoted: bool) -> None:
        """Open interest, and of an option volatility and Greeks, rounded as the broker does."""
        full.oi = float(self.interest()[row])
        known = self.sight()
        if self.listings[row].kind is Kind.FUTURE or known is None:
            return
        full.iv = round(float(known.volatility[row]), 6)
        if quoted:
            for name in ("delta", "theta", "gamma", "vega", "rho"):
                greek = round(float(getattr(known.greeks, name)[row]), _GREEK_DIGITS)
                setattr(full.optionGreeks, name, greek)

    def _levels(self, row: int, deep: bool) -> tuple[list[Level], int, int]:
        """Levels and the whole book's quantities after the latest step; empty before the open."""
        known = self.sight()
        if self._strip is None or known is None:
            return [], 0, 0
        book = self._books.get(row)
        if book is None:
            book = self._books[row] = book_of(self._strip, row)
        step = self._shown_step
        count = book.away.shape[-1] if deep else USUAL_LEVELS
        distance = book.away[step, :, :count] * self.chain.tick[row]
        bids = (known.bid[row] - distance[0]).tolist()
        asks = (known.ask[row] + distance[1]).tolist()
        bid_quantity, ask_quantity = book.quantity[step, :, :count].tolist()
        bid_total, ask_total = book.total[step].tolist()
        levels = zip(bid_quantity, bids, ask_quantity, asks, strict=True)
        return [_without_free(level) for level in levels], bid_total, ask_total


def _without_free(level: Level) -> Level:
    """Nobody bids less than a tick: such a level has no buyer."""
    _, bid, ask_quantity, ask = level
    return level if bid > 0 else (0, 0, ask_quantity, ask)
