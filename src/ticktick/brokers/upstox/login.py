"""The login: send the user to the broker, wait for the browser to come back, fetch the token."""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import SplitResult, urlsplit

from aiohttp import web

from ticktick.brokers.upstox.auth import Credentials, dialog_url
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import NS_PER_S
from ticktick.errors import AuthError, ConfigError

STATE_LIFE_S = 600
_PAGE_WAIT_S = 5.0
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}
_SIGNED_IN = "You are signed in. Close this window and go back to Tick-Tick."
_REFUSED = "This sign-in link is not valid any more. Start again with: ticktick login"
_DECLINED = "The broker did not sign you in. Start again with: ticktick login"


async def log_in(
    rest: UpstoxRest,
    credentials: Credentials,
    state: str,
    now_ns: Callable[[], int],
    show: Callable[[str], Awaitable[None]],
) -> str:
    """A new token, after the user signed in at the address given to `show`.

    `state` is random and used for this login only; `now_ns` is wall time.
    Raises ConfigError for settings that cannot work, AuthError if nobody signed in.
    """
    url = dialog_url(rest.hosts, credentials, state)
    pending = PendingLogin(state, now_ns)
    async with redirect_listener(credentials.redirect_uri, pending):
        await show(url)
        try:
            async with asyncio.timeout(STATE_LIFE_S):
                code = await pending.code
        except TimeoutError as error:
            raise AuthError("nobody signed in for ten minutes; run `ticktick login`") from error
        reply = await rest.token(
            {
                "code": code,
                "client_id": credentials.api_key or "",
                "client_secret": credentials.api_secret or "",
                "redirect_uri": credentials.redirect_uri,
                "grant_type": "authorization_code",
            }
        )
        await pending.page_was_read()
    return reply.access_token


class PendingLogin:
    """A login that waits for its browser: one state, good once and for ten minutes."""

    def __init__(self, state: str, now_ns: Callable[[], int]) -> None:
        self.code: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._state = state
        self._now_ns = now_ns
        self._end_ns = now_ns() + STATE_LIFE_S * NS_PER_S
        self._page_read = asyncio.Event()

    def accepts(self, state: str) -> bool:
        """Whether the state is this login's, in time and not used before."""
        is_ours = hmac.compare_digest(state.encode(), self._state.encode())
        return is_ours and not self.code.done() and self._now_ns() < self._end_ns

    def page_read(self) -> None:
        """Note that the browser has fetched the last page."""
        self._page_read.set()

    async def page_was_read(self) -> None:
        """Wait a moment for the browser to fetch the last page; it may never do so."""
        try:
            async with asyncio.timeout(_PAGE_WAIT_S):
                await self._page_read.wait()
        except TimeoutError:
            return


@asynccontextmanager
async def redirect_listener(redirect_uri: str, pending: PendingLogin) -> AsyncIterator[None]:
    """Listen on this machine for the browser that comes back, until the block ends.

    A forged, used or expired state gets 403; the right one gets a page whose address holds
    no code. Raises ConfigError if the address is not this machine's or its port is taken.
    """
    target = _target(redirect_uri)
    path = target.path or "/"
    last_page = f"{path.rstrip('/')}/signed-in"
    app = web.Application()

    async def come_back(request: web.Request) -> web.StreamResponse:
        if not pending.accepts(request.query.get("state", "")):
            return _page(_REFUSED, 403)
        code = request.query.get("code")
        if not code:
            pending.code.set_exception(_declined(request.query.get("error", "")))
            return _page(_DECLINED, 200)
        pending.code.set_result(code)
        return web.Response(status=303, headers={**_HEADERS, "Location": last_page})

    async def signed_in(_: web.Request) -> web.StreamResponse:
        pending.page_read()
        return _page(_SIGNED_IN, 200)

    app.router.add_get(path, come_back)
    app.router.add_get(last_page, signed_in)
    # an access log would hold the code
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await _listen(runner, target)
        yield
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, target: SplitResult) -> None:
    host = "127.0.0.1" if target.hostname == "localhost" else target.hostname
    port = target.port or 80
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise ConfigError(
            f"cannot wait for the login on port {port} of redirect_uri: {error.strerror}; "
            "stop the program that uses it, or change redirect_uri here and at the broker"
        ) from error


def _target(redirect_uri: str) -> SplitResult:
    try:
        parts = urlsplit(redirect_uri)
        is_here = parts.hostname in {"localhost", "127.0.0.1", "::1"} and parts.port != 0
    except ValueError:
        is_here = False
    if not is_here or parts.scheme != "http":
        raise ConfigError(
            "redirect_uri must be a http address of this machine like http://localhost:8000, "
            f"was {redirect_uri}"
        )
    return parts


def _declined(error: str) -> AuthError:
    word = re.sub(r"[^A-Za-z0-9_]", "", error)[:40] or "no reason given"
    return AuthError(f"the broker did not sign you in ({word}); run `ticktick login`")


def _page(text: str, status: int) -> web.Response:
    html = f"<!doctype html><meta charset=utf-8><title>Tick-Tick</title><p>{text}</p>"
    return web.Response(text=html, status=status, headers=_HEADERS, content_type="text/html")
