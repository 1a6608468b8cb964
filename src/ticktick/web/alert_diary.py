"""The alerts of this run as the page shows them: the newest ones, and which were seen."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import AlertCleared, AlertRaised, AlertRulesChanged, Fact
from ticktick.engine.alerts.sources import SOURCES
from ticktick.engine.alerts.words import news
from ticktick.web.alert_parts import AlertEnd, AlertLine, AlertsSeen, RulesUpdate

ALERTS_KEPT: Final = 500
News: TypeAlias = AlertLine | AlertEnd | RulesUpdate


class AlertDiary:
    """Keeps the newest alerts, by number."""

    def __init__(self) -> None:
        self._kept: dict[int, AlertLine] = {}

    @property
    def newest_first(self) -> Sequence[AlertLine]:
        """Every alert that is kept."""
        return list(self._kept.values())[::-1]

    def take(self, facts: Iterable[Fact], now_ns: int = 0) -> list[tuple[str, News]]:
        """Remember what facts say of alerts; what browsers must be told, by kind of message.

        `now_ns` is market time, 0 where that means nothing.
        """
        news: list[tuple[str, News]] = []
        for fact in facts:
            match fact:
                case AlertRaised():
                    news.append(("alert", self._raise(fact, now_ns)))
                case AlertCleared(number=number, at_ns=at_ns):
                    news.append(("alert_cleared", self._clear(number, at_ns // NS_PER_MS)))
                case AlertRulesChanged(rules=rules):
                    news.append(("alert_rules", RulesUpdate(rules)))
                case _:
                    pass
        return news

    def acknowledge(self, numbers: Sequence[int]) -> AlertsSeen:
        """Mark these alerts as seen, all of them where none is named; which were marked."""
        wanted = numbers or list(self._kept)
        seen = [n for n in wanted if n in self._kept and not self._kept[n].acknowledged]
        for number in seen:
            self._kept[number] = replace(self._kept[number], acknowledged=True)
        return AlertsSeen(tuple(seen))

    def _raise(self, fact: AlertRaised, now_ns: int) -> AlertLine:
        line = alert_line(fact, now_ns)
        self._kept[line.number] = line
        if len(self._kept) > ALERTS_KEPT:
            del self._kept[next(iter(self._kept))]
        return line

    def _clear(self, number: int, at_ms: int) -> AlertEnd:
        if number in self._kept:
            self._kept[number] = replace(self._kept[number], cleared_ms=at_ms)
        return AlertEnd(number, at_ms)


def alert_line(fact: AlertRaised, now_ns: int) -> AlertLine:
    """The alert as it is told at that moment."""
    rule = fact.rule
    source = SOURCES.get(rule.source)
    return AlertLine(
        number=fact.number,
        rule_id=rule.id,
        at_ms=fact.at_ns // NS_PER_MS,
        level=rule.level,
        symbol=fact.symbol,
        source=rule.source,
        comparison=rule.comparison,
        value=fact.value,
        threshold=rule.threshold,
        unit="" if source is None else source.shown_unit,
        direction=fact.direction,
        text=news(fact, now_ns),
        exchange_ms=fact.exchange_ns // NS_PER_MS,
        age_ms=max(fact.age_ns, now_ns - fact.exchange_ns) // NS_PER_MS,
        sound=rule.sound,
        browser=rule.browser,
    )
