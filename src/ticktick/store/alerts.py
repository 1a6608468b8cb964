"""Alerts as Redis shows them: one stream of what was raised and what holds no more."""

from collections.abc import Iterable, Iterator
from functools import partial

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import AlertCleared, AlertRaised, Fact
from ticktick.engine.alerts.sources import SOURCES
from ticktick.engine.alerts.words import news
from ticktick.store.keys import ALERTS_STREAM
from ticktick.store.link import Command, Entry, Word
from ticktick.store.streams import Streams


def alert_entries(facts: Iterable[Fact], streams: Streams) -> Iterator[Entry]:
    """The entries for the facts about alerts; values in the trader's units.

    What is raised gets its text when it is written, and says then how late that is.
    """
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
                }
                yield partial(_with_text, streams.append(ALERTS_STREAM, fact.at_ns, words), fact)
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


def _with_text(command: Command, alert: AlertRaised, now_ns: int) -> Command:
    return (*command, "text", news(alert, now_ns))
