"""The analysis of one symbol and timeframe: its streams and what they told."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from ticktick.analytics.bars import bars_of
from ticktick.analytics.fed import Fed
from ticktick.analytics.found import PLACES, Found
from ticktick.analytics.indicators import Indicators
from ticktick.analytics.patterns import Patterns
from ticktick.analytics.volumes import SessionVolumes
from ticktick.domain.analysis import Confirmation, Pattern, Reading
from ticktick.domain.event import (
    Fact,
    IndicatorsRead,
    PatternFound,
    PatternJudged,
    PatternSuperseded,
)
from ticktick.domain.market import Candle

PATTERNS_KEPT: Final = 200


class Line:
    """Fed settled candles in order of their start; `seed` first, then `update`.

    `reading` is that of the newest candle, `patterns` are the newest ones, oldest first. For its
    owner: `told_ns` is the start of the newest candle that was told, fed or not yet, and a line
    that `is_stale` takes no more candles.
    """

    def __init__(
        self,
        symbol: str,
        minutes: int,
        *,
        has_volume: bool,
        volumes: SessionVolumes | None = None,
    ) -> None:
        self._symbol = symbol
        self._minutes = minutes
        self._indicators = Indicators(symbol, minutes, has_volume=has_volume, volumes=volumes)
        self._patterns = Patterns(symbol, minutes)
        self._fed = Fed()
        self._newest_ns = 0
        self.told_ns = 0
        self.is_stale = False
        self._told = array("q")  # of the patterns those that were told, in that order
        self.reading: Reading | None = None
        self.patterns = Found(symbol, minutes, PATTERNS_KEPT)

    def awaits(self, candle: Candle) -> bool:
        """Whether it is a next candle, and the line takes any."""
        return not self.is_stale and candle.start_ns > self._newest_ns

    def knows(self, candle: Candle) -> bool:
        """Whether the same numbers were fed."""
        return self._fed.knows(candle)

    def judged(self, pattern: Pattern) -> bool | None:
        """Whether the candle after the pattern closed beyond its extreme; None while unknown.

        A candle that leapt away from the pattern says nothing of it.
        """
        beyond = pattern.confirmation
        close = self._fed.close_after(pattern.start_ns)
        if beyond is None or close is None:
            return None
        return (close - beyond) * pattern.direction > 0

    def peek(self, candle: Candle) -> Reading | None:
        """The reading if the candle ended as it stands; None unless it is the next one."""
        return self._indicators.peek(candle) if candle.start_ns > self._newest_ns else None

    def update(self, candle: Candle, at_ns: int) -> Sequence[Fact]:
        """Take the next settled candle."""
        self._newest_ns = candle.start_ns
        self._fed.take(candle)
        self.reading = self._indicators.update(candle)
        found, judged = self._patterns.update(candle)
        facts: list[Fact] = [IndicatorsRead(at_ns, self.reading)]
        facts += [PatternJudged(at_ns, confirmation) for confirmation in judged]
        for pattern in found:
            self.patterns.append(pattern)
            self._told.append(_id(pattern))
            facts.append(PatternFound(at_ns, pattern))
        del self._told[:-PATTERNS_KEPT]
        return facts

    def seed(self, candles: Sequence[Candle], at_ns: int, old: "Line | None") -> Sequence[Fact]:
        """Take all stored candles at once, in place of an older line.

        Of the older line's patterns those that do not stand any more are superseded; nothing is
        deleted. Patterns found in the span it told are new ones with a higher revision. Where the
        candle after a pattern says something else now, that is told too.
        """
        if not candles:
            return ()
        self._fed = Fed(candles)
        self._newest_ns = self.told_ns = candles[-1].start_ns
        bars = bars_of(candles)
        self.reading = self._indicators.seed(bars)
        first_ns = old.patterns[0].start_ns if old is not None and old.patterns else None
        found = self._patterns.seed(bars, first_ns)
        facts: list[Fact] = [] if self.reading is None else [IndicatorsRead(at_ns, self.reading)]
        told: dict[int, Pattern] = {}
        if old is not None:
            told, corrections = self._corrected(found, old, at_ns)
            facts += corrections
        self.patterns.extend(told.get(_id(pattern), pattern) for pattern in found)
        self._told = array("q", told)
        return facts

    def _standing(self) -> dict[int, Pattern]:
        """The patterns that were told, by what names them, in the order in which they were."""
        known = {_id(pattern): pattern for pattern in self.patterns}
        return {name: known[name] for name in self._told if name in known}

    def _corrected(
        self, found: Iterable[Pattern], old: "Line", at_ns: int
    ) -> tuple[dict[int, Pattern], Sequence[Fact]]:
        """The patterns that are told now, the newest, and what is said of those of before."""
        told, tells = old._standing(), dict[int, Pattern]()
        first_ns = min((p.start_ns for p in told.values()), default=self._newest_ns)
        now = {_id(p): p for p in found if p.start_ns >= first_ns}
        facts: list[Fact] = []
        stands = {
            name
            for name, pattern in told.items()
            if name in now and _verdict(now[name]) == _verdict(pattern)
        }
        for name, pattern in told.items():
            if name in stands:
                tells[name] = pattern
            elif pattern.start_ns in self._fed:
                facts.append(PatternSuperseded(at_ns, pattern))
        is_full = len(old._told) == PATTERNS_KEPT  # then some of the first candle's are forgotten
        for name, new in now.items():
            before = told.get(name)
            if name in stands or (before is None and is_full and new.start_ns == first_ns):
                continue
            new = new if before is None else replace(new, revision=before.revision + 1)
            tells[name] = new
            facts.append(PatternFound(at_ns, new))
        for name in [*tells][:-PATTERNS_KEPT]:
            del tells[name]
        judged = self._judged_anew(tells, told, old, at_ns)
        return tells, [*facts, *judged]

    def _judged_anew(
        self, tells: Mapping[int, Pattern], told: Mapping[int, Pattern], old: "Line", at_ns: int
    ) -> Sequence[Fact]:
        """The judgements of the patterns that are told now that differ from the older line's."""
        facts: list[Fact] = []
        for id_, pattern in tells.items():
            confirmed = self.judged(pattern)
            known = told.get(id_) == pattern and old.judged(pattern) == confirmed
            if confirmed is None or known:
                continue
            name = pattern.name
            verdict = Confirmation(self._symbol, self._minutes, pattern.start_ns, name, confirmed)
            facts.append(PatternJudged(at_ns, verdict))
        return facts


def _id(pattern: Pattern) -> int:
    """Of a pattern among those of a line: no two candles begin within nanoseconds."""
    return pattern.start_ns + PLACES[pattern.name]


def _verdict(pattern: Pattern) -> tuple[object, ...]:
    """What a correction may change of a pattern; its record grows with the history anyway."""
    return pattern.value, pattern.in_context, pattern.confirmation, pattern.invalidation
