"""The indicators and patterns of every symbol, fed by the engine's settled candles.

A candle that settles in order is one step of its line. Anything else - history, a correction, a
gap that was filled - makes the line of that symbol and timeframe stale: it is made anew from the
stored candles. Both are done a fixed number of lines at each event, so that no frame waits behind
the end of an hour in five hundred symbols or a month of candles. A line that stands already waits
until its candles have been quiet for a while: history comes day by day.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence, Set
from typing import Final

from ticktick.analytics.line import Line
from ticktick.analytics.volumes import SessionVolumes
from ticktick.domain.analysis import Pattern, Reading
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import CandleChanged, Fact, WatchlistChanged
from ticktick.domain.market import Candle, CandleState

_FINAL, _BACKFILLED, _MISSING = CandleState.FINAL, CandleState.BACKFILLED, CandleState.MISSING

QUIET_NS: Final = 2 * NS_PER_S
STEPS_AT_ONCE: Final = 60
LINES_AT_ONCE: Final = 2

LineId = tuple[str, int]
Stored = Callable[[str, int], Sequence[Candle]]


class AnalyticsBoard:
    """Lines by symbol and timeframe in minutes.

    `stored` gives the closed candles of a line, oldest first; `has_volume` whether a symbol has
    any. At each event `steps_at_once` lines take their next candle; where few had one,
    `lines_at_once` stale lines are made anew.
    """

    def __init__(
        self,
        stored: Stored,
        has_volume: Callable[[str], bool],
        lines_at_once: int = LINES_AT_ONCE,
        steps_at_once: int = STEPS_AT_ONCE,
    ) -> None:
        self._stored = stored
        self._has_volume = has_volume
        self._lines_at_once = lines_at_once
        self._steps_at_once = steps_at_once
        self._lines: dict[LineId, Line] = {}
        self._stale: dict[LineId, int] = {}  # when marked, oldest first; their lines stand
        self._unmade: dict[LineId, None] = {}  # stale, and no line stands
        self._next: deque[CandleChanged] = deque()
        self._stepped = 0
        self._volumes: dict[str, SessionVolumes] = {}

    @property
    def waiting(self) -> int:
        """Candles that lines must take and lines that must be made anew."""
        return len(self._next) + len(self._unmade) + len(self._stale)

    def has_work(self, at_ns: int) -> bool:
        """Whether another event at this moment would find something to do."""
        return bool(self._next or self._unmade) or self._is_due(at_ns)

    def hear(self, facts: Iterable[Fact], *, may_step: bool = True) -> list[Fact]:
        """Take the candles among the facts, and let some lines step; what they say, in order."""
        for fact in facts:
            if isinstance(fact, CandleChanged):
                candle = fact.candle
                is_settled, is_missing = _is_settled(candle), candle.state is _MISSING
                if candle.minutes == 1 and (is_settled or is_missing):
                    self._count(candle)
                if is_settled:
                    self._take(fact)
                elif is_missing:
                    self._mark((candle.symbol, candle.minutes), fact.at_ns)
            elif isinstance(fact, WatchlistChanged):
                self._forget({*fact.removed, *fact.restated})
        return self._step() if may_step else []

    def work(self, at_ns: int) -> list[Fact]:
        """Make some stale lines anew; what that changed of what was told before."""
        found: list[Fact] = []
        if self._stepped > self._steps_at_once // 4:
            return found
        for _ in range(self._lines_at_once):
            if self._unmade:
                name = next(iter(self._unmade))
                del self._unmade[name]
            elif self._is_due(at_ns):
                name = next(iter(self._stale))
                del self._stale[name]
            else:
                break
            found += self._make(name, at_ns)
        return found

    def _is_due(self, at_ns: int) -> bool:
        """Whether the line that was marked first has been quiet since, or time was set back.

        Events may be some milliseconds out of order: that is no clock that was set back.
        """
        for marked_ns in self._stale.values():
            return abs(at_ns - marked_ns) >= QUIET_NS
        return False

    def reading(self, symbol: str, minutes: int) -> Reading | None:
        """The indicators after the newest settled candle."""
        line = self._lines.get((symbol, minutes))
        return None if line is None else line.reading

    def patterns(self, symbol: str, minutes: int) -> Sequence[Pattern]:
        """The newest patterns, oldest first."""
        line = self._lines.get((symbol, minutes))
        return () if line is None else line.patterns

    def ended(self, symbol: str, minutes: int, start_ns: int) -> Sequence[Pattern]:
        """Those of the newest patterns that ended with the candle that starts then."""
        line = self._lines.get((symbol, minutes))
        return () if line is None else line.patterns.ended(start_ns)

    def judged(self, pattern: Pattern) -> bool | None:
        """Whether the candle after the pattern confirmed it; None while there is none."""
        line = self._lines.get((pattern.symbol, pattern.minutes))
        return None if line is None else line.judged(pattern)

    def volumes(self, symbol: str) -> SessionVolumes | None:
        """What the symbol trades by a time of day, as it is now; None where nothing is known."""
        volumes = self._volumes.get(symbol)
        return None if volumes is None else volumes.copy()

    def peek(self, candle: Candle) -> Reading | None:
        """The indicators as if the forming candle ended as it stands."""
        line = self._lines.get((candle.symbol, candle.minutes))
        return None if line is None else line.peek(candle)

    def _take(self, fact: CandleChanged) -> None:
        """Let the line's next candle wait for its step; what is no next one makes it stale."""
        candle = fact.candle
        name = (candle.symbol, candle.minutes)
        line = self._lines.get(name)
        if line is None:
            self._unmade[name] = None
        elif candle.start_ns > line.told_ns and not line.is_stale:
            line.told_ns = candle.start_ns
            self._next.append(fact)
        elif not line.knows(candle):
            self._mark(name, fact.at_ns)

    def _count(self, minute: Candle) -> None:
        """Keep the minute's volume; what has none, as an index, takes no room."""
        if self._has_volume(minute.symbol):
            self._volumes_of(minute.symbol).take(minute)

    def _volumes_of(self, symbol: str) -> SessionVolumes:
        volumes = self._volumes.get(symbol)
        if volumes is None:
            volumes = self._volumes[symbol] = SessionVolumes()
        return volumes

    def _step(self) -> list[Fact]:
        """Let lines take their next candles, as many as one event may."""
        found: list[Fact] = []
        self._stepped = min(len(self._next), self._steps_at_once)
        for _ in range(self._stepped):
            fact = self._next.popleft()
            candle = fact.candle
            line = self._lines.get((candle.symbol, candle.minutes))
            if line is not None and line.awaits(candle):
                found += line.update(candle, fact.at_ns)
        return found

    def _forget(self, symbols: Set[str]) -> None:
        """Keep no line of these symbols: what comes next has nothing to do with it."""
        if not symbols:
            return
        for symbol in symbols:
            self._volumes.pop(symbol, None)
        self._next = deque(fact for fact in self._next if fact.candle.symbol not in symbols)
        for lines in (self._lines, self._stale, self._unmade):
            for name in [name for name in lines if name[0] in symbols]:
                del lines[name]

    def _mark(self, name: LineId, at_ns: int) -> None:
        """Let the line be made anew, after those that have waited without being marked again."""
        line = self._lines.get(name)
        if line is None:
            self._unmade[name] = None
            return
        line.is_stale = True
        self._stale.pop(name, None)
        self._stale[name] = at_ns

    def _make(self, name: LineId, at_ns: int) -> Sequence[Fact]:
        symbol, minutes = name
        settled = [c for c in self._stored(symbol, minutes) if _is_settled(c)]
        old = self._lines.get(name)
        has_volume = self._has_volume(symbol)
        volumes = self._volumes_of(symbol) if has_volume else None
        line = Line(symbol, minutes, has_volume=has_volume, volumes=volumes)
        self._lines[name] = line
        return line.seed(settled, at_ns, old)


def _is_settled(candle: Candle) -> bool:
    return candle.state is _FINAL or candle.state is _BACKFILLED
