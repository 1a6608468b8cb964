"""The life of one instrument's closed candles, from provisional to final or missing."""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from msgspec.structs import replace

from ticktick.domain.clock import NS_PER_MINUTE
from ticktick.domain.market import TIMEFRAMES, Candle, CandleState
from ticktick.market.coverage import Coverage, Span, minutes_of
from ticktick.market.series import Joined, Series, alone

KEPT: Final = {minutes: 1000 if minutes == 1 else 450 for minutes in TIMEFRAMES}
COUNTERS: Final = ("candle_corrections", "minutes_backfilled", "minutes_missing")
_HIGHER: Final = TIMEFRAMES[1:]
_MINUTE: Final = NS_PER_MINUTE
_HOUR: Final = 60 * NS_PER_MINUTE
_PROVISIONAL: Final = CandleState.PROVISIONAL


class Hours(Protocol):
    """When the instrument trades continuously."""

    def stretch(self, at_ns: int) -> Span | None:
        """The session that holds the moment; its first open anchors the higher timeframes."""
        ...

    def trading(self, span: Span) -> Sequence[Span]:
        """The parts of the span in which it trades, in order."""
        ...


class OneStretch:
    """Hours that are one stretch and nothing else."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def stretch(self, at_ns: int) -> Span | None:
        """The stretch, whatever the moment: all that is asked of lies in it."""
        return self._span

    def trading(self, span: Span) -> Sequence[Span]:
        """The part of the span inside the stretch."""
        return [(max(span[0], self._span[0]), min(span[1], self._span[1]))]


class CandleBook:
    """Closed candles of the six timeframes of one instrument.

    Every method returns the candles that are new or changed, in the order in which they became
    so. `frontier_ns` tells how far minutes are closed; `coverage` knows of which time every
    trade was seen or told: time alone makes no minute final that a hole touches.
    `now_ns` 0 means that no time has passed that could settle anything: only events do.
    `counters` is shared: it holds COUNTERS, of which `minutes_missing` also falls.
    """

    def __init__(
        self,
        symbol: str,
        hours: Hours,
        grace_ns: int,
        confirm_ns: int,
        counters: dict[str, int],
    ) -> None:
        self.symbol = symbol
        self._counters = counters
        self.coverage = Coverage()
        self._hours = hours
        self._grace_ns = grace_ns
        self._confirm_ns = confirm_ns
        self._series = {minutes: Series(symbol, minutes, KEPT[minutes]) for minutes in TIMEFRAMES}
        self._unconfirmed: list[int] = []
        self._running: dict[tuple[int, int], int] = {}
        self._trimmed: Span | None = None

    def candles(self, minutes: int) -> Sequence[Candle]:
        """The closed candles of the timeframe, oldest first; true until the next one changes."""
        return self._series[minutes]

    def unconfirmed(self, from_ns: int, until_ns: int) -> list[int]:
        """The starts of the minutes in [from, until) that the broker did not confirm."""
        minutes = self._series[1].between(from_ns, until_ns)
        return [candle.start_ns for candle in minutes if not candle.confirmed]

    def lost_minutes(self, until_ns: int) -> list[int]:
        """The starts of the minutes of trading before the moment that nobody told in full."""
        spans = list(self.coverage.lost((0, until_ns)))
        if not spans:
            return []
        trading = self._hours.trading((spans[0][0], spans[-1][1]))
        return minutes_of(iter(spans), trading)

    def close(self, candle: Candle, frontier_ns: int) -> list[Candle]:
        """Take a minute whose trades are over, for the first time; the broker's own may follow."""
        changed: list[Candle] = []
        self._unconfirmed.append(candle.start_ns)
        self._run(self._put([candle], changed))
        self._settle(frontier_ns, 0, changed)
        return changed

    def confirm(self, candle: Candle, frontier_ns: int) -> list[Candle]:
        """Take the feed's own finished minute."""
        changed: list[Candle] = []
        self.coverage.fill(candle.start_ns, candle.end_ns)
        self._run(self._put([candle], changed))
        self._settle(frontier_ns, 0, changed)
        return changed

    def advance(self, now_ns: int, frontier_ns: int) -> list[Candle]:
        """Let time settle what nobody confirmed, as far as nothing of it was lost."""
        changed: list[Candle] = []
        limit_ns = now_ns - NS_PER_MINUTE - self._confirm_ns
        waiting = [self._series[1].get(start) for start in self._ripe() if start <= limit_ns]
        final = [replace(c, state=CandleState.FINAL) for c in waiting if c is not None]
        self._run(self._put(final, changed))
        self._settle(frontier_ns, now_ns, changed)
        return changed

    def merge(
        self, candles: Sequence[Candle], told: Span, now_ns: int, frontier_ns: int
    ) -> list[Candle]:
        """Take finished minutes from the broker's history, oldest first.

        Of the minutes of `told` [from, until) the candles are all that the broker has: one that
        was lost and is not among them is missing.
        """
        changed: list[Candle] = []
        settled = [replace(c, state=self._told_state(c), revision=0) for c in candles]
        doubtful, near = self._doubtful(told), self._near(told)
        self.coverage.fill(*told)
        for candle in candles:
            self.coverage.fill(candle.start_ns, candle.end_ns)
        starts = self._put(settled, changed)
        starts += self._put(self._missed(doubtful), changed)
        self._run([*near, *starts])
        self._settle(frontier_ns, now_ns, changed)
        return changed

    def due_ns(self) -> int | None:
        """When time alone will next change something."""
        ripe = self._ripe()
        held = set(self._unconfirmed).difference(ripe)
        moments = [start + NS_PER_MINUTE + self._confirm_ns for start in ripe]
        for (minutes, start_ns), end_ns in self._running.items():
            if self._series[minutes].get(start_ns) is None:
                moments.append(end_ns + self._grace_ns)
            elif not any(start_ns <= start < end_ns for start in held):
                moments.append(end_ns + self._confirm_ns)
        return min(moments, default=None)

    def prove(self, span: Span) -> None:
        """Take it that nothing traded in the span, without a word of the broker."""
        near = self._near(span)
        self.coverage.fill(*span)
        self._run(near)

    def join(self, minutes: int, running: Candle | None, frontier_ns: int) -> Candle | None:
        """The candle of the timeframe that still runs, from closed minutes and the forming one."""
        last = self._series[1].last()
        newest = running or last
        stretch = None if newest is None else self._hours.stretch(newest.start_ns)
        if newest is None or stretch is None:
            return None
        span = _bucket(stretch, newest.start_ns, minutes)
        if span[1] <= frontier_ns or not self._is_buildable(span):
            return None
        members = self._series[1].joined(*span)
        if running is not None:
            members = alone(running) if members is None else members.then(running)
        joined = self._join(members, minutes, span[0], CandleState.FORMING, confirmed=False)
        return None if joined.state is CandleState.MISSING else joined

    def _ripe(self) -> list[int]:
        """The unconfirmed minutes of which nothing was lost."""
        starts = self._unconfirmed
        return [start for start in starts if self.coverage.is_known((start, start + _MINUTE))]

    def _doubtful(self, told: Span) -> list[int]:
        """The minutes of the span that were lost, or seen only in part."""
        starts = {*self._unconfirmed, *self.lost_minutes(told[1])}.difference(self._ripe())
        return sorted(s for s in starts if told[0] <= s and s + NS_PER_MINUTE <= told[1])

    def _told_state(self, candle: Candle) -> CandleState:
        old = self._series[1].get(candle.start_ns)
        was_lost = self.coverage.is_lost((candle.start_ns, candle.end_ns))
        was_missing = old is not None and old.state is CandleState.MISSING
        return CandleState.BACKFILLED if was_lost or was_missing else CandleState.FINAL

    def _missed(self, starts: Iterable[int]) -> list[Candle]:
        """A missing candle for each of the minutes that the broker did not confirm."""
        old = {start_ns: self._series[1].get(start_ns) for start_ns in starts}
        unknown = [start_ns for start_ns, c in old.items() if c is None or not c.confirmed]
        return [_missing(self.symbol, 1, start_ns) for start_ns in unknown]

    def _put(self, candles: Iterable[Candle], changed: list[Candle]) -> list[int]:
        """Keep the minutes that are new or changed; return their starts."""
        starts = []
        for candle in candles:
            old = self._series[1].get(candle.start_ns)
            new = _revised(old, candle)
            if new is None or self._is_dropped(new):
                continue
            self._count(old, new)
            if new.state is not _PROVISIONAL and new.start_ns in self._unconfirmed:
                self._unconfirmed.remove(new.start_ns)
            self._series[1].put(new)
            changed.append(new)
            starts.append(new.start_ns)
        return starts

    def _count(self, old: Candle | None, new: Candle) -> None:
        states = {new.state} if old is None else {old.state, new.state}
        was_missing = old is not None and old.state is CandleState.MISSING
        self._counters["minutes_missing"] += (new.state is CandleState.MISSING) - was_missing
        self._counters["minutes_backfilled"] += new.state is CandleState.BACKFILLED
        if old is not None and CandleState.MISSING not in states and _values(old) != _values(new):
            self._counters["candle_corrections"] += 1

    def _run(self, starts: Sequence[int]) -> None:
        """Let the higher candles that hold these minutes be settled anew."""
        stretch: Span | None = None
        spans: set[tuple[int, Span]] = set()
        for start_ns in starts:
            if stretch is None or not stretch[0] <= start_ns < stretch[1]:
                stretch = self._hours.stretch(start_ns)
            if stretch is not None:
                spans.update((minutes, _bucket(stretch, start_ns, minutes)) for minutes in _HIGHER)
        for minutes, span in spans:
            if self._is_buildable(span):
                self._running[minutes, span[0]] = span[1]

    def _near(self, told: Span) -> list[int]:
        """The minutes kept whose higher candles the span touches where it was not known."""
        holes = self.coverage.unknown(told)
        around = [self._series[1].starts(start - _HOUR, end + _HOUR) for start, end in holes]
        return [start_ns for starts in around for start_ns in starts]

    def _settle(self, frontier_ns: int, now_ns: int, changed: list[Candle]) -> None:
        """Close the higher candles whose time is over; those that are final stop running."""
        for (minutes, start_ns), end_ns in sorted(self._running.items()):
            if frontier_ns < end_ns and now_ns < end_ns + self._grace_ns:
                continue
            series = self._series[minutes]
            old = series.get(start_ns)
            joined = self._closed(minutes, (start_ns, end_ns), now_ns, old)
            new = _revised(old, joined)
            if new is not None:
                series.put(new)
                changed.append(new)
            if joined.state is not CandleState.PROVISIONAL:
                del self._running[minutes, start_ns]
        self._trim()

    def _closed(self, minutes: int, span: Span, now_ns: int, old: Candle | None) -> Candle:
        members = self._series[1].joined(*span)
        states = frozenset[CandleState]() if members is None else members.states
        is_settled = _PROVISIONAL not in states and (
            (members is not None and members.last_start_ns == span[1] - NS_PER_MINUTE)
            or now_ns >= span[1] + self._confirm_ns
            or (old is not None and old.state is not _PROVISIONAL)
        )
        state = _PROVISIONAL
        if is_settled:
            state = (
                CandleState.BACKFILLED if CandleState.BACKFILLED in states else CandleState.FINAL
            )
        confirmed = members is not None and members.confirmed and self.coverage.is_known(span)
        return self._join(members, minutes, span[0], state, confirmed=confirmed)

    def _join(
        self,
        members: Joined | None,
        minutes: int,
        start_ns: int,
        state: CandleState,
        *,
        confirmed: bool,
    ) -> Candle:
        """The candle of the members; missing where its open or its close is."""
        if members is None or CandleState.MISSING in (members.first, members.last):
            return _missing(self.symbol, minutes, start_ns)
        return Candle(
            symbol=self.symbol,
            minutes=minutes,
            start_ns=start_ns,
            open=members.open,
            high=members.high,
            low=members.low,
            close=members.close,
            volume=members.volume,
            open_interest=members.open_interest,
            state=state,
            confirmed=confirmed,
        )

    def _is_buildable(self, span: Span) -> bool:
        """Whether all minutes of the span are still kept and its beginning is known."""
        trimmed = self._trimmed
        is_kept = trimmed is None or span[1] <= trimmed[0] or trimmed[1] <= span[0]
        return is_kept and self.coverage.is_known((span[0], span[0] + 1))

    def _is_dropped(self, candle: Candle) -> bool:
        trimmed = self._trimmed
        return trimmed is not None and trimmed[0] <= candle.start_ns < trimmed[1]

    def _trim(self) -> None:
        for minutes, series in self._series.items():
            span = series.trim()
            if span is not None and minutes == 1:
                first = span[0] if self._trimmed is None else min(span[0], self._trimmed[0])
                self._trimmed = (first, span[1])


