"""What a symbol trades by a time of day: the volume of its minutes, session by session."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ticktick.analytics.own import SESSIONS
from ticktick.domain.clock import IST_OFFSET_NS, NS_PER_DAY, NS_PER_MINUTE, ist_day_number
from ticktick.domain.market import Candle, CandleState

_FIRST: Final = 9 * 60  # from 9:00 to 16:00; a session in the evening has no usual volume
_MINUTES: Final = 7 * 60
_MOST: Final = 2**32 - 1
_KEPT: Final = SESSIONS + 4


class SessionVolumes:
    """Minutes of one symbol, in any order; a day of which a minute is missing is not known."""

    def __init__(self) -> None:
        self._days: dict[int, NDArray[np.uint32]] = {}
        self._missing: dict[int, set[int]] = {}
        self._usual: dict[int, list[float]] = {}

    def copy(self) -> "SessionVolumes":
        """The same minutes, which nothing changes any more."""
        same = SessionVolumes()
        same._days = {day: minutes.copy() for day, minutes in self._days.items()}
        same._missing = {day: {*places} for day, places in self._missing.items()}
        return same

    def take(self, candle: Candle) -> None:
        """Take a settled or missing minute, for the first time or corrected."""
        day, place = ist_day_number(candle.start_ns), _place(candle)
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
        self._usual = {known: usual for known, usual in self._usual.items() if known <= day}

    def ratio(self, candle: Candle) -> float | None:
        """The session's volume to the candle's end over the median of 20 sessions before.

        None until 20 sessions are known, or where a minute of this one up to there is missing.
        """
        day, place = ist_day_number(candle.start_ns), _place(candle)
        end = min(place + candle.minutes, _MINUTES) - 1
        is_missed = any(minute <= end for minute in self._missing.get(day, ()))
        if is_missed or not 0 <= place < _MINUTES:
            return None
        usual = self._usual.get(day)
        if usual is None:
            usual = self._usual[day] = self._usual_before(day)
        if not usual or usual[end] <= 0:
            return None
        today = self._days.get(day)
        before = 0 if today is None else int(today[:place].sum(dtype=np.int64))
        return (before + candle.volume) / usual[end]

    def _usual_before(self, day: int) -> list[float]:
        """The median of the sessions' volume up to each minute; empty while they are too few."""
        known = [d for d in sorted(self._days) if d < day and not self._missing.get(d)]
        if len(known) < SESSIONS:
            return []
        sums = [np.cumsum(self._days[d], dtype=np.int64) for d in known[len(known) - SESSIONS :]]
        medians: list[float] = np.median(np.array(sums), axis=0).tolist()
        return medians

    def _drop_oldest(self) -> None:
        while len(self._days) > _KEPT:
            oldest = min(self._days)
            del self._days[oldest]
            self._missing.pop(oldest, None)


def _place(candle: Candle) -> int:
    """The minute after 9:00 in India."""
    return (candle.start_ns + IST_OFFSET_NS) % NS_PER_DAY // NS_PER_MINUTE - _FIRST
