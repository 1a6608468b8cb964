"""From the bytes on a socket to values in a second process: our path against the usual one.

This process plays the exchange and the browser; a program of its own stands between. It reads a
frame from a socket, decodes, screens and measures it and sends what a page shows through a
WebSocket; the time ends when the values are there as numbers. The peer does the same with the
SDK's dict, a dict for each instrument and JSON. Frames go to both in turn, ten at a time and
each once.
"""

import argparse
import asyncio
import json
import struct
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from benchmarks.dictionary import DictionaryDesign
from benchmarks.frames import START_MS, MovingFeed, instruments
from benchmarks.race import Result, result, tell
from ticktick.brokers.upstox.decoders import new_decoder
from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import FrameArrived, InstrumentsResolved, LinkChanged, TimerFired
from ticktick.domain.sessions import Calendar
from ticktick.engine.engine import Engine
from ticktick.engine.ports import EngineSettings
from ticktick.web.blocks import COLUMNS, HEADER_BYTES, MISSING, Columns, Press

ROOT: Final = Path(__file__).resolve().parent.parent
SIZES: Final = (15, 100, 500)
FRAMES: Final = 100
ROUND: Final = 10
STEP_MS: Final = 250
PEER: Final = "dict per instrument, JSON"
_LENGTH: Final = struct.Struct("<II")
_CHECKED: Final = ("last_price", "bid", "ask", "day_high", "day_low", "mid", "spread")

Values = dict[str, NDArray[np.float64]]


class OurDesign:
    """A frame in, the block of the touched rows out: the engine and the press of the page."""

    def __init__(self, count: int) -> None:
        self._engine = Engine(new_decoder(), Calendar(), EngineSettings())
        start_ns = START_MS * NS_PER_MS
        for event in (
            InstrumentsResolved(start_ns, tuple(instruments(count))),
            LinkChanged(start_ns, True, "connected"),
            TimerFired(start_ns),
        ):
            self._engine.process(event)
        market = self._engine.market
        self._press = Press(Columns(market.table, market.metrics, market.freshness, market.warm))
        self._seq = 0

    def take(self, data: bytes) -> bytes:
        """The block of every row in the frame."""
        self._seq += 1
        at_ns = START_MS * NS_PER_MS + (1_000 + self._seq * STEP_MS) * NS_PER_MS
        outputs = self._engine.process(FrameArrived(at_ns, self._seq, data))
        self._press.turn()
        return self._press.block(outputs.touched, self._seq, at_ns / NS_PER_MS)