def _bucket(stretch: Span, at_ns: int, minutes: int) -> Span:
    """The candle of the timeframe that holds the moment, anchored at the stretch's start."""
    width = minutes * NS_PER_MINUTE
    start_ns = stretch[0] + (at_ns - stretch[0]) // width * width
    return start_ns, min(start_ns + width, stretch[1])


def _revised(old: Candle | None, new: Candle) -> Candle | None:
    """The candle to keep instead of the old one, with its revision; None if nothing is new.

    What the broker confirmed gives way only to what it says later.
    """
    if old is None:
        return new
    is_same = _values(old) == _values(new)
    if old.confirmed and (is_same or not new.confirmed) and old.state is not _PROVISIONAL:
        return None
    revision = old.revision + (old.state is not _PROVISIONAL and not is_same)
    interest = new.open_interest or old.open_interest
    kept = replace(
        new,
        revision=revision,
        open_interest=0 if new.state is CandleState.MISSING else interest,
    )
    return None if kept == old else kept


def _values(candle: Candle) -> tuple[int, int, int, int, int]:
    return candle.open, candle.high, candle.low, candle.close, candle.volume


def _missing(symbol: str, minutes: int, start_ns: int) -> Candle:
    """A candle of which nothing is known."""
    return Candle(
        symbol=symbol,
        minutes=minutes,
        start_ns=start_ns,
        open=0,
        high=0,
        low=0,
        close=0,
        volume=0,
        state=CandleState.MISSING,
        confirmed=False,
    )
