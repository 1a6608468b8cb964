"""The life of one instrument's closed candles: provisional, final, corrected, backfilled."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from ticktick.domain.clock import NS_PER_MINUTE
from ticktick.domain.market import TIMEFRAMES, Candle, CandleState
from ticktick.market.coverage import Coverage, Span
from ticktick.market.series import Series

KEPT = {minutes: 1000 if minutes == 1 else 450 for minutes in TIMEFRAMES}
_HIGHER = TIMEFRAMES[1:]

StretchAt = Callable[[int], Span | None]


class CandleBook:
    """Closed candles of the six timeframes of one instrument.

    Every method returns the candles that are new or changed, in the order in which they became
    so. `frontier_ns` tells how far minutes are closed; `stretch_at` gives the continuous stretch
    that holds a moment, the anchor of the higher timeframes; `coverage` knows what was not seen.
    `now_ns` 0 means that no time has passed that could settle anything: only events do.
    """

    def __init__(self, symbol: str, stretch_at: StretchAt, grace_ns: int, confirm_ns: int) -> None:
        self.symbol = symbol
        self.corrections = 0
        self.coverage = Coverage()
        self._stretch_at = stretch_at
        self._grace_ns = grace_ns
        self._confirm_ns = confirm_ns
        self._series = {minutes: Series(KEPT[minutes]) for minutes in TIMEFRAMES}
        self._unconfirmed: list[int] = []
        self._running: dict[tuple[int, int], int] = {}
        self._trimmed: Span | None = None

    def candles(self, minutes: int) -> Sequence[Candle]:
        """The closed candles of the timeframe, oldest first."""
        return self._series[minutes].candles

    def close(self, candle: Candle, frontier_ns: int) -> list[Candle]:
        """Take a minute whose trades are over, for the first time; the broker's own may follow."""
        changed: list[Candle] = []
        self._unconfirmed.append(candle.start_ns)
        self._put(candle, changed)
        self._settle(frontier_ns, 0, changed)
        return changed

    def confirm(self, candle: Candle, frontier_ns: int) -> list[Candle]:
        """Take the feed's own finished minute."""
        changed: list[Candle] = []
        self._put(candle, changed)
        self._settle(frontier_ns, 0, changed)
        return changed

    def advance(self, now_ns: int, frontier_ns: int) -> list[Candle]:
        """Let time settle what nobody confirmed."""
        changed: list[Candle] = []
        for start_ns in list(self._unconfirmed):
            if start_ns + NS_PER_MINUTE + self._confirm_ns <= now_ns:
                waiting = self._series[1].get(start_ns)
                if waiting is not None:
                    self._put(replace(waiting, state=CandleState.FINAL), changed)
        self._settle(frontier_ns, now_ns, changed)
        return changed

    def merge(self, candles: Sequence[Candle], now_ns: int, frontier_ns: int) -> list[Candle]:
        """Take finished minutes from the broker's history, oldest first, at least one."""
        changed: list[Candle] = []
        first_ns, end_ns = candles[0].start_ns, self._told_until(candles[-1], now_ns)
        missed = [self.coverage.was_missed((c.start_ns, c.end_ns)) for c in candles]
        self.coverage.fill(first_ns, end_ns)
        for candle, was_missed in zip(candles, missed, strict=True):
            if not self._is_dropped(candle):
                state = CandleState.BACKFILLED if was_missed else CandleState.FINAL
                self._put(replace(candle, state=state, confirmed=True, revision=0), changed)
        self._review(first_ns, end_ns)
        self._settle(frontier_ns, now_ns, changed)
        return changed

    def due_ns(self) -> int | None:
        """When time alone will next change something."""
        moments = [start + NS_PER_MINUTE + self._confirm_ns for start in self._unconfirmed]
        for (minutes, start_ns), end_ns in self._running.items():
            closed = self._series[minutes].get(start_ns)
            moments.append(end_ns + (self._grace_ns if closed is None else self._confirm_ns))
        return min(moments, default=None)

    def join(self, minutes: int, running: Candle | None, frontier_ns: int) -> Candle | None:
        """The candle of the timeframe that still runs, from closed minutes and the forming one."""
        last = self._series[1].last()
        newest = running or last
        stretch = None if newest is None else self._stretch_at(newest.start_ns)
        if newest is None or stretch is None:
            return None
        span = _bucket(stretch, newest.start_ns, minutes)
        if span[1] <= frontier_ns or not self._is_known(span):
            return None
        members = [*self._series[1].between(*span)]
        if running is not None:
            members.append(running)
        return _join(members, minutes, span[0], CandleState.FORMING, confirmed=False)

    def _put(self, candle: Candle, changed: list[Candle]) -> None:
        old = self._series[1].get(candle.start_ns)
        new = _revised(old, candle)
        if new is None:
            return
        if old is not None and _values(old) != _values(new):
            self.corrections += 1
        if new.state is not CandleState.PROVISIONAL and new.start_ns in self._unconfirmed:
            self._unconfirmed.remove(new.start_ns)
        self._series[1].put(new)
        changed.append(new)
        stretch = self._stretch_at(new.start_ns)
        if stretch is not None:
            for minutes in _HIGHER:
                self._run(minutes, _bucket(stretch, new.start_ns, minutes))

    def _run(self, minutes: int, span: Span) -> None:
        """Let the higher candle of the span be settled anew."""
        if self._is_known(span):
            self._running[minutes, span[0]] = span[1]

    def _review(self, start_ns: int, end_ns: int) -> None:
        """Settle anew the higher candles of a span that nobody vouched for."""
        for minutes in _HIGHER:
            begin_ns = start_ns - minutes * NS_PER_MINUTE
            for candle in self._series[minutes].between(begin_ns, end_ns):
                stretch = None if candle.confirmed else self._stretch_at(candle.start_ns)
                if stretch is not None:
                    self._run(minutes, _bucket(stretch, candle.start_ns, minutes))

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
        members = self._series[1].between(*span)
        is_settled = all(member.state is not CandleState.PROVISIONAL for member in members) and (
            members[-1].start_ns == span[1] - NS_PER_MINUTE
            or now_ns >= span[1] + self._confirm_ns
            or (old is not None and old.state is not CandleState.PROVISIONAL)
        )
        state = CandleState.PROVISIONAL
        if is_settled:
            is_backfilled = any(member.state is CandleState.BACKFILLED for member in members)
            state = CandleState.BACKFILLED if is_backfilled else CandleState.FINAL
        confirmed = all(member.confirmed for member in members) and self._is_vouched_for(span)
        return _join(members, minutes, span[0], state, confirmed=confirmed)

    def _is_known(self, span: Span) -> bool:
        """Whether all minutes of the span are still kept and none lies before the first known."""
        trimmed = self._trimmed
        is_kept = trimmed is None or span[1] <= trimmed[0] or trimmed[1] <= span[0]
        return is_kept and self.coverage.is_known(span[0])

    def _is_dropped(self, candle: Candle) -> bool:
        trimmed = self._trimmed
        return trimmed is not None and trimmed[0] <= candle.start_ns < trimmed[1]

    def _told_until(self, last: Candle, now_ns: int) -> int:
        """How far history that ends with the candle tells everything: a session that is over."""
        stretch = self._stretch_at(last.start_ns)
        is_over = stretch is not None and stretch[1] + NS_PER_MINUTE <= now_ns
        return stretch[1] if stretch is not None and is_over else last.end_ns

    def _is_vouched_for(self, span: Span) -> bool:
        """Whether the broker's own candles tell every minute that a hole touches."""
        minutes = [self._series[1].get(start) for start in self.coverage.minutes_missed(span)]
        return all(minute is not None and minute.confirmed for minute in minutes)

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
    """The candle to keep instead of the old one, with its revision; None if nothing is new."""
    if old is None:
        return new
    is_same = _values(old) == _values(new)
    was_settled = old.state is not CandleState.PROVISIONAL
    if is_same and was_settled and old.confirmed:
        return None
    revision = old.revision + (was_settled and not is_same)
    kept = replace(new, revision=revision, open_interest=new.open_interest or old.open_interest)
    return None if kept == old else kept


def _values(candle: Candle) -> tuple[int, int, int, int, int]:
    return candle.open, candle.high, candle.low, candle.close, candle.volume


def _join(
    members: Sequence[Candle],
    minutes: int,
    start_ns: int,
    state: CandleState,
    *,
    confirmed: bool,
) -> Candle:
    return Candle(
        symbol=members[0].symbol,
        minutes=minutes,
        start_ns=start_ns,
        open=members[0].open,
        high=max(member.high for member in members),
        low=min(member.low for member in members),
        close=members[-1].close,
        volume=sum(member.volume for member in members),
        open_interest=members[-1].open_interest,
        state=state,
        confirmed=confirmed,
    )
