"""Listening and serving: loopback only, one plain sentence when it cannot, a quick stop."""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Generator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ticktick.errors import ConfigError

_LOOPBACK: Final = {
    "localhost": socket.AF_INET,
    "127.0.0.1": socket.AF_INET,
    "::1": socket.AF_INET6,
}
_INBOUND_LIMIT_BYTES: Final = 64 * 1024
_SEND_BUFFER_BYTES: Final = 256 * 1024
_UNREAD_LIMIT_MS: Final = 15_000
_STOP_LIMIT_S: Final = 1


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for browsers of this machine; port 0 takes a free one.

    Raises ConfigError if the host is not this machine's loopback, or the port cannot be had.
    """
    family = _LOOPBACK.get(host)
    if family is None:
        raise ConfigError(
            f"cannot serve the page on {host}: other machines could reach it, and that needs TLS "
            "and a password, which Tick-Tick does not have yet; use 127.0.0.1"
        )
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":  # elsewhere it would let two programs share the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _limit_unread(listener)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise ConfigError(_why_not(host, port, error)) from error
    return listener


async def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until cancelled; then close every connection within two seconds."""
    server = _Server(
        uvicorn.Config(
            app,
            ws=_BrowserSocket,
            ws_max_size=_INBOUND_LIMIT_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_STOP_LIMIT_S,
        )
    )
    try:
        await server.serve(sockets=[listener])
    except asyncio.CancelledError:
        await server.shutdown(sockets=[listener])
        raise


class _Server(uvicorn.Server):
    """uvicorn as one task among others: signals are the program's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class _BrowserSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, whose close frame does not wait behind what nobody reads."""

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.close":
            self.writable.set()
        await super().send(message)


def _limit_unread(listener: socket.socket) -> None:
    """Bound what a browser may leave unread; every accepted connection inherits this."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_LIMIT_MS)


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use: stop the program that has it, "
            "or choose another with --port"
        )
    return f"cannot listen on {host} port {port}: {error.strerror}; choose another with --port"
