"""Write the rows of one frame into Redis: the program's writer against plain redis-py.

Both write every metric of every symbol as a point of its own series, and the latest row as a
hash, to embedded servers of the same kind. redis-py does it as its documentation shows: one
command at a time, or all commands of the frame in one pipeline.
"""

import math
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, Final

import redis

from benchmarks.frames import START_MS, MovingFeed, instruments
from benchmarks.race import Result, race, tell
from ticktick.brokers.upstox.decoders import new_decoder
from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import FrameArrived, InstrumentsResolved, LinkChanged, TimerFired
from ticktick.domain.sessions import Calendar
from ticktick.engine.engine import Engine
from ticktick.engine.ports import EngineSettings, Outputs
from ticktick.store.copies import Copies
from ticktick.store.embedded import StoreWish, choose
from ticktick.store.keys import TICK_DATABASE, tick_family, tick_latest
from ticktick.store.link import Link
from ticktick.store.mirror import HASH_LIFE_MS, Mirror
from ticktick.store.records import tick_columns
from ticktick.store.server import EmbeddedServer
from ticktick.store.spool import Batch, Rows, Said
from ticktick.store.tick_rows import FIELDS, known_values

SIZES: Final = (15, 100)
ROUNDS: Final = 7
_MEMORY_MB: Final = 512
_FRAMES: Final = 20
_START_NS: Final = START_MS * NS_PER_MS

Told = tuple[list[tuple[str, int, float]], list[tuple[str, dict[str, Any]]]]


class Frames:
    """What the engine gives out for a moving feed, each time at a new time."""

    def __init__(self, number: int) -> None:
        self.engine = Engine(new_decoder(), Calendar(), EngineSettings())
        for event in (
            InstrumentsResolved(_START_NS, tuple(instruments(number))),
            LinkChanged(_START_NS, True, "connected"),
            TimerFired(_START_NS),
        ):
            self.engine.process(event)
        self._copies = Copies(self.engine.market)
        frames = MovingFeed(number).frames(_FRAMES, 250)
        self._outputs = [self._process(seq, data) for seq, data in enumerate(frames)]
        self._moments = count(1)

    def rows(self) -> Rows:
        """Copies of all rows, as of a millisecond later than the last ones."""
        rows = self._copies.take(self._outputs[-1], 0.0)
        if rows is None:
            raise ValueError("the frame told nothing")
        return rows

    def _process(self, seq: int, data: bytes) -> Outputs:
        at_ns = _START_NS + (1_050 + seq * 250) * NS_PER_MS
        return self.engine.process(FrameArrived(at_ns, seq, data))


def told(rows: Rows) -> Told:
    """What a program that has the same values as numbers would write."""
    columns = tick_columns([rows], many=False)
    points = [
        (key, at_ms, value)
        for n, (at_ms, values) in enumerate(
            zip(columns.at_ms.tolist(), columns.plain.T.tolist(), strict=True)
        )
        for key, value in zip(columns.family_of(n).keys.values(), values, strict=True)
        if not math.isnan(value)
    ]
    hashes = []
    for instrument, column in zip(rows.instruments, known_values(rows).T.tolist(), strict=True):
        fields = {
            field.name: field.words[int(value)] if field.words else value
            for field, value in zip(FIELDS, column, strict=True)
            if not math.isnan(value)
        }
        hashes.append((tick_latest(instrument.symbol), fields))
    return points, hashes


class Plain:
    """redis-py as its documentation shows it."""

    def __init__(self, path: Path) -> None:
        self._redis = redis.Redis(unix_socket_path=str(path), db=TICK_DATABASE)

    def one_by_one(self, what: Told) -> None:
        """A command for each point and each hash."""
        self._write(self._redis, what)

    def pipeline(self, what: Told) -> None:
        """The same commands, sent together."""
        with self._redis.pipeline(transaction=False) as pipe:
            self._write(pipe, what)
            pipe.execute()

    def _write(self, client: Any, what: Told) -> None:
        points, hashes = what
        series = client.ts()
        for key, at_ms, value in points:
            series.add(key, at_ms, value, duplicate_policy="last")
        for key, fields in hashes:
            client.hset(key, mapping=fields)
            client.pexpire(key, HASH_LIFE_MS)


def results() -> Iterator[Result]:
    """Every size. Raises ValueError where the servers hold different points afterwards."""
    for number in SIZES:
        with ExitStack() as stack:
            folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="ticktick-bench-"))
            )
            ours, theirs = (_server(stack, folder / name) for name in ("ours", "theirs"))
            frames = Frames(number)
            mirror, plain = Mirror(ours.url, frames.engine.market), Plain(_socket(theirs))
            mirror.open()

            def write(mirror: Mirror = mirror, frames: Frames = frames) -> None:
                mirror.write(Batch([frames.rows()], {}, {}, {}, set(), Said()))

            rows = frames.rows()
            mirror.write(Batch([rows], {}, {}, {}, set(), Said()))
            plain.pipeline(told(rows))
            if not _alike(ours, theirs, rows):
                raise ValueError(f"{number} symbols: both servers hold other points")
            peers = {
                "redis-py, one by one": lambda p=plain, f=frames: p.one_by_one(told(f.rows())),
                "redis-py, pipeline": lambda p=plain, f=frames: p.pipeline(told(f.rows())),
            }
            yield from race("redis", f"{number} symbols, one frame", write, peers, ROUNDS)
            mirror.close()


def _server(stack: ExitStack, folder: Path) -> EmbeddedServer:
    for program in choose(StoreWish(folder=folder)).programs:
        if "with time series" in program.title:
            server = EmbeddedServer(program, folder, _MEMORY_MB)
            stack.callback(server.stop)
            return server
    raise SystemExit("no embedded server with time series: python3 start.py setup brings it")


def _socket(server: EmbeddedServer) -> Path:
    return Path(server.url.removeprefix("unix://").partition("?")[0])


def _alike(ours: EmbeddedServer, theirs: EmbeddedServer, rows: Rows) -> bool:
    """Whether the newest point of every series is the same on both."""
    links = [Link(server.url, TICK_DATABASE) for server in (ours, theirs)]
    families = [tick_family(instrument.symbol, many=False) for instrument in rows.instruments]
    keys = [key for family in families for key in family.keys.values()]
    found = [link.ask_all([("TS.RANGE", key, "-", "+") for key in keys]) for link in links]
    for link in links:
        link.close()
    # a series that was never told is empty here and absent there
    told = [["" if isinstance(each, Exception) else each or "" for each in one] for one in found]
    return any(told[0]) and told[0] == told[1]


if __name__ == "__main__":
    tell("Redis, the rows of one frame", results())
