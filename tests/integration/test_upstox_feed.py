"""The feed over real sockets: authorise, subscribe, lose, come back, give up."""

import asyncio
import json
import ssl
from collections.abc import Sequence
from contextlib import aclosing
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.upstox_stage import (
    KEY,
    LIMIT_S,
    Answer,
    Stub,
    listening,
)
from ticktick.brokers.budget import Budget
from ticktick.brokers.reconnect import Attempts
from ticktick.brokers.socket import Link, LinkDown, LinkUp
from ticktick.brokers.upstox.feed import explain, feed_dial
from ticktick.brokers.upstox.hosts import USER_AGENT
from ticktick.brokers.upstox.keys import Subscriptions
from ticktick.brokers.upstox.rest import UpstoxRest


async def first(
    count: int, rest: UpstoxRest, keys: Sequence[str] = (KEY,)
) -> list[bytes | LinkUp | LinkDown]:
    """The first items of the feed for the keys; pauses take no time."""
    items, _ = await first_and_pauses(count, rest, keys)
    return items


async def first_and_pauses(
    count: int, rest: UpstoxRest, keys: Sequence[str] = (KEY,)
) -> tuple[list[bytes | LinkUp | LinkDown], list[float]]:
    pauses: list[float] = []

    async def remember(_: asyncio.Event, seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    wish = Subscriptions(keys, Random(1))

    def greeting() -> list[bytes]:
        wish.restart()
        return wish.messages(0.0)

    link = Link(feed_dial(rest, greeting), explain, bool, Attempts(Random(1)), wait=remember)
    taken: list[bytes | LinkUp | LinkDown] = []
    async with asyncio.timeout(LIMIT_S), aclosing(link.items()) as items:
        async for item in items:
            taken.append(item)
            if len(taken) == count:
                break
    return taken, pauses


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
        LinkUp(),
        b"one",
        b"text",
        LinkDown("closed by the server", "closed"),
        LinkUp(),
        b"two",
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


@pytest.mark.parametrize("where", ["authorise", "handshake"])
async def test_P05_given_a_refused_token_when_dialled_then_the_cause_is_the_login(
    stub: Stub, rest: UpstoxRest, where: str
) -> None:
    if where == "authorise":
        stub.says(401, {"errors": [{"errorCode": "UDAPI100050", "message": "Invalid token"}]})
    else:
        stub.authorises()
        stub.sockets = [refusing(401)]
    (down,) = await first(1, rest)
    assert isinstance(down, LinkDown)
    assert down.cause == "login"
    assert "ticktick login" in down.reason


@pytest.mark.parametrize(("status", "least_s"), [(403, 30.0), (429, 60.0), (500, 0.0)])
async def test_P05_given_a_refusal_when_dialled_then_the_pause_is_as_long_as_it_asks(
    stub: Stub, rest: UpstoxRest, status: int, least_s: float
) -> None:
    rest.budget = impatient_budget()
    if status == 429:
        stub.says(429, b"")
    else:
        stub.authorises()
        stub.sockets = [refusing(status)]
    stub.authorises()
    stub.sockets += [feeder([], b"one")]
    (down, up), pauses = await first_and_pauses(2, rest)
    assert isinstance(down, LinkDown)
    assert (down.cause, up) == ("refused", LinkUp())
    assert least_s <= pauses[0] <= max(least_s, 0.5)


class Hasty(Random):
    """Chance at its worst: every pause is as short as it can be."""

    def uniform(self, a: float, b: float) -> float:
        return a


async def attempts_in_a_minute(stub: Stub, rest: UpstoxRest, attempts: Attempts) -> int:
    """How often a feed that accepts and closes at once is dialled, by a user in a hurry too."""
    clock_s = 0.0

    async def wait(_: asyncio.Event, seconds: float) -> None:
        nonlocal clock_s
        clock_s += seconds
        await asyncio.sleep(0)

    async def close(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close()
        return socket

    link = Link(feed_dial(rest, list), explain, bool, attempts, clock_s=lambda: clock_s, wait=wait)
    dialled = 0
    async with asyncio.timeout(LIMIT_S), aclosing(link.items()) as items:
        stub.authorises()
        stub.sockets.append(close)
        async for item in items:
            assert isinstance(item, LinkDown)
            dialled += 1
            if link.stopped == "taken":
                link.go_on()
            if clock_s >= 60.0 or dialled > 20:
                return dialled
            stub.authorises()
            stub.sockets.append(close)
    return dialled


async def test_P05_a_feed_that_accepts_and_closes_is_dialled_ten_times_a_minute_at_most(
    stub: Stub, rest: UpstoxRest
) -> None:
    rest.budget = impatient_budget()
    assert await attempts_in_a_minute(stub, rest, Attempts(Hasty())) <= 10
    mutant = Attempts(Hasty(), spacing_s=0.0)
    assert await attempts_in_a_minute(stub, rest, mutant) > 10


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
    assert isinstance(event, LinkDown)
    assert "HTTP 302" in event.reason
    assert elsewhere.requests == []


async def test_F05_given_a_frame_of_five_megabytes_when_read_then_the_link_stays(
    stub: Stub, rest: UpstoxRest
) -> None:
    stub.authorises()
    stub.sockets = [feeder([], bytes(5 << 20), b"one")]
    _, huge, small = await first(3, rest)
    assert isinstance(huge, bytes)
    assert (len(huge), small) == (5 << 20, b"one")


async def test_given_an_address_nobody_can_dial_when_connecting_then_its_code_is_not_told(
    stub: Stub, rest: UpstoxRest
) -> None:
    address = stub.url.replace("http", "ws", 1) + "/feeds?code=one-time#part"
    stub.says(200, {"data": {"authorized_redirect_uri": address}})
    (event,) = await first(1, rest)
    assert event == LinkDown("the address of the feed cannot be dialled", "closed")


async def test_S01_given_a_self_signed_feed_when_dialled_then_nothing_is_sent_to_it(
    stub: Stub, rest: UpstoxRest, self_signed: ssl.SSLContext
) -> None:
    feed = Stub()
    async with listening(feed.answer, self_signed) as port:
        address = f"wss://127.0.0.1:{port}/feeds?code=one-time"
        stub.says(200, {"data": {"authorized_redirect_uri": address}})
        (event,) = await first(1, rest)
    assert isinstance(event, LinkDown)
    assert "certificate" in event.reason.lower()
    assert feed.requests == []
