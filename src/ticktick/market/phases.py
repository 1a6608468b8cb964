"""Which phase each segment and each instrument is in: the feed's word first, else the calendar."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ticktick.core.columns import NEVER_NS, NO_ROWS, Rows
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
_SHUT = frozenset({Phase.CLOSED, Phase.HALTED})
_LIVELIEST = (
    Phase.CONTINUOUS,
    Phase.AUCTION,
    Phase.PRE_OPEN,
    Phase.HALTED,
    Phase.UNKNOWN,
    Phase.POST_CLOSE,
    Phase.CLOSED,
)
# told so shortly before the planned end, "closed" is that end, else it interrupts the trading
_END_NS = 20 * NS_PER_MINUTE

Stretch = tuple[int, int]
Words = Mapping[str, Phase]


class Phases:
    """The phases of one day; the feed's word holds from when it first spoke on that day.

    `by_segment` and `sources` are for people; `rows` is the phase of each instrument, which may
    differ inside a segment: of stocks that close by auction, and of indices as they do, the feed
    tells the auction apart. A word that nobody knows falls back to the calendar. `opens_ns`,
    `closes_ns` (int64[capacity, STRETCHES]) bound the trades that may enter candles,
    `continuous` (uint8[capacity]) says whose quotes stand, `began_ns` (int64[capacity]) since when;
    `closed` (uint8[capacity]) says whose market is closed or halted.
    """

    def __init__(self, calendar: Calendar, capacity: int) -> None:
        self._calendar = calendar
        self._sessions: dict[tuple[int, SessionClass], Session | None] = {}
        self._instruments: Sequence[Instrument] = ()
        self._words: dict[str, Phase] = {}
        self._auctions: dict[str, Phase] = {}
        self._pre_opens: dict[str, Phase] = {}
        self._halted: set[str] = set()
        self._doubted: set[str] = set()
        self._stopped_ns: dict[str, int] = {}
        self._auction_ns: dict[str, int] = {}
        self._rests: dict[str, list[Stretch]] = {}
        self._extra: dict[str, list[Stretch]] = {}
        self._day_start_ns = 0
        self._due_ns = 0
        self.by_segment: dict[str, Phase] = {}
        self.sources: dict[str, str] = {}
        self.rows: list[Phase] = []
        self._flipped = np.zeros(capacity, np.bool_)
        self._has_flipped = False
        self.continuous = np.zeros(capacity, np.uint8)
        self.closed = np.zeros(capacity, np.uint8)
        self.began_ns = np.zeros(capacity, np.int64)
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
            for told in (self._words, self._auctions, self._pre_opens, self._stopped_ns):
                told.clear()
            for kept in (self._auction_ns, self._rests, self._extra, self._halted, self._doubted):
                kept.clear()
        return self._refresh(at_ns)

    def hear(self, words: Words, auctions: Words, pre_opens: Words, at_ns: int) -> list[str]:
        """Take over what the feed says; return the segments whose phase changed."""
        changed = self.advance(at_ns)
        followed = {instrument.segment for instrument in self._instruments}
        for segment in sorted(words.keys() & followed):
            self._hear_segment(segment, words[segment], at_ns)
        for segment, phase in auctions.items():
            self._auctions[segment] = phase
            if phase in _OVER:
                self._auction_ns.setdefault(segment, at_ns)
        self._pre_opens |= pre_opens
        return sorted({*changed, *self._refresh(at_ns)})

    @property
    def is_in_doubt(self) -> bool:
        """Whether only trades tell a halt from the end: the first word of the day came late."""
        return bool(self._doubted)

    def hear_trades(self, newest_ns: int, at_ns: int) -> list[str]:
        """Take for halted what is in doubt and did not trade until shortly before its end.

        `newest_ns` is the newest trade of everything that is followed, 0 while none is known.
        Returns the segments whose phase changed.
        """
        if newest_ns < self._day_start_ns:
            return []
        ends_ns = {segment: self._planned_end_ns(segment, at_ns) for segment in self._doubted}
        stopped = {segment for segment, end_ns in ends_ns.items() if newest_ns < end_ns - _END_NS}
        before, self._halted = self._halted, self._halted - self._doubted | stopped
        return [] if self._halted == before else self._refresh(at_ns)

    def take_flipped(self) -> Rows:
        """The rows that began or ceased to trade continuously since the last call."""
        if not self._has_flipped:
            return NO_ROWS
        self._has_flipped = False
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

    def session(self, row: int, at_ns: int) -> Stretch | None:
        """From the day's first open to its last close, if the moment is in one of its stretches.

        Candles are anchored at the first open also behind a break of the day.
        """
        stretches = self._stretches(self._instruments[row], at_ns)
        if not any(start <= at_ns < end for start, end in stretches):
            return None
        return min(start for start, _ in stretches), max(end for _, end in stretches)

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
        for rest in self._rests.get(instrument.segment, ()):
            found = [part for stretch in found for part in _without(stretch, rest)]
        return found

    def _hear_segment(self, segment: str, word: Phase, at_ns: int) -> None:
        if word is Phase.UNKNOWN:
            self._words.pop(segment, None)
            return
        before = self._words.get(segment)
        self._words[segment] = word
        if before is not word:
            self._halted.discard(segment)
            self._doubted.discard(segment)
            if word is Phase.CLOSED and self._is_interrupted(segment, at_ns):
                self._halted.add(segment)
            elif word is Phase.CLOSED and before is None and self._is_planned(segment, at_ns):
                self._doubted.add(segment)
        self._bound_extra(segment, word, before, at_ns)
        if word in _OVER:
            self._stopped_ns.setdefault(segment, at_ns)
        elif segment in self._stopped_ns:
            rest = self._stopped_ns.pop(segment), at_ns
            self._rests.setdefault(segment, []).append(rest)

    def _bound_extra(self, segment: str, word: Phase, before: Phase | None, at_ns: int) -> None:
        """Begin or end trading that the calendar does not know."""
        extra = self._extra.setdefault(segment, [])
        if word is Phase.CONTINUOUS:
            if before is not word and self._is_unplanned(segment, before, at_ns):
                start = at_ns // NS_PER_MINUTE * NS_PER_MINUTE
                extra.append((start, self._day_start_ns + NS_PER_DAY))
        elif extra and extra[-1][1] > at_ns:
            extra[-1] = (extra[-1][0], at_ns)

    def _is_interrupted(self, segment: str, at_ns: int) -> bool:
        """Whether the calendar plans trading at the moment, and for a while."""
        sessions = [self._session(at_ns, kind) for kind in self._kinds(segment)]
        stretches = [stretch for session in sessions if session for stretch in session.stretches]
        return any(start <= at_ns < end - _END_NS for start, end in stretches)

    def _is_planned(self, segment: str, at_ns: int) -> bool:
        """Whether the calendar plans trading or its closing auction at the moment."""
        sessions = [self._session(at_ns, kind) for kind in self._kinds(segment)]
        phases = {session.phase(at_ns) for session in sessions if session is not None}
        return bool(phases & {Phase.CONTINUOUS, Phase.AUCTION})

    def _planned_end_ns(self, segment: str, at_ns: int) -> int:
        """When the last continuous trading of the segment ends by the calendar, 0 without any."""
        sessions = [self._session(at_ns, kind) for kind in self._kinds(segment)]
        return max((session.stretches[-1][1] for session in sessions if session), default=0)

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
        self.rows = [self._row_phase(instrument, at_ns) for instrument in self._instruments]
        changed = []
        for segment in sorted({instrument.segment for instrument in self._instruments}):
            phase = self._segment_phase(segment)
            self.sources[segment] = self._source(segment, phase)
            if self.by_segment.get(segment) is not phase:
                self.by_segment[segment] = phase
                changed.append(segment)
        continuous = np.array([phase is Phase.CONTINUOUS for phase in self.rows], np.uint8)
        self.closed[: len(self.rows)] = [phase in _SHUT for phase in self.rows]
        now = self.continuous[: len(continuous)]
        self._flipped[: len(now)] |= now != continuous
        self._has_flipped = bool(self._flipped.any())
        self.began_ns[: len(now)][continuous > now] = at_ns
        now[:] = continuous
        self._bound_candles(at_ns)
        self._due_ns = self._next_change_ns(at_ns)
        return changed

    def _segment_phase(self, segment: str) -> Phase:
        """The liveliest phase of its instruments: the feed's one word hides their auction."""
        pairs = zip(self._instruments, self.rows, strict=True)
        phases = {phase for instrument, phase in pairs if instrument.segment == segment}
        return next(phase for phase in _LIVELIEST if phase in phases)

    def _source(self, segment: str, phase: Phase) -> str:
        """Who told the phase: `feed` or `calendar`."""
        auctions = {self._words.get(segment), *self._auctions.values()}
        is_told = phase is not Phase.AUCTION or phase in auctions
        return "feed" if is_told and segment in self._words else "calendar"

    def _row_phase(self, instrument: Instrument, at_ns: int) -> Phase:
        kind = session_class(instrument)
        planned = self._phase(kind, at_ns)
        if kind is SessionClass.AUCTION_CASH:
            auction = self._auctions.get(_auction_segment(instrument))
            is_over = self._words.get(instrument.segment) is Phase.POST_CLOSE
            if auction is Phase.AUCTION and not is_over:
                return auction
            if auction is Phase.CLOSED and planned is Phase.AUCTION:
                return auction
        if instrument.segment not in self._words:
            return planned
        word = self._word(instrument.segment, at_ns)
        if planned is Phase.AUCTION and word in {Phase.CONTINUOUS, Phase.CLOSED}:
            return planned
        return word

    def _word(self, segment: str, at_ns: int) -> Phase:
        """What the feed says of the segment, in full."""
        word = self._words[segment]
        if word is Phase.CLOSED and segment in self._halted and self._is_before_the_end(at_ns):
            return Phase.HALTED
        is_pre_open = self._pre_opens.get(segment) is Phase.PRE_OPEN
        return Phase.PRE_OPEN if word is Phase.CLOSED and is_pre_open else word

    def _is_before_the_end(self, at_ns: int) -> bool:
        """Whether anything at all is planned for later this day."""
        sessions = [self._session(at_ns, kind) for kind in SessionClass]
        return any(session is not None and at_ns < session.boundaries[-1] for session in sessions)

    def _bound_candles(self, at_ns: int) -> None:
        self.opens_ns.fill(0)
        self.closes_ns.fill(0)
        for row, instrument in enumerate(self._instruments):
            stop_ns = self._stop_ns(instrument)
            stretches = self._stretches(instrument, at_ns)[-STRETCHES:]
            for place, (start, end) in enumerate(stretches):
                self.opens_ns[row, place] = start
                self.closes_ns[row, place] = min(end, stop_ns)

    def _stop_ns(self, instrument: Instrument) -> int:
        """When the feed said that the instrument's continuous trading is over."""
        stop_ns = self._stopped_ns.get(instrument.segment, NEVER_NS)
        if session_class(instrument) is SessionClass.AUCTION_CASH:
            stop_ns = min(stop_ns, self._auction_ns.get(_auction_segment(instrument), NEVER_NS))
        return stop_ns

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
        phase = Phase.CLOSED if session is None else session.phase(at_ns)
        is_known = phase is Phase.CLOSED or self._calendar.knows(ist_day(at_ns))
        return phase if is_known else Phase.UNKNOWN

    def _session(self, at_ns: int, kind: SessionClass) -> Session | None:
        key = (ist_day_number(at_ns), kind)
        if key not in self._sessions:
            self._sessions[key] = self._calendar.session(ist_day(at_ns), kind)
        return self._sessions[key]


def _auction_segment(instrument: Instrument) -> str:
    """The segment whose closing auction moves the instrument: an index follows its stocks."""
    return f"{instrument.exchange}_EQ"


def _without(stretch: Stretch, rest: Stretch) -> list[Stretch]:
    parts = (stretch[0], min(stretch[1], rest[0])), (max(stretch[0], rest[1]), stretch[1])
    return [part for part in parts if part[0] < part[1]]
