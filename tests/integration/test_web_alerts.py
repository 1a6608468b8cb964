"""The routes for alerts, as the page and the commands use them, and what every browser is told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from tests.alert_stage import rule
from tests.web_stage import CLI_TOKEN, MORNING_NS, Browser, Site, Stage, outputs, running
from ticktick.domain.alert import Level
from ticktick.domain.clock import NS_PER_MS, NS_PER_S
from ticktick.domain.event import AlertCleared, AlertRaised, AlertRulesChanged

WISH = {"symbol": "reliance", "source": "last_price", "comparison": "crosses", "threshold": 2500}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with running(Stage()) as found:
        await found.log_in()
        yield found


def raised(number: int = 1, **changes: Any) -> AlertRaised:
    one = rule(symbol="RELIANCE", threshold=2500.0, level=Level.URGENT)
    fact = AlertRaised(MORNING_NS, number, one, "RELIANCE", 2500.35, MORNING_NS - 1_500_000_000)
    return replace(fact, **changes)


async def test_a_rule_is_set_changed_muted_and_removed_and_each_is_said(site: Site) -> None:
    set_ = (await site.ask("POST", "/api/v1/alerts", WISH)).json()
    assert set_ == {"id": 2, "text": "Alert 2 is set: RELIANCE last price crosses ₹2,500.00."}
    other = {**WISH, "symbol": "INFY", "threshold": "1500.5"}
    changed = (await site.ask("POST", "/api/v1/alerts/2", other)).json()
    assert changed["text"] == (
        "Alert 2 is now: INFY last price crosses ₹1,500.50. "
        "It waits until INFY is on the watchlist."
    )
    for what, word in (("mute", "is muted"), ("unmute", "is on again")):
        assert word in (await site.ask("POST", f"/api/v1/alerts/2/{what}", {})).json()["text"]
    snoozed = (await site.ask("POST", "/api/v1/alerts/2/snooze", {"minutes": 15})).json()
    assert "is quiet for 15 minutes" in snoozed["text"]
    assert site.stage.rules.snoozed == {2: 15}
    told = (await site.ask("GET", "/api/v1/alerts")).json()
    assert [(one["id"], one["is_watched"]) for one in told["rules"]] == [(1, True), (2, False)]
    assert (await site.ask("DELETE", "/api/v1/alerts/2", {})).status == 200
    gone = await site.ask("DELETE", "/api/v1/alerts/2", {})
    assert (gone.status, gone.json()["error"]) == (
        409,
        "there is no alert 2; `ticktick alerts list` shows them",
    )


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"source": "5m:rsi"}, 409, "did you mean 5m:rsi_14"),
        ({"threshold": "high"}, 409, "expected a number"),
        ({"symbol": "<img src=x>"}, 409, "expected a trading symbol"),
        ({"comparison": "over"}, 422, "body.comparison"),
        ({"threshold": None}, 422, "body.threshold"),
        ({"hysteresis": -1}, 422, "body.hysteresis"),
        ({"stranger": 1}, 422, "body.stranger"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused_in_a_sentence(
    site: Site, changes: dict[str, Any], status: int, words: str
) -> None:
    answer = await site.ask("POST", "/api/v1/alerts", WISH | changes)
    assert answer.status == status
    assert words in answer.json()["error"]


async def test_a_command_may_set_an_alert(site: Site) -> None:
    headers = {"Authorization": f"Bearer {CLI_TOKEN}", "X_Ticktick_Csrf": None, "Cookie": None}
    assert (await site.ask("POST", "/api/v1/alerts", WISH, **headers)).status == 200


async def test_the_history_tells_the_newest_first_and_keeps_what_was_seen(site: Site) -> None:
    hub = site.stage.hub
    hub.take(outputs(facts=[raised(1), raised(2, value=2501.0)]))
    hub.take(outputs(facts=[AlertCleared(MORNING_NS, 1, 1, "RELIANCE", 2499.0)]))
    assert (await site.ask("POST", "/api/v1/alerts/acknowledge", {"numbers": [2, 99]})).json() == {
        "text": "1 alert acknowledged."
    }
    told = (await site.ask("GET", "/api/v1/alerts/history")).json()["alerts"]
    assert [(a["number"], a["acknowledged"], a["cleared_ms"] is None) for a in told] == [
        (2, True, True),
        (1, False, False),
    ]
    assert told[1]["text"] == "RELIANCE last price is ₹2,500.35, above ₹2,500.00"
    assert (told[1]["age_ms"], told[1]["level"], told[1]["unit"]) == (1_500, "urgent", "rupees")
    sources = (await site.ask("GET", "/api/v1/alerts/sources")).json()["sources"]
    assert {"name": "feed", "kind": "feed", "unit": "", "words": ["down", "up"]} in sources


def test_every_browser_is_told_of_each_alert_once_in_order() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    browser.read()
    stage.hub.take(
        outputs(
            facts=[
                AlertRulesChanged(MORNING_NS, 1),
                raised(),
                AlertCleared(MORNING_NS, 1, 1, "RELIANCE", 2499.0),
            ]
        )
    )
    stage.hub.tell("alerts_seen", stage.hub.alerts.acknowledge([]))
    told = [(m["type"], m["data"]) for m in browser.read() if "alert" in m["type"]]
    kinds = [kind for kind, _ in told]
    assert kinds == ["alert_rules", "alert", "alert_cleared", "alerts_seen"]
    assert dict(told)["alert"]["value"] == 2500.35
    assert dict(told)["alerts_seen"] == {"numbers": [1]}


def test_an_alert_that_comes_out_of_a_backlog_says_so_and_how_old_it_is() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    browser.read()
    stage.now_ns += 30 * NS_PER_S
    stage.hub.take(outputs(facts=[raised()]))
    (line,) = [m["data"] for m in browser.read() if m["type"] == "alert"]
    assert line["text"].endswith("above ₹2,500.00 (at 10:00:00, told 30 s late)")
    assert (line["at_ms"], line["age_ms"]) == (MORNING_NS // NS_PER_MS, 31_500)


def test_an_alert_is_a_line_of_the_log_too() -> None:
    stage = Stage()
    stage.hub.take(outputs(facts=[raised()]))
    (line,) = stage.overview.hello().notices
    assert line.level == "alert"
    assert line.text == "urgent: RELIANCE last price is ₹2,500.35, above ₹2,500.00"
