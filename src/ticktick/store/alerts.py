"""Alerts as Redis shows them: one stream of what was raised and what holds no more."""

from collections.abc import Iterable, Iterator

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import AlertCleared, AlertRaised, Fact
from ticktick.engine.alerts.sources import SOURCES
from ticktick.engine.alerts.words import sentence
from ticktick.store.keys import ALERTS_STREAM
from ticktick.store.link import Command, Word
from ticktick.store.streams import Streams


def alert_entries(facts: Iterable[Fact], streams: Streams) -> Iterator[Command]:
    """The commands for the facts about alerts; values in the trader's units."""
    for fact in facts:
        match fact:
            case AlertRaised(rule=rule):
                source = SOURCES.get(rule.source)
                words: dict[str, Word | None] = {
                    "event": "raised",
                    "number": fact.number,
                    "rule": rule.id,
                    "level": rule.level.value,
                    "symbol": fact.symbol,
                    "source": rule.source,
                    "comparison": rule.comparison.value,
                    "threshold": rule.threshold,
                    "value": fact.value,
                    "unit": None if source is None else source.shown_unit or None,
                    "exchange_ms": fact.exchange_ns // NS_PER_MS,
                    "text": sentence(fact),
                }
                yield streams.append(ALERTS_STREAM, fact.at_ns, words)
            case AlertCleared():
                words = {
                    "event": "cleared",
                    "number": fact.number,
                    "rule": fact.rule_id,
                    "symbol": fact.symbol,
                    "value": fact.value,
                }
                yield streams.append(ALERTS_STREAM, fact.at_ns, words)
            case _:
                pass
