"""Faults on real sockets: what a client sees of each verb, on a clock that the test moves."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from tests.exchange_stage import INFY, RELIANCE, exchange_stage, frame_of, subscribe
from ticktick.domain.clock import NS_PER_MS, iso_ist
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse, MarketStatus, Type

INTRADAY = f"/v3/historical-candle/intraday/{RELIANCE}/minutes/1"
QUOTE = "/v3/market-quote/ltp"
ENDED = (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR)
GONE = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError)


async def test_a_close_has_the_code_that_was_asked_for() -> None:
    async with exchange_stage() as stage:
        feed = await stage.feed(RELIANCE)
        await stage.fault("ws.close", args={"code": 1011})
        message = await feed.receive()
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1011)


async def test_a_close_without_a_code_is_abrupt_and_happens_once() -> None:
    async with exchange_stage() as stage:
        feed = await stage.feed(RELIANCE)
        await stage.fault("ws.close")
        assert (await feed.receive()).type in ENDED
        assert feed.close_code == 1006
        again = await stage.feed(RELIANCE)
        stage.move(1)
        assert (await frame_of(again)).type == Type.live_feed


async def test_a_close_that_lasts_ends_every_connection_as_soon_as_it_is_there() -> None:
    async with exchange_stage() as stage:
        await stage.fault("ws.close", lasting=60)
        for _ in range(3):
            feed = await stage.open_feed()
            await frame_of(feed)
            stage.move(0.1)
            assert (await feed.receive()).type in ENDED


async def test_a_close_after_some_time_comes_after_the_frames_before_it() -> None:
    async with exchange_stage() as stage:
        feed = await stage.feed(RELIANCE)
        start_ms = stage.now_ns // NS_PER_MS
        await stage.fault("ws.close", after=2)
        stage.move(10)
        stamps = []
        while (message := await feed.receive()).type is WSMsgType.BINARY:
            stamps.append(FeedResponse.FromString(message.data).currentTs - start_ms)
        assert stamps
        assert 1_000 < stamps[-1] <= 2_000


async def test_a_close_with_a_match_spares_connections_without_that_key() -> None:
    async with exchange_stage() as stage:
        one, other = await stage.feed(RELIANCE), await stage.feed(INFY)
        await stage.fault("ws.close", match=INFY)
        stage.move(1)
        assert (await other.receive()).type in ENDED
        assert (await frame_of(one)).type == Type.live_feed


async def test_a_reset_arrives_in_the_middle_of_a_frame() -> None:
    async with exchange_stage() as stage:
        feed = await stage.feed(RELIANCE)
        await stage.fault("ws.rst")
        message = await feed.receive()
        assert message.type in ENDED
        assert feed.close_code == 1006


async def test_a_frozen_connection_neither_reads_nor_writes_until_it_thaws() -> None:
    async with exchange_stage() as stage:
        feed = await stage.feed(RELIANCE)
        await stage.fault("ws.freeze", lasting=30)
        await subscribe(feed, INFY)
        for _ in range(5):
            await stage.get(INTRADAY)
        assert set(stage.exchange.connections[0].keys) == {RELIANCE}
        stage.move(29)
        thawed_ms = stage.now_ns // NS_PER_MS + 1_000
        stage.move(2)
        live = await frame_of(feed)
        assert live.currentTs >= thawed_ms
        assert RELIANCE in live.feeds
        frames = [live]
        while INFY not in frames[-1].feeds:
            frames.append(await frame_of(feed))
        assert frames[-1].type == Type.initial_feed


async def test_a_silent_connection_answers_pings_and_tells_nothing() -> None:
    async with exchange_stage() as stage:
        feed = await stage.feed(RELIANCE, autoping=False)
        await stage.fault("ws.silence")
        stage.move(60)
        await feed.ping(b"there?")
        assert (await feed.receive()).type is WSMsgType.PONG
        await stage.clear()
        silent_until_ms = stage.now_ns // NS_PER_MS
        stage.move(1)
        assert (await frame_of(feed)).currentTs > silent_until_ms


async def test_a_slow_connection_takes_as_long_as_its_bits_need() -> None:
    async with exchange_stage() as stage:
        feed = await stage.feed(RELIANCE)
        await stage.fault("ws.slow", args={"bps": 40_000})
        began = asyncio.get_running_loop().time()
        stage.move(2)
        sizes = [(await feed.receive()).data for _ in range(4)]
        took_s = asyncio.get_running_loop().time() - began
        assert took_s >= sum(len(data) for data in sizes[:-1]) * 8 / 40_000


@pytest.mark.parametrize("verb", ["ws.bitflip", "ws.truncate", "ws.random"])
async def test_a_damaged_frame_is_not_the_one_that_was_sent(verb: str) -> None:
    async with exchange_stage() as stage:
        good, bad = await stage.feed(RELIANCE), await stage.feed(RELIANCE)
        await stage.fault(verb, lasting=1)
        stage.move(0.5)
        sent, arrived = await good.receive(), await bad.receive()
        assert arrived.type is WSMsgType.BINARY
        assert arrived.data != sent.data
        await stage.clear()


async def test_a_text_frame_arrives_as_text() -> None:
    async with exchange_stage() as stage:
        feed = await stage.feed(RELIANCE)
        await stage.fault("ws.text", args={"text": "no"})
        stage.move(1)
        message = await feed.receive()
        assert (message.type, message.data) == (WSMsgType.TEXT, "no")


async def test_a_dropped_subscription_gets_no_data_until_it_is_sent_again() -> None:
    async with exchange_stage() as stage:
        await stage.fault("ws.drop_sub", match=INFY)
        feed = await stage.feed(RELIANCE, INFY)
        stage.move(3)
        seen = {key for _ in range(5) for key in (await frame_of(feed)).feeds}
        assert seen == {RELIANCE}
        await stage.clear()
        await subscribe(feed, INFY)
        while INFY not in (await frame_of(feed)).feeds:
            continue


async def test_after_a_reconnect_the_old_snapshot_comes_again() -> None:
    async with exchange_stage() as stage:
        await stage.fault("ws.replay_old")
        first = await stage.feed(RELIANCE)
        await first.close()
        old_ms = stage.now_ns // NS_PER_MS
        stage.move(30)
        second = await stage.feed(RELIANCE)
        again = await frame_of(second)
        assert (again.type, again.currentTs) == (Type.initial_feed, old_ms)


@pytest.mark.parametrize(
    ("args", "status", "content"),
    [
        ({"code": 503}, 503, None),
        ({"code": 500, "body": "<html>oops</html>"}, 500, b"<html>oops</html>"),
        ({"code": 429}, 429, "UDAPI10005"),
        ({"code": 401}, 401, "UDAPI100050"),
    ],
)
async def test_a_status_fault_answers_with_code_and_body(
    args: dict[str, Any], status: int, content: bytes | str | None
) -> None:
    async with exchange_stage() as stage:
        await stage.fault("rest.status", match="historical-candle", args=args)
        told, body = await stage.get(INTRADAY)
        assert told == status
        if isinstance(content, str):
            assert body["errors"][0]["errorCode"] == content
        elif content is not None:
            assert body == content
        assert (await stage.get(QUOTE, instrument_key=RELIANCE))[0] == 200
        await stage.clear()
        assert (await stage.get(INTRADAY))[0] == 200


async def test_a_delayed_answer_comes_whole_and_late() -> None:
    async with exchange_stage() as stage:
        await stage.fault("rest.delay", args={"s": 0.2})
        began = asyncio.get_running_loop().time()
        status, _ = await stage.get(INTRADAY)
        assert status == 200
        assert asyncio.get_running_loop().time() - began >= 0.2


@pytest.mark.parametrize(
    ("verb", "is_accepted"), [("rest.rst_before_accept", False), ("rest.rst_after_accept", True)]
)
async def test_a_reset_comes_before_or_after_the_request_has_worked(
    verb: str, is_accepted: bool
) -> None:
    async with exchange_stage() as stage:
        token = stage.exchange.login.live_token(stage.now_ns)
        await stage.fault(verb, match="DELETE")
        headers = {"Authorization": f"Bearer {token}"}
        with pytest.raises(GONE):
            await stage.http.delete("/v2/logout", headers=headers)
        is_new = stage.exchange.login.live_token(stage.now_ns) != token
        assert is_new == is_accepted


async def test_a_hanging_answer_has_worked_and_never_comes() -> None:
    async with exchange_stage() as stage:
        token = stage.exchange.login.live_token(stage.now_ns)
        await stage.fault("rest.hang_after_accept")
        limit = aiohttp.ClientTimeout(total=0.3)
        headers = {"Authorization": f"Bearer {token}"}
        with pytest.raises(TimeoutError):
            await stage.http.delete("/v2/logout", headers=headers, timeout=limit)
        assert stage.exchange.login.live_token(stage.now_ns) != token


async def test_bad_json_has_the_right_status_and_no_end() -> None:
    async with exchange_stage() as stage:
        await stage.fault("rest.badjson")
        status, body = await stage.get(INTRADAY)
        assert status == 200
        assert isinstance(body, bytes)
        assert body.startswith(b'{"status":"success"')


async def test_a_partial_body_ends_before_it_is_whole() -> None:
    async with exchange_stage() as stage:
        await stage.fault("rest.partial_body")
        with pytest.raises(aiohttp.ClientPayloadError):
            await stage.get(INTRADAY)


async def test_an_empty_list_is_a_success_with_nothing_in_it() -> None:
    async with exchange_stage() as stage:
        await stage.fault("rest.empty_list")
        assert (await stage.get(INTRADAY)) == (200, {"status": "success", "data": {"candles": []}})
        _, quotes = await stage.get(QUOTE, instrument_key=RELIANCE)
        assert quotes == {"status": "success", "data": {}}


async def test_an_expired_token_is_refused_and_a_new_one_works() -> None:
    async with exchange_stage() as stage:
        token = stage.exchange.login.live_token(stage.now_ns)
        await stage.fault("auth.expire")
        headers = {"Authorization": f"Bearer {token}"}
        async with stage.http.get("/v2/user/profile", headers=headers) as answer:
            assert answer.status == 401
        assert (await stage.get("/v2/user/profile"))[0] == 200


async def test_a_skewed_clock_is_told_wrong_while_the_market_keeps_its_time() -> None:
    async with exchange_stage() as stage:
        before_ns = stage.now_ns
        await stage.fault("clock.skew", args={"s": -3600})
        _, clock = await stage.get("/_emu/clock")
        assert clock["now_ns"] == before_ns - 3600 * 10**9
        assert stage.now_ns == before_ns


async def test_a_phase_is_told_on_the_feed_and_over_rest_until_it_is_over() -> None:
    async with exchange_stage() as stage:
        feed = await stage.feed(RELIANCE)
        await stage.fault("market.phase", args={"p": "NORMAL_CLOSE"}, match="NSE_EQ", lasting=5)
        told = (await frame_of(feed)).marketInfo.segmentStatus
        assert told["NSE_EQ"] == MarketStatus.NORMAL_CLOSE
        assert told["NSE_FO"] == MarketStatus.NORMAL_OPEN
        _, status = await stage.get("/v2/market/status/NSE")
        assert status["data"]["status"] == "NORMAL_CLOSE"
        stage.move(6)
        while (frame := await frame_of(feed)).type != Type.market_info:
            continue
        assert frame.marketInfo.segmentStatus["NSE_EQ"] == MarketStatus.NORMAL_OPEN


async def test_a_halted_market_trades_nothing_until_it_goes_on() -> None:
    async with exchange_stage("2026-11-20T10:29:30") as stage:
        await stage.fault("market.halt", lasting=120)
        stage.move(330)
        _, bars = await stage.get(INTRADAY)
        labels = [row[0][11:16] for row in bars["data"]["candles"]]
        assert labels[:4] == ["10:34", "10:33", "10:32", "10:29"]
        trades = (await stage.get("/_emu/trades", instrument_key=RELIANCE))[1]
        minutes = {iso_ist(at_ns)[11:16] for at_ns, *_ in trades}
        assert {"10:29", "10:32"} <= minutes
        assert not minutes & {"10:30", "10:31"}


async def test_a_halt_is_told_as_a_closed_market() -> None:
    async with exchange_stage("2026-11-20T10:29:30") as stage:
        feed = await stage.feed(RELIANCE)
        await stage.fault("market.halt")
        stage.move(40)
        while (frame := await frame_of(feed)).type != Type.market_info:
            continue
        assert frame.currentTs * NS_PER_MS == stage.now_ns - 10 * 10**9
        assert set(frame.marketInfo.segmentStatus.values()) == {MarketStatus.NORMAL_CLOSE}


async def test_a_day_gets_other_hours_while_it_runs() -> None:
    async with exchange_stage("2026-11-20T14:00:00") as stage:
        await stage.fault("calendar.set", args={"day": "2026-11-20", "hours": "09:15-17:00"})
        stage.move(4 * 3600)
        _, bars = await stage.get(INTRADAY)
        assert bars["data"]["candles"][0][0] == "2026-11-20T16:59:00+05:30"
        assert len(bars["data"]["candles"]) == 465


async def test_a_holiday_and_a_special_saturday_move_the_next_session() -> None:
    async with exchange_stage("2026-11-20T15:00:00") as stage:
        await stage.fault("calendar.set", args={"day": "2026-11-21", "hours": "10:00-11:00"})
        await stage.fault("calendar.set", args={"day": "2026-11-23", "hours": ""})
        stage.move(4 * 86_400)
        _, answer = await stage.get(
            f"/v3/historical-candle/{RELIANCE}/days/1/2026-11-24/2026-11-20"
        )
        days = [row[0][:10] for row in answer["data"]["candles"]]
        assert days == ["2026-11-21", "2026-11-20"]


async def test_faults_are_listed_until_they_are_over_or_cleared() -> None:
    async with exchange_stage() as stage:
        await stage.fault("rest.delay", args=[0.0], lasting=60)
        await stage.fault("ws.dup", args={"n": 3}, after=10)
        _, told = await stage.get("/_emu/fault")
        assert [(each["verb"], each["active"]) for each in told] == [
            ("rest.delay", True),
            ("ws.dup", False),
        ]
        stage.move(61)
        _, told = await stage.get("/_emu/fault")
        assert [each["verb"] for each in told] == ["ws.dup"]
        await stage.clear()
        assert (await stage.get("/_emu/fault"))[1] == []


async def test_an_order_that_cannot_be_carried_out_is_refused_with_a_sentence() -> None:
    async with exchange_stage() as stage:
        order = {"verb": "calendar.set", "args": {"day": "2026-11-19"}}
        async with stage.http.post("/_emu/fault", json=order) as answer:
            assert answer.status == 400
            assert "2026-11-19 is over" in (await answer.json())["error"]
        assert (await stage.get("/_emu/fault"))[1] == []


async def test_switches_are_told_with_their_defaults_and_set_by_name() -> None:
    async with exchange_stage() as stage:
        _, told = await stage.get("/_emu/switch")
        assert told["account.plus"]["on"] is told["account.plus"]["default"] is False
        async with stage.http.post("/_emu/switch", json={"account.plus": True}) as answer:
            assert (await answer.json())["account.plus"]["on"] is True
        feeds = [await stage.feed(RELIANCE) for _ in range(5)]
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await stage.open_feed()
        assert all(not feed.closed for feed in feeds)
        async with stage.http.post("/_emu/switch", json={"no.such": True}) as answer:
            assert answer.status == 400
