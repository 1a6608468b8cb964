"""A stage for the Upstox client: a broker of the test's own making, on a real socket."""

import asyncio
import json
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ticktick.domain.instrument import Instrument, Kind

LIMIT_S = 20.0
TOKEN = "a-token-only-the-api-may-see"
KEY = "NSE_EQ|INE002A01018"
RELIANCE = Instrument("RELIANCE", "Reliance", "NSE", "NSE_EQ", KEY, Kind.EQUITY)
FRIDAY = date(2026, 11, 20)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class StandingClock:
    """A clock that stands where the test puts it."""

    def __init__(self, now_ns: int) -> None:
        self.at_ns = now_ns

    def now_ns(self) -> int:
        return self.at_ns


class Stub:
    """A broker that answers what the test says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes, dict[str, str]]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.sockets: list[Answer] = []
        self.url = ""

    def says(self, status: int, body: Any, **headers: str) -> None:
        """Answer the next request so; a body that is no bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, content, headers))

    def authorises(self) -> None:
        """Answer the next request with an address of the feed."""
        feed = self.url.replace("http", "ws", 1) + "/feeds?code=one-time"
        self.says(200, {"status": "success", "data": {"authorized_redirect_uri": feed}})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take the next of `sockets` for the feed, of `answers` for anything else."""
        self.requests.append((str(request.rel_url), dict(request.headers)))
        if request.path == "/feeds":
            return await self.sockets.pop(0)(request)
        if not self.answers:
            return web.Response(status=418)
        status, content, headers = self.answers.pop(0)
        return web.Response(status=status, body=content, headers=headers)


@asynccontextmanager
async def listening(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve every path on a free loopback port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def stub_broker() -> AsyncIterator[Stub]:
    """A stub that listens."""
    made = Stub()
    async with listening(made.answer) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


def free_port() -> int:
    """A loopback port that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def self_signed_context(folder: Path) -> ssl.SSLContext:
    """TLS of a server whose certificate nobody vouches for; made with openssl."""
    openssl = shutil.which("openssl")
    if openssl is None and os.environ.get("CI"):
        pytest.fail("no openssl to make a certificate with")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    wish = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    name = "subjectAltName=IP:127.0.0.1"
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        [openssl, *wish.split(), "-addext", name, *files], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def no_pause(_: float) -> None:
    """A sleep that only lets others run."""
    await asyncio.sleep(0)
