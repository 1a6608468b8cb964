"""Serving: uvicorn as one task among others, and a quick stop."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_INBOUND_LIMIT_BYTES: Final = 64 * 1024
_STOP_LIMIT_S: Final = 1


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
