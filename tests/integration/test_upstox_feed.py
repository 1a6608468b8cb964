"""The feed over real sockets: authorise, subscribe, lose, come back, give up."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.upstox_stage import (
    KEY,
    LIMIT_S,
    TOKEN,
    Answer,
    StandingClock,
    Stub,
    listening,
    no_pause,
    self_signed_context,
    stub_broker,
)
from ticktick.brokers.budget import Budget
from ticktick.brokers.upstox.feed import feed_events, subscriptions
from ticktick.brokers.upstox.hosts import USER_AGENT, Hosts
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.event import FrameArrived, LinkChanged
from ticktick.errors import AuthError


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with stub_broker() as made:
        yield made


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        yield session


@pytest.fixture
def rest(stub: Stub, http: aiohttp.ClientSession) -> UpstoxRest:
    return UpstoxRest(http, Hosts.loopback(stub.url), lambda: TOKEN)


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return self_signed_context(tmp_path_factory.mktemp("tls"))


async def first(
    count: int, rest: UpstoxRest, keys: Sequence[str] = (KEY,)
) -> list[FrameArrived | LinkChanged]:
    clock = StandingClock(7)
    taken: list[FrameArrived | LinkChanged] = []
    stream = feed_events(rest, keys, clock, Random(1), sleep=no_pause)
    async with asyncio.timeout(LIMIT_S), aclosing(stream) as events:
        async for event in events:
            taken.append(event)
            if len(taken) == count:
                break
    return taken


def impatient_budget() -> Budget:
    """A budget that never makes anybody wait."""
    return Budget(clock_s=iter(range(10**6)).__next__, alarm=lambda _, ring: ring())


def feeder(received: list[Any], *frames: bytes | str) -> Answer:
    """A feed that takes one message, sends the frames and hangs up."""

    async def serve(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        message = await socket.receive(timeout=LIMIT_S)
        received.append((message.type, message.data))
        for frame in frames:
            if isinstance(frame, str):
                await socket.send_str(frame)
            else:
                await socket.send_bytes(frame)
        await socket.close()
        return socket

    return serve


def refusing(status: int) -> Answer:
    async def serve(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    return serve


async def test_P05_given_a_feed_that_hangs_up_when_read_then_each_attempt_is_authorised_anew(
    stub: Stub, rest: UpstoxRest
) -> None:
    received: list[Any] = []
    stub.authorises()
    stub.authorises()
    stub.sockets = [feeder(received, b"one", "text"), feeder(received, b"two")]
    events = await first(6, rest)
    assert events == [
        LinkChanged(7, up=True, reason="data arrived"),
        FrameArrived(7, 1, b"one"),
        FrameArrived(7, 2, b"text"),
        LinkChanged(7, up=False, reason="closed by the server"),
        LinkChanged(7, up=True, reason="data arrived"),
        FrameArrived(7, 3, b"two"),
    ]
    paths = [path.partition("?")[0] for path, _ in stub.requests]
    assert paths == ["/v3/feed/market-data-feed/authorize", "/feeds"] * 2
    assert all(headers["User-Agent"] == USER_AGENT for _, headers in stub.requests)
    for kind, data in received:
        assert kind == aiohttp.WSMsgType.BINARY
        message = json.loads(data)
        assert message["method"] == "sub"
        assert message["data"] == {"mode": "full", "instrumentKeys": [KEY]}
    feed_headers = [headers for path, headers in stub.requests if path.startswith("/feeds")]
    assert all("Authorization" not in headers for headers in feed_headers)


async def test_P05_given_a_refused_token_when_reconnecting_then_the_feed_stops(
    stub: Stub, rest: UpstoxRest
) -> None:
    stub.authorises()
    stub.sockets = [feeder([], b"one")]
    stub.says(401, {"errors": [{"errorCode": "UDAPI100050", "message": "Invalid token"}]})
    with pytest.raises(AuthError, match="ticktick login"):
        await first(9, rest)
    assert len(stub.requests) == 3


async def test_P05_given_a_handshake_refused_with_401_when_dialled_then_the_feed_stops(
    stub: Stub, rest: UpstoxRest
) -> None:
    stub.authorises()
    stub.sockets = [refusing(401)]
    async with aclosing(feed_events(rest, [KEY], StandingClock(7), Random(1))) as events:
        down = await anext(events)
        with pytest.raises(AuthError, match="ticktick login"):
            await anext(events)
    assert isinstance(down, LinkChanged)
    assert not down.up
    assert "ticktick login" in down.reason


@pytest.mark.parametrize(("status", "least_s"), [(403, 30.0), (429, 60.0), (500, 0.0)])
async def test_P05_given_a_refusal_when_dialled_then_the_pause_is_as_long_as_it_asks(
    stub: Stub, rest: UpstoxRest, status: int, least_s: float
) -> None:
    pauses: list[float] = []
    rest.budget = impatient_budget()

    async def remember(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    if status == 429:
        stub.says(429, b"")
    else:
        stub.authorises()
        stub.sockets = [refusing(status)]
    stub.authorises()
    stub.sockets += [feeder([], b"one")]
    stream = feed_events(rest, [KEY], StandingClock(7), Random(1), sleep=remember)
    async with asyncio.timeout(LIMIT_S), aclosing(stream) as events:
        down = await anext(events)
        up = await anext(events)
    assert isinstance(down, LinkChanged)
    assert isinstance(up, LinkChanged)
    assert (down.up, up.up) == (False, True)
    assert least_s <= pauses[0] <= max(least_s, 0.5)


async def test_given_a_redirecting_feed_when_dialled_then_it_is_not_followed(
    stub: Stub, rest: UpstoxRest
) -> None:
    elsewhere = Stub()

    async def redirect(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"ws://127.0.0.1:{port}/feeds"})

    async with listening(elsewhere.answer) as port:
        stub.authorises()
        stub.sockets = [redirect]
        (event,) = await first(1, rest)
    assert isinstance(event, LinkChanged)
    assert "HTTP 302" in event.reason
    assert elsewhere.requests == []


async def test_given_a_frame_beyond_four_megabytes_when_read_then_the_link_goes_down(
    stub: Stub, rest: UpstoxRest
) -> None:
    stub.authorises()
    stub.sockets = [feeder([], bytes(5 * 1024 * 1024))]
    (event,) = await first(1, rest)
    assert isinstance(event, LinkChanged)
    assert not event.up


async def test_given_an_address_nobody_can_dial_when_connecting_then_its_code_is_not_told(
    stub: Stub, rest: UpstoxRest
) -> None:
    address = stub.url.replace("http", "ws", 1) + "/feeds?code=one-time#part"
    stub.says(200, {"data": {"authorized_redirect_uri": address}})
    (event,) = await first(1, rest)
    assert event == LinkChanged(7, up=False, reason="the address of the feed cannot be dialled")


@pytest.mark.slow
async def test_P02_given_a_feed_that_never_answers_pings_when_read_then_the_link_goes_down(
    stub: Stub, rest: UpstoxRest
) -> None:
    gone = asyncio.Event()

    async def freeze(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        await socket.send_bytes(b"one")
        async with asyncio.timeout(LIMIT_S):
            await gone.wait()
        return socket

    stub.authorises()
    stub.sockets = [freeze]
    began_s = asyncio.get_running_loop().time()
    up, _, down = await first(3, rest)
    took_s = asyncio.get_running_loop().time() - began_s
    gone.set()
    assert took_s < 16.0
    assert isinstance(up, LinkChanged)
    assert isinstance(down, LinkChanged)
    assert (up.up, down.up) == (True, False)
    assert "ping" in down.reason


def test_given_many_keys_when_subscribing_then_each_message_holds_at_most_five_hundred() -> None:
    keys = [f"NSE_EQ|K{number}" for number in range(1201)]
    messages = [json.loads(message) for message in subscriptions(keys, "ltpc", Random(1))]
    assert [len(message["data"]["instrumentKeys"]) for message in messages] == [500, 500, 201]
    assert [key for message in messages for key in message["data"]["instrumentKeys"]] == keys
    assert len({message["guid"] for message in messages}) == 3


async def test_S01_given_a_self_signed_feed_when_dialled_then_nothing_is_sent_to_it(
    stub: Stub, rest: UpstoxRest, self_signed: ssl.SSLContext
) -> None:
    feed = Stub()
    async with listening(feed.answer, self_signed) as port:
        address = f"wss://127.0.0.1:{port}/feeds?code=one-time"
        stub.says(200, {"data": {"authorized_redirect_uri": address}})
        (event,) = await first(1, rest)
    assert isinstance(event, LinkChanged)
    assert not event.up
    assert "certificate" in event.reason.lower()
    assert feed.requests == []
