"""The survey over HTTP: as expected on the exchange, different when the exchange is made to be."""

import json
from typing import Any

import pytest

from tests.survey_stage import survey_stage, unlike, verdicts
from ticktick.brokers.upstox.survey.survey import ASSUMPTIONS, survey

HTTP = ("answer.", "token.", "account.", "calendar.", "status.", "master.", "search.", "quotes.",
        "candles.", "hours.")  # fmt: skip
RELIANCE = "NSE_EQ|INE002A01018"
HISTORY = "/v3/historical-candle/NSE_EQ|INE002A01018"
UNSEEN = {"status.auction", "candles.agreement", "hours.other_stock"}


def success(data: Any, **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": data, **more}


def refusal(code: str) -> dict[str, Any]:
    return {"status": "error", "errors": [{"errorCode": code}]}


def rows(*starts: str) -> dict[str, Any]:
    return success({"candles": [[start, 10.0, 11.0, 9.0, 10.5, 7, 0] for start in starts]})


def quote(**fields: Any) -> dict[str, Any]:
    return success({"NSE_EQ:RELIANCE": {"instrument_token": RELIANCE, **fields}})


# what the broker would say if it were otherwise: the look, the path, the answer, its status
OTHERWISE: list[tuple[str, str, Any, int]] = [
    ("answer.envelope", "/v2/market/status/NSE", {"result": {}}, 200),
    ("answer.refusal", "/v2/market-quote/quotes", refusal("UDAPI1009"), 400),
    ("answer.no_route", "/v2/there", refusal("UDAPI1"), 400),
    ("answer.wrong_token", "/v2/market/status/NSE", success({"status": "NORMAL_OPEN"}), 200),
    ("account.profile", "/v2/user/profile", success({"user_id": "AB1234"}), 200),
    ("account.profile", "/v2/user/profile", refusal("UDAPI100067"), 403),
    ("account.funds", "/v3/user/get-funds", success({"available_to_trade": {"total": None}}), 200),
    ("account.funds_v2", "/v2/user/get-funds", success({"equity": {}, "commodity": {}}), 200),
    ("account.kill_switch", "/v2/user/kill-switch",
     success([{"segment": "NSE_EQ", "segment_status": "PAUSED"}]), 200),
    ("account.static_ip", "/v2/user/ip", success({"primary_ip": None}), 200),
    ("calendar.holidays", "/v2/market/holidays", success(
        [{"date": "2026-12-24", "holiday_type": "ALL", "closed_exchanges": ["NSE"],
          "open_exchanges": []}]), 200),
    ("calendar.holidays", "/v2/market/holidays", success([]), 200),
    ("calendar.holiday_words", "/v2/market/holidays", success(
        [{"date": "2026-12-24", "holiday_type": "HALF_DAY", "closed_exchanges": ["NSE"],
          "open_exchanges": []}]), 200),
    ("calendar.hours", "/v2/market/timings", success(
        [{"exchange": name, "start_time": 1795319100000, "end_time": 1795341600000}
         for name in ("NSE", "BSE", "NFO")]), 200),
    ("calendar.closed_day", "/v2/market/timings",
     success([{"exchange": "NSE", "start_time": 1, "end_time": 2}]), 200),
    ("status.words", "/v2/market/status", success({"status": "LUNCH", "last_updated": 1}), 200),
    ("status.phase", "/v2/market/status",
     success({"status": "NORMAL_CLOSE", "last_updated": 1}), 200),
    ("status.since", "/v2/market/status",
     success({"status": "NORMAL_OPEN", "last_updated": 1795321800000}), 200),
    ("status.auction", "/v2/market/status",
     success({"status": "NORMAL_OPEN", "cas_eligible_status": {"status": "CAS_ENTRY"}}), 200),
    ("status.segment", "/v2/market/status/MCX_FO", success({"status": "NORMAL_OPEN"}), 200),
    ("master.open", "/market-quote/instruments", refusal("UDAPI100050"), 401),
    ("master.paise", "/market-quote/instruments",
     json.dumps([{"segment": "NSE_EQ", "exchange": "NSE", "instrument_type": "EQ",
                  "instrument_key": RELIANCE, "trading_symbol": "RELIANCE",
                  "tick_size": 0.1}]), 200),
    ("master.auction", "/market-quote/instruments",
     json.dumps([{"segment": "NSE_EQ", "exchange": "NSE", "instrument_type": "EQ",
                  "instrument_key": RELIANCE, "trading_symbol": "RELIANCE"}]), 200),
    ("master.index", "/market-quote/instruments",
     json.dumps([{"segment": "NSE_INDEX", "exchange": "NSE", "instrument_type": "INDEX",
                  "instrument_key": "NSE_INDEX|Nifty 50", "trading_symbol": "NIFTY",
                  "lot_size": 75}]), 200),
    ("master.expiry", "/market-quote/instruments",
     json.dumps([{"segment": "NSE_FO", "exchange": "NSE", "instrument_type": "FUT",
                  "instrument_key": "NSE_FO|1", "trading_symbol": "NIFTY FUT",
                  "underlying_symbol": "NIFTY", "expiry": 1798741800000}]), 200),
    ("master.strike", "/market-quote/instruments",
     json.dumps([{"segment": "NSE_FO", "exchange": "NSE", "instrument_type": kind,
                  "instrument_key": f"NSE_FO|{kind}", "trading_symbol": "X", "strike_price": 1.0,
                  "underlying_symbol": "NIFTY", "expiry": 1798741800000}
                 for kind in ("FUT", "CE")]), 200),
    ("search.expiry", "/v2/instruments/search",
     success([{"expiry": 1798741800000}], meta_data={"page": {}}), 200),
    ("quotes.keyed", "/v2/market-quote/quotes",
     success({RELIANCE: {"instrument_token": RELIANCE}}), 200),
    ("quotes.bad_key", "/v2/market-quote/quotes", quote(), 200),
    ("quotes.symbol", "/v2/market-quote/quotes", refusal("UDAPI1009"), 400),
    ("quotes.close", "/v3/market-quote/ltp", quote(cp=1.0), 200),
    ("quotes.depth", "/v2/market-quote/quotes", quote(depth={"buy": [], "sell": []}), 200),
    ("quotes.moments", "/v2/market-quote/quotes",
     quote(last_trade_time=1795319700123, timestamp="2026-11-20T10:30:00Z"), 200),
    ("quotes.bands", "/v2/market-quote/quotes",
     quote(lower_circuit_limit=5.0, last_price=4.0, upper_circuit_limit=6.0), 200),
    ("quotes.previous_day", "/v3/market-quote/ohlc", quote(prev_ohlc={}, live_ohlc={}), 200),
    ("quotes.previous_minute", "/v3/market-quote/ohlc",
     quote(prev_ohlc={"ts": 60_000}, live_ohlc={"ts": 60_000}), 200),
    ("quotes.v3", "/v3/market-quote/quotes", quote(ohlc={}), 200),
    ("candles.open", HISTORY, refusal("UDAPI100050"), 401),
    ("candles.order", HISTORY,
     rows("2026-11-18T09:15:00+05:30", "2026-11-19T09:15:00+05:30"), 200),
    ("candles.today", HISTORY, rows("2026-11-20T09:15:00+05:30"), 200),
    ("candles.intraday", "/v3/historical-candle/intraday", rows("2026-11-19T15:14:00+05:30"), 200),
    ("candles.labels", HISTORY, rows("2026-11-19T03:45:00Z"), 200),
    ("candles.anchors", HISTORY,
     rows("2026-11-19T09:00:00+05:30", "2026-11-19T10:00:00+05:30"), 200),
    ("candles.span", HISTORY, rows("2026-11-19T09:15:00+05:30"), 200),
    ("hours.auction_stock", HISTORY, rows("2026-11-19T15:29:00+05:30"), 200),
    ("hours.future", "/v3/historical-candle/NSE_FO", rows("2026-11-19T15:29:00+05:30"), 200),
    ("hours.index", "/v3/historical-candle/NSE_INDEX", rows("2026-11-19T15:29:00+05:30"), 200),
]  # fmt: skip


async def test_on_the_exchange_everything_is_as_expected() -> None:
    async with survey_stage() as stage:
        results = await stage.look(*HTTP)
    assert {line.split(":")[0] for line in unlike(results, "PASS")} == {
        f"SKIPPED {name}" for name in UNSEEN
    }


async def test_each_look_sees_a_broker_that_does_otherwise() -> None:
    seen = []
    async with survey_stage() as stage:
        for name, path, content, status in OTHERWISE:
            await stage.says(path, content, status)
            result = (await stage.look(name))[name]
            seen.append((name, path, str(result.verdict)))
            await stage.clear()
    assert [one for one in seen if one[2] != "DIFF"] == []


async def test_what_today_and_the_past_tell_of_one_minute_is_compared() -> None:
    intraday, history = "/v3/historical-candle/intraday", "/v3/historical-candle/NSE_EQ"
    async with survey_stage() as stage:
        await stage.says(history, rows("2026-11-19T15:14:00+05:30"))
        await stage.says(intraday, rows("2026-11-19T15:14:00+05:30"))
        same = (await stage.look("candles.agreement"))["candles.agreement"]
        await stage.clear()
        await stage.says(intraday, rows("2026-11-19T15:14:00+05:30"))
        other = (await stage.look("candles.agreement"))["candles.agreement"]
    assert (same.verdict, same.found) == ("PASS", "0 of 1 minutes differ")
    assert (other.verdict, other.found) == ("DIFF", "1 of 1 minutes differ")


@pytest.mark.parametrize(("minutes", "verdict"), [(375, "PASS"), (360, "DIFF")])
async def test_the_hours_of_a_stock_outside_the_auction_are_compared(
    minutes: int, verdict: str
) -> None:
    fund = {"segment": "NSE_EQ", "exchange": "NSE", "instrument_type": "EQ",
            "instrument_key": "NSE_EQ|FUND", "trading_symbol": "NIFTYBEES"}  # fmt: skip
    starts = [f"2026-11-19T{m // 60:02}:{m % 60:02}:00+05:30" for m in range(555, 555 + minutes)]
    async with survey_stage() as stage:
        await stage.says("/market-quote/instruments", json.dumps([fund]))
        await stage.says("/v3/historical-candle/NSE_EQ|FUND", rows(*starts))
        found = (await stage.look("hours.other_stock"))["hours.other_stock"]
    assert found.verdict == verdict


async def test_a_clock_that_is_wrong_shows_against_the_brokers() -> None:
    async with survey_stage() as stage:
        await stage.fault("clock.skew", args={"s": 7.0})
        found = (await stage.look("answer.date"))["answer.date"]
    assert (found.verdict, found.found) == ("DIFF", "this computer is 6.5 s ahead of it")


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("token.claims", {"sub": None}),
        ("token.end", {"exp": 1795319700}),
        ("token.end", {"exp": 1795319700 + 40 * 86_400}),
        ("token.plan", {"isMultiClient": True}),
        ("token.plan", {"isPlusPlan": "yes"}),
    ],
)
async def test_a_token_of_another_form_is_told(name: str, claims: dict[str, Any]) -> None:
    async with survey_stage() as stage:
        assert verdicts(await stage.look(name, **claims)) == {name: "DIFF"}


