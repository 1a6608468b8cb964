"""What happens to stocks and indices in each minute of a day: books, trades, what is carried on.

A minute follows from (seed, day, minute), the state that the one before has left, and what is
held of single stocks.
"""

from datetime import date
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from ticktick.emulator.auction import Call, matched
from ticktick.emulator.board import Board
from ticktick.emulator.calls import Calls
from ticktick.emulator.day import Act, Minute
from ticktick.emulator.lead import Path, index_path
from ticktick.emulator.model import (
    N_STOCKS,
    STEP_MS,
    STEP_NS,
    STEPS,
    TRADES_PER_STEP,
    USUAL_QUANTITY,
    Carry,
    Condition,
    Flags,
    Flow,
    Ints,
    beside,
    chance,
    flow_of,
    index_values,
    latest_step,
    minute_tape,
)
from ticktick.emulator.showing import (
    CLEARED,
    Books,
    ClearedBooks,
    ClosingBooks,
    TapeBooks,
)

_MATCH_STREAM, _CLOSE_STREAM, _SIDE_STREAM = 15, 16, 17
_CLEAR_STEP = STEPS // 2
_MATCH_STEPS, _INDEX_MS = 80, 30_000
_STEPS_PER_VALUE = 4
_CLOSE_REFRESH, _CLOSE_ORDERS, _CLOSE_TRADES = 0.02, 40.0, 0.05
_INDEX_ROWS: Final = np.array([N_STOCKS, N_STOCKS + 1])


class Scene(Struct, frozen=True):
    """A minute: its books, what trades, and which books are told anew [STEPS, stocks]."""

    books: Books
    flow: Flow | None = None
    moves: Flags | None = None


