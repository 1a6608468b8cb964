"""Sinks that count: how late the feed is, and how often its link was lost."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import LINK_CAUSES, FeedChanged
from ticktick.engine.distribution import Distribution
from ticktick.engine.ports import Outputs
from ticktick.market.table import SlotTable

FEED_LAG_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 15_000, 60_000)


class FeedLag:
    """How long after the exchange's stamp each frame was read, in milliseconds of market time.

    `heard` is told both moments of every frame, nanoseconds, the exchange's first.
    """

    def __init__(self, table: SlotTable, heard: Callable[[int, int], None]) -> None:
        self.lags_ms = Distribution(FEED_LAG_MS)
        self._table = table
        self._heard = heard

    def take(self, outputs: Outputs) -> None:
        """Look at one row: all rows of a frame have its times."""
        if not len(outputs.touched):
            return
        record = self._table.records[outputs.touched[0]]
        received_ns = int(record["received_ns"])
        if received_ns != outputs.at_ns:  # touched by time, not by a frame
            return
        sent_ns = int(record["exchange_ns"])
        self.lags_ms.add((received_ns - sent_ns) / NS_PER_MS)
        self._heard(sent_ns, received_ns)


class LinkTally:
    """How often an established link was lost, by cause."""

    def __init__(self) -> None:
        self.losses: Counter[str] = Counter(dict.fromkeys(LINK_CAUSES, 0))
        self._is_up = False

    def take(self, outputs: Outputs) -> None:
        """Count the losses among the facts."""
        for fact in outputs.facts:
            if isinstance(fact, FeedChanged):
                if self._is_up and not fact.up:
                    self.losses[fact.cause] += 1
                self._is_up = fact.up