def read_block(message: bytes | str) -> Values:
    """What a page reads of a block: columns in price units."""
    block = message if isinstance(message, bytes) else message.encode()
    count = int(np.frombuffer(block, "<u4", 1, 4)[0])
    values: Values = {"row": np.frombuffer(block, "<i4", count, HEADER_BYTES)}
    at = -(-(HEADER_BYTES + 4 * count) // 8) * 8
    for column in COLUMNS:
        values[column.name] = np.frombuffer(block, f"<{column.dtype}", count, at)
        at += int(column.dtype[1]) * count
    return values


def read_json(message: bytes | str) -> Any:
    """What a page reads of JSON: an object for each instrument."""
    return json.loads(message)["data"]


def agree(block: Values, rows: Any) -> bool:
    """Whether both show the same of every instrument, in price units."""
    row_of = {instrument.instrument_key: n for n, instrument in enumerate(instruments(len(rows)))}
    order = np.argsort([row_of[row["key"]] for row in rows])
    for name in (*_CHECKED, "volume", "last_trade_ms", "imbalance", "vwap", "tick_return"):
        told = np.array([np.nan if row.get(name) is None else row[name] for row in rows])[order]
        ours = block[name].astype(np.float64)
        ours[ours == MISSING] = np.nan
        expected = told * 100 if name in (*_CHECKED, "vwap") else told
        if not np.allclose(ours, expected, rtol=1e-6, atol=1e-6, equal_nan=True):
            return False
    return True


class Contender:
    """A program between our two sockets."""

    def __init__(
        self,
        writer: asyncio.StreamWriter,
        stream: ClientConnection,
        read: Callable[[bytes | str], Any],
    ) -> None:
        self._writer = writer
        self._stream = stream
        self._read = read
        self._seen: list[Any] = []

    async def send(self, number: int, data: bytes) -> int:
        """Nanoseconds until the frame's values are here."""
        began = time.perf_counter_ns()
        self._writer.write(_LENGTH.pack(len(data), number) + data)
        self._seen.append(self._read(await self._stream.recv()))
        return time.perf_counter_ns() - began

    def taken(self) -> list[Any]:
        """What the messages came to since the last call."""
        seen, self._seen = self._seen, []
        return seen


async def compare(count: int) -> Result:
    """Send every frame to both. Raises ValueError where they show different values."""
    feed, ours_ns, theirs_ns = MovingFeed(count), list[float](), list[float]()
    frames = [feed.frame(START_MS + 1_000 + (n + 1) * STEP_MS) for n in range(FRAMES)]
    async with (
        _program("ours", count, read_block) as ours,
        _program("theirs", count, read_json) as theirs,
    ):
        for begin in range(0, FRAMES, ROUND):
            numbers = range(begin, begin + ROUND)
            mine = [await ours.send(number, frames[number]) for number in numbers]
            others = [await theirs.send(number, frames[number]) for number in numbers]
            for number, block, rows in zip(numbers, ours.taken(), theirs.taken(), strict=True):
                if not agree(block, rows):
                    raise ValueError(f"{count} instruments, frame {number}: values differ")
            if begin:  # the first round warms up
                ours_ns += mine
                theirs_ns += others
    return result("wire", f"{count} instruments", PEER, ours_ns, theirs_ns)


@asynccontextmanager
async def _program(
    side: str, count: int, read: Callable[[bytes | str], Any]
) -> AsyncIterator[Contender]:
    command = (sys.executable, "-m", "benchmarks.bench_wire", "--serve", side, str(count))
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    if child.stdout is None:
        raise ValueError("the program has no output to read")
    try:
        ports = json.loads(await child.stdout.readline())
        _, writer = await asyncio.open_connection("127.0.0.1", ports["feed"])
        page = f"ws://127.0.0.1:{ports['page']}"
        async with connect(page, compression=None, max_size=None) as stream:
            yield Contender(writer, stream, read)
    finally:
        child.terminate()
        await child.wait()


async def _serve(side: str, count: int) -> None:
    """The program between: one feed, one browser."""
    take = (OurDesign(count) if side == "ours" else DictionaryDesign()).take
    browser: asyncio.Future[ServerConnection] = asyncio.get_running_loop().create_future()

    async def page(stream: ServerConnection) -> None:
        browser.set_result(stream)
        await stream.wait_closed()

    async def feed(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        stream = await browser
        while True:
            length, _ = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
            await stream.send(take(await reader.readexactly(length)))

    async with (
        await asyncio.start_server(feed, "127.0.0.1", 0, limit=1 << 20) as feeding,
        serve(page, "127.0.0.1", 0, compression=None) as showing,
    ):
        ports = [server.sockets[0].getsockname()[1] for server in (feeding, showing)]
        print(json.dumps(dict(zip(("feed", "page"), ports, strict=True))), flush=True)
        await asyncio.Event().wait()


def results() -> Iterator[Result]:
    """Every size."""
    for count in SIZES:
        yield asyncio.run(compare(count))


def main() -> None:
    """Compare, or be the program between."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--serve", nargs=2)
    chosen, _ = parser.parse_known_args()
    if chosen.serve:
        asyncio.run(_serve(chosen.serve[0], int(chosen.serve[1])))
    else:
        tell("wire to a second process, one frame", results())


if __name__ == "__main__":
    main()
