"""The state of the system as every browser and program is told it."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Final

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import Fact, Noticed
from ticktick.domain.market import TIMEFRAMES, Freshness
from ticktick.web.blocks import COLUMNS
from ticktick.web.bodies import StatusAnswer
from ticktick.web.messages import Hello, Notice, Status
from ticktick.web.parts import PhaseState
from ticktick.web.status import (
    LiveMarket,
    SystemStatus,
    extra_rows,
    feed_state,
    instrument_row,
    symbol_statuses,
    watched_rows,
)

_NOTICES_KEPT: Final = 50


class Overview:
    """One place that knows what to say about the system.

    `system` tells what the engine does not know: clock, mode, login, stores.
    """

    def __init__(
        self, market: LiveMarket, system: Callable[[], SystemStatus], version: str
    ) -> None:
        self.market = market
        self.system = system
        self.clients = 0
        self.counters: Counter[str] = Counter()
        self._version = version
        self._notices: deque[Notice] = deque(maxlen=_NOTICES_KEPT)

    def remember(self, facts: Iterable[Fact]) -> None:
        """Keep the notices that a later browser must still be told."""
        self._notices += [notice(fact) for fact in facts if isinstance(fact, Noticed)]

    def hello(self) -> Hello:
        """The first message of a connection."""
        return Hello(
            version=self._version,
            mode=self.system().mode,
            columns=COLUMNS,
            freshness=tuple(Freshness),
            instruments=tuple(
                instrument_row(self.market, row) for row in range(len(self.market.table))
            ),
            timeframes=TIMEFRAMES,
            status=self.status(),
            notices=tuple(self._notices),
        )

    def status(self) -> Status:
        """The state of the system at this moment of market time."""
        system = self.system()
        return Status(
            now_ms=system.now_ms,
            rate=system.rate,
            phases=self._phases(),
            feed=feed_state(self.market, system.now_ms),
            token=system.token,
            store=system.store,
            recording=system.recording,
            clients=self.clients,
            counters={**self.market.counters, **system.counters, **self.counters},
        )

    def answer(self) -> StatusAnswer:
        """The state and every symbol, in rupees."""
        status = self.status()
        return StatusAnswer(
            mode=self.system().mode,
            server_time_ms=status.now_ms,
            rate=status.rate,
            phases=status.phases,
            feed=status.feed,
            token=status.token,
            store=status.store,
            recording=status.recording,
            clients=status.clients,
            counters=status.counters,
            symbols=symbol_statuses(self.market, watched_rows(self.market), status.now_ms),
            indices=symbol_statuses(self.market, extra_rows(self.market), status.now_ms),
        )

    def _phases(self) -> dict[str, PhaseState]:
        sources = self.market.phase_sources
        return {
            segment: PhaseState(phase, sources[segment])
            for segment, phase in self.market.phases.items()
        }


def notice(fact: Noticed) -> Notice:
    """The log line of a notice."""
    return Notice(fact.at_ns // NS_PER_MS, fact.level, fact.text)
