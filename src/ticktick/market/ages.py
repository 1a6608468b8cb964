"""How old every symbol's data is, by what the feed told and what the broker's quotes prove."""

from typing import Final

import numpy as np

from ticktick.core.columns import Rows
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import Fact, FreshnessChanged, Quote
from ticktick.domain.instrument import Kind
from ticktick.domain.market import Freshness
from ticktick.market.freshness import Link, Told, judge
from ticktick.market.phases import Phases
from ticktick.market.table import SlotTable
from ticktick.market.watch import Watch

# a trade that is this old and that the feed did not tell shows that the feed is behind
_BEHIND_NS: Final = 2 * NS_PER_S
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
        self._phases = phases
        self._watch = watch
        self._fresh_ns = fresh_ns
        self._quiet_ns = quiet_ns
        self._quiet_derivative_ns = quiet_derivative_ns
        self._proved_ns = np.zeros(table.capacity, np.int64)
        self._newer_trade_ns = np.zeros(table.capacity, np.int64)
        self.freshness: list[Freshness] = []

    def watch(self) -> None:
        """Take over the instruments of the table."""
        unknown = len(self._table) - len(self.freshness)
        self.freshness += [Freshness.UNKNOWN] * unknown

    def forget(self, rows: Rows) -> None:
        """Know nothing of these rows any more."""
        self._proved_ns[rows] = 0
        self._newer_trade_ns[rows] = 0
        for row in rows.tolist():
            self.freshness[row] = Freshness.UNKNOWN

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
        life_ns, phases = self._watch.life_ns, self._phases.rows
        changed = []
        for row in rows.tolist():
            began_ns = int(self._phases.began_ns[row])
            is_healthy = now_ns - max(life_ns, began_ns) <= self._fresh_ns
            link = Link(now_ns, link_up, is_healthy)
            told, limit_ns = self._told(row, now_ns), self._quiet_limit_ns(row)
            freshness = judge(told, phases[row], link, self._fresh_ns, limit_ns)
            if freshness is not self.freshness[row]:
                self.freshness[row] = freshness
                symbol = self._table.instruments[row].symbol
                facts.append(FreshnessChanged(now_ns, symbol, freshness))
                changed.append(row)
        return np.array(changed, np.int32)

    def _told(self, row: int, now_ns: int) -> Told:
        # a packet that claims to be from the future ages from its reading
        record = self._table.records[row]
        newer_ns = int(self._newer_trade_ns[row])
        began_ns = int(self._phases.began_ns[row])  # nothing was traded right before it
        return Told(
            told_ns=min(int(record["exchange_ns"]), int(record["received_ns"])),
            heard=bool(self._watch.heard[row]),
            in_gap=self._watch.is_in_gap(row),
            proved_ns=max(int(self._proved_ns[row]), began_ns),
            is_behind=record["last_trade_ns"] < newer_ns < now_ns - _BEHIND_NS,
        )

    def _quiet_limit_ns(self, row: int) -> int:
        is_share = self._table.instruments[row].kind in _SHARES
        return self._quiet_ns if is_share else self._quiet_derivative_ns
