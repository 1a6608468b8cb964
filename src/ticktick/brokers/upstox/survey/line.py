"""One connection to the feed as the survey uses it: messages out, everything noted that comes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any
from uuid import UUID

import msgspec
from google.protobuf.message import DecodeError
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from ticktick.brokers.upstox.feed import Direct
from ticktick.brokers.upstox.hosts import USER_AGENT
from ticktick.brokers.upstox.survey.heard import Connection, Message
from ticktick.brokers.upstox.survey.verdict import NotSeen
from ticktick.proto.MarketDataFeed_pb2 import Feed, FeedResponse

_LARGEST_FRAME = 4 * 1024 * 1024
_MOST_MESSAGES = 20_000
_OPEN_LIMIT_S = 10.0
_PONG_LIMIT_S = 5.0
_LOOK_S = 0.1
_LONGEST_TEXT = 200
_LOST = 1006


class Line:
    """An open connection; it is read while somebody waits."""

    def __init__(
        self, socket: "_Socket", connection: Connection, now_ns: Callable[[], int]
    ) -> None:
        self.connection = connection
        self.messages: list[Message] = []
        self._socket = socket
        self._now_ns = now_ns

    async def ask(self, method: str, keys: Sequence[str], mode: str, rng: Random) -> None:
        """Send one message of the feed's protocol."""
        guid = str(UUID(int=rng.getrandbits(128), version=4))
        data = {"mode": mode, "instrumentKeys": list(keys)}
        with suppress(ConnectionClosed):
            await self._socket.send(
                msgspec.json.encode({"guid": guid, "method": method, "data": data})
            )

    async def wait(self, seconds: float) -> None:
        """Read what comes in so many real seconds; shorter if the server hangs up."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._keep(await self._socket.recv())
        except TimeoutError:
            return
        except ConnectionClosed as end:
            self.connection.closed = end.rcvd.code if end.rcvd is not None else _LOST

    async def wait_for(
        self, is_answer: Callable[[Feed], bool], limit_s: float, more_s: float
    ) -> list[Message]:
        """Read until such a packet came, or the limit is reached, and then a little more."""
        self.take()
        end_s = time.monotonic() + limit_s
        while self.connection.closed is None and time.monotonic() < end_s:
            await self.wait(_LOOK_S)
            if any(is_answer(feed) for one in self.messages for feed in one.frame.feeds.values()):
                break
        await self.wait(more_s)
        return self.take()

    async def round_trip_ms(self) -> float | None:
        """How long a ping of ours takes; None if no pong comes in time."""
        try:
            async with asyncio.timeout(_PONG_LIMIT_S):
                return 1000 * await (await self._socket.ping())
        except (TimeoutError, ConnectionClosed):
            return None

    def take(self) -> list[Message]:
        """The messages since the last call."""
        taken, self.messages = self.messages, []
        return taken

    def _keep(self, data: str | bytes) -> None:
        if isinstance(data, str):
            self.connection.texts.append(data[:_LONGEST_TEXT])
            return
        try:
            frame = FeedResponse.FromString(data)
        except DecodeError:
            self.connection.unreadable += 1
            return
        if len(self.messages) < _MOST_MESSAGES:
            self.messages.append(Message(time.monotonic(), self._now_ns(), frame, len(data)))


@asynccontextmanager
async def opened(
    url: str, connection: Connection, now_ns: Callable[[], int]
) -> AsyncIterator[Line | None]:
    """A connection to a checked address until the block ends; None if it was refused.

    How it went is written into `connection`. Raises NotSeen if the feed cannot be reached.
    """
    try:
        socket = await _dial(url)
    except InvalidStatus as refused:
        connection.status = refused.response.status_code
        yield None
        return
    except (OSError, TimeoutError, WebSocketException) as error:
        # the text of the error would tell the address with its code
        raise NotSeen(f"the feed cannot be reached ({type(error).__name__})") from None
    connection.opened_s = time.monotonic()
    connection.compressed = bool(socket.protocol.extensions)
    connection.pings_s = socket.pings_s
    try:
        yield Line(socket, connection, now_ns)
    finally:
        connection.ended_s = time.monotonic()
        if connection.closed is None:
            connection.closed = socket.close_code
        await socket.close()


class _Socket(ClientConnection):
    """A connection that notes when the server sends a ping; the library answers it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.pings_s: list[float] = []

    def process_event(self, event: Event) -> None:
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.pings_s.append(time.monotonic())


async def _dial(url: str) -> _Socket:
    socket = await Direct(
        url,
        user_agent_header=USER_AGENT,
        proxy=None,
        open_timeout=_OPEN_LIMIT_S,
        ping_interval=None,
        close_timeout=1.0,
        max_size=_LARGEST_FRAME,
        create_connection=_Socket,
    )
    if not isinstance(socket, _Socket):
        raise TypeError("the library made another kind of connection")
    return socket