async def test_outside_the_session_nothing_differs_and_what_is_not_seen_has_a_reason() -> None:
    for start in ("2026-11-22T11:00:00", "2026-11-20T02:00:00", "2026-11-20T20:00:00"):
        async with survey_stage(start) as stage:
            results = await stage.look(*HTTP)
        assert [one for one in results.values() if one.verdict == "DIFF"] == []
        assert results["account.funds"].verdict == "PASS"
        assert results["status.since"].found.startswith("the market is closed; NSE ")
    async with survey_stage("2026-11-20T02:00:00") as stage:
        night = (await stage.look("account.funds"))["account.funds"]
    assert night.found == "at 02:00 IST HTTP 423 UDAPI100072"


async def test_in_the_closing_auction_its_state_is_seen() -> None:
    async with survey_stage("2026-11-20T15:22:00") as stage:
        results = await stage.look("status.")
    assert verdicts(results)["status.auction"] == "PASS"
    assert results["status.auction"].found == "NSE CTS_CLOSE, BSE CTS_CLOSE"


async def test_close_to_a_change_of_the_session_nobody_is_blamed() -> None:
    async with survey_stage("2026-11-20T15:30:30") as stage:
        found = (await stage.look("status.phase"))["status.phase"]
    assert (found.verdict, found.found[:25]) == ("SKIPPED", "the session changes about")


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_that_fails_proves_nothing(status: int) -> None:
    async with survey_stage() as stage:
        await stage.says("/v2/user/kill-switch", "<html>", status)
        found = (await stage.look("account.kill_switch"))["account.kill_switch"]
    assert (found.verdict, found.found) == ("SKIPPED", f"the broker answered HTTP {status}")


