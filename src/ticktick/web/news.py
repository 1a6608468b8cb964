"""What every browser is told of candles: the day's patterns, the newest readings and closes."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from heapq import merge
from itertools import islice, product, takewhile
from typing import Final, Protocol

from ticktick.domain.analysis import Confirmation, Pattern, Reading
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS, ist_day_number
from ticktick.domain.event import (
    CandleChanged,
    Fact,
    IndicatorsRead,
    PatternFound,
    PatternJudged,
    PatternSuperseded,
    WatchlistChanged,
)
from ticktick.domain.market import TIMEFRAMES, Candle, CandleState
from ticktick.web.insights import (
    Closes,
    CloseRow,
    ListedPattern,
    Patterns,
    PatternUpdate,
    ReadingRow,
    Readings,
)
from ticktick.web.status import LiveMarket

PATTERNS_TOLD: Final = 400
"""Of the whole day and all symbols, to a browser that comes."""
LINE_TOLD: Final = 60
"""Of one symbol and timeframe whose candles were read anew."""
CLOSES_TOLD: Final = 30
_SUPERSEDED_KEPT: Final = 200
_NEVER: Final = -1

LineId = tuple[str, int]
Known = tuple[Pattern, bool]
"""A pattern, and whether it is superseded."""
Told = Patterns | PatternUpdate | Readings | Closes
KINDS: Final[dict[type[Told], str]] = {
    Patterns: "patterns",
    PatternUpdate: "pattern",
    Readings: "readings",
    Closes: "closes",
}


class LivePatterns(Protocol):
    """What the web reads of the engine's analytics after each candle."""

    def reading(self, symbol: str, minutes: int) -> Reading | None:
        """The indicators after the newest settled candle."""
        ...

    def patterns(self, symbol: str, minutes: int) -> Sequence[Pattern]:
        """The newest patterns, oldest first."""
        ...

    def ended(self, symbol: str, minutes: int, start_ns: int) -> Sequence[Pattern]:
        """Those of the newest patterns that ended with the candle that starts then."""
        ...

    def judged(self, pattern: Pattern) -> bool | None:
        """Whether the candle after the pattern confirmed it; None while there is none."""
        ...


