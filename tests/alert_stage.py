"""A stage for alerts: makers of rules, an engine that holds them, what it raised."""

from collections.abc import Sequence
from typing import Any

from tests.market_stage import OPEN, LiveStage
from ticktick.domain.alert import Comparison, Rule, Told
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import AlertCleared, AlertRaised, Fact, RulesRead
from ticktick.domain.instrument import Instrument


def rule(
    source: str = "last_price",
    comparison: str = "above",
    threshold: float | str = 2.0,
    *,
    symbol: str = "ACME",
    id: int = 1,  # noqa: A002
    **changes: Any,
) -> Rule:
    """A rule without cool-down and hysteresis unless the test says so."""
    plain: dict[str, Any] = {"cooldown_s": 0}
    if not isinstance(threshold, str):
        plain["hysteresis"] = 0.0
    return Rule(id, symbol, source, Comparison(comparison), threshold, **plain | changes)


class AlertStage(LiveStage):
    """An engine with rules, a share at two rupees (200 units), and a feed that lives."""

    def __init__(
        self,
        *rules: Rule,
        instruments: Sequence[Instrument] = (),
        told: Sequence[Told] = (),
        price: int = 200,
    ) -> None:
        super().__init__(*instruments)
        self.learn(*rules, told=told)
        for one in self.market.table.instruments:
            self.begin(symbol=one.symbol, price=price)
        self.at_ns = OPEN

    def learn(self, *rules: Rule, told: Sequence[Told] = ()) -> None:
        """Hold these rules from now on and no others; `told` is from before the start."""
        self.process(RulesRead(OPEN, rules, tuple(told)))

    def told(self, facts: Sequence[Fact] | None = None) -> list[tuple[str, int]]:
        """What was raised and cleared, in order: a word and the rule's id."""
        found = []
        for fact in self.facts if facts is None else facts:
            if isinstance(fact, AlertRaised):
                found.append(("raised", fact.rule.id))
            elif isinstance(fact, AlertCleared):
                found.append(("cleared", fact.rule_id))
        return found

    @property
    def raised(self) -> list[AlertRaised]:
        """Every alert so far."""
        return [fact for fact in self.facts if isinstance(fact, AlertRaised)]

    def prices(self, *units: int, symbol: str = "ACME", step_s: float = 1.0) -> None:
        """Trades at these prices, one after the other."""
        for price in units:
            self.at_ns += round(step_s * NS_PER_S)
            self.trade(self.at_ns, price, symbol=symbol)
