"""Which phase each segment and each instrument is in: the feed's word first, else the calendar."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ticktick.core.columns import Rows
from ticktick.core.measure import NEVER_NS
from ticktick.domain.clock import (
    NS_PER_DAY,
    NS_PER_MINUTE,
    ist_day,
    ist_day_number,
    ist_midnight_ns,
)
from ticktick.domain.instrument import Instrument
from ticktick.domain.sessions import Calendar, DayHours, Phase, Session, SessionClass, session_class

STRETCHES = 4
_OVER = frozenset({Phase.CLOSED, Phase.POST_CLOSE, Phase.AUCTION, Phase.HALTED})
_LIVELIEST = (
    Phase.CONTINUOUS,
    Phase.AUCTION,
    Phase.PRE_OPEN,
    Phase.POST_CLOSE,
    Phase.CLOSED,
)

Stretch = tuple[int, int]


class Phases:
    """The phases of one day; the feed's word holds from when it first spoke on that day.

    `by_segment` and `sources` are for people; `rows` is the phase of each instrument, which may
    differ inside a segment: its own closing auction is the calendar's, since the feed tells one
    phase for all. `opens_ns`, `closes_ns` (int64[capacity, STRETCHES]) bound the trades that may
    enter candles, `continuous` (uint8[capacity]) says whose quotes stand.
    """

    def __init__(self, calendar: Calendar, capacity: int) -> None:
        self._calendar = calendar
        self._sessions: dict[tuple[int, SessionClass], Session | None] = {}
        self._instruments: Sequence[Instrument] = ()
        self._words: dict[str, Phase] = {}
        self._stopped_ns: dict[str, int] = {}
        self._extra: dict[str, list[Stretch]] = {}
        self._day_start_ns = 0
        self._due_ns = 0
        self.by_segment: dict[str, Phase] = {}
        self.sources: dict[str, str] = {}
        self.rows: list[Phase] = []
        self._flipped = np.zeros(capacity, np.bool_)
        self.continuous = np.zeros(capacity, np.uint8)
        self.opens_ns = np.zeros((capacity, STRETCHES), np.int64)
        self.closes_ns = np.zeros((capacity, STRETCHES), np.int64)

    def watch(self, instruments: Sequence[Instrument], at_ns: int) -> list[str]:
        """Take over the instruments, by row; return the segments whose phase changed."""
        self._instruments = instruments
        self._due_ns = 0
        return self.advance(at_ns)

    def replan(self, days: Iterable[DayHours], at_ns: int) -> list[str]:
        """Take over what the broker says of days; return the segments whose phase changed."""
        self._calendar = self._calendar.told(days)
        self._sessions.clear()
        self._due_ns = 0
        return self.advance(at_ns)

    def advance(self, at_ns: int) -> list[str]:
        """Move to the moment; return the segments whose phase changed."""
        if self._day_start_ns <= at_ns < self._due_ns:
            return []
        if not self._day_start_ns <= at_ns < self._day_start_ns + NS_PER_DAY:
            self._day_start_ns = ist_midnight_ns(ist_day(at_ns))
            self._words.clear()
            self._stopped_ns.clear()
            self._extra.clear()
        return self._refresh(at_ns)

    def hear(self, words: Mapping[str, Phase], at_ns: int) -> list[str]:
        """Take over what the feed says; return the segments whose phase changed."""
        changed = self.advance(at_ns)
        if not words:
            return changed
        for segment in sorted(words.keys() & {i.segment for i in self._instruments}):
            if words[segment] is not Phase.UNKNOWN:
                self._hear_segment(segment, words[segment], at_ns)
        return sorted({*changed, *self._refresh(at_ns)})

    def take_flipped(self) -> Rows:
        """The rows that began or ceased to trade continuously since the last call."""
        flipped = np.flatnonzero(self._flipped).astype(np.int32)
        self._flipped.fill(False)
        return flipped

    def stretch(self, row: int, at_ns: int) -> Stretch | None:
        """The continuous stretch of the instrument's session that holds the moment."""
        instrument = self._instruments[row]
        for start, end in self._stretches(instrument, at_ns):
            if start <= at_ns < end:
                return start, end
        return None

    def trading(self, row: int, span: Stretch) -> list[Stretch]:
        """The parts of the span, of any days, in which the instrument trades continuously."""
        instrument = self._instruments[row]
        found = []
        at_ns = ist_midnight_ns(ist_day(span[0]))
        while at_ns < span[1]:
            for start, end in self._stretches(instrument, at_ns):
                if start < span[1] and span[0] < end:
                    found.append((max(start, span[0]), min(end, span[1])))
            at_ns += NS_PER_DAY
        return found

    def _hear_segment(self, segment: str, word: Phase, at_ns: int) -> None:
        before = self._words.get(segment)
        self._words[segment] = word
        extra = self._extra.setdefault(segment, [])
        if word is Phase.CONTINUOUS:
            if before is not word and self._is_unplanned(segment, before, at_ns):
                start = at_ns // NS_PER_MINUTE * NS_PER_MINUTE
                extra.append((start, self._day_start_ns + NS_PER_DAY))
        elif extra and extra[-1][1] > at_ns:
            extra[-1] = (extra[-1][0], at_ns)
        if word in _OVER:
            self._stopped_ns.setdefault(segment, at_ns)
        else:
            self._stopped_ns.pop(segment, None)

    def _is_unplanned(self, segment: str, before: Phase | None, at_ns: int) -> bool:
        """Whether trading starts at a time the calendar does not know.

        A first word on a day of the calendar may be a late one of its session: not believed.
        """
        sessions = [self._session(at_ns, kind) for kind in self._kinds(segment)]
        if all(session is None for session in sessions):
            return True
        return before is not None and all(
            session is None or session.phase(at_ns) in {Phase.CLOSED, Phase.POST_CLOSE}
            for session in sessions
        )

    def _refresh(self, at_ns: int) -> list[str]:
        changed = []
        for segment in sorted({instrument.segment for instrument in self._instruments}):
            word = self._words.get(segment)
            phase = self._by_calendar(segment, at_ns) if word is None else word
            self.sources[segment] = "calendar" if word is None else "feed"
            if self.by_segment.get(segment) is not phase:
                self.by_segment[segment] = phase
                changed.append(segment)
        self.rows = [self._row_phase(instrument, at_ns) for instrument in self._instruments]
        continuous = np.array([phase is Phase.CONTINUOUS for phase in self.rows], np.uint8)
        now = self.continuous[: len(continuous)]
        self._flipped[: len(now)] |= now != continuous
        now[:] = continuous
        self._bound_candles(at_ns)
        self._due_ns = self._next_change_ns(at_ns)
        return changed

    def _by_calendar(self, segment: str, at_ns: int) -> Phase:
        phases = {self._phase(kind, at_ns) for kind in self._kinds(segment)}
        return next(phase for phase in _LIVELIEST if phase in phases)

    def _row_phase(self, instrument: Instrument, at_ns: int) -> Phase:
        planned = self._phase(session_class(instrument), at_ns)
        word = self._words.get(instrument.segment)
        if word is None or (planned is Phase.AUCTION and word in {Phase.CONTINUOUS, Phase.CLOSED}):
            return planned
        return word

    def _bound_candles(self, at_ns: int) -> None:
        self.opens_ns.fill(0)
        self.closes_ns.fill(0)
        for row, instrument in enumerate(self._instruments):
            stop_ns = self._stopped_ns.get(instrument.segment, NEVER_NS)
            stretches = self._stretches(instrument, at_ns)[-STRETCHES:]
            for place, (start, end) in enumerate(stretches):
                self.opens_ns[row, place] = start
                self.closes_ns[row, place] = min(end, stop_ns)

    def _stretches(self, instrument: Instrument, at_ns: int) -> list[Stretch]:
        session = self._session(at_ns, session_class(instrument))
        planned = [] if session is None else list(session.stretches)
        extra = self._extra.get(instrument.segment)
        if extra and self._day_start_ns <= at_ns < self._day_start_ns + NS_PER_DAY:
            planned += extra
        return planned

    def _next_change_ns(self, at_ns: int) -> int:
        moments = [self._day_start_ns + NS_PER_DAY]
        for kind in {session_class(instrument) for instrument in self._instruments}:
            session = self._session(at_ns, kind)
            if session is not None:
                moments += session.boundaries
        return min(moment for moment in moments if moment > at_ns)

    def _kinds(self, segment: str) -> set[SessionClass]:
        return {session_class(i) for i in self._instruments if i.segment == segment}

    def _phase(self, kind: SessionClass, at_ns: int) -> Phase:
        session = self._session(at_ns, kind)
        return Phase.CLOSED if session is None else session.phase(at_ns)

    def _session(self, at_ns: int, kind: SessionClass) -> Session | None:
        key = (ist_day_number(at_ns), kind)
        if key not in self._sessions:
            self._sessions[key] = self._calendar.session(ist_day(at_ns), kind)
        return self._sessions[key]
