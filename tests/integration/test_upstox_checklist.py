"""The checklist of a faithful Upstox emulator, item by item, over the exchange's real port.

Each item has a test of its own here for what is seen at the door, and `ELSEWHERE` names the tests
that go into its parts. Items 7 and 8, the portfolio stream and orders, are not served yet.
"""

import asyncio
import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import WSMsgType

from tests.exchange_stage import (
    INFY,
    RELIANCE,
    ExchangeStage,
    exchange_stage,
    frame_of,
    subscribe,
)
from ticktick.domain.clock import NS_PER_S, parse_iso_ns
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse, Type

DIALOG = "/v2/login/authorization"
APP = {"client_id": "demo-api-key", "redirect_uri": "http://localhost:8000"}
INTRADAY = f"/v3/historical-candle/intraday/{RELIANCE}/minutes/1"
HISTORY = f"/v3/historical-candle/{RELIANCE}/minutes/1/2026-11-19/2026-11-18"
LTP = "/v3/market-quote/ltp"

_TESTS = Path(__file__).resolve().parents[1]
ELSEWHERE = {
    "1 login": (
        "unit/test_emulator_exchange.py::test_the_login_page_has_a_button_that_returns_code_and_state",
        "unit/test_emulator_exchange.py::test_a_wrong_token_request_is_refused",
        "unit/test_emulator_exchange.py::test_a_new_token_kills_the_old_one",
        "unit/test_emulator_exchange.py::test_a_token_dies_at_half_past_three_in_the_morning",
        "unit/test_emulator_exchange.py::test_a_logged_out_token_is_dead",
        "unit/test_emulator_rest.py::test_a_rejected_or_lapsed_request_sends_nothing",
        "integration/test_emulator_token_request.py::test_an_approved_request_posts_a_token_that_works",
        "integration/test_sdk_conformance.py::test_the_login_gives_a_token_that_ends_at_half_past_three",
    ),
    "2 who needs a token": (
        "unit/test_emulator_rest.py::test_accounts_and_quotes_need_a_token",
        "integration/test_sdk_untouched.py::test_a_dead_token_is_401_over_rest_and_at_the_handshake_and_ends_the_streamer",
    ),
    "3 errors and limits": (
        "unit/test_emulator_exchange.py::test_unknown_routes_and_methods_answer_in_the_broker_form",
        "unit/test_emulator_limits.py::test_the_fifty_first_request_of_a_second_is_refused",
        "unit/test_emulator_limits.py::test_the_minute_and_the_half_hour_have_their_own_figures",
        "unit/test_emulator_limits.py::test_funds_are_closed_from_midnight_to_half_past_five",
    ),
    "4 quotes": (
        "unit/test_emulator_exchange.py::test_quotes_are_keyed_by_segment_and_symbol",
        "unit/test_emulator_exchange.py::test_the_day_has_no_bar_before_it",
        "unit/test_emulator_exchange.py::test_a_bad_question_gets_its_documented_code",
    ),
    "5 candles": (
        "unit/test_emulator_candles.py::test_newest_comes_first_and_prices_are_rupees",
        "unit/test_emulator_candles.py::test_history_ends_yesterday_and_today_holds_the_forming_bar",
        "unit/test_emulator_candles.py::test_a_bad_question_gets_its_documented_code",
        "unit/test_emulator_candles.py::test_the_longest_span_is_answered",
    ),
    "6 feed": (
        "unit/test_emulator_exchange.py::test_the_feed_is_entered_with_a_single_use_code",
        "unit/test_emulator_limits.py::test_a_user_holds_as_many_sockets_as_his_plan_allows",
        "unit/test_emulator_feed.py::test_frames_are_conflated_and_hold_only_what_changed",
        "unit/test_emulator_feed.py::test_without_partial_packets_every_message_tells_all_of_the_instrument",
        "unit/test_emulator_faults.py::test_a_trade_gets_a_time_before_the_last_one",
        "unit/test_emulator_faults.py::test_the_volume_of_the_day_starts_again",
        "integration/test_emulator_server.py::test_a_quiet_socket_is_pinged",
        "integration/test_emulator_faults.py::test_a_reset_arrives_in_the_middle_of_a_frame",
        "integration/test_emulator_faults.py::test_a_frozen_connection_neither_reads_nor_writes_until_it_thaws",
        "integration/test_emulator_faults.py::test_a_silent_connection_answers_pings_and_tells_nothing",
        "integration/test_emulator_faults.py::test_a_text_frame_arrives_as_text",
        "unit/test_emulator_faults.py::test_dup_sends_every_frame_so_often",
        "unit/test_emulator_faults.py::test_reorder_sends_the_same_frames_in_another_order_and_keeps_none",
    ),
    "9 values the SDK knows": (
        "integration/test_sdk_conformance.py::test_the_sdk_reads_profile_and_market_calendar",
        "integration/test_sdk_conformance.py::test_the_sdk_reads_the_account",
    ),
}


