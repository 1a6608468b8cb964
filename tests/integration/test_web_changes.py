"""The routes that change the watchlist and the link, as the page uses them."""

from collections.abc import AsyncIterator

import pytest

from tests.web_stage import Site, Stage, running
from ticktick.errors import ConfigError
from ticktick.web.steering import FixedSteering, Wanted


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with running(Stage()) as found:
        await found.log_in()
        yield found


async def test_the_page_adds_and_removes_a_symbol_and_is_told_in_a_sentence(site: Site) -> None:
    added = await site.ask("POST", "/api/v1/symbols", {"what": "INDIA VIX", "name": "Fear"})
    assert added.json() == {"text": "Fear is watched now."}
    assert site.stage.steering.symbols == ["RELIANCE", "INDIA VIX"]
    removed = await site.ask("DELETE", "/api/v1/symbols/INDIA%20VIX", {})
    assert removed.json() == {"text": "INDIA VIX is no longer watched."}
    assert site.stage.steering.symbols == ["RELIANCE"]


async def test_a_symbol_that_is_put_back_comes_before_the_one_it_names(site: Site) -> None:
    wish = {"what": "INFY", "name": "Infosys", "before": "RELIANCE"}
    assert (await site.ask("POST", "/api/v1/symbols", wish)).status == 200
    assert site.stage.steering.symbols == ["INFY", "RELIANCE"]


async def test_a_change_that_cannot_be_made_is_a_conflict_with_its_reason(site: Site) -> None:
    for ask, sentence in (
        (("POST", "/api/v1/symbols", {"what": "RELIANCE"}), "RELIANCE is already watched"),
        (("DELETE", "/api/v1/symbols/INFY", {}), "INFY is not watched"),
    ):
        answer = await site.ask(*ask)
        assert (answer.status, answer.json()["error"]) == (409, sentence)


async def test_a_search_tells_what_the_brokers_list_holds(site: Site) -> None:
    answer = await site.ask("GET", "/api/v1/symbols/search?q=infy")
    assert answer.json() == {
        "found": [
            {
                "symbol": "infy",
                "name": "Infosys",
                "instrument_key": "NSE_EQ|1",
                "exchange": "NSE",
                "kind": "equity",
                "lot_size": 1,
                "is_watched": False,
                "expiry": None,
                "strike": None,
            }
        ],
        "total": 7,
    }
    query = "q=nifty&derivatives=true&expiry=2026-12-03&strike=24500"
    (option,) = (await site.ask("GET", f"/api/v1/symbols/search?{query}")).json()["found"]
    assert (option["kind"], option["expiry"], option["strike"]) == ("call", "2026-12-03", 24500.0)


async def test_a_broker_that_does_not_answer_is_told_as_that(site: Site) -> None:
    site.stage.steering.broker_answers = False
    answer = await site.ask("GET", "/api/v1/symbols/search?q=infy")
    assert answer.status == 502
    assert answer.json()["error"] == "cannot reach the broker; check the connection"


async def test_the_page_connects_anew_and_takes_over(site: Site) -> None:
    for path, sentence in (
        ("reconnect", "Connecting anew."),
        ("take-over", "Taking the feed over."),
    ):
        answer = await site.ask("POST", f"/api/v1/feed/{path}", {})
        assert (answer.status, answer.json()) == (200, {"text": sentence})
    assert site.stage.steering.link == ["reconnect", "take over"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/symbols", {}),
        ("POST", "/api/v1/symbols", {"what": ""}),
        ("POST", "/api/v1/symbols", {"what": "x" * 101}),
        ("POST", "/api/v1/symbols", {"what": "INFY", "else": 1}),
        ("GET", "/api/v1/symbols/search", None),
        ("GET", "/api/v1/symbols/search?q=", None),
        ("GET", "/api/v1/symbols/search?q=x&strike=nan", None),
        ("GET", "/api/v1/symbols/search?q=x&expiry=soon", None),
    ],
)
async def test_a_malformed_wish_is_refused_and_changes_nothing(
    site: Site, method: str, path: str, body: object
) -> None:
    answer = await site.ask(method, path, body)
    assert answer.status == 422
    assert set(answer.json()) == {"error", "error_id"}
    assert site.stage.steering.symbols == ["RELIANCE"]


async def test_where_nothing_can_be_changed_every_change_says_why() -> None:
    fixed = FixedSteering("this is a replay")
    for ask in (
        fixed.add_symbol("INFY"),
        fixed.remove_symbol("INFY"),
        fixed.search(Wanted("infy")),
        fixed.reconnect(),
        fixed.take_over(),
    ):
        with pytest.raises(ConfigError, match="this is a replay"):
            await ask
