"""The alerts of a run: which rules hold, and what each event makes of them.

Rules on columns are looked at together: one comparison says which of them a frame may concern.
Nothing old raises an alert: not what is stale, in a gap or closed, not a candle that is told late.
"""

from collections.abc import Iterator, Sequence, Set
from typing import Final, TypeAlias

from ticktick.core.columns import Rows
from ticktick.domain.alert import EVERY_SYMBOL, Rule, Told
from ticktick.domain.analysis import Pattern, Reading
from ticktick.domain.clock import NS_PER_MINUTE
from ticktick.domain.event import (
    AlertCleared,
    AlertRaised,
    AlertRulesChanged,
    Event,
    Fact,
    FeedChanged,
    IndicatorsRead,
    InstrumentsResolved,
    Noticed,
    PatternFound,
    RulesRead,
    TimerFired,
)
from ticktick.engine.alerts.columns import TIMELY, LiveRows
from ticktick.engine.alerts.row_watches import RowWatches
from ticktick.engine.alerts.sources import ANY_PATTERN, FEED_WORDS, Source, source_of
from ticktick.engine.alerts.trigger import State
from ticktick.engine.alerts.watches import Seen, Watch, watch_of

LATE_NS: Final = NS_PER_MINUTE
"""A candle that ended longer ago is history: what it says is no news."""

_FEED_ROW: Final = -1
_WAYS: Final = {"any": (1, -1, 0), "up": (1,), "down": (-1,)}
_Told: TypeAlias = AlertRaised | AlertCleared


