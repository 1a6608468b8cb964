"""One day of stocks and indices, run step by step."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np

from ticktick.domain.clock import NS_PER_MINUTE, ist_midnight_ns
from ticktick.domain.sessions import Calendar
from ticktick.emulator.bars import Bars
from ticktick.emulator.board import Board
from ticktick.emulator.calls import Calls
from ticktick.emulator.day import Act, Prints, prints_of, stock_plan
from ticktick.emulator.lead import Path
from ticktick.emulator.listings import Listing
from ticktick.emulator.model import N_LISTINGS, N_STOCKS, STEP_NS, STEPS, Carry, Flow, Ints, chance
from ticktick.emulator.register import Register
from ticktick.emulator.script import Scene, Script
from ticktick.emulator.showing import NoBooks
from ticktick.emulator.wire import DayTotals, index_feed, stock_feed
from ticktick.proto.MarketDataFeed_pb2 import Feed

_PUBLISH_STREAM = 2
_ALL: Final = np.arange(N_LISTINGS)


class StockDay:
    """The rows of the market on one day, from the state in which it opens.

    `listed` are the stocks and indices of the day by row, `board` shows their previous closes.
    """

    def __init__(
        self,
        seed: int,
        day: date,
        calendar: Calendar,
        register: Register,
        listed: Sequence[Listing],
        carry: Carry,
        board: Board,
    ) -> None:
        self.day = day
        self.calls = Calls(seed, day, calendar, board)
        self.script = Script(seed, day, self.calls, carry, board)
        self._seed = seed
        self._calendar = calendar
        self._register = register
        self._listed = listed
        self._board = board
        self._midnight_ns = ist_midnight_ns(day)
        self._plan = stock_plan(day, calendar)
        self._number = 0
        self._step = 0
        self._scene = Scene(NoBooks())
        self._due: Ints = np.zeros(N_LISTINGS, np.int64)
        self._finished: Ints = np.zeros((len(self._plan), 5, N_LISTINGS), np.int64)
        self._prints: list[Prints] = []
        self.is_halted = False

    @property
    def closes(self) -> Ints:
        """Closing prices by row in paise, as far as the day has got."""
        return self.calls.closes(self.script.carry.last_price)

    @property
    def last_ns(self) -> Ints:
        """Time of the latest trade by row."""
        return self._board.last_ns

    @property
    def has_begun(self) -> bool:
        """Whether any of it has happened."""
        return self._number + self._step > 0

    def index_path(self, start_ns: int) -> Path | None:
        """Where the stocks' books put the indices in a minute that has begun."""
        return self.script.paths.get(start_ns)

    def next_ns(self) -> int | None:
        """End of the next step; None when the day is over."""
        if self._number == len(self._plan):
            return None
        return self._plan[self._number].start_ns + (self._step + 1) * STEP_NS

    def ends_minute_by(self, to_ns: int) -> bool:
        """Whether a whole minute begins here and is over at the moment."""
        return self._step == 0 and self._plan[self._number].start_ns + NS_PER_MINUTE <= to_ns

    def whole_minute(self) -> None:
        """Run a minute nobody listens to."""
        self._begin_minute()
        flow = self._scene.flow
        if flow is not None:
            self._take(flow, slice(None))
        self._scene.books.step = STEPS - 1
        self._board.publish(_ALL)
        self._finish_minute()

    def step(self, rows: Ints, deep: frozenset[str]) -> dict[str, Feed]:
        """Run one step; returns what changed in these rows, with the whole book where deep."""
        if self._step == 0:
            self._begin_minute()
        step, scene = self._step, self._scene
        traded = np.zeros(N_LISTINGS, np.bool_)
        booked = np.zeros(N_LISTINGS, np.bool_)
        scene.books.step = step
        if scene.flow is not None:
            now = slice(scene.flow.bounds[step], scene.flow.bounds[step + 1])
            self._take(scene.flow, now)
            traded[scene.flow.row[now]] = True
        if scene.moves is not None:
            booked[:N_STOCKS] = scene.moves[step]
        barred = traded.copy()
        barred[self._board.publish(np.flatnonzero(self._due == step))] = True
        feeds = {}
        for row in rows[(barred | booked)[rows]].tolist():
            key = self._listed[row].key
            told, moved, ended = bool(traded[row]), bool(booked[row]), bool(barred[row])
            feeds[key] = self.feed(row, told, moved, ended, key in deep)
        self._step += 1
        if self._step == STEPS:
            self._finish_minute()
        return feeds

    def feed(self, row: int, traded: bool, booked: bool, barred: bool, deep: bool) -> Feed:
        """A listing in full mode, as far as these parts are wanted."""
        bars = self._board.bars(row, self._midnight_ns) if barred else None
        if row >= N_STOCKS:
            return index_feed(self._board.last_trade(row) if traded else None, bars)
        book = self._scene.books.book(row, deep)
        indication = self._scene.books.indication(row) if booked else None
        trade = self._board.last_trade(row) if traded or indication is not None else None
        totals = DayTotals(
            self._board.average_rupees(row),
            int(self._board.day.volume[row]),
            book.bid_total,
            book.ask_total,
        )
        eligible = self._listed[row].cas_eligible
        levels = book.levels if booked else None
        return stock_feed(trade, levels, bars, totals, eligible, indication)

    def replan(self, now_ns: int) -> None:
        """Take up changed hours for the minutes that have not begun."""
        begun = self._number + (self._step > 0)
        running_ns = self._plan[self._number].start_ns if self._step else 0
        later = [
            minute
            for minute in stock_plan(self.day, self._calendar)
            if minute.start_ns >= now_ns and minute.start_ns > running_ns
        ]
        self._plan = self._plan[:begun] + later
        table: Ints = np.zeros((len(self._plan), 5, N_LISTINGS), np.int64)
        table[:begun] = self._finished[:begun]
        self._finished = table

    def bars(self, row: int) -> Bars:
        """One-minute bars so far."""
        starts = np.array([minute.start_ns for minute in self._plan[: self._number + 1]], np.int64)
        table = self._finished[: len(starts), :, row].copy()
        if self._number < len(self._plan):
            table[-1] = self._board.minute.table[:, row]
        traded = table[:, 0] > 0
        return Bars(starts[traded], *table[traded].T)

    def day_bar(self, row: int) -> Bars:
        """The day's bar so far, auctions and trades after the close included; none without."""
        table = self._board.day.table[:, row : row + 1].copy()
        if self.next_ns() is None:
            table[3] = self.closes[row]
        start = np.full(1, self._midnight_ns)
        known = table[0] > 0
        return Bars(start[known], *(column[known] for column in table))

    def trades(self, row: int, from_ns: int, to_ns: int) -> list[tuple[int, int, int]]:
        """Trades of a row in [from_ns, to_ns) up to now: nanoseconds, paise, shares."""
        kept = [*self._prints, *self._running_prints()]
        return [trade for prints in kept for trade in prints.between(row, from_ns, to_ns)]

    def _begin_minute(self) -> None:
        minute, books = self._plan[self._number], self._scene.books
        seeds = (self._seed, self.day.toordinal(), minute.number)
        self._due = chance(seeds, _PUBLISH_STREAM).integers(1, 8, N_LISTINGS)
        self.calls.watch(minute)
        if self.is_halted:
            self._scene = Scene(books)
            return
        held = self._register.condition(self._board.previous_close)
        self._scene = self.script.scene(minute, books, held)

    def _take(self, flow: Flow, now: slice) -> None:
        row, at_ns, price = flow.row[now], flow.at_ns[now], flow.price[now]
        match self._act:
            case Act.CALL:
                self._board.indicate(row, at_ns, price)
            case Act.MATCH:
                self._board.take_auction(row, at_ns, price, flow.quantity[now])
            case Act.AT_CLOSE:
                self._board.take_at_close(row, at_ns, price, flow.quantity[now])
            case _:
                self._board.take(row, at_ns, price, flow.quantity[now])

    def _finish_minute(self) -> None:
        minute, flow = self._plan[self._number], self._scene.flow
        self._finished[self._number] = self._board.finish_minute(minute.start_ns)
        if flow is not None and self._act is not Act.CALL:
            self._prints.append(prints_of(flow, len(flow.row)))
        self._number += 1
        self._step = 0

    def _running_prints(self) -> list[Prints]:
        flow = self._scene.flow
        if self._step == 0 or flow is None or self._act is Act.CALL:
            return []
        return [prints_of(flow, int(flow.bounds[self._step]))]

    @property
    def _act(self) -> Act:
        return self._plan[self._number].act
