"""The market feed's connection: authorise, connect, subscribe, read, and know whether it lives."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedOK,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)

from ticktick.brokers.reconnect import Ending
from ticktick.brokers.upstox.hosts import USER_AGENT
from ticktick.brokers.upstox.pulse import Beat, Pulse
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.errors import AuthError, BrokerError, RateLimited

# larger than a frame may be: what is too large is counted as damaged, and the link kept
_LARGEST_MESSAGE: Final = 16 << 20
_REFUSED_PAUSE_S: Final = 30.0
_OPEN_LIMIT_S: Final = 10.0
_SEND_LIMIT_S: Final = 5.0
_CLOSE_LIMIT_S: Final = 1.0
_WAITING_FRAMES: Final = 1024


class FeedWire:
    """One open connection of the feed; frames come as bytes.

    A text frame is no frame of the feed, and the decoder says so.
    """

    def __init__(self, socket: ClientConnection, clock_s: Callable[[], float]) -> None:
        self._socket = socket
        self._clock_s = clock_s
        self._pulse = Pulse(clock_s())

    @property
    def ping_ms(self) -> float | None:
        """The last round trip of a ping; None before the first."""
        return self._socket.latency * 1000 if self._socket.latency else None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while True:
                frame = await self._socket.recv()
                self._pulse.heard()
                yield frame if isinstance(frame, bytes) else frame.encode()
        except ConnectionClosedOK:
            return

    async def send(self, messages: Sequence[bytes]) -> None:
        """Send the messages; a connection that does not take them ends."""
        try:
            async with asyncio.timeout(_SEND_LIMIT_S):
                for message in messages:
                    await self._socket.send(message)
        except ConnectionClosed:  # the reader notices and says why
            return
        except TimeoutError:
            self.cut()

    async def beat(self) -> bool:
        """Ping when it is time; false if the other side is dead."""
        match self._pulse.beat(self._clock_s()):
            case Beat.HANG_UP:
                return False
            case Beat.PING:
                try:
                    pong = asyncio.ensure_future(await self._socket.ping())
                except ConnectionClosed:  # the reader notices and says why
                    return True
                pong.add_done_callback(self._ponged)
        return True

    def cut(self) -> None:
        """End it at once, without a word to the other side."""
        self._socket.transport.abort()

    def _ponged(self, pong: "asyncio.Future[float]") -> None:
        if not pong.cancelled() and pong.exception() is None:
            self._pulse.heard()


def feed_dial(
    rest: UpstoxRest,
    messages: Callable[[], Sequence[bytes]],
    clock_s: Callable[[], float] = time.monotonic,
) -> Callable[[], AbstractAsyncContextManager[FeedWire]]:
    """A dial that fetches a single-use address for every connection and sends the messages."""

    @asynccontextmanager
    async def dial() -> AsyncIterator[FeedWire]:
        url = await rest.authorise_feed()
        try:
            async with Direct(
                url,
                user_agent_header=USER_AGENT,
                proxy=None,
                open_timeout=_OPEN_LIMIT_S,
                ping_interval=None,
                close_timeout=_CLOSE_LIMIT_S,
                max_size=_LARGEST_MESSAGE,
                max_queue=_WAITING_FRAMES,
            ) as socket:
                wire = FeedWire(socket, clock_s)
                await wire.send(messages())
                yield wire
        except InvalidStatus as error:
            raise _refused(error.response.status_code) from error
        except InvalidURI:  # its text would tell the one-time code
            raise BrokerError("the address of the feed cannot be dialled") from None

    return dial


def explain(error: Exception) -> Ending | None:
    """How an attempt ended that failed so; None if no other attempt can help."""
    reason = str(error) or type(error).__name__
    match error:
        case AuthError():
            return Ending("login", reason)
        case RateLimited(retry_after_s=pause_s):
            return Ending("refused", reason, least_s=pause_s)
        case FeedFull():
            return Ending("refused", reason, least_s=_REFUSED_PAUSE_S, no_room=True)
        case BrokerError(http_status=403):
            return Ending("refused", reason, least_s=_REFUSED_PAUSE_S)
        case BrokerError(http_status=status) if status:
            return Ending("refused", reason)
        case ConnectionClosed():
            return Ending("closed", f"the connection to the feed broke ({reason})")
        case TimeoutError():
            return Ending("closed", "the feed did not answer in time")
        case BrokerError() | WebSocketException() | OSError() | ssl.SSLError():
            return Ending("closed", reason)
        case _:
            return None


class FeedFull(BrokerError):
    """The feed let nobody else in: too many connections, or no right to it."""


class Direct(connect):
    """A connection that follows no redirect: the address was checked, another one is not."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _refused(status: int) -> BrokerError:
    if status == 401:
        return AuthError(
            "the feed refused the token (HTTP 401); run `ticktick login`", http_status=401
        )
    if status == 403:
        return FeedFull(
            "the feed refused the connection (HTTP 403): too many are open, or another program "
            "uses this login; close it",
            http_status=403,
        )
    return BrokerError(f"the feed refused the connection (HTTP {status})", http_status=status)
