"""A way for an untouched Upstox client to the built-in exchange: a proxy and TLS, on loopback.

The client keeps the broker's own hosts. Its proxy setting points to `Tunnel.proxy`, which takes
every `CONNECT` to one of those hosts to a TLS front with a self-signed certificate, and the front
passes the requests on to the exchange, whose own address it hides. What is meant for any other
host is refused, so a client that would leave this machine is found out.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

BROKER_HOSTS = ("api.upstox.com", "api-hft.upstox.com", "wsfeeder-api.upstox.com")
_CHUNK = 1 << 16
_GONE = (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError)


class Tunnel:
    """`targets` are the hosts asked for; `refused` those of them that are not the broker's."""

    def __init__(self, exchange_url: str) -> None:
        self.proxy = ""
        self.targets: list[str] = []
        self.refused: list[str] = []
        self.front_port = 0
        self._exchange = urlsplit(exchange_url)

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of the proxy."""
        with suppress(*_GONE):
            method, target, _ = (await _head(reader))[0].decode().split(" ")
            host, _, port = target.partition(":")
            self.targets.append(target)
            if (method, port) != ("CONNECT", "443") or host not in BROKER_HOSTS:
                self.refused.append(target)
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            else:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                inner = await asyncio.open_connection("127.0.0.1", self.front_port)
                await _both_ways((reader, writer), inner)
        writer.close()

    async def front(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection behind TLS: the exchange answers under its own name."""
        address = (self._exchange.hostname, self._exchange.port)
        exchange = await asyncio.open_connection(*address)
        ours, theirs = f"ws://{self._exchange.netloc}".encode(), b"wss://wsfeeder-api.upstox.com"
        answers = asyncio.create_task(_pipe(exchange[0], writer, (ours, theirs)))
        with suppress(*_GONE):
            await self._pass_requests(reader, exchange[1])
        exchange[1].close()
        await answers

    async def _pass_requests(
        self, reader: asyncio.StreamReader, exchange: asyncio.StreamWriter
    ) -> None:
        while True:
            lines = await _head(reader)
            length, is_upgrade = 0, False
            for number, line in enumerate(lines):
                name, _, value = line.partition(b":")
                match name.lower():
                    case b"host":
                        lines[number] = b"Host: " + self._exchange.netloc.encode()
                    case b"content-length":
                        length = int(value)
                    case b"upgrade":
                        is_upgrade = True
            exchange.write(b"\r\n".join(lines) + b"\r\n\r\n" + await reader.readexactly(length))
            if is_upgrade:
                await _pipe(reader, exchange)
                return


@asynccontextmanager
async def tunnel(exchange_url: str, certificate: ssl.SSLContext) -> AsyncIterator[Tunnel]:
    """A proxy that leads to the exchange at the address."""
    made = Tunnel(exchange_url)
    front = await asyncio.start_server(made.front, "127.0.0.1", 0, ssl=certificate)
    proxy = await asyncio.start_server(made.connect, "127.0.0.1", 0)
    made.front_port = front.sockets[0].getsockname()[1]
    made.proxy = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        proxy.close()
        front.close()


async def _head(reader: asyncio.StreamReader) -> list[bytes]:
    """The first line and the headers of an HTTP message."""
    return (await reader.readuntil(b"\r\n\r\n")).removesuffix(b"\r\n\r\n").split(b"\r\n")


async def _both_ways(
    one: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    other: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    await asyncio.gather(_pipe(one[0], other[1]), _pipe(other[0], one[1]))


async def _pipe(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    other_words: tuple[bytes, bytes] = (b"", b""),
) -> None:
    """Pass bytes on, a text replaced by another, until one side ends; then the other is told."""
    before, after = other_words
    with suppress(*_GONE):
        while data := await reader.read(_CHUNK):
            writer.write(data.replace(before, after) if before else data)
            await writer.drain()
    writer.close()
