"""The redirect listener: only the right browser, once, in time, and no code left behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.upstox_stage import (
    StandingClock,
    Stub,
    free_port,
    listening,
)
from ticktick.brokers.upstox.login import STATE_LIFE_S, PendingLogin, redirect_listener
from ticktick.domain.clock import NS_PER_S
from ticktick.errors import AuthError, ConfigError


@asynccontextmanager
async def pending_login(clock: StandingClock) -> AsyncIterator[tuple[str, PendingLogin]]:
    pending = PendingLogin("the-state", clock.now_ns)
    uri = f"http://localhost:{free_port()}/back"
    async with redirect_listener(uri, pending):
        yield uri.replace("localhost", "127.0.0.1"), pending


async def come_back(http: aiohttp.ClientSession, uri: str, **query: str) -> aiohttp.ClientResponse:
    return await http.get(f"{uri}?{urlencode(query)}", allow_redirects=False)


async def test_S11_given_a_forged_state_when_coming_back_then_it_is_refused_and_ours_still_works(
    http: aiohttp.ClientSession,
) -> None:
    async with pending_login(StandingClock(0)) as (uri, pending):
        assert (await come_back(http, uri, code="evil", state="another")).status == 403
        assert (await come_back(http, uri, code="evil")).status == 403
        assert not pending.code.done()
        assert (await come_back(http, uri, code="good", state="the-state")).status == 303
        assert await pending.code == "good"


async def test_S11_given_a_used_state_when_coming_back_then_it_is_refused(
    http: aiohttp.ClientSession,
) -> None:
    async with pending_login(StandingClock(0)) as (uri, pending):
        await come_back(http, uri, code="good", state="the-state")
        again = await come_back(http, uri, code="evil", state="the-state")
        assert again.status == 403
        assert await pending.code == "good"


async def test_S11_given_ten_minutes_later_when_coming_back_then_it_is_refused(
    http: aiohttp.ClientSession,
) -> None:
    clock = StandingClock(0)
    async with pending_login(clock) as (uri, pending):
        clock.at_ns = STATE_LIFE_S * NS_PER_S
        late = await come_back(http, uri, code="good", state="the-state")
        assert late.status == 403
        assert not pending.code.done()


async def test_S11_given_the_right_state_when_coming_back_then_the_page_left_holds_no_code(
    http: aiohttp.ClientSession,
) -> None:
    async with pending_login(StandingClock(0)) as (uri, _):
        page = await http.get(f"{uri}?code=c0de&state=the-state")
        assert page.status == 200
        assert str(page.url) == f"{uri}/signed-in"
        assert "signed in" in await page.text()
        for answer in (*page.history, page):
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_given_the_user_declines_when_coming_back_then_the_login_says_so(
    http: aiohttp.ClientSession,
) -> None:
    async with pending_login(StandingClock(0)) as (uri, pending):
        await come_back(http, uri, error="access_denied<script>", state="the-state")
        with pytest.raises(AuthError, match=r"\(access_deniedscript\)"):
            await pending.code


@pytest.mark.parametrize(
    "uri",
    ["https://localhost:8000", "http://example.in:8000", "http://10.0.0.1:8000", "http://[bad"],
)
async def test_given_a_redirect_elsewhere_when_listening_then_it_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match="redirect_uri must be"):
        async with redirect_listener(uri, PendingLogin("s", lambda: 0)):
            pass


async def test_given_a_port_in_use_when_listening_then_one_sentence_says_so() -> None:
    async with listening(Stub().answer) as port:
        with pytest.raises(ConfigError, match=f"port {port} of redirect_uri"):
            async with redirect_listener(f"http://localhost:{port}", PendingLogin("s", lambda: 0)):
                pass