class AlertBoard:
    """Rules by what they look at; `hear` after every event, with what it changed."""

    def __init__(self, market: LiveRows) -> None:
        self._market = market
        self._rules: list[tuple[Rule, Source]] = []
        self._known: dict[tuple[object, ...], Watch] = {}
        self._missed: set[str] = set()
        self._number = 0
        self._index()

    @property
    def rules(self) -> Sequence[Rule]:
        """Every rule that can be used, by id."""
        return [rule for rule, _ in self._rules]

    @property
    def told(self) -> tuple[Told, ...]:
        """The newest alert of each rule and symbol that had one."""
        return tuple(told for watch in self._known.values() if (told := watch.told) is not None)

    def holding(self, rule_id: int) -> Sequence[str]:
        """The symbols for which a level or a state is so at this moment."""
        watches = self._known.values()
        return [one.symbol for one in watches if one.rule.id == rule_id and one.state is State.ON]

    def hear(self, event: Event, at_ns: int, touched: Rows, facts: Sequence[Fact]) -> list[Fact]:
        """What the event raises or clears, in the order of the rules' ids."""
        told: list[Fact] = []
        if isinstance(event, RulesRead):
            told += self._learn(event)
        elif isinstance(event, InstrumentsResolved):
            self._follow(frozenset(event.restated))
        if not self._known:
            return told
        looks_at_all = isinstance(event, TimerFired | RulesRead)
        told += self._look(self._rows.all if looks_at_all else touched, at_ns)
        for fact in facts:
            told += self._read(fact, at_ns)
        return told

    def _learn(self, event: RulesRead) -> list[Fact]:
        """Take over the rules; say which cannot be used, or wait for a symbol."""
        self._rules, told = [], list[Fact]()
        for rule in sorted(event.rules, key=lambda rule: rule.id):
            try:
                self._rules.append((rule, source_of(rule)))
            except ValueError as error:
                text = f"alert {rule.id} is not used: {error}"
                told.append(Noticed(event.at_ns, "warning", text))
        self._number = max([self._number, *(told.number for told in event.told)])
        self._follow(frozenset(), event.told)
        table = self._market.table
        missing = {rule.symbol for rule, _ in self._rules} - {EVERY_SYMBOL} - {*table.row_of_symbol}
        if missing - self._missed:  # once, not at every change of another rule
            names = ", ".join(sorted(missing))
            text = f"alerts wait for {names}: not on the watchlist"
            told.append(Noticed(event.at_ns, "warning", text))
        self._missed = missing
        return [*told, AlertRulesChanged(event.at_ns, len(self._rules))]

    def _follow(self, restated: Set[str], told: Sequence[Told] = ()) -> None:
        """Wait on what is followed now; what was seen before holds for the same rule and symbol."""
        before, self._known = self._known, {}
        told_of = {(*one.rule.condition, one.symbol): one for one in told}
        for rule, source in self._rules:
            if rule.muted:
                continue
            for symbol in self._symbols(rule, source):
                name = (*rule.condition, symbol)
                watch = self._watch(rule, source, symbol)
                old = before.get(name)
                if old is not None and symbol not in restated:
                    watch.state, watch.raised_ns = old.state, old.raised_ns
                    watch.number = old.number
                elif name in told_of:
                    watch.remember(told_of[name])
                self._known[name] = watch
        self._index()
        self._note_link()

    def _note_link(self) -> None:
        """Know how the link stands, so that its next change is one; before any frame it is none."""
        if self._market.link_up or self._market.last_frame_ns:
            for watch in self._feed:
                watch.note(FEED_WORDS.index("up" if self._market.link_up else "down"))

    def _symbols(self, rule: Rule, source: Source) -> list[str]:
        table, extras = self._market.table, self._market.extras
        if source.kind == "feed":
            return [EVERY_SYMBOL]
        if rule.symbol != EVERY_SYMBOL:
            return [rule.symbol] if rule.symbol in table.row_of_symbol else []
        return [symbol for symbol in table.row_of_symbol if symbol not in extras]

    def _watch(self, rule: Rule, source: Source, symbol: str) -> Watch:
        table = self._market.table
        row = table.row_of_symbol.get(symbol, _FEED_ROW)
        instrument = None if row == _FEED_ROW else table.instruments[row]
        return watch_of(rule, source, symbol, row, instrument)

    def _index(self) -> None:
        """Lay the watches out by what they look at: columns as arrays, candles by line."""
        watches = list(self._known.values())
        self._feed = [watch for watch in watches if watch.source.kind == "feed"]
        self._lines: dict[tuple[str, int], list[Watch]] = {}
        for watch in watches:
            if watch.source.minutes:
                line = (watch.symbol, watch.source.minutes)
                self._lines.setdefault(line, []).append(watch)
        rows = [watch for watch in watches if watch.source.kind in ("column", "state")]
        self._rows = RowWatches(self._market, rows)

    def _look(self, rows: Rows, at_ns: int) -> Iterator[Fact]:
        """Hold the columns of these rows against the rules that wait on them."""
        told_ns = self._market.table.records["exchange_ns"]
        for watch, value in self._rows.stirred(rows):
            yield from self._take(watch, Seen(value, int(told_ns[watch.row]), at_ns))
            self._rows.calm_down(watch)

    def _read(self, fact: Fact, at_ns: int) -> Iterator[Fact]:
        match fact:
            case FeedChanged(up=up):
                seen = Seen(FEED_WORDS.index("up" if up else "down"), at_ns, at_ns)
                for watch in self._feed:
                    yield from self._take(watch, seen)
            case IndicatorsRead(reading=reading):
                yield from self._indicators(reading, at_ns)
            case PatternFound(pattern=pattern):
                yield from self._pattern(pattern, at_ns)

    def _indicators(self, reading: Reading, at_ns: int) -> Iterator[_Told]:
        if reading.warming or not self._is_news(reading, at_ns):
            return
        for watch in self._lines.get((reading.symbol, reading.minutes), ()):
            name = watch.source.name
            if name in reading.values and name not in reading.degenerate:
                seen = Seen(reading.values[name], min(_end_ns(reading), at_ns), at_ns)
                yield from self._take(watch, seen)

    def _pattern(self, pattern: Pattern, at_ns: int) -> Iterator[_Told]:
        if not self._is_news(pattern, at_ns):
            return
        for watch in self._lines.get((pattern.symbol, pattern.minutes), ()):
            is_it = watch.source.name in (pattern.name, ANY_PATTERN)
            is_its_way = pattern.direction in _WAYS.get(str(watch.rule.threshold), ())
            if is_it and is_its_way and watch.may_raise(at_ns):
                self._number += 1
                seen = Seen(pattern.value, min(_end_ns(pattern), at_ns), at_ns)
                yield watch.raise_(seen, self._number, pattern.direction, pattern.name)

    def _is_news(self, told: Reading | Pattern, at_ns: int) -> bool:
        """Whether its candle ended just now, and its symbol's data can be vouched for."""
        row = self._market.table.row_of_symbol.get(told.symbol)
        is_timely = row is not None and self._market.freshness[row] in TIMELY
        return is_timely and at_ns - _end_ns(told) <= LATE_NS

    def _take(self, watch: Watch, seen: Seen) -> Iterator[_Told]:
        told = watch.take(seen, self._number + 1)
        if isinstance(told, AlertRaised):
            self._number += 1
        if told is not None:
            yield told


def _end_ns(told: Reading | Pattern) -> int:
    return told.start_ns + told.minutes * NS_PER_MINUTE
