"""From the bytes on a socket to values in a second process: our path against the usual one.

This process plays the exchange and the page; a program of its own stands between. It reads a frame
from a socket, decodes, screens and measures it and sends what a page shows; the time ends when the
values are here as numbers. The peer does the same with the SDK's dict, deques for the same metrics
and JSON. Frames go to both in turn, ten at a time and each once, after five minutes of market that
fill every window; every number that both show is compared at every frame.

Both are reached over two plain loopback sockets, so that the designs are compared and not a library
that both use. The cases named WebSocket go through asyncio and websockets instead.

Our block holds five columns more, which a clock judges once a second and no frame does.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.between import PLAIN, WEBSOCKET, Way, between, stand
from benchmarks.dictionary import DictionaryDesign
from benchmarks.frames import START_MS, MovingFeed, instruments
from benchmarks.race import Result, result, tell
from ticktick.brokers.upstox.decoders import new_decoder
from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import FrameArrived, InstrumentsResolved, LinkChanged, TimerFired
from ticktick.domain.market import Freshness
from ticktick.domain.sessions import Calendar
from ticktick.engine.engine import Engine
from ticktick.engine.ports import EngineSettings
from ticktick.market.freshness import CODES
from ticktick.web.blocks import COLUMNS, HEADER_BYTES, MISSING, Columns, Press

CASES: Final = (
    *((count, PLAIN) for count in (15, 100, 500)),
    *((count, WEBSOCKET) for count in (15, 100, 500)),
)
ROUND: Final = 10
FRAMES: Final = 100
STEP_MS: Final = 250
FRAMES_BEFORE: Final = 80
STEP_BEFORE_MS: Final = 4_000
PEER: Final = "dict per instrument, JSON"
ON_THE_CLOCK: Final = frozenset(
    {"warm", "liquidity", "liquidity_baseline", "volatility", "volatility_baseline"}
)
_UNIT: Final = {column.name: column.unit for column in COLUMNS}
_WHOLE: Final = frozenset({"ms", "index", "shares"})  # the others are rounded by type and by rupees
_ROUNDED: Final = {"<f8": 1e-11, "<f4": 1e-6, "<i4": 0.0}

# columns of one type stand together
_COLUMNS_OF: Final = {
    f"<{dtype}": [column.name for column in COLUMNS if column.dtype == dtype]
    for dtype in ("f8", "i4", "f4")
}

Values = dict[str, NDArray[Any]]


class Sent(NamedTuple):
    """A frame of the feed, its number and when it was read."""

    data: bytes
    number: int
    read_ms: int


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

    def take(self, data: bytes, number: int, read_ms: int) -> bytes:
        """The block of every row in the frame."""
        frame = FrameArrived(read_ms * NS_PER_MS, number, data)
        outputs = self._engine.process(frame)
        self._press.turn()
        return self._press.block(outputs.touched, number, read_ms)


def read_block(block: bytes) -> list[NDArray[Any]]:
    """What a page reads of a block: the rows, then the columns of each type, in price units."""
    count = int.from_bytes(block[4:8], "little")
    read: list[NDArray[Any]] = [np.frombuffer(block, "<i4", count, HEADER_BYTES)]
    at = -(-(HEADER_BYTES + 4 * count) // 8) * 8
    for dtype, columns in _COLUMNS_OF.items():
        size = len(columns) * count
        read.append(np.frombuffer(block, dtype, size, at).reshape(len(columns), count))
        at += read[-1].nbytes
    return read


def named(read: Sequence[NDArray[Any]]) -> Values:
    """The columns of a block by name, and `row`."""
    rows, *matrices = read
    values: Values = {"row": rows}
    for columns, matrix in zip(_COLUMNS_OF.values(), matrices, strict=True):
        values |= zip(columns, matrix, strict=True)
    return values


def read_json(message: bytes) -> Any:
    """What a page reads of JSON: an object for each instrument."""
    return json.loads(message)["data"]


def agree(block: Values, rows: Sequence[dict[str, Any]]) -> bool:
    """Whether both show the same numbers of every instrument, and the same names of them."""
    row_of = {instrument.instrument_key: n for n, instrument in enumerate(instruments(len(rows)))}
    by_row = sorted(rows, key=lambda row: row_of[row["key"]])
    shown = {column.name for column in COLUMNS} - ON_THE_CLOCK
    if list(block["row"]) != list(range(len(rows))):
        return False
    return all({*row} == {*shown, "key"} for row in by_row) and all(
        _is_equal(name, block[name], [row[name] for row in by_row]) for name in shown
    )


def _is_equal(name: str, column: NDArray[Any], told: Sequence[Any]) -> bool:
    ours = column.astype(np.float64)
    ours[ours == MISSING] = np.nan
    if name == "freshness":
        return bool((ours == [CODES[Freshness(word)] for word in told]).all())
    theirs = np.array([np.nan if value is None else value for value in told], np.float64)
    theirs *= 100 if _UNIT[name] == "price" else 1
    rounded = 0.0 if _UNIT[name] in _WHOLE else _ROUNDED[column.dtype.str]
    return np.allclose(ours, theirs, rtol=rounded, atol=1e-6, equal_nan=True)


def market(count: int) -> Iterator[Sent]:
    """The frames before the race and those of the race."""
    feed, at_ms = MovingFeed(count), START_MS
    for number in range(FRAMES_BEFORE + FRAMES):
        at_ms += STEP_BEFORE_MS if number < FRAMES_BEFORE else STEP_MS
        yield Sent(feed.frame(at_ms), number, at_ms)


async def send(way: Way, read: Callable[[bytes], Any], sent: Sent) -> tuple[int, Any]:
    """Nanoseconds until the frame's values are here, and the values."""
    began_ns = time.perf_counter_ns()
    values = read(await way.ask(*sent))
    return time.perf_counter_ns() - began_ns, values


async def compare(count: int, way: str) -> Result:
    """Send every frame to both. Raises ValueError where they show different values."""
    frames, ours_ns, theirs_ns = list(market(count)), list[float](), list[float]()
    async with (
        between("benchmarks.bench_wire", way, "ours", str(count)) as ours,
        between("benchmarks.bench_wire", way, "theirs", str(count)) as theirs,
    ):
        for begin in range(0, len(frames), ROUND):
            sent = frames[begin : begin + ROUND]
            mine = [await send(ours, read_block, one) for one in sent]
            others = [await send(theirs, read_json, one) for one in sent]
            for one, (_, block), (_, rows) in zip(sent, mine, others, strict=True):
                if not agree(named(block), rows):
                    raise ValueError(f"{count} instruments, frame {one.number}: values differ")
            if begin >= FRAMES_BEFORE:
                ours_ns += [spent_ns for spent_ns, _ in mine]
                theirs_ns += [spent_ns for spent_ns, _ in others]
    case = f"{count} instruments" + (", WebSocket" if way == WEBSOCKET else "")
    return result("wire", case, PEER, ours_ns, theirs_ns)


def results() -> Iterator[Result]:
    """Every case."""
    for count, way in CASES:
        yield asyncio.run(compare(count, way))


def main() -> None:
    """Compare, or be the program between."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--serve", nargs=3, metavar=("WAY", "SIDE", "COUNT"))
    chosen, _ = parser.parse_known_args()
    if not chosen.serve:
        tell("wire to a second process, one frame", results())
        return
    way, side, count = chosen.serve
    stand(way, (OurDesign(int(count)) if side == "ours" else DictionaryDesign()).take)


if __name__ == "__main__":
    main()
