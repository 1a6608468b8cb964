"""Candles of every instrument: forming ones as columns, closed ones in books."""

from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np

from ticktick.core.columns import NEVER_NS, Rows
from ticktick.core.fold import (
    CLOSE,
    HIGH,
    INTEREST,
    LOW,
    OPEN,
    START,
    VOLUME,
    WIDTH,
)
from ticktick.core.kernels import Folding
from ticktick.domain.clock import NS_PER_MINUTE, ist_day_number
from ticktick.domain.market import Candle, CandleState
from ticktick.market.book import COUNTERS, CandleBook
from ticktick.market.coverage import Span
from ticktick.market.phases import Phases
from ticktick.market.table import SlotTable
from ticktick.market.windows import Windows

ROWS_AT_ONCE: Final = 10
"""So many minutes are settled at an event: each costs tenths of a millisecond at a full hour."""


class Candles:
    """Turns trades, the broker's minutes, history and time into closed candles.

    Time moves with TimerFired alone, so that frames may be cut in any way. An event settles
    ROWS_AT_ONCE minutes, so that no frame waits behind those of five hundred symbols: first what
    the broker told, in its order, then what time alone settles; the others wait for `go_on`.
    `counters` holds `late_ticks`, `history_refused` and those of the books; `coverage_changes`
    rises whenever more or less is known.
    """

    def __init__(
        self, table: SlotTable, windows: Windows, phases: Phases, grace_ns: int, confirm_ns: int
    ) -> None:
        self._table = table
        self._phases = phases
        self._grace_ns = grace_ns
        self._confirm_ns = confirm_ns
        self._books: list[CandleBook] = []
        self._forming = np.zeros((table.capacity, WIDTH), np.int64)
        self._frontier_ns = np.zeros(table.capacity, np.int64)
        self._due_ns = np.full(table.capacity, NEVER_NS, np.int64)
        self._closed_rows = np.zeros(table.capacity, np.int32)
        self._closed = np.zeros((table.capacity, WIDTH), np.int64)
        self._minutes_seen = np.zeros((table.capacity, WIDTH - 1), np.int64)
        self._news = np.zeros(table.capacity, np.int32)
        self._folding = Folding(
            windows.traded,
            windows.volume_delta,
            table.words,
            phases.opens_ns,
            phases.closes_ns,
            self._frontier_ns,
            self._forming,
            self._closed_rows,
            self._closed,
            self._minutes_seen,
            self._news,
        )
        self._told: deque[tuple[int, Candle]] = deque()
        self._due: deque[int] = deque()
        self._time_ns = 0
        self.coverage_changes = 0
        self.counters = dict.fromkeys(("late_ticks", "history_refused", *COUNTERS), 0)

    @property
    def waiting(self) -> int:
        """How many minutes were told, or are due, and have not had their turn."""
        return len(self._told) + len(self._due)

    def watch(self) -> None:
        """Open a book for every instrument that has none yet."""
        self._books += [self._book(row) for row in range(len(self._books), len(self._table))]

    def forget(self, rows: Rows) -> None:
        """Begin a new book for these rows."""
        for row in rows.tolist():
            self._books[row] = self._book(row)
        gone = frozenset(rows.tolist())
        self._told = deque(told for told in self._told if told[0] not in gone)
        self._forming[rows] = 0
        self._frontier_ns[rows] = 0
        self._due_ns[rows] = NEVER_NS
        self._minutes_seen[rows] = 0
        self.coverage_changes += 1

    def pause(self, row: int, at_ns: int) -> None:
        """Note that the row's trades are not seen any more."""
        self._books[row].coverage.pause(at_ns)
        self._note_coverage(row)

    def resume(self, row: int, at_ns: int) -> None:
        """Note that the row's trades are seen from the moment on."""
        self._books[row].coverage.resume(at_ns)
        self._note_coverage(row)

    def prove(self, row: int, span: Span) -> None:
        """Note that nothing of the row traded in the span."""
        self._books[row].prove(span)
        self._note_coverage(row)

    def unconfirmed(self, row: int, from_ns: int, until_ns: int) -> list[int]:
        """The starts of the row's closed minutes in [from, until) that nobody confirmed."""
        return self._books[row].unconfirmed(from_ns, until_ns)

    def lost_minutes(self, row: int, until_ns: int) -> list[int]:
        """The starts of the row's minutes before the moment that nobody told in full."""
        return self._books[row].lost_minutes(until_ns)

    def take(self, news: Rows, rows: Rows) -> list[Candle]:
        """Fold the trades of the rows with news and take the broker's own minutes of all rows."""
        closed, late = self._folding.fold(news)
        self.counters["late_ticks"] += late
        changed: list[Candle] = []
        for row, values in zip(self._closed_rows[:closed], self._closed[:closed], strict=True):
            changed += self._close(int(row), values.tolist())
        self._hear_minutes(rows)
        return changed + self.go_on()

    def go_on(self) -> list[Candle]:
        """Settle some of the minutes that wait."""
        changed: list[Candle] = []
        for _ in range(min(self.waiting, ROWS_AT_ONCE)):
            if self._told:
                changed += self._take_minute(*self._told.popleft())
            else:
                changed += self._settle(self._due.popleft())
        return changed

    def advance(self, now_ns: int) -> list[Candle]:
        """Close the minutes that are over, and let time settle what nobody confirmed."""
        self._time_ns = now_ns
        over_ns = self._over_ns()
        np.maximum(self._frontier_ns, over_ns, out=self._frontier_ns)
        starts = self._forming[:, START]
        is_over = (starts > 0) & (starts < over_ns)
        is_due = is_over | (self._due_ns <= now_ns)
        is_due[list(self._due)] = False  # they have their place
        self._due += np.flatnonzero(is_due).tolist()
        return self.go_on()

    def merge(self, row: int, candles: Sequence[Candle], told: Span, now_ns: int) -> list[Candle]:
        """Take the broker's finished minutes of one row; what cannot be one is counted.

        `told` [from, until) is the span of which the broker has no others.
        """
        finished = [candle for candle in candles if self._is_minute(row, candle, now_ns)]
        self.counters["history_refused"] += len(candles) - len(finished)
        told = told[0], max(told[0], min(told[1], now_ns))
        over_ns = told[1] // NS_PER_MINUTE * NS_PER_MINUTE - NS_PER_MINUTE
        changed = self._take_waiting_of(row)
        changed += self._reach(row, max([over_ns, *(candle.start_ns for candle in finished)]))
        changed += self._books[row].merge(finished, told, now_ns, self._closed_until_ns(row))
        self._note_coverage(row)
        return changed

    def forming(self, row: int, minutes: int) -> Candle | None:
        """The candle of the timeframe that still runs."""
        values = self._forming[row].tolist()
        running = self._minute(row, values, CandleState.FORMING) if values[START] else None
        if minutes == 1:
            return running
        return self._books[row].join(minutes, running, self._closed_until_ns(row))

    def closed(self, row: int, minutes: int) -> Sequence[Candle]:
        """The closed candles of the timeframe, oldest first; true until the next one changes."""
        return self._books[row].candles(minutes)

    def _book(self, row: int) -> CandleBook:
        return CandleBook(
            self._table.instruments[row].symbol,
            _RowHours(self._phases, row),
            self._grace_ns,
            self._confirm_ns,
            self.counters,
        )

    def _hear_minutes(self, rows: Rows) -> None:
        """Let the broker's own minutes of these rows wait for their turn."""
        found = self._folding.notice(rows)
        for row in self._news[:found].tolist():
            values = [*self._minutes_seen[row].tolist(), 0]
            start_ns, now_ns = values[START], int(self._table.records["exchange_ns"][row])
            is_today = ist_day_number(start_ns) == ist_day_number(now_ns)
            if is_today and values[LOW] > 0 and self._phases.stretch(row, start_ns):
                self._told.append((row, self._minute(row, values, CandleState.FINAL)))

    def _take_minute(self, row: int, candle: Candle) -> list[Candle]:
        changed = self._reach(row, candle.start_ns)
        changed += self._books[row].confirm(candle, self._closed_until_ns(row))
        self._note_coverage(row)
        return changed

    def _take_waiting_of(self, row: int) -> list[Candle]:
        """Take what waits of one row, before anything that is told later."""
        changed: list[Candle] = []
        waiting = [told for told in self._told if told[0] == row]
        if waiting:
            self._told = deque(told for told in self._told if told[0] != row)
        for told in waiting:
            changed += self._take_minute(*told)
        if row in self._due:
            self._due.remove(row)
            changed += self._settle(row)
        return changed

    def _settle(self, row: int) -> list[Candle]:
        """Let the time that the last timer told settle what it can of one row."""
        is_over = 0 < self._forming[row, START] < self._over_ns()
        changed = self._close_forming(row) if is_over else []
        changed += self._books[row].advance(self._time_ns, self._closed_until_ns(row))
        self._note(row)
        return changed

    def _over_ns(self) -> int:
        """Before it every minute is over, by the time that the last timer told."""
        return (self._time_ns - self._grace_ns) // NS_PER_MINUTE * NS_PER_MINUTE

    def _reach(self, row: int, start_ns: int) -> list[Candle]:
        """Close every minute up to the one the broker calls finished."""
        is_over = 0 < self._forming[row, START] <= start_ns
        end_ns = start_ns + NS_PER_MINUTE
        self._frontier_ns[row] = max(int(self._frontier_ns[row]), end_ns)
        return self._close_forming(row) if is_over else []

    def _closed_until_ns(self, row: int) -> int:
        """Before it every minute of the row is closed; one that is over may wait for its turn."""
        waits_ns = int(self._forming[row, START]) or NEVER_NS
        return min(int(self._frontier_ns[row]), waits_ns)

    def _close_forming(self, row: int) -> list[Candle]:
        values = self._forming[row].tolist()
        self._forming[row, START] = 0
        return self._close(row, values)

    def _close(self, row: int, values: list[int]) -> list[Candle]:
        candle = self._minute(row, values, CandleState.PROVISIONAL)
        changed = self._books[row].close(candle, self._closed_until_ns(row))
        self._note(row)
        return changed

    def _note_coverage(self, row: int) -> None:
        self.coverage_changes += 1
        self._note(row)

    def _note(self, row: int) -> None:
        book = self._books[row]
        due_ns = book.due_ns()
        self._due_ns[row] = NEVER_NS if due_ns is None else due_ns

    def _minute(self, row: int, values: list[int], state: CandleState) -> Candle:
        return Candle(
            symbol=self._table.instruments[row].symbol,
            minutes=1,
            start_ns=values[START],
            open=values[OPEN],
            high=values[HIGH],
            low=values[LOW],
            close=values[CLOSE],
            volume=values[VOLUME],
            open_interest=values[INTEREST],
            state=state,
            confirmed=state is CandleState.FINAL,
        )

    def _is_minute(self, row: int, candle: Candle, now_ns: int) -> bool:
        return (
            candle.minutes == 1
            and candle.low > 0
            and candle.end_ns <= now_ns
            and self._phases.stretch(row, candle.start_ns) is not None
        )


class _RowHours:
    """The trading hours of one row."""

    def __init__(self, phases: Phases, row: int) -> None:
        self._phases = phases
        self._row = row

    def stretch(self, at_ns: int) -> Span | None:
        """The session that holds the moment."""
        return self._phases.session(self._row, at_ns)

    def trading(self, span: Span) -> Sequence[Span]:
        """The parts of the span in which the instrument trades."""
        return self._phases.trading(self._row, span)
