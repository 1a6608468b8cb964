"""The minutes of a trading day, and the trades of each kept in little memory."""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS, ist_day, ist_midnight_ns
from ticktick.domain.sessions import Calendar, Session, SessionClass
from ticktick.emulator.model import Flow, Ints

_OPENING: Final = 9 * 60 + 15
_EARLY: Final = 10_000
ENTRY_MINUTES: Final = 8
_REFERENCE_MINUTES, _MATCH_MINUTES = 5, 5


class Act(StrEnum):
    """What happens in a minute: in a `rest` the last bar is told and the book taken away."""

    TRADE = "trade"
    REST = "rest"
    CALL = "call"
    MATCH = "match"
    AT_CLOSE = "at the close"


class Minute(NamedTuple):
    """A minute of the plan; `progress` is that of continuous trading, from 0 to 1."""

    start_ns: int
    progress: float
    act: Act

    @property
    def number(self) -> int:
        """The minute among those of any day, 0 at 09:15; of earlier ones above all others."""
        of_day = (self.start_ns - ist_midnight_ns(ist_day(self.start_ns))) // NS_PER_MINUTE
        return of_day - _OPENING if of_day >= _OPENING else of_day + _EARLY


class Prints(NamedTuple):
    """Trades of one minute in compact columns."""

    start_ns: int
    row: NDArray[np.int8]
    offset_ms: NDArray[np.uint16]
    price: NDArray[np.int32]
    quantity: NDArray[np.int32]

    def between(self, row: int, from_ns: int, to_ns: int) -> list[tuple[int, int, int]]:
        """Trades of one listing in [from_ns, to_ns): nanoseconds, paise, shares."""
        if self.start_ns + NS_PER_MINUTE <= from_ns or self.start_ns >= to_ns:
            return []
        at_ns: Ints = self.start_ns + self.offset_ms.astype(np.int64) * NS_PER_MS
        mine = (self.row == row) & (from_ns <= at_ns) & (at_ns < to_ns)
        columns = (at_ns[mine], self.price[mine], self.quantity[mine])
        return list(zip(*(column.tolist() for column in columns), strict=True))


class Auction(NamedTuple):
    """Times of a call auction: orders from `start_ns` on, matched from `match_ns` on."""

    start_ns: int
    match_ns: int


def opening_auction(session: Session) -> Auction | None:
    """The auction of the pre-open; None on a day without."""
    start_ns = session.pre_open_ns
    match_ns = start_ns + ENTRY_MINUTES * NS_PER_MINUTE
    return Auction(start_ns, match_ns) if match_ns < session.open_ns else None


def closing_auction(session: Session) -> Auction | None:
    """The auction after the end of trading, when the reference price is known; None if none."""
    start_ns = session.close_ns + _REFERENCE_MINUTES * NS_PER_MINUTE
    match_ns = session.auction_end_ns - _MATCH_MINUTES * NS_PER_MINUTE
    return Auction(start_ns, match_ns) if start_ns < match_ns else None


def stock_plan(day: date, calendar: Calendar) -> list[Minute]:
    """The minutes of stocks: auctions around continuous trading, then trades at the close."""
    session = calendar.session(day, SessionClass.AUCTION_CASH)
    if session is None:
        return []
    plan = day_plan(day, calendar, SessionClass.AUCTION_CASH)
    for auction in (opening_auction(session), closing_auction(session)):
        if auction is not None:
            plan += _minutes(auction.start_ns, auction.match_ns, Act.CALL)
            plan.append(Minute(auction.match_ns, 1.0, Act.MATCH))
    start_ns, end_ns = session.post_close_ns
    if start_ns < end_ns:
        plan += [*_minutes(start_ns, end_ns, Act.AT_CLOSE), Minute(end_ns, 1.0, Act.REST)]
    return sorted(plan)


def _minutes(start_ns: int, end_ns: int, act: Act) -> Iterator[Minute]:
    for at_ns in range(start_ns, end_ns, NS_PER_MINUTE):
        yield Minute(at_ns, 1.0, act)


def day_plan(day: date, calendar: Calendar, kind: SessionClass) -> list[Minute]:
    """The minutes in which that class trades, one of rest after each stretch."""
    session = calendar.session(day, kind)
    if session is None:
        return []
    plan: list[Minute] = []
    for start, end in session.stretches:
        for at_ns in range(start, end, NS_PER_MINUTE):
            plan.append(Minute(at_ns, len(plan) / session.minutes, Act.TRADE))
        plan.append(Minute(end, 1.0, Act.REST))
    return plan


def prints_of(flow: Flow, count: int) -> Prints:
    """The first trades of a minute."""
    offset_ms = (flow.at_ns[:count] - flow.start_ns) // NS_PER_MS
    return Prints(
        flow.start_ns,
        flow.row[:count].astype(np.int8),
        offset_ms.astype(np.uint16),
        flow.price[:count].astype(np.int32),
        flow.quantity[:count].astype(np.int32),
    )
