"""The indicators and patterns of every symbol, fed by the engine's settled candles.

A candle that settles in order is one step. Anything else - history, a correction, a gap that was
filled - makes the line of that symbol and timeframe stale: it is made anew from the stored
candles, a few lines at each event, so that no frame waits behind a month of candles. A line that
stands already waits until its candles have been quiet for a while: history comes day by day.
"""

from collections.abc import Callable, Iterable, Sequence, Set
from itertools import islice
from typing import Final

from ticktick.analytics.line import Line
from ticktick.domain.analysis import Pattern, Reading
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import CandleChanged, Fact, WatchlistChanged
from ticktick.domain.market import Candle, CandleState

_SETTLED: Final = frozenset({CandleState.FINAL, CandleState.BACKFILLED})

QUIET_NS: Final = 2 * NS_PER_S

LineId = tuple[str, int]
Stored = Callable[[str, int], Sequence[Candle]]


class AnalyticsBoard:
    """Lines by symbol and timeframe in minutes.

    `stored` gives the closed candles of a line, oldest first; `has_volume` whether a symbol has
    any. `lines_at_once` stale lines are made anew at each call of `work`.
    """

    def __init__(
        self, stored: Stored, has_volume: Callable[[str], bool], lines_at_once: int = 2
    ) -> None:
        self._stored = stored
        self._has_volume = has_volume
        self._lines_at_once = lines_at_once
        self._lines: dict[LineId, Line] = {}
        self._stale: dict[LineId, int] = {}  # when marked, oldest first

    @property
    def waiting(self) -> int:
        """Lines that must be made anew."""
        return len(self._stale)

    def hear(self, facts: Iterable[Fact]) -> list[Fact]:
        """Take the candles among the facts; what they say, in order."""
        found: list[Fact] = []
        for fact in facts:
            if isinstance(fact, CandleChanged) and fact.candle.state in _SETTLED:
                found += self._take(fact.candle, fact.at_ns)
            elif isinstance(fact, CandleChanged) and fact.candle.state is CandleState.MISSING:
                self._mark((fact.candle.symbol, fact.candle.minutes), fact.at_ns)
            elif isinstance(fact, WatchlistChanged):
                self._forget({*fact.removed, *fact.restated})
        return found

    def work(self, at_ns: int) -> list[Fact]:
        """Make some stale lines anew; what that changed of what was told before."""
        found: list[Fact] = []
        for name in self._due(at_ns):
            del self._stale[name]
            found += self._make(name, at_ns)
        return found

    def _due(self, at_ns: int) -> list[LineId]:
        """The lines to make now: new ones at once, others when their candles are quiet."""
        if not self._stale:
            return []
        due = (
            name
            for name, marked_ns in self._stale.items()
            if name not in self._lines or not marked_ns <= at_ns < marked_ns + QUIET_NS
        )
        return list(islice(due, self._lines_at_once))

    def reading(self, symbol: str, minutes: int) -> Reading | None:
        """The indicators after the newest settled candle."""
        line = self._lines.get((symbol, minutes))
        return None if line is None else line.reading

    def patterns(self, symbol: str, minutes: int) -> Sequence[Pattern]:
        """The newest patterns, oldest first."""
        line = self._lines.get((symbol, minutes))
        return () if line is None else line.patterns

    def judged(self, pattern: Pattern) -> bool | None:
        """Whether the candle after the pattern confirmed it; None while there is none."""
        line = self._lines.get((pattern.symbol, pattern.minutes))
        return None if line is None else line.judged(pattern)

    def peek(self, candle: Candle) -> Reading | None:
        """The indicators as if the forming candle ended as it stands."""
        line = self._lines.get((candle.symbol, candle.minutes))
        return None if line is None else line.peek(candle)

    def _take(self, candle: Candle, at_ns: int) -> Sequence[Fact]:
        name = (candle.symbol, candle.minutes)
        line = self._lines.get(name)
        if line is None or name in self._stale or not line.is_next(candle):
            if line is None or not line.knows(candle):
                self._mark(name, at_ns)
            return ()
        return line.update(candle, at_ns)

    def _forget(self, symbols: Set[str]) -> None:
        """Keep no line of these symbols: what comes next has nothing to do with it."""
        for lines in (self._lines, self._stale):
            for name in [name for name in lines if name[0] in symbols]:
                del lines[name]

    def _mark(self, name: LineId, at_ns: int) -> None:
        """Let the line be made anew, after those that have waited without being marked again."""
        self._stale.pop(name, None)
        self._stale[name] = at_ns

    def _make(self, name: LineId, at_ns: int) -> Sequence[Fact]:
        symbol, minutes = name
        settled = [c for c in self._stored(symbol, minutes) if c.state in _SETTLED]
        old = self._lines.get(name)
        line = Line(symbol, minutes, has_volume=self._has_volume(symbol))
        self._lines[name] = line
        return line.seed(settled, at_ns, old)
