"""The semi-automated login end to end: asked, approved, and posted to the app's notifier."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from ticktick.domain.clock import parse_iso_ns
from ticktick.domain.sessions import Calendar
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.floor import Floor
from ticktick.emulator.pace import Pace
from ticktick.emulator.server import ExchangeServer, listening

START_NS = parse_iso_ns("2026-11-20T10:30:00+05:30")
ASK = "/v3/login/auth/token/request/demo-api-key"
SECRET = {"client_secret": "demo-api-secret"}


@asynccontextmanager
async def exchange() -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a served exchange."""
    made = Exchange(lambda at_ns: Floor(1, at_ns, Calendar()), START_NS, seed=1)
    server = ExchangeServer(made, Pace(START_NS, 0.0, time.monotonic_ns))
    async with (
        listening(server.application(), 0) as port,
        aiohttp.ClientSession(
            f"http://127.0.0.1:{port}", timeout=aiohttp.ClientTimeout(total=10)
        ) as http,
    ):
        yield http


@asynccontextmanager
async def notifier(received: list[Any]) -> AsyncIterator[str]:
    """An app's notifier; what it is posted is added to `received`."""

    async def take(request: web.Request) -> web.Response:
        received.append(await request.json())
        return web.Response(status=204)

    application = web.Application()
    application.router.add_post("/notify", take)
    async with listening(application, 0) as port:
        yield f"http://127.0.0.1:{port}/notify"


async def posted(http: aiohttp.ClientSession, path: str, content: Any) -> tuple[int, Any]:
    async with http.post(path, json=content) as answer:
        return answer.status, await answer.json()


async def test_an_approved_request_posts_a_token_that_works() -> None:
    received: list[Any] = []
    async with exchange() as http, notifier(received) as url:
        assert await posted(http, "/_emu/notifier", {"url": url}) == (200, {"url": url})
        status, asked = await posted(http, ASK, SECRET)
        assert (status, asked["data"]["notifier_url"]) == (200, url)
        assert await posted(http, "/_emu/approve", {}) == (200, {"notified": 204})
        (notice,) = received
        headers = {"Authorization": f"Bearer {notice['access_token']}"}
        async with http.get("/v2/user/profile", headers=headers) as answer:
            profile = await answer.json()
    assert profile["data"]["user_id"] == notice["user_id"]


async def test_a_rejected_request_posts_nothing() -> None:
    received: list[Any] = []
    async with exchange() as http, notifier(received) as url:
        await posted(http, "/_emu/notifier", {"url": url})
        await posted(http, ASK, SECRET)
        answer = await posted(http, "/_emu/approve", {"approved": False})
    assert answer == (200, {"notified": None})
    assert received == []


async def test_what_cannot_be_done_is_said_in_a_sentence() -> None:
    async with exchange() as http:
        status, said = await posted(http, "/_emu/approve", {})
        assert (status, "no app has asked" in said["error"]) == (400, True)
        status, said = await posted(http, "/_emu/notifier", {"url": "http://example.com/n"})
        assert (status, "on this machine" in said["error"]) == (400, True)
        async with notifier([]) as url:
            await posted(http, "/_emu/notifier", {"url": url})
        await posted(http, ASK, SECRET)
        status, said = await posted(http, "/_emu/approve", {})
        assert (status, "did not take the token" in said["error"]) == (502, True)
