"""How old every symbol's data is, by what the feed told and what the broker's quotes prove."""

from typing import Final

import numpy as np

from ticktick.core.columns import NO_ROWS, Rows
from ticktick.core.kernels import Ageing
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import Fact, FreshnessChanged, Quote
from ticktick.domain.instrument import Kind
from ticktick.market.freshness import FreshnessColumn
from ticktick.market.phases import Phases
from ticktick.market.table import SlotTable
from ticktick.market.watch import Watch

# the broker's quotes tell a trade's time less exactly than the feed
_SAME_TRADE_NS: Final = NS_PER_S
_SHARES: Final = frozenset({Kind.EQUITY, Kind.INDEX})


class Ages:
    """The freshness of each row, kept up to date by `judge`.

    `quiet_ns` is how long a share or an index may be quiet without a proof that it did not trade,
    `quiet_derivative_ns` the same of contracts.
    """

    def __init__(
        self,
        table: SlotTable,
        phases: Phases,
        watch: Watch,
        fresh_ns: int,
        quiet_ns: int,
        quiet_derivative_ns: int,
    ) -> None:
        self._table = table
        self._watch = watch
        self._quiet_ns = quiet_ns
        self._quiet_derivative_ns = quiet_derivative_ns
        self._proved_ns = np.zeros(table.capacity, np.int64)
        self._newer_trade_ns = np.zeros(table.capacity, np.int64)
        self._quiet_limit_ns = np.full(table.capacity, quiet_ns, np.int64)
        self._changed = np.zeros(table.capacity, np.int32)
        self.freshness = FreshnessColumn(table)
        self._ageing = Ageing(
            fresh_ns,
            table.words,
            watch.heard.view(np.uint8),
            watch.gap_until_ns,
            phases.continuous,
            phases.closed,
            phases.began_ns,
            self._proved_ns,
            self._newer_trade_ns,
            self._quiet_limit_ns,
            self.freshness.codes,
            self._changed,
        )

    def watch(self) -> None:
        """Take over the instruments of the table."""
        for row, instrument in enumerate(self._table.instruments):
            is_share = instrument.kind in _SHARES
            self._quiet_limit_ns[row] = self._quiet_ns if is_share else self._quiet_derivative_ns

    def forget(self, rows: Rows) -> None:
        """Know nothing of these rows any more."""
        self._proved_ns[rows] = 0
        self._newer_trade_ns[rows] = 0
        self.freshness.forget(rows)

    def hear_quote(self, row: int, quote: Quote, at_ns: int) -> None:
        """Compare what was asked for at the moment with what the feed told."""
        record = self._table.records[row]
        trade_ns, volume = int(record["last_trade_ns"]), int(record["volume"])
        if quote.volume and volume:
            is_newer = quote.volume > volume
        else:
            is_newer = quote.last_trade_ns > trade_ns + _SAME_TRADE_NS
        if is_newer:
            self._newer_trade_ns[row] = max(quote.last_trade_ns, trade_ns + 1)
        elif quote.last_trade_ns:
            self._proved_ns[row] = at_ns

    def judge(self, rows: Rows, now_ns: int, facts: list[Fact], *, link_up: bool) -> Rows:
        """Tell whose freshness changed; return their rows."""
        self._watch.close_gaps(rows)
        count = self._ageing.judge(rows, now_ns, self._watch.life_ns, link_up)
        if not count:
            return NO_ROWS
        changed = self._changed[:count].copy()
        for row in changed.tolist():
            symbol = self._table.instruments[row].symbol
            facts.append(FreshnessChanged(now_ns, symbol, self.freshness[row]))
        return changed