class News:
    """Turns the engine's facts into messages, and tells a browser that comes where things stand."""

    def __init__(self, market: LiveMarket, analysis: LivePatterns) -> None:
        self._market = market
        self._analysis = analysis
        self._bars: dict[LineId, int] = {}
        self._superseded: deque[Pattern] = deque(maxlen=_SUPERSEDED_KEPT)
        self._closes: dict[str, Mapping[int, int | None]] = {}

    def take(self, at_ns: int, facts: Sequence[Fact]) -> list[Told]:
        """What changed for every browser; `at_ns` is market time."""
        told: list[Told] = []
        readings = [fact.reading for fact in facts if isinstance(fact, IndicatorsRead)]
        for fact in facts:
            match fact:
                case WatchlistChanged():
                    self._forget({*fact.removed, *fact.restated})
                case PatternFound():
                    told.append(PatternUpdate(self._row(fact.pattern)))
                case PatternJudged():
                    told += self._judged(fact.confirmation)
                case PatternSuperseded():
                    self._superseded.append(fact.pattern)
                    told.append(PatternUpdate(self._row(fact.pattern, superseded=True)))
        told += self._read_patterns(readings, at_ns)
        if readings:
            newest = {_line(reading): reading_row(reading) for reading in readings}
            told.append(Readings(False, tuple(newest.values())))
        return told + self._new_closes(facts)

    def everything(self, at_ns: int) -> list[Told]:
        """Where things stand, for all followed symbols."""
        table = self._market.table
        symbols = [table.instruments[row].symbol for row in table.followed]
        lines = list(product(symbols, TIMEFRAMES))
        readings = (self._analysis.reading(*line) for line in lines)
        today = [self._newest(line, at_ns) for line in lines]
        newest = islice(merge(*today, key=_age, reverse=True), PATTERNS_TOLD)
        closes = (rows for symbol in symbols for rows in self._close_rows(symbol))
        return [
            Closes(True, tuple(closes)),
            Readings(True, tuple(reading_row(one) for one in readings if one is not None)),
            Patterns(True, self._rows(reversed(list(newest)))),
        ]

    def known(self, symbol: str, minutes: int) -> Iterator[Known]:
        """The patterns of a symbol and timeframe that stand, then those that are superseded."""
        yield from ((pattern, False) for pattern in self._analysis.patterns(symbol, minutes))
        yield from self._gone((symbol, minutes))

    def _gone(self, line: LineId) -> Iterator[Known]:
        return ((pattern, True) for pattern in self._superseded if _line(pattern) == line)

    def _newest(self, line: LineId, at_ns: int) -> Iterator[Known]:
        """The patterns of the day, newest first, no further than somebody reads."""
        today = ist_day_number(at_ns)
        gone = sorted(self._gone(line), key=_age, reverse=True)
        stands = ((pattern, False) for pattern in reversed(self._analysis.patterns(*line)))
        both = merge(gone, stands, key=_age, reverse=True) if gone else stands
        return takewhile(lambda one: ist_day_number(one[0].start_ns) == today, both)

    def _rows(self, known: Iterable[Known]) -> tuple[ListedPattern, ...]:
        return tuple(self._row(pattern, superseded=gone) for pattern, gone in known)

    def _read_patterns(self, readings: Iterable[Reading], at_ns: int) -> list[Told]:
        """Where candles were read, not just followed by one, no fact tells the patterns."""
        lines: dict[LineId, None] = {}
        for reading in readings:
            line = _line(reading)
            if reading.bars not in (self._bars.get(line), self._bars.get(line, 0) + 1):
                lines[line] = None
            self._bars[line] = reading.bars
        newest = (list(islice(self._newest(line, at_ns), LINE_TOLD)) for line in lines)
        rows = self._rows(one for known in newest for one in reversed(known))
        return [Patterns(False, rows)] if rows else []

    def _judged(self, judgement: Confirmation) -> list[Told]:
        ended = self._analysis.ended(judgement.symbol, judgement.minutes, judgement.start_ns)
        rows = (self._row(pattern) for pattern in ended if pattern.name == judgement.name)
        return [PatternUpdate(row) for row in rows]

    def _row(self, pattern: Pattern, *, superseded: bool = False) -> ListedPattern:
        return pattern_row(pattern, self._analysis.judged(pattern), superseded=superseded)

    def _new_closes(self, facts: Iterable[Fact]) -> list[Told]:
        changed = {
            fact.candle.symbol: None
            for fact in facts
            if isinstance(fact, CandleChanged) and fact.candle.minutes == 1
        }
        rows: list[CloseRow] = []
        for symbol in changed:
            now = self._close_rows(symbol)
            before = self._closes.get(symbol, {})
            rows += [row for row in now if before.get(row.start_ms, _NEVER) != row.close]
            self._closes[symbol] = {row.start_ms: row.close for row in now}
        return [Closes(False, tuple(rows))] if rows else []

    def _close_rows(self, symbol: str) -> list[CloseRow]:
        newest = self._market.candles(symbol, 1)[-CLOSES_TOLD:]
        return [close_row(candle) for candle in newest]

    def _forget(self, symbols: Set[str]) -> None:
        self._bars = {line: bars for line, bars in self._bars.items() if line[0] not in symbols}
        kept = [pattern for pattern in self._superseded if pattern.symbol not in symbols]
        self._superseded = deque(kept, maxlen=_SUPERSEDED_KEPT)
        for symbol in symbols:
            self._closes.pop(symbol, None)


def pattern_row(pattern: Pattern, confirmed: bool | None, *, superseded: bool) -> ListedPattern:
    """The pattern for the page: price units."""
    record = pattern.record
    return ListedPattern(
        symbol=pattern.symbol,
        minutes=pattern.minutes,
        start_ms=pattern.start_ns // NS_PER_MS,
        pattern=pattern.name,
        revision=pattern.revision,
        value=pattern.value,
        direction=pattern.direction,
        strict=pattern.strict,
        shadow_body_ratio=pattern.shadow_ratio,
        trend=pattern.trend,
        in_context=pattern.in_context,
        confirmation=pattern.confirmation,
        confirmed=confirmed,
        invalidation=pattern.invalidation,
        cases=record.cases,
        hit_rate=record.rate,
        hit_rate_low=record.low,
        hit_rate_high=record.high,
        base_rate=record.base_rate,
        superseded=superseded,
    )


def reading_row(reading: Reading) -> ReadingRow:
    """What the watchlist shows of a reading; nothing of it while it is warming."""
    values = {} if reading.warming else reading.values
    return ReadingRow(
        symbol=reading.symbol,
        minutes=reading.minutes,
        start_ms=reading.start_ns // NS_PER_MS,
        rsi=values.get("rsi_14"),
        is_flat="rsi_14" in reading.degenerate,
        atr_percent=values.get("natr_14"),
        relative_volume=values.get("rvol"),
        withheld=reading.withheld,
    )


def close_row(candle: Candle) -> CloseRow:
    """The close of a minute; a missing one has none."""
    known = candle.state is not CandleState.MISSING
    return CloseRow(candle.symbol, candle.start_ns // NS_PER_MS, candle.close if known else None)


def _line(of: Pattern | Reading) -> LineId:
    return of.symbol, of.minutes


def _age(known: Known) -> tuple[int, int]:
    """By the end of the candle; of those that ended together the longer one weighs more."""
    pattern = known[0]
    return pattern.start_ns + pattern.minutes * NS_PER_MINUTE, pattern.minutes
