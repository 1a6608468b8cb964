"""What a symbol trades by a time of day: the volume of its minutes, session by session."""

from array import array
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ticktick.analytics.own import SESSIONS
from ticktick.domain.clock import IST_OFFSET_NS, NS_PER_DAY, NS_PER_MINUTE
from ticktick.domain.market import Candle, CandleState

_FIRST: Final = 9 * 60  # from 9:00 to 16:00; a session in the evening has no usual volume
_MINUTES: Final = 7 * 60
_MOST: Final = 2**32 - 1
_KEPT: Final = SESSIONS + 4
_NO_SUMS: Final = array("q")


class SessionVolumes:
    """Minutes of one symbol, in any order; a day of which a minute is missing is not known."""

    def __init__(self) -> None:
        self._days: dict[int, NDArray[np.uint32]] = {}
        self._missing: dict[int, set[int]] = {}
        self._usual: dict[int, array[float]] = {}
        self._sums: tuple[int, array[int]] = (0, _NO_SUMS)

    def copy(self) -> "SessionVolumes":
        """The same minutes, which nothing changes any more."""
        same = SessionVolumes()
        same._days = {day: minutes.copy() for day, minutes in self._days.items()}
        same._missing = {day: {*places} for day, places in self._missing.items()}
        return same

    def take(self, candle: Candle) -> None:
        """Take a settled or missing minute, for the first time or corrected."""
        day, place = _place(candle)
        if not 0 <= place < _MINUTES:
            return
        minutes = self._days.get(day)
        if minutes is None:
            minutes = self._days[day] = np.zeros(_MINUTES, np.uint32)
            self._drop_oldest()
        if candle.state is CandleState.MISSING:
            self._missing.setdefault(day, set()).add(place)
        elif day in self._missing:
            self._missing[day].discard(place)
        minutes[place] = min(candle.volume, _MOST)
        if self._usual and max(self._usual) > day:
            self._usual = {known: usual for known, usual in self._usual.items() if known <= day}
        if day == self._sums[0]:
            self._sums = (0, _NO_SUMS)

    def ratio(self, candle: Candle) -> float | None:
        """The session's volume to the candle's end over the median of 20 sessions before.

        None until 20 sessions are known, or where a minute of this one up to there is missing.
        """
        day, place = _place(candle)
        end = min(place + candle.minutes, _MINUTES) - 1
        missing = self._missing.get(day)
        if not 0 <= place < _MINUTES or (missing and min(missing) <= end):
            return None
        usual = self._usual.get(day)
        if usual is None:
            usual = self._usual[day] = self._usual_before(day)
        if not usual or usual[end] <= 0:
            return None
        if day != self._sums[0]:
            self._sums = day, self._sums_of(day)
        return (self._sums[1][place] + candle.volume) / usual[end]

    def _sums_of(self, day: int) -> "array[int]":
        """The volume of the day before each of its minutes."""
        minutes = self._days.get(day)
        sums = np.zeros(_MINUTES, np.int64)
        if minutes is not None:
            np.cumsum(minutes[:-1], dtype=np.int64, out=sums[1:])
        return array("q", sums.tobytes())

    def _usual_before(self, day: int) -> "array[float]":
        """The median of the sessions' volume up to each minute; empty while they are too few."""
        known = [d for d in sorted(self._days) if d < day and not self._missing.get(d)]
        if len(known) < SESSIONS:
            return array("d")
        sums = [np.cumsum(self._days[d], dtype=np.int64) for d in known[len(known) - SESSIONS :]]
        return array("d", np.median(np.array(sums), axis=0).tobytes())

    def _drop_oldest(self) -> None:
        while len(self._days) > _KEPT:
            oldest = min(self._days)
            del self._days[oldest]
            self._missing.pop(oldest, None)


def _place(candle: Candle) -> tuple[int, int]:
    """The day, and the minute after 9:00 in India."""
    day, of_day_ns = divmod(candle.start_ns + IST_OFFSET_NS, NS_PER_DAY)
    return day, of_day_ns // NS_PER_MINUTE - _FIRST
