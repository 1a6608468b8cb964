"""The state of the system as every browser and program is told it."""

from collections import Counter, deque
from collections.abc import Callable, Set
from typing import Final, TypeAlias

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import AlertRaised, Noticed
from ticktick.domain.instrument import Instrument
from ticktick.domain.market import TIMEFRAMES, Freshness, Liquidity, Volatility
from ticktick.engine.alerts.words import sentence
from ticktick.engine.lateness import Lateness
from ticktick.engine.ports import Outputs
from ticktick.web.blocks import COLUMNS
from ticktick.web.bodies import StatusAnswer
from ticktick.web.health import (
    LinkDiary,
    Pulses,
    RepairDiary,
    rejected_counts,
    rejected_samples,
)
from ticktick.web.messages import Hello, InstrumentRow, Notice, Status
from ticktick.web.parts import FeedState, Health, PhaseState, Stamp
from ticktick.web.status import (
    LiveMarket,
    SystemStatus,
    extra_rows,
    feed_state,
    followed_rows,
    instrument_row,
    symbol_statuses,
    watched_rows,
)

_NOTICES_KEPT: Final = 50

Listing: TypeAlias = tuple[tuple[Instrument, ...], Set[str]]


class Overview:
    """One place that knows what to say about the system.

    `system` tells what the engine does not know: clock, mode, login, stores; `stamp` only mode and
    clock, at no cost.
    """

    def __init__(
        self,
        market: LiveMarket,
        system: Callable[[], SystemStatus],
        stamp: Callable[[], Stamp],
        version: str,
    ) -> None:
        self.market = market
        self.system = system
        self.stamp = stamp
        self._listing: Listing = (), frozenset()
        self._listed_as_of: tuple[int, frozenset[str]] | None = None
        self.clients = 0
        self.counters: Counter[str] = Counter()
        self._version = version
        self._notices: deque[Notice] = deque(maxlen=_NOTICES_KEPT)
        self._lateness = Lateness()
        self._link = LinkDiary()
        self._repair = RepairDiary()
        self._pulses = Pulses()

    def remember(self, outputs: Outputs, now_s: float) -> None:
        """Keep what a later browser must still be told; `now_s` is any steady counter."""
        facts = outputs.facts
        self._lateness.take(outputs)
        self._notices += [notice(fact) for fact in facts if isinstance(fact, Noticed | AlertRaised)]
        self._link.take(facts)
        self._repair.take(facts)
        self._pulses.note(self.market.table, outputs)
        if self._pulses.is_due(now_s):
            self._pulses.beat(self.system(), now_s)

    def behind_ms(self, now_ms: int) -> int:
        """How far the engine's newest event lies behind market time; 0 while it keeps up."""
        return self._lateness.behind_ms(now_ms)

    def hello(self) -> Hello:
        """The first message of a connection."""
        return Hello(
            version=self._version,
            mode=self.stamp().mode,
            columns=COLUMNS,
            freshness=tuple(Freshness),
            liquidity=tuple(Liquidity),
            volatility=tuple(Volatility),
            instruments=self.instruments(),
            timeframes=TIMEFRAMES,
            status=self.status(),
            notices=tuple(self._notices),
            pulses=tuple(self._pulses.kept),
        )

    def instruments(self) -> tuple[InstrumentRow, ...]:
        """Every instrument that is followed, with its row."""
        return tuple(instrument_row(self.market, row) for row in followed_rows(self.market))

    def listing(self) -> Listing:
        """What the rows stand for at this moment: equal as long as no instrument changed."""
        table = self.market.table
        as_of = table.revision, frozenset(self.market.extras)
        if as_of != self._listed_as_of:
            instruments = tuple(table.instruments[row] for row in table.followed)
            self._listing, self._listed_as_of = (instruments, as_of[1]), as_of
        return self._listing

    def status(self) -> Status:
        """The state of the system at this moment of market time."""
        system = self.system()
        return Status(
            now_ms=system.now_ms,
            rate=system.rate,
            phases=self._phases(),
            feed=self.feed(system.now_ms),
            health=self._health(system),
            token=system.token,
            store=system.store,
            recording=system.recording,
            clients=self.clients,
            counters={**self.market.counters, **system.counters, **self.counters},
        )

    def feed(self, now_ms: int) -> FeedState:
        """The state of the feed at that moment of market time."""
        link = self._link
        behind_ms = self.behind_ms(now_ms)
        return feed_state(self.market, now_ms, link.cause, link.since_ms, behind_ms)

    def answer(self) -> StatusAnswer:
        """The state and every symbol, in rupees."""
        status = self.status()
        now_ms, behind_ms = status.now_ms, self.behind_ms(status.now_ms)
        return StatusAnswer(
            mode=self.stamp().mode,
            server_time_ms=status.now_ms,
            rate=status.rate,
            phases=status.phases,
            feed=status.feed,
            health=status.health,
            token=status.token,
            store=status.store,
            recording=status.recording,
            clients=status.clients,
            counters=status.counters,
            symbols=symbol_statuses(self.market, watched_rows(self.market), now_ms, behind_ms),
            indices=symbol_statuses(self.market, extra_rows(self.market), now_ms, behind_ms),
        )

    def _health(self, system: SystemStatus) -> Health:
        link, counters = system.link, self.market.counters
        return Health(
            outages=self._link.outages,
            next_attempt_s=link.next_attempt_s,
            can_take_over=link.can_take_over,
            repair=self._repair.state(counters),
            pulse=self._pulses.newest(system.now_ms),
            clock_offset_ms=link.clock_offset_ms,
            rest_left=link.budget_left,
            rest_waiting=link.rest_waiting,
            rejected=rejected_counts(self.market.rejections),
            rejected_samples=rejected_samples(self.market.rejections),
            repeats=counters.get("repeats"),
            corrections=counters.get("candle_corrections"),
            unheard=link.unheard,
        )

    def _phases(self) -> dict[str, PhaseState]:
        sources = self.market.phase_sources
        return {
            segment: PhaseState(phase, sources[segment])
            for segment, phase in self.market.phases.items()
        }


def notice(fact: Noticed | AlertRaised) -> Notice:
    """The log line of a notice or an alert."""
    at_ms = fact.at_ns // NS_PER_MS
    if isinstance(fact, Noticed):
        return Notice(at_ms, fact.level, fact.text)
    return Notice(at_ms, "alert", f"{fact.rule.level.value}: {sentence(fact)}")