class Script:
    """The minutes of a day; `carry` is the state after the latest, `paths` what indices did."""

    def __init__(self, seed: int, day: date, calls: Calls, carry: Carry, board: Board) -> None:
        self.carry = carry
        self.paths: dict[int, Path] = {}
        self._seeds = (seed, day.toordinal())
        self._calls = calls
        self._board = board

    def scene(self, minute: Minute, books: Books, held: Condition) -> Scene:
        """A minute after the books of the one before."""
        match minute.act:
            case Act.TRADE:
                return self._trading(minute, books, held)
            case Act.CALL:
                return self._calling(minute, books, held)
            case Act.MATCH:
                return self._matching(minute, books, held)
            case Act.AT_CLOSE:
                return self._at_close(minute, held)
        return _resting(books, held)

    def _trading(self, minute: Minute, books: Books, held: Condition) -> Scene:
        seeds = (*self._seeds, minute.number)
        tape, self.carry = minute_tape(seeds, minute.start_ns, minute.progress, self.carry, held)
        self.paths[minute.start_ns] = index_path(tape)
        kept = {row: books.book(row, True) for row in np.flatnonzero(held.still).tolist()}
        return Scene(TapeBooks(tape, kept), tape, tape.refreshed)

    def _calling(self, minute: Minute, books: Books, held: Condition) -> Scene:
        found = self._calls.at(minute.start_ns, self.carry)
        if found is None:
            return Scene(books)
        call, crossed = found
        first = (minute.start_ns - call.start_ns) // STEP_NS
        out = _out_of_auctions(held)
        crossed.begin(first, out)
        moves = call.refreshed[first : first + STEPS] & ~out
        flow = None if call.reference.any() else self._indicated(minute, call, first, out)
        return Scene(crossed, flow, moves)

    def _matching(self, minute: Minute, books: Books, held: Condition) -> Scene:
        found = self._calls.match(minute.start_ns)
        if found is None:
            return Scene(books)
        price, quantity = matched(found[0])
        price = np.where(_out_of_auctions(held), 0, price)
        rows = np.flatnonzero(price)
        rng = chance((*self._seeds, minute.number), _MATCH_STREAM)
        step = np.where(price > 0, rng.integers(1, _MATCH_STEPS, N_STOCKS), STEPS)
        self._take_match(price)
        flow = flow_of(
            minute.start_ns,
            np.concatenate([rows, _INDEX_ROWS]),
            np.concatenate([step[rows] * STEP_MS, [_INDEX_MS, _INDEX_MS]]),
            np.concatenate([price[rows], self.carry.last_price[_INDEX_ROWS]]),
            np.concatenate([quantity[rows], [0, 0]]),
        )
        return Scene(ClearedBooks(books, step), flow, _at_steps(step))

    def _take_match(self, price: Ints) -> None:
        carry = self.carry
        last = carry.last_price.copy()
        last[:N_STOCKS] = np.where(price > 0, price, last[:N_STOCKS])
        last[_INDEX_ROWS] = index_values(last[:N_STOCKS] * carry.shares)
        half_ticks = np.where(price > 0, beside(price), carry.half_ticks)
        spread = np.where(price > 0, 1, carry.spread)
        self.carry = replace(carry, half_ticks=half_ticks, spread=spread, last_price=last)

    def _at_close(self, minute: Minute, held: Condition) -> Scene:
        """Orders and trades at the closing price of who has traded in the day."""
        rng = chance((*self._seeds, minute.number), _CLOSE_STREAM)
        closes = self._calls.closes(self.carry.last_price)[:N_STOCKS]
        idle = _out_of_auctions(held) | (self._board.day.volume[:N_STOCKS] == 0)
        usual = USUAL_QUANTITY * self.carry.shares
        moves = rng.random((STEPS, N_STOCKS)) < _CLOSE_REFRESH
        moves[0] = True
        size = usual * _CLOSE_ORDERS * np.exp(0.5 * rng.standard_normal(moves.shape))
        size = np.take_along_axis(np.maximum(1, np.round(size)), latest_step(moves), axis=0)
        buyers = chance(self._seeds, _SIDE_STREAM).random(N_STOCKS) < 0.5
        books = ClosingBooks(closes, np.where(idle, 0, np.where(buyers, size, -size)).astype(int))
        counts = rng.poisson(TRADES_PER_STEP * STEPS * _CLOSE_TRADES)
        row = np.repeat(np.arange(N_STOCKS), np.where(idle, 0, counts))
        offset_ms = rng.integers(0, STEPS * STEP_MS, row.size)
        bought = np.round(usual[row] * np.exp(0.9 * rng.standard_normal(row.size)))
        quantity = np.maximum(1, bought).astype(np.int64)
        flow = flow_of(minute.start_ns, row, offset_ms, closes[row], quantity)
        return Scene(books, flow, moves & ~idle)

    def _indicated(self, minute: Minute, call: Call, first: int, out: Flags) -> Flow:
        """The indices once a second, as if stocks were at their equilibrium prices."""
        step = np.arange(0, STEPS, _STEPS_PER_VALUE)
        latest = call.latest[first + step]
        told = np.take_along_axis(call.price, np.maximum(latest, 0), axis=0)
        price = np.where((latest < 0) | out, self.carry.last_price[:N_STOCKS], told)
        values = index_values(price * self.carry.shares).astype(np.int64)
        return flow_of(
            minute.start_ns,
            np.tile(_INDEX_ROWS, len(step)),
            np.repeat(step * STEP_MS, len(_INDEX_ROWS)),
            values.ravel(),
            np.zeros(values.size, np.int64),
        )


def _out_of_auctions(held: Condition) -> Flags:
    return np.asarray(held.mute | held.still | (held.side != 0), np.bool_)


def _resting(books: Books, held: Condition) -> Scene:
    """The books are taken away half a minute after trading, as the feed shows it."""
    shown = [books.book(row, deep=False) for row in range(N_STOCKS)]
    there = np.array([bool(book.levels) and book != CLEARED for book in shown])
    step = np.where(there & ~held.still, _CLEAR_STEP, STEPS)
    return Scene(ClearedBooks(books, step), None, _at_steps(step))


def _at_steps(step: Ints) -> Flags:
    """Flags [STEPS, stocks] that are set at one step of each stock, never at STEPS."""
    return np.asarray(np.arange(STEPS)[:, None] == step, np.bool_)
