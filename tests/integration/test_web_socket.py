"""The live stream over a real server: who gets in, what comes, who is shown out."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from msgspec.json import decode, encode
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.web_stage import (
    Site,
    SmallMarket,
    Stage,
    candle,
    instrument,
    outputs,
    read_block,
    running,
    slot_depth,
)
from ticktick.domain.event import FeedChanged, Noticed
from ticktick.errors import ConfigError
from ticktick.web.answers import SECURITY_HEADERS
from ticktick.web.listening import listen
from ticktick.web.routes import MAX_SOCKETS

WAIT_S = 5.0


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with running(Stage()) as found:
        await found.log_in()
        yield found


async def next_text(socket: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(WAIT_S):
        while True:
            message = await socket.recv()
            if isinstance(message, str) and decode(message)["type"] == kind:
                found: dict[str, Any] = decode(message)
                return found


async def next_block(socket: ClientConnection) -> bytes:
    async with asyncio.timeout(WAIT_S):
        while True:
            message = await socket.recv()
            if isinstance(message, bytes):
                return message


async def closing_code(socket: ClientConnection) -> int | None:
    async with asyncio.timeout(WAIT_S):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed:
            return socket.close_code


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not claim():  # noqa: ASYNC110 - what is claimed has no event to wait for
            await asyncio.sleep(0)


HANDSHAKES: list[tuple[dict[str, str | None], int]] = [
    ({"Host": "evil.example"}, 421),
    ({"Host": "127.0.0.1"}, 421),
    ({"Origin": None}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "http://127.0.0.1:9"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Cookie": None}, 403),
    ({"Cookie": "ticktick_session=guess"}, 403),
    ({"Cookie": None, "Authorization": "Bearer the-token-of-server-json"}, 403),
]


@pytest.mark.parametrize(("wrong", "status"), HANDSHAKES, ids=str)
async def test_a_wrong_handshake_is_refused(
    site: Site, wrong: dict[str, str | None], status: int
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await site.dial(wrong)
    response = refused.value.response
    assert response.status_code == status
    for name, value in SECURITY_HEADERS.items():
        assert response.headers[name] == value


@pytest.mark.parametrize(
    "first", ["", "{}", '{"code":"guess"}', '{"code":1}', '{"code":"x","more":1}', b"code"]
)
async def test_a_wrong_first_message_ends_the_socket(site: Site, first: str | bytes) -> None:
    socket = await site.dial()
    await socket.send(first)
    assert await closing_code(socket) == 1008
    assert site.stage.overview.clients == 0


async def test_a_socket_code_opens_one_socket(site: Site) -> None:
    code = await site.socket_code()
    first, second = await site.dial(), await site.dial()
    await first.send(encode({"code": code}).decode())
    await next_text(first, "hello")
    await second.send(encode({"code": code}).decode())
    assert await closing_code(second) == 1008


async def test_hello_then_every_row_then_what_changes(site: Site) -> None:
    socket = await site.stream()
    hello = await next_text(socket, "hello")
    columns = hello["data"]["columns"]
    assert len(read_block(columns, await next_block(socket))["row"]) == 3
    site.stage.hub.take(site.stage.market.trade("M&M", 301_505))
    delta = read_block(columns, await next_block(socket))
    assert delta["row"].tolist() == [1]
    assert delta["last_price"].tolist() == [301_505]
    site.stage.hub.take(outputs(facts=[FeedChanged(0, False, "closed by the server")]))
    assert (await next_text(socket, "feed"))["data"]["up"] is False
    assert (await next_text(socket, "status"))["data"]["clients"] == 1


async def test_a_view_gets_its_candles(site: Site) -> None:
    site.stage.market.closed["M&M", 5] = [candle("M&M", minutes=5)]
    socket = await site.stream()
    await socket.send('{"type":"view","symbol":"M&M","minutes":5}')
    candles = await next_text(socket, "candles")
    assert (candles["data"]["symbol"], len(candles["data"]["candles"])) == ("M&M", 1)


async def test_a_view_gets_its_depth_and_then_what_changes_in_it(site: Site) -> None:
    market = site.stage.market
    market.book("M&M", [(300_000, 5), (299_995, 6)], [(300_010, 7)], (500, 600))
    socket = await site.stream()
    await socket.send('{"type":"view","symbol":"M&M","minutes":5}')
    first = (await next_text(socket, "depth"))["data"]
    assert first == slot_depth(market, "M&M")
    assert first["bids"] == [[300_000, 5], [299_995, 6]]
    site.stage.hub.take(market.book("RELIANCE", [(140_000, 1)], []))
    site.stage.hub.take(market.book("M&M", [(300_005, 8)], [], (800, 0)))
    second = (await next_text(socket, "depth"))["data"]
    assert second == slot_depth(market, "M&M")
    assert (second["asks"], second["total_ask_quantity"]) == ([], None)


NOT_UNDERSTOOD: list[str | bytes] = [
    '{"type":"order","side":"BUY","symbol":"RELIANCE","quantity":1}',
    '{"type":"view","symbol":"RELIANCE","minutes":5,"order":"BUY"}',
    '{"type":"view","symbol":"NOSUCH","minutes":5}',
    '{"type":"view","symbol":"RELIANCE","minutes":7}',
    '{"code":"again"}',
    "buy",
    "[" * 10_000,
    b"\x01\x01",
]


async def test_order_like_frames_are_ignored_and_counted(site: Site) -> None:
    socket = await site.stream()
    for message in NOT_UNDERSTOOD:
        await socket.send(message)
    counters = site.stage.overview.counters
    await until(lambda: counters["client_ignored_total"] == len(NOT_UNDERSTOOD))
    site.stage.hub.take(site.stage.market.trade("RELIANCE", 140_000))
    assert await next_block(socket)


async def test_a_message_above_64_kb_ends_the_socket(site: Site) -> None:
    socket = await site.stream()
    await socket.send("x" * (64 * 1024 + 1))
    assert await closing_code(socket) == 1009


async def test_the_socket_after_the_last_is_told_to_try_later(site: Site) -> None:
    opened = [await site.stream() for _ in range(MAX_SOCKETS)]
    async with asyncio.timeout(WAIT_S):
        await asyncio.gather(*(next_text(socket, "hello") for socket in opened))
    assert await closing_code(await site.dial()) == 1013
    await opened[0].close()
    await until(lambda: site.stage.overview.clients == MAX_SOCKETS - 1)
    assert await next_text(await site.stream(), "hello")


async def test_a_socket_ends_with_its_session(site: Site) -> None:
    socket = await site.stream()
    await next_text(socket, "hello")
    site.stage.now_ns += 18 * 3600 * 10**9
    assert await closing_code(socket) == 1008


def crowd(slow_limit_s: float) -> Stage:
    """Five hundred symbols: what a browser leaves unread soon fills every buffer."""
    return Stage(SmallMarket([instrument(f"S{n}") for n in range(500)], 512), slow_limit_s)


def move(stage: Stage, price: int) -> None:
    for row in range(500):
        stage.market.trade(f"S{row}", price)
    stage.hub.take(outputs(*range(500)))


async def test_a_browser_that_does_not_read_is_closed_and_delays_nobody() -> None:
    stage = crowd(slow_limit_s=0.3)
    counters = stage.overview.counters
    async with running(stage) as site:
        await site.log_in()
        lazy, keen = await site.stream(receive_bytes=4096), await site.stream()
        columns = (await next_text(keen, "hello"))["data"]["columns"]
        await next_block(keen)
        await next_text(lazy, "hello")
        lazy.transport.pause_reading()
        price = 100_000
        while counters["client_closed_slow_total"] == 0:
            price += 5
            move(stage, price)
            block = read_block(columns, await next_block(keen))
            assert (block["last_price"] == price).all()
        assert counters["client_conflated_total"] >= 500
        await until(lambda: stage.overview.clients == 1)
        lazy.transport.resume_reading()
        assert await closing_code(lazy) == 1013


async def test_a_browser_too_far_behind_with_facts_is_closed() -> None:
    async with running(Stage()) as site:
        await site.log_in()
        socket = await site.stream()
        await next_text(socket, "hello")
        site.stage.hub.take(outputs(facts=[Noticed(0, "info", "x" * 1000)] * 1100))
        assert await closing_code(socket) == 1013


async def test_the_server_stops_within_two_seconds_with_open_sockets() -> None:
    stage = crowd(slow_limit_s=60.0)
    async with running(stage) as site:
        await site.log_in()
        lazy, keen = await site.stream(receive_bytes=4096), await site.stream()
        await next_text(lazy, "hello")
        lazy.transport.pause_reading()
        price = 100_000
        while stage.overview.counters["client_conflated_total"] < 5_000:
            price += 5
            move(stage, price)
            await next_block(keen)
        started = time.monotonic()
    assert time.monotonic() - started < 2.0
    assert await closing_code(keen) in (1012, 1006)


async def test_no_other_machine_can_be_served() -> None:
    for host in ("0.0.0.0", "192.168.1.5", "::", "example.org", ""):
        with pytest.raises(ConfigError, match="needs TLS and a password"):
            listen(host, 0)


async def test_a_port_in_use_is_one_plain_sentence() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 is in use: stop"):
            listen("127.0.0.1", port)


async def test_the_listener_is_closed_when_the_server_stops() -> None:
    async with running(Stage()) as site:
        port = site.port
    with listen("127.0.0.1", port) as again:
        assert again.getsockname()[1] == port


async def test_a_chart_gets_the_indicators_it_asked_for_and_no_unknown_ones(site: Site) -> None:
    minutes = [candle("RELIANCE", minute, 140_000 + minute) for minute in range(60)]
    site.stage.market.closed["RELIANCE", 1] = minutes
    async with await site.stream() as socket:
        await next_text(socket, "hello")
        await socket.send(
            encode({"type": "studies", "names": ["sma_7"], "patterns": False}).decode()
        )
        await socket.send(
            encode({"type": "studies", "names": ["sma_20"], "patterns": False}).decode()
        )
        await socket.send(encode({"type": "view", "symbol": "RELIANCE", "minutes": 1}).decode())
        series = (await next_text(socket, "series"))["data"]
    assert series["names"] == ["sma_20"]
    closes = [one.close for one in minutes]
    means = [sum(closes[i - 19 : i + 1]) / 20 if i >= 19 else None for i in range(60)]
    assert [row[2] for row in series["rows"]] == [[mean] for mean in means]
    assert site.stage.overview.counters["client_ignored_total"] == 1
