"""The gate before every handler: host, origin, content type, session, CSRF, size, headers.

Nothing passes without a session but the page itself, `/healthz` and `/api/v1/session`.
"""

import asyncio
from collections.abc import Callable, Mapping, Set
from hmac import compare_digest
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Final

from msgspec import Struct
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ticktick.web.answers import SECURITY_HEADERS, Refused, refuse
from ticktick.web.sessions import Session, Sessions

COOKIE: Final = "ticktick_session"
CSRF_HEADER: Final = "x-ticktick-csrf"
SOCKET_PATH: Final = "/ws"
SESSION_PATH: Final = "/api/v1/session"
START_CODE_PATH: Final = "/api/v1/start-code"
SYMBOLS_PATH: Final = "/api/v1/symbols"
FEED_PATH: Final = "/api/v1/feed"
ALERTS_PATH: Final = "/api/v1/alerts"
BODY_LIMIT_BYTES: Final = 64 * 1024
_BODY_LIMIT_S: Final = 10.0
_COMMAND_PATHS: Final = (START_CODE_PATH, SYMBOLS_PATH, ALERTS_PATH)
_COMMAND_FOLDERS: Final = (f"{SYMBOLS_PATH}/", f"{FEED_PATH}/", f"{ALERTS_PATH}/")
_PUBLIC_PATHS: Final = frozenset({"/healthz", SESSION_PATH})
_ANSWER_STARTS: Final = frozenset(
    {"http.response.start", "websocket.http.response.start", "websocket.accept"}
)
_NO_SESSION: Final = "No session: open the start link printed in the terminal."
_READING: Final = frozenset({"GET", "HEAD"})


class Caller(Struct, frozen=True):
    """Who asks: a browser with a session, this user's own command, or a stranger."""

    session: Session | None = None
    is_cli: bool = False

    @property
    def is_known(self) -> bool:
        """Whether it may read."""
        return self.session is not None or self.is_cli


class Guard:
    """ASGI middleware that lets a request through or answers it with one plain sentence.

    `port` is the one the server listens on. `page_paths` are the files of the page, open to all.
    `stamp` gives the headers of every authenticated answer: mode and market time.
    """

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        port: int,
        page_paths: Set[str],
        stamp: Callable[[], Mapping[str, str]],
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._hosts = own_hosts(port)
        self._page_paths = page_paths
        self._stamp = stamp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one HTTP request or WebSocket handshake and pass it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["caller"] = Caller()
        answer = self._with_headers(scope, send)
        try:
            state["caller"] = self._check(scope)
            body = await _whole_body(scope, receive)
        except Refused as refused:
            await refuse(scope, answer, refused)
            return
        await self._app(scope, receive if body is None else _replay(body, receive), answer)

    def _check(self, scope: Scope) -> Caller:
        """Who asks, after every rule. Raises Refused by the first rule that fails."""
        headers = Headers(scope=scope)
        changes = scope["type"] == "http" and scope["method"] not in _READING
        host = self._host(headers)
        caller = self._caller(scope, headers)
        if changes or scope["type"] == "websocket":
            if not caller.is_cli:
                _check_origin(headers, host)
        else:
            _check_reader(scope, headers, host)
        if changes and headers.get("content-type", "").split(";")[0] != "application/json":
            raise Refused(HTTPStatus.FORBIDDEN, "Send JSON with Content-Type: application/json.")
        self._check_session(scope, headers, caller, changes)
        return caller

    def _host(self, headers: Headers) -> str:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            sentence = f"This server answers only as {' or '.join(sorted(self._hosts))}."
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, sentence)
        return hosts[0].lower()

    def _caller(self, scope: Scope, headers: Headers) -> Caller:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind and scope["type"] == "http":
            if kind != "Bearer" or not self._sessions.is_cli(token):
                raise Refused(HTTPStatus.UNAUTHORIZED, "This token is not the running program's.")
            return Caller(is_cli=True)
        return Caller(self._sessions.find(_cookie(headers)))

    def _check_session(self, scope: Scope, headers: Headers, caller: Caller, changes: bool) -> None:
        path, session = scope["path"], caller.session
        if session is not None and not self._sessions.admits(session):
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests; wait one second.")
        if scope["type"] == "websocket":
            _check_socket(path, caller)
        elif path in _PUBLIC_PATHS or (not changes and path in self._page_paths):
            return
        elif not caller.is_known:
            raise Refused(HTTPStatus.UNAUTHORIZED, _NO_SESSION)
        elif changes and session is None and not _is_for_commands(path):
            raise Refused(HTTPStatus.FORBIDDEN, "A command may not do this: use the page.")
        elif changes and session is not None:
            _check_csrf(headers, session)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] in _ANSWER_STARTS:
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers["cache-control"] = (
                    "no-cache" if scope["path"] in self._page_paths else "no-store"
                )
                if scope["state"]["caller"].is_known:
                    headers.update(self._stamp())
            await send(message)

        return answer


def _is_for_commands(path: str) -> bool:
    """Whether this user's own commands may do what the path does; no order ever is among it."""
    return path in _COMMAND_PATHS or path.startswith(_COMMAND_FOLDERS)


def own_hosts(port: int) -> frozenset[str]:
    """Every Host header this server answers to."""
    names = ("localhost", "127.0.0.1", "[::1]")
    return frozenset(f"{name}:{port}" for name in names) | frozenset(names if port == 80 else ())


def _check_origin(headers: Headers, host: str) -> None:
    """A change or a socket must come from our own page, and say so."""
    if headers.getlist("origin") != [f"http://{host}"]:
        raise Refused(HTTPStatus.FORBIDDEN, "Only Tick-Tick's own page may do this.")
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Refused(HTTPStatus.FORBIDDEN, "Only Tick-Tick's own page may do this.")


def _check_reader(scope: Scope, headers: Headers, host: str) -> None:
    """Another site may link to the page, and nothing else."""
    origins = headers.getlist("origin")
    foreign = origins not in ([], [f"http://{host}"])
    site = headers.get("sec-fetch-site", "none")
    embedded = scope["path"].startswith("/api/") and site not in ("same-origin", "none")
    if foreign or embedded:
        raise Refused(HTTPStatus.FORBIDDEN, "Other sites may not read this.")


def _check_socket(path: str, caller: Caller) -> None:
    if caller.session is None:
        raise Refused(HTTPStatus.FORBIDDEN, _NO_SESSION)
    if path != SOCKET_PATH:
        raise Refused(HTTPStatus.NOT_FOUND, f"The only socket is {SOCKET_PATH}.")


def _check_csrf(headers: Headers, session: Session) -> None:
    if not compare_digest(headers.get(CSRF_HEADER, "").encode(), session.csrf.encode()):
        raise Refused(HTTPStatus.FORBIDDEN, "The page is out of date: reload it.")


def _cookie(headers: Headers) -> str:
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if cookie is None else cookie.value


async def _whole_body(scope: Scope, receive: Receive) -> bytes | None:
    """The body of a changing request, at most 64 kB within ten seconds; None for others."""
    if scope["type"] != "http" or scope["method"] in _READING:
        return None
    body, more = b"", True
    try:
        async with asyncio.timeout(_BODY_LIMIT_S):
            while more:
                message = await receive()
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > BODY_LIMIT_BYTES:
                    raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Send at most 64 kB.")
    except TimeoutError as error:
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time.") from error
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting = [body]

    async def replayed() -> Message:
        if not waiting:
            return await receive()
        return {"type": "http.request", "body": waiting.pop(), "more_body": False}

    return replayed
