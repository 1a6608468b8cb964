"""Flags that do not flicker: levels with hysteresis and a least time between two changes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ticktick.core.columns import Ints, Rows
from ticktick.domain.clock import NS_PER_S

DWELL_NS: Final = 30 * NS_PER_S
HYSTERESIS: Final = 0.2

Levels = NDArray[np.int64]
_NONE: Final = -1


class Ladder:
    """One level per row of the table, changed at most once in 30 seconds."""

    def __init__(self, capacity: int) -> None:
        self._level: Levels = np.full(capacity, _NONE, np.int64)
        self._since_ns: Ints = np.zeros(capacity, np.int64)

    def forget(self, rows: Rows) -> None:
        """Begin anew: what comes next has nothing to do with what was."""
        self._level[rows] = _NONE

    def level(self, rows: Rows) -> Levels:
        """The levels of the rows, -1 where there is none yet."""
        return self._level[rows]

    def settle(self, rows: Rows, first: Levels, least: Levels, most: Levels, now_ns: int) -> Levels:
        """The levels of the rows from now on.

        A row without one takes the `first`; any other keeps its level while that lies within
        [least, most], the span that hysteresis leaves, else moves to the nearer end.
        """
        held = self._level[rows]
        goal = np.clip(held, least, most)
        may_change = now_ns - self._since_ns[rows] >= DWELL_NS
        level = np.where(held == _NONE, first, np.where(may_change, goal, held))
        self._since_ns[rows] = np.where(level != held, now_ns, self._since_ns[rows])
        self._level[rows] = level
        return level
