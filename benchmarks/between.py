"""The program between a feed and a page, in a process of its own, and the way to it and back.

Both designs are served by the same code. `PLAIN` are two loopback sockets that block, each message
behind its length: what is timed besides the design is the operating system. `WEBSOCKET` is asyncio
with a WebSocket to the page, as the program itself serves one; with short messages most of the time
is that of the library.
"""

import asyncio
import json
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

ROOT: Final = Path(__file__).resolve().parent.parent
HOST: Final = "127.0.0.1"
PLAIN: Final = "plain"
WEBSOCKET: Final = "websocket"
# a frame: its length, its number, when it was read (milliseconds)
_FRAME: Final = struct.Struct("<IIQ")
_LENGTH: Final = struct.Struct("<I")
# what comes next is of the same message, where the system takes that into account
_MORE: Final = getattr(socket, "MSG_MORE", 0)

Take = Callable[[bytes, int, int], bytes]  # a frame, its number, when it was read


class Way(Protocol):
    """The way to a program between and back."""

    async def ask(self, data: bytes, number: int, read_ms: int) -> bytes:
        """What the page is sent of a frame."""
        ...


class Plain:
    """Two sockets that block."""

    def __init__(self, feed: socket.socket, page: socket.socket) -> None:
        self._feed = feed
        self._page = page

    async def ask(self, data: bytes, number: int, read_ms: int) -> bytes:
        """What the page is sent of a frame."""
        _send(self._feed, _FRAME.pack(len(data), number, read_ms), data)
        return _read(self._page, *_LENGTH.unpack(_read(self._page, _LENGTH.size)))


class Socketed:
    """asyncio, with a WebSocket to the page."""

    def __init__(self, writer: asyncio.StreamWriter, page: ClientConnection) -> None:
        self._writer = writer
        self._page = page

    async def ask(self, data: bytes, number: int, read_ms: int) -> bytes:
        """What the page is sent of a frame."""
        self._writer.write(_FRAME.pack(len(data), number, read_ms) + data)
        return await self._page.recv(decode=False)


@asynccontextmanager
async def between(module: str, way: str, *arguments: str) -> AsyncIterator[Way]:
    """Start a module as the program between, with these arguments, and lead the way to it."""
    command = (sys.executable, "-m", module, "--serve", way, *arguments)
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    if child.stdout is None:
        raise ValueError("the program between has no output to read")
    try:
        feed, page = json.loads(await child.stdout.readline())
        async with (_plain if way == PLAIN else _socketed)(feed, page) as led:
            yield led
    finally:
        child.terminate()
        await child.wait()


def stand(way: str, take: Take) -> None:
    """Be the program between until the feed ends."""
    if way == PLAIN:
        _serve_plain(take)
    else:
        asyncio.run(_serve_socketed(take))


@asynccontextmanager
async def _plain(feed_port: int, page_port: int) -> AsyncIterator[Way]:
    with (
        socket.create_connection((HOST, feed_port)) as feed,
        socket.create_connection((HOST, page_port)) as page,
    ):
        feed.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Plain(feed, page)


def _serve_plain(take: Take) -> None:
    with socket.create_server((HOST, 0)) as feeding, socket.create_server((HOST, 0)) as showing:
        _tell_ports(feeding, showing)
        (feed, _), (page, _) = feeding.accept(), showing.accept()
        page.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while head := feed.recv(_FRAME.size, socket.MSG_WAITALL):
            length, number, read_ms = _FRAME.unpack(head)
            message = take(_read(feed, length), number, read_ms)
            _send(page, _LENGTH.pack(len(message)), message)


@asynccontextmanager
async def _socketed(feed_port: int, page_port: int) -> AsyncIterator[Way]:
    _, writer = await asyncio.open_connection(HOST, feed_port)
    address = f"ws://{HOST}:{page_port}"
    async with connect(address, compression=None, max_size=None) as page:
        yield Socketed(writer, page)


async def _serve_socketed(take: Take) -> None:
    coming: asyncio.Future[ServerConnection] = asyncio.get_running_loop().create_future()

    async def show(page: ServerConnection) -> None:
        coming.set_result(page)
        await page.wait_closed()

    async def feed(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        page = await coming
        while True:
            head = await reader.readexactly(_FRAME.size)
            length, number, read_ms = _FRAME.unpack(head)
            await page.send(take(await reader.readexactly(length), number, read_ms))

    async with (
        await asyncio.start_server(feed, HOST, 0, limit=1 << 20) as feeding,
        serve(show, HOST, 0, compression=None) as showing,
    ):
        _tell_ports(feeding.sockets[0], next(iter(showing.sockets)))
        await asyncio.Event().wait()


class _Named(Protocol):
    def getsockname(self) -> tuple[str, int]: ...


def _tell_ports(*listening: _Named) -> None:
    print(json.dumps([one.getsockname()[1] for one in listening]), flush=True)


def _send(stream: socket.socket, head: bytes, message: bytes) -> None:
    stream.sendall(head, _MORE)
    stream.sendall(message)


def _read(stream: socket.socket, size: int) -> bytes:
    """Exactly so many bytes. Raises EOFError where the other side is gone."""
    told = stream.recv(size, socket.MSG_WAITALL)
    if len(told) < size:
        raise EOFError(f"{len(told)} bytes of {size}: the other side is gone")
    return told
