"""Alerts in Redis: one stream, each with the sentence a person reads, and how late it came."""

import pytest

from tests.alert_stage import rule
from tests.store_stage import OPEN_MS, OPEN_NS, Asking, SmallMarket, eventually, facts_only
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import AlertCleared, AlertRaised
from ticktick.errors import StoreError
from ticktick.store.redis_store import RedisWriter
from ticktick.store.server import EmbeddedServer

RULE = rule(symbol="RELIANCE", threshold=1400.0)
RAISED = AlertRaised(OPEN_NS, 1, RULE, "RELIANCE", 1412.5, OPEN_NS - NS_PER_S)
SENTENCE = "RELIANCE last price is ₹1,412.50, above ₹1,400.00"


def entries(ask: Asking) -> list[dict[str, str]]:
    told = ask(2, "XRANGE", "alerts", "-", "+")
    return [dict(zip(fields[::2], fields[1::2], strict=True)) for _, fields in told]


def written(server: EmbeddedServer, ask: Asking, late_s: float) -> list[dict[str, str]]:
    """The entries of an alert and its end, when the engine comes to it so late."""
    now_ns = OPEN_NS + round(late_s * NS_PER_S)
    writer = RedisWriter(server.url, SmallMarket(), now_ns=lambda: now_ns)
    cleared = AlertCleared(OPEN_NS + NS_PER_S, 1, RULE.id, "RELIANCE", 1399.0)
    writer.take(facts_only(RAISED, cleared))
    writer.close()
    return entries(ask)


def test_an_alert_is_an_entry_and_so_is_its_end(server: EmbeddedServer, ask: Asking) -> None:
    raised, cleared = written(server, ask, late_s=0)
    assert raised == {
        "event": "raised",
        "number": "1",
        "rule": "1",
        "level": "warning",
        "symbol": "RELIANCE",
        "source": "last_price",
        "comparison": "above",
        "threshold": "1400.0",
        "value": "1412.5",
        "unit": "rupees",
        "exchange_ms": str(OPEN_MS - 1_000),
        "text": SENTENCE,
    }
    assert (cleared["event"], cleared["number"], cleared["value"]) == ("cleared", "1", "1399.0")


@pytest.mark.parametrize(("late_s", "more"), [(5, ""), (42, " (at 09:15:00, told 42 s late)")])
def test_an_alert_that_comes_late_says_how_late(
    server: EmbeddedServer, ask: Asking, late_s: float, more: str
) -> None:
    assert written(server, ask, late_s)[0]["text"] == SENTENCE + more


def test_an_alert_that_waited_for_redis_says_so(server: EmbeddedServer, ask: Asking) -> None:
    now_ns = [OPEN_NS]
    is_away = [True]

    def revive() -> None:
        if is_away[0]:
            raise StoreError("it does not start")

    writer = RedisWriter(server.url, SmallMarket(), revive=revive, now_ns=lambda: now_ns[0])
    try:
        writer.take(facts_only(RAISED))
        eventually(lambda: "it does not start" in writer.text)
        now_ns[0] += 90 * NS_PER_S
        is_away[0] = False
        eventually(lambda: len(entries(ask)) == 1)
    finally:
        writer.close()
    assert entries(ask)[0]["text"] == f"{SENTENCE} (at 09:15:00, told 90 s late)"
