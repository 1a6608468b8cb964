"""The read-only interface as a program sees it."""

from collections.abc import AsyncIterator

import pytest

from tests.web_stage import (
    CLI_TOKEN,
    MORNING_NS,
    Site,
    SmallMarket,
    Stage,
    candle,
    instrument,
    running,
)
from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.instrument import Kind
from ticktick.domain.market import CandleState

SYMBOLS = ["RELIANCE", "M&M", "BAJAJ-AUTO", "BSE:RELIANCE", "INDIA VIX", "100% & #1"]
ESCAPED = ["RELIANCE", "M&M", "BAJAJ-AUTO", "BSE:RELIANCE", "INDIA%20VIX", "100%25%20%26%20%231"]


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    market = SmallMarket([instrument(symbol) for symbol in SYMBOLS])
    async with running(Stage(market)) as found:
        await found.log_in()
        yield found


async def test_the_status_holds_every_symbol_in_rupees(site: Site) -> None:
    site.stage.market.trade("M&M", 301_505)
    answer = (await site.ask("GET", "/api/v1/status")).json()
    assert (answer["mode"], answer["server_time_ms"]) == ("DEMO", MORNING_NS // NS_PER_MS)
    assert [each["symbol"] for each in answer["symbols"]] == SYMBOLS
    assert answer["symbols"][0]["last_price"] is None
    assert answer["symbols"][1]["last_price"] == 3015.05
    assert answer["symbols"][1]["age_ms"] == 0
    assert answer["phases"] == {"NSE_EQ": {"phase": "continuous", "source": "feed"}}
    assert answer["token"] == {"state": "valid", "expires_ms": None}


@pytest.mark.parametrize(("symbol", "escaped"), list(zip(SYMBOLS, ESCAPED, strict=True)))
async def test_candles_of_every_kind_of_symbol_are_found(
    site: Site, symbol: str, escaped: str
) -> None:
    site.stage.market.closed[symbol, 5] = [candle(symbol, minutes=5)]
    running_candle = candle(symbol, minute=5, minutes=5, state=CandleState.FORMING)
    site.stage.market.running[symbol, 5] = running_candle
    answer = await site.ask("GET", f"/api/v1/candles/{escaped}/5")
    assert answer.status == 200
    found = answer.json()
    assert (found["symbol"], found["minutes"], found["mode"]) == (symbol, 5, "DEMO")
    assert [each["state"] for each in found["candles"]] == ["final", "forming"]
    assert found["candles"][0]["close"] == 1400.0


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("NOSUCH/5", "This symbol is not watched: /api/v1/symbols lists those that are."),
        ("RELIANCE/7", "No 7-minute candles: there are 1, 3, 5, 10, 15, 60 minutes."),
        ("RELIANCE%0d%0aX/5", "This symbol is not watched: /api/v1/symbols lists those that are."),
    ],
)
async def test_what_is_not_there_is_a_plain_sentence(site: Site, path: str, sentence: str) -> None:
    answer = await site.ask("GET", f"/api/v1/candles/{path}")
    assert answer.status == 404
    assert answer.json()["error"] == sentence


async def test_the_status_holds_the_levels_of_every_book_in_rupees(site: Site) -> None:
    site.stage.market.book("M&M", [(301_500, 12), (301_495, 40)], [(301_510, 9)])
    symbols = (await site.ask("GET", "/api/v1/status")).json()["symbols"]
    assert symbols[1]["bids"] == [[3015.0, 12], [3014.95, 40]]
    assert symbols[1]["asks"] == [[3015.1, 9]]
    assert (symbols[0]["bids"], symbols[0]["asks"]) == ([], [])


async def test_symbols_are_listed_with_their_ticks() -> None:
    market = SmallMarket([instrument("M&M"), instrument("NIFTY 50", Kind.INDEX)])
    async with running(Stage(market)) as site:
        await site.log_in()
        answer = (await site.ask("GET", "/api/v1/symbols")).json()
    assert [each["symbol"] for each in answer["symbols"]] == ["M&M", "NIFTY 50"]
    assert answer["symbols"][0]["tick_size"] == 0.05
    assert answer["symbols"][1]["has_volume"] is False


async def test_the_health_check_says_ok_and_nothing_else(site: Site) -> None:
    assert (await site.ask("GET", "/healthz")).body == b'{"ok":true}'


async def test_the_interface_describes_itself_to_who_may_read_it(site: Site) -> None:
    paths = (await site.ask("GET", "/api/v1/openapi.json")).json()["paths"]
    assert "/api/v1/status" in paths
    assert "/api/v1/candles/{symbol}/{minutes}" in paths


async def test_metrics_are_for_those_who_may_read() -> None:
    async with running(Stage(), figures=lambda: b"ticktick_link_state 1.0\n") as site:
        assert (await site.ask("GET", "/metrics")).status == 401
        assert (await site.ask("GET", "/metrics", Authorization="Bearer wrong")).status == 401
        answer = await site.ask("GET", "/metrics", Authorization=f"Bearer {CLI_TOKEN}")
        assert (answer.status, answer.body) == (200, b"ticktick_link_state 1.0\n")
        assert answer.headers["content-type"].startswith("text/plain; version=")
        await site.log_in()
        assert (await site.ask("GET", "/metrics")).status == 200
