"""Dashboards of a load test: they read what a browser is sent and see how late it is."""

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ticktick.domain.clock import NS_PER_MS

_HEAD: Final = struct.Struct("<BBHIIId")
_LATEST_MS: Final = 20_000
_COUNTED_AT_ONCE: Final = 20_000
_STALLED_BYTES: Final = 4_096


class Times:
    """Times counted by the millisecond, in fixed memory however many there are."""

    def __init__(self) -> None:
        self._counts = np.zeros(_LATEST_MS + 1, np.int64)
        self._waiting: list[NDArray[np.float64]] = []
        self._waiting_values = 0

    def add(self, values_ms: NDArray[np.float64]) -> None:
        """Count times in milliseconds; thousands at once, as who measures must cost little."""
        self._waiting.append(values_ms)
        self._waiting_values += len(values_ms)
        if self._waiting_values >= _COUNTED_AT_ONCE:
            self._count()

    def quantile_ms(self, share: float) -> float:
        """The millisecond below which this share of the counted times lies; NaN without any."""
        self._count()
        total = int(self._counts.sum())
        if not total:
            return float("nan")
        return float(np.searchsorted(np.cumsum(self._counts), share * total))

    def _count(self) -> None:
        values, self._waiting, self._waiting_values = self._waiting, [], 0
        if values:
            whole = np.clip(np.rint(np.concatenate(values)), 0, _LATEST_MS).astype(np.int64)
            self._counts += np.bincount(whole, minlength=len(self._counts))


class Tally:
    """What all dashboards saw during a phase.

    `sent_ms` is from the reading of a row's frame to the making of its block, both by the
    program's clock; `seen_ms` from the exchange's sending to a dashboard's receipt. Both are of
    rows that a frame brought: a row that is told again only because time passed has the age of
    its last frame, and that says nothing. `gaps_ms` is the time between two blocks of one
    dashboard.
    """

    def __init__(self) -> None:
        self.blocks = 0
        self.bytes = 0
        self.sent_ms = Times()
        self.seen_ms = Times()
        self.gaps_ms = Times()


class Dashboard:
    """One connected browser, as far as the numbers go.

    `prices` and `told_ms` are the newest last price (price units) and exchange time by row;
    `is_lost` says that the server ended the connection. `market_ns` is market time minus this
    computer's steady clock.
    """

    def __init__(
        self, stream: AsyncIterable[bytes | str], hello: Mapping[str, Any], market_ns: int
    ) -> None:
        self._stream = stream
        self._market_ns = market_ns
        self._places = _places(hello["columns"])
        rows = max(row["row"] for row in hello["instruments"]) + 1
        self.row_of = {row["symbol"]: row["row"] for row in hello["instruments"]}
        self.prices = np.zeros(rows, np.int64)
        self.told_ms = np.zeros(rows)
        self._received_ms = np.zeros(rows)
        self.tally = Tally()
        self.is_lost = False
        self._last_ns = 0

    async def watch(self) -> None:
        """Read until the connection ends."""
        try:
            async for message in self._stream:
                if isinstance(message, bytes):
                    self.take(message)
        except ConnectionClosed:
            pass
        self.is_lost = True

    def take(self, block: bytes) -> None:
        """Look at one block, received now."""
        now_ns = time.monotonic_ns()
        _, _, _, count, _, _, ts_ms = _HEAD.unpack_from(block)
        rows = np.frombuffer(block, "<i4", count, _HEAD.size)
        names = ("received_ms", "exchange_ms", "last_price")
        received, told, price = (self._column(block, count, name) for name in names)
        is_new = received > self._received_ms[rows]
        self.prices[rows], self.told_ms[rows], self._received_ms[rows] = price, told, received
        tally = self.tally
        tally.blocks += 1
        tally.bytes += len(block)
        tally.sent_ms.add(ts_ms - received[is_new])
        tally.seen_ms.add((now_ns + self._market_ns) / NS_PER_MS - told[is_new])
        if self._last_ns:
            tally.gaps_ms.add(np.array([(now_ns - self._last_ns) / NS_PER_MS]))
        self._last_ns = now_ns

    def _column(self, block: bytes, count: int, name: str) -> NDArray[Any]:
        dtype, before = self._places[name]
        start = -(-(_HEAD.size + 4 * count) // 8) * 8 + before * count
        return np.frombuffer(block, dtype, count, start)


class Site:
    """A running program's page: makes dashboards."""

    def __init__(self, url: str, token: str, http: aiohttp.ClientSession) -> None:
        self._url = url
        self._token = token
        self._http = http
        self._headers: dict[str, str] = {}

    async def log_in(self) -> None:
        """Open a session as this user's own browser would."""
        bearer = {"Authorization": f"Bearer {self._token}"}
        code = (await self._post("/api/v1/start-code", {}, bearer))[0]["code"]
        answer, cookie = await self._post("/api/v1/session", {"code": code}, {"Origin": self._url})
        self._headers = {
            "Origin": self._url,
            "Cookie": cookie,
            "X-Ticktick-Csrf": answer["csrf"],
        }

    @asynccontextmanager
    async def dashboards(self, count: int, market_ns: int) -> AsyncIterator[list[Dashboard]]:
        """So many dashboards that read as fast as they can."""
        made = []
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                stream = await self._stream(0)
                hello = json.loads(await stream.recv())["data"]
                made.append(Dashboard(stream, hello, market_ns))
            tasks = [group.create_task(each.watch()) for each in made]
            yield made
            for task in tasks:
                task.cancel()

    async def stalled(self, count: int) -> Sequence[ClientConnection]:
        """So many dashboards that read nothing; close them in the end."""
        return [await self._stream(_STALLED_BYTES) for _ in range(count)]

    async def _stream(self, receive_bytes: int) -> ClientConnection:
        code = (await self._post("/api/v1/socket-code", {}, self._headers))[0]["code"]
        host, port = self._url.removeprefix("http://").rsplit(":", 1)
        plain = socket.socket()
        if receive_bytes:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, (host, int(port)))
        origin = {name: self._headers[name] for name in ("Origin", "Cookie")}
        stream = await connect(
            f"ws://{host}:{port}/ws",
            additional_headers=origin,
            compression=None,
            max_size=None,
            ping_interval=None,
            max_queue=1 if receive_bytes else 64,
            sock=plain,
        )
        await stream.send(json.dumps({"code": code}))
        return stream

    async def _post(self, path: str, body: object, headers: Mapping[str, str]) -> tuple[Any, str]:
        async with self._http.post(self._url + path, json=body, headers=headers) as answer:
            if answer.status >= 400:
                raise RuntimeError(f"{path}: HTTP {answer.status}: {await answer.text()}")
            cookie = answer.headers.get("Set-Cookie", "").split(";")[0]
            return await answer.json(), cookie


def _places(columns: Sequence[Mapping[str, str]]) -> dict[str, tuple[str, int]]:
    """Type of each column, and the bytes of one row that stand before it."""
    places, before = {}, 0
    for column in columns:
        places[column["name"]] = f"<{column['dtype']}", before
        before += int(column["dtype"][1:])
    return places
