"""The minutes of a trading day, and the trades of each kept in little memory."""

from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS
from ticktick.domain.sessions import Calendar, SessionClass
from ticktick.emulator.model import Ints, Tape


class Minute(NamedTuple):
    """A minute of the plan; in a quiet one nothing trades, only the last bar is published."""

    start_ns: int
    progress: float
    quiet: bool


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


def day_plan(day: date, calendar: Calendar, kind: SessionClass) -> list[Minute]:
    """The minutes in which that class trades, a quiet one after each stretch for its last bar."""
    session = calendar.session(day, kind)
    if session is None:
        return []
    plan: list[Minute] = []
    for start, end in session.stretches:
        for at_ns in range(start, end, NS_PER_MINUTE):
            plan.append(Minute(at_ns, len(plan) / session.minutes, quiet=False))
        plan.append(Minute(end, 1.0, quiet=True))
    return plan


def prints_of(tape: Tape, count: int) -> Prints:
    """The first trades of a tape."""
    offset_ms = (tape.at_ns[:count] - tape.start_ns) // NS_PER_MS
    return Prints(
        tape.start_ns,
        tape.row[:count].astype(np.int8),
        offset_ms.astype(np.uint16),
        tape.price[:count].astype(np.int32),
        tape.quantity[:count].astype(np.int32),
    )