@pytest.mark.parametrize(
    "name", [name for names in ELSEWHERE.values() for name in names], ids=lambda name: name
)
def test_the_checklist_names_tests_that_exist(name: str) -> None:
    file, _, function = name.partition("::")
    text = (_TESTS / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {function}\(", text, re.MULTILINE)


async def test_checklist_1_a_login_ends_in_one_token_until_half_past_three() -> None:
    async with exchange_stage("2026-11-20T10:30:00") as stage:
        query = {**APP, "response_type": "code", "state": "s1"}
        async with stage.http.get(f"{DIALOG}/dialog", params=query) as page:
            assert (page.status, page.content_type) == (200, "text/html")
        code = await code_of(stage, query)
        form = {**APP, "code": code, "client_secret": "demo-api-secret"}
        form |= {"grant_type": "authorization_code"}
        async with stage.http.post(f"{DIALOG}/token", data=form) as answer:
            token = (await answer.json())["access_token"]
        async with stage.http.post(f"{DIALOG}/token", data=form) as again:
            assert again.status == 401
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        assert claims["exp"] * NS_PER_S == parse_iso_ns("2026-11-21T03:30:00+05:30")
        assert (await profile(stage, token))[0] == 200
        wrong = {**form, "code": await code_of(stage, query), "client_secret": "wrong"}
        async with stage.http.post(f"{DIALOG}/token", data=wrong) as failed:
            assert failed.status == 401
        right = {**wrong, "client_secret": "demo-api-secret"}
        async with stage.http.post(f"{DIALOG}/token", data=right) as used_up:
            assert used_up.status == 401
        assert (await profile(stage, token))[0] == 200
        async with stage.http.delete("/v2/logout", headers=bearer(token), json={}) as logout:
            assert (await logout.json())["data"] is True
        assert (await profile(stage, token))[0] == 401


async def test_checklist_2_only_what_is_the_accounts_needs_a_token() -> None:
    async with exchange_stage() as stage:
        old = stage.exchange.login.mint(stage.now_ns)
        stage.exchange.login.mint(stage.now_ns)
        for path in ("/v2/user/profile", f"{LTP}?instrument_key={RELIANCE}"):
            for headers in ({}, bearer("foreign.token.here"), bearer(old)):
                async with stage.http.get(path, headers=headers) as refused:
                    assert refused.status == 401
                    assert codes(await refused.json()) == ["UDAPI100050"]
        master = "/market-quote/instruments/exchange/NSE.json.gz"
        for path in (INTRADAY, HISTORY, "/v2/market/holidays", "/v2/market/timings/2026-11-20"):
            async with stage.http.get(path) as free:
                assert (free.status, (await free.json())["status"]) == (200, "success")
        async with stage.http.get(master) as file:
            assert json.loads(gzip.decompress(await file.read()))


async def test_checklist_3_errors_have_both_spellings_and_limits_their_codes() -> None:
    async with exchange_stage("2026-11-21T00:30:00") as stage:
        status, missing = await stage.get("/v2/nothing")
        assert (status, codes(missing)) == (404, ["UDAPI100060"])
        (problem,) = missing["errors"]
        for name, twin in (
            ("errorCode", "error_code"),
            ("propertyPath", "property_path"),
            ("invalidValue", "invalid_value"),
        ):
            assert problem[name] == problem[twin]
        for path in ("/v2/user/get-funds-and-margin", "/v3/user/get-funds-and-margin"):
            status, closed = await stage.get(path)
            assert (status, codes(closed)) == (423, ["UDAPI100072"])
        answers = [await stage.get(INTRADAY) for _ in range(51)]
        assert [status for status, _ in answers] == [200] * 50 + [429]
        assert codes(answers[-1][1]) == ["UDAPI10005"]


async def test_checklist_4_quotes_take_both_parameters_and_fail_as_a_whole() -> None:
    async with exchange_stage() as stage:
        for parameter in ("symbol", "instrument_key"):
            status, told = await stage.get("/v2/market-quote/quotes", **{parameter: RELIANCE})
            assert (status, list(told["data"])) == (200, ["NSE_EQ:RELIANCE"])
        depth = told["data"]["NSE_EQ:RELIANCE"]["depth"]
        assert (len(depth["buy"]), len(depth["sell"])) == (5, 5)
        status, told = await stage.get(LTP, instrument_key=f"{RELIANCE},NSE_EQ|INE000000000")
        assert (status, codes(told)) == (400, ["UDAPI100011"])
        _, day = await stage.get("/v3/market-quote/ohlc", instrument_key=RELIANCE, interval="1d")
        assert day["data"]["NSE_EQ:RELIANCE"]["prev_ohlc"] is None


async def test_checklist_5_candles_are_inclusive_capped_and_newest_first() -> None:
    async with exchange_stage("2026-11-20T10:30:20") as stage:
        _, told = await stage.get(HISTORY)
        starts = [row[0] for row in told["data"]["candles"]]
        assert (starts[0], starts[-1]) == (
            "2026-11-19T15:14:00+05:30",
            "2026-11-18T09:15:00+05:30",
        )
        assert starts == sorted(starts, reverse=True)
        _, today = await stage.get(INTRADAY)
        assert today["data"]["candles"][0][0] == "2026-11-20T10:30:00+05:30"
        past = f"/v3/historical-candle/{RELIANCE}/minutes/1/2026-11-20/2026-11-20"
        assert (await stage.get(past))[1]["data"]["candles"] == []
        long = f"/v3/historical-candle/{RELIANCE}/minutes/1/2026-11-19/2026-09-01"
        status, refused = await stage.get(long)
        assert (status, codes(refused)) == (400, ["UDAPI1148"])


async def test_checklist_6_the_feed_is_entered_twice_told_in_order_and_closed_with_a_code() -> None:
    async with exchange_stage() as stage:
        headers = bearer(stage.exchange.login.live_token(stage.now_ns))
        entry = "/v3/feed/market-data-feed"
        async with stage.http.get(entry, headers=headers, allow_redirects=False) as answer:
            assert answer.status == 302
            redirected = await stage.http.ws_connect(answer.headers["Location"])
        _, told = await stage.get("/v3/feed/market-data-feed/authorize")
        address = told["data"]["authorized_redirect_uri"]
        authorised = await stage.http.ws_connect(address)
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await stage.http.ws_connect(address)
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await stage.open_feed()
        for feed, keys in ((redirected, [RELIANCE]), (authorised, [RELIANCE, INFY])):
            await feed.send_str('{"method":"sub","data":{"instrumentKeys":["NSE_EQ|X"]}}')
            await subscribe(feed, *keys)
            frames = [await frame_of(feed) for _ in range(2)]
            assert [frame.type for frame in frames] == [Type.market_info, Type.initial_feed]
            assert [set(frame.feeds) for frame in frames] == [set(), set(keys)]
        stage.move(5)
        live = [await frame_of(authorised) for _ in range(10)]
        assert {frame.type for frame in live} == {Type.live_feed}
        assert any(set(frame.feeds) != {RELIANCE, INFY} for frame in live)
        for feed, code, match in ((authorised, 1011, INFY), (redirected, 1000, RELIANCE)):
            await stage.fault("ws.close", match, args={"code": code})
            while (message := await feed.receive()).type is WSMsgType.BINARY:
                FeedResponse.FromString(message.data)
            assert (message.type, message.data) == (WSMsgType.CLOSE, code)


async def test_checklist_9_answers_hold_only_words_that_the_sdk_knows() -> None:
    async with exchange_stage() as stage:
        _, holidays = await stage.get("/v2/market/holidays")
        kinds = {row["holiday_type"] for row in holidays["data"]}
        assert kinds <= {"ALL", "SETTLEMENT_HOLIDAY", "TRADING_HOLIDAY", "SPECIAL_TIMING"}
        for path in ("/v2/user/profile", "/v2/market/status/NSE", "/v2/user/kill-switch"):
            _, told = await stage.get(path)
            assert told["status"] == "success"
        _, person = await stage.get("/v2/user/profile")
        assert set(person["data"]["order_types"]) <= {"MARKET", "LIMIT", "SL", "SL-M"}
        assert set(person["data"]["products"]) <= {"D", "I", "CO", "MTF"}
        _, failed = await stage.get("/v2/nothing")
        assert failed["status"] == "error"


async def test_checklist_10_one_connection_serves_many_requests_as_plain_json() -> None:
    async with exchange_stage() as stage:
        token = stage.exchange.login.live_token(stage.now_ns)
        host, _, port = stage.exchange.address.partition(":")
        wire = await asyncio.open_connection(host, int(port))
        for version in ("2.0", "3.0", "nonsense"):
            head, body = await asked(wire, "GET /v2/user/profile", token, f"Api-Version: {version}")
            assert head.startswith("http/1.1 200 ")
            assert "content-type: application/json" in head
            assert "content-encoding" not in head
            assert json.loads(body)["data"]["user_id"] == "TT0001"
        head, body = await asked(wire, "DELETE /v2/logout", token, "Content-Length: 2", b"{}")
        assert (head.startswith("http/1.1 200 "), json.loads(body)["data"]) == (True, True)
        wire[1].close()


async def asked(
    wire: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    request: str,
    token: str,
    header: str,
    content: bytes = b"",
) -> tuple[str, bytes]:
    """Head (in small letters) and body of the answer on an open connection."""
    reader, writer = wire
    lines = (f"{request} HTTP/1.1", "Host: localhost:1", f"Authorization: Bearer {token}", header)
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    (length,) = re.findall(r"content-length: (\d+)", head)
    return head, await reader.readexactly(int(length))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def codes(body: Any) -> list[str]:
    """The codes of an error body, which has no data."""
    assert body["status"] == "error"
    assert "data" not in body
    return [problem["errorCode"] for problem in body["errors"]]


async def profile(stage: ExchangeStage, token: str) -> tuple[int, Any]:
    async with stage.http.get("/v2/user/profile", headers=bearer(token)) as answer:
        return answer.status, await answer.json()


async def code_of(stage: ExchangeStage, query: dict[str, str]) -> str:
    """What the browser of a person who presses the button is sent back with."""
    path = f"{DIALOG}/approve"
    async with stage.http.get(path, params=query, allow_redirects=False) as answer:
        back = urlsplit(answer.headers["Location"])
        assert (answer.status, back.netloc) == (302, "localhost:8000")
        told = parse_qs(back.query)
        assert told["state"] == ["s1"]
        return told["code"][0]
