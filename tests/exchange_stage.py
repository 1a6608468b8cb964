"""A stage for the built-in exchange: served on a real port, its time moved by the test alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from ticktick.domain.clock import NS_PER_S, parse_iso_ns
from ticktick.emulator.calendar import MovableCalendar
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.market import Market
from ticktick.emulator.pace import Pace
from ticktick.emulator.register import Register
from ticktick.emulator.server import ExchangeServer, listening
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse

RELIANCE, INFY = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021"
LIMIT_S = 30.0


class ExchangeStage:
    """The exchange, its server, and a client that talks to both over loopback."""

    def __init__(
        self, exchange: Exchange, server: ExchangeServer, http: aiohttp.ClientSession
    ) -> None:
        self.exchange = exchange
        self.server = server
        self.http = http

    @property
    def now_ns(self) -> int:
        """Market time."""
        return self.exchange.now_ns

    def move(self, seconds: float) -> None:
        """Let market time pass."""
        self.server.advance(self.now_ns + round(seconds * NS_PER_S))

    async def fault(self, verb: str, match: str = "", **order: Any) -> None:
        """Order a fault and let it begin if it is due; `lasting` is its `for`."""
        order = {"for" if name == "lasting" else name: value for name, value in order.items()}
        body = {"verb": verb, "match": match, **order}
        async with self.http.post("/_emu/fault", json=body) as answer:
            assert answer.status == 200, await answer.text()
        self.move(0)

    async def clear(self) -> None:
        """End every fault."""
        async with self.http.delete("/_emu/fault") as answer:
            assert answer.status == 200
        self.move(0)

    async def get(self, path: str, **query: str) -> tuple[int, Any]:
        """Status and content of an answer; the content is bytes if it is no JSON."""
        token = self.exchange.login.live_token(self.now_ns)
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.get(path, params=query, headers=headers) as answer:
            body = await answer.read()
        try:
            return answer.status, json.loads(body)
        except ValueError:
            return answer.status, body

    async def open_feed(self, autoping: bool = True) -> aiohttp.ClientWebSocketResponse:
        """A new connection to the feed that has asked for nothing."""
        _, answer = await self.get("/v3/feed/market-data-feed/authorize")
        address: str = answer["data"]["authorized_redirect_uri"]
        return await self.http.ws_connect(address, autoping=autoping)

    async def feed(self, *keys: str, autoping: bool = True) -> aiohttp.ClientWebSocketResponse:
        """A connection that has its status frame and the snapshot of its keys."""
        feed = await self.open_feed(autoping)
        await subscribe(feed, *keys)
        for _ in range(2):
            await frame_of(feed)
        return feed


@asynccontextmanager
async def exchange_stage(
    start: str = "2026-11-20T10:30:00", idle_ping_s: float = 60.0
) -> AsyncIterator[ExchangeStage]:
    """Serve an exchange whose clock stands unless the test moves it."""
    start_ns, calendar, register = parse_iso_ns(f"{start}+05:30"), MovableCalendar(), Register()
    exchange = Exchange(
        lambda at_ns: Market(1, at_ns, calendar, register),
        start_ns,
        seed=1,
        calendar=calendar,
        register=register,
    )
    server = ExchangeServer(exchange, Pace(start_ns, 0.0, lambda: 0), idle_ping_s)
    async with asyncio.timeout(LIMIT_S), listening(server.application(), 0) as port:
        exchange.address = f"127.0.0.1:{port}"
        async with aiohttp.ClientSession(f"http://{exchange.address}") as http:
            yield ExchangeStage(exchange, server, http)


async def subscribe(feed: aiohttp.ClientWebSocketResponse, *keys: str, mode: str = "full") -> None:
    """Ask for instruments."""
    data = {"mode": mode, "instrumentKeys": list(keys)}
    await feed.send_bytes(json.dumps({"guid": "g", "method": "sub", "data": data}).encode())


async def frame_of(feed: aiohttp.ClientWebSocketResponse) -> FeedResponse:
    """The next message, which must be a good frame."""
    message = await feed.receive()
    assert message.type is aiohttp.WSMsgType.BINARY, message
    return FeedResponse.FromString(message.data)