@pytest.mark.parametrize(
    ("status", "reason"),
    [(429, "the broker asked for a pause (HTTP 429)"), (401, "does not take the token any more")],
)
async def test_once_the_broker_wants_no_more_nothing_more_is_asked(
    status: int, reason: str
) -> None:
    async with survey_stage() as stage:
        await stage.says("/v2/user/profile", "", status)
        results = await stage.look("account.", "quotes.")
        asked = [path for _, path in stage.requests]
    assert all(reason in result.found for result in results.values())
    assert set(verdicts(results).values()) == {"SKIPPED"}
    assert asked == []


async def test_without_a_daily_login_the_account_is_not_asked_for() -> None:
    async with survey_stage() as stage:
        subject = await stage.subject(iat=1795000000, exp=1795000000 + 365 * 86_400)
        subject.asker.owner = ""
        wanted = [one for one in ASSUMPTIONS if one.name.startswith(("account.", "token.end"))]
        results = {result.name: result async for result in survey(subject, wanted)}
        assert [path for _, path in stage.requests if path.startswith("/v")] == []
    assert results.pop("token.end").found == "a long-lived token of 365 days"
    assert {one.found for one in results.values()} == {
        "no daily login: an analytics token does not read the account"
    }


async def test_the_survey_asks_each_thing_once_and_waits_before_each() -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with survey_stage() as stage:
        subject = await stage.subject()
        subject.asker._sleep = pause
        subject.asker._pause_s = 0.25
        for _ in range(2):
            await subject.asker.get("/v2/market/status/NSE")
        assert len(stage.requests) == 1
        assert pauses == [0.25]
        await stage.look()
        assert {method for method, _ in stage.requests} == {"GET"}
        assert [path for _, path in stage.requests if "order" in path] == []
        assert len(stage.requests) < 70
