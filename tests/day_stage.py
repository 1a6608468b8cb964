"""A recorded day through the real client: the exchange plays it on a real port, the client watches.

`play_in_step` has both in one process and lets a market second pass as soon as the client has
taken everything of the one before: full speed, and the same in every run. `play_with_programs`
runs the two commands as a person would, at a speed in real time.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec

from tests.program_stage import eventually, exchange, fetch, program, status
from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.domain.clock import NS_PER_S, iso_ist
from ticktick.domain.event import Event, FrameArrived, FramesArrived, TimerFired
from ticktick.domain.sessions import Calendar
from ticktick.domain.watchlist import WatchlistEntry
from ticktick.emulator.control import new_token
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.feed import FeedConnection
from ticktick.emulator.pace import Pace
from ticktick.emulator.recording import RecordedFile
from ticktick.emulator.replay import Replay, first_ns
from ticktick.emulator.server import ExchangeServer, listening
from ticktick.engine.engine import Engine
from ticktick.engine.ports import Decoder, EngineSettings, Outputs
from ticktick.engine.runner import Runner
from ticktick.login import Login
from ticktick.origin.broker import BrokerOrigin
from ticktick.origin.signing import ExchangeTokens
from ticktick.origin.watchlist import RunWatchlist
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse
from ticktick.store.recording import read_recording

CANARY = "NSE_INDEX|Nifty 50"
SETTINGS = EngineSettings(ahead_limit_s=60)  # a step is too short to read a clock in
_OURS = ("the timer", "the clock")  # in step, time is the stage's own
_LEAD_S = 5
_TAIL_S = 75
_STEP_LIMIT_S = 60.0
_REPAIR_LOOKS = 20
_REPAIR_LOOK_S = 0.002
_LAST_LOOKS = 6
_LAST_LOOK_S = 0.25
_PROGRAM_TAIL_S = 10
_PROGRAM_LIMIT_S = 1200.0

Fact = dict[str, Any]


class Played(NamedTuple):
    """What the client said of a day.

    `updates` counts the updates it read by instrument key; `facts` are in order; `counters` and
    the day's `volumes` by symbol are those of the end.
    """

    updates: Counter[str]
    facts: list[Fact]
    counters: dict[str, int]
    volumes: dict[str, int | None]

    def minutes(self, symbol: str) -> dict[int, list[Fact]]:
        """Every state of every closed one-minute candle of a symbol, by start."""
        told: dict[int, list[Fact]] = {}
        for fact in self.facts:
            candle = fact.get("candle")
            if candle and (candle["symbol"], candle["minutes"]) == (symbol, 1):
                told.setdefault(candle["start_ns"], []).append(candle)
        return told

    def freshness(self, symbol: str) -> list[tuple[int, str]]:
        """Each change of a symbol's freshness, with its time."""
        return [
            (fact["at_ns"], fact["freshness"])
            for fact in self.facts
            if fact["type"] == "freshness" and fact["symbol"] == symbol
        ]


def play_in_step(
    files: Sequence[RecordedFile],
    keys: Sequence[str],
    folder: Path,
    decoder: Decoder | None = None,
    settings: EngineSettings = SETTINGS,
) -> Played:
    """Play the files to their end, and a little longer, for a client that watches the keys."""
    engine = Engine(decoder or ProtobufDecoder(), Calendar(), settings)
    return asyncio.run(_play_in_step(files, keys, folder, engine))


def play_with_programs(
    file: RecordedFile, keys: Sequence[str], end_ns: int, speed: str, folder: Path
) -> Played:
    """Play the file with `ticktick emulator` for `ticktick demo`, until a moment of the market."""
    homes = folder / "demo", folder / "exchange"
    for home in homes:
        home.mkdir(parents=True)
    outputs = folder / "outputs.jsonl"
    replay = ("--replay", f"{file.key}={file.path}" if file.key else str(file.path))
    watched = ("--symbols", ",".join(keys), "--outputs", str(outputs))
    pace = ["--speed", speed]
    if speed != "max":  # stands until the client is there
        start_ns = first_ns([file]) - round(_LEAD_S * float(speed) * NS_PER_S)
        pace = ["--speed", "0", "--start", iso_ist(start_ns)]
    with (
        exchange(homes[1], *pace, *replay) as (_, url),
        program(
            homes[0], "demo", "--exchange", url, "--no-browser", "--port", "0", *watched
        ) as run,
    ):
        run.line_with("Open ")
        assert eventually(lambda: status(homes[0])["feed"]["up"])
        if speed != "max":
            fetch(f"{url}/_emu/clock", msgspec.json.encode({"rate": float(speed)}))

        def is_over() -> bool:
            run.must_run()
            now_ns: int = fetch(f"{url}/_emu/clock")["now_ns"]
            return now_ns >= end_ns + _PROGRAM_TAIL_S * NS_PER_S

        assert eventually(is_over, _PROGRAM_LIMIT_S)
        told = status(homes[0])
        assert run.end() == 0, run.lines
    (recording,) = (homes[0] / "data" / "demo" / "recordings").glob("*.ttrec")
    updates: Counter[str] = Counter()
    for event in read_recording(recording):
        updates.update(_keys(event))
    volumes = {symbol["symbol"]: symbol["volume"] for symbol in told["symbols"]}
    return Played(updates, list(_facts(outputs)), told["counters"], volumes)


def symbol_of(file: RecordedFile, key: str) -> str:
    """The symbol under which the exchange lists an instrument of the file."""
    (listing,) = (each for each in Replay([file], 0).listings if each.key == key)
    return listing.symbol


class _CountedExchange(Exchange):
    """An exchange that counts the frames it gives out."""

    frames = 0

    def advance(self, to_ns: int) -> Iterator[tuple[FeedConnection, bytes]]:
        """As the exchange does."""
        for link, frame in super().advance(to_ns):
            self.frames += 1
            yield link, frame


class _Arrivals:
    """An event log that counts frames and updates; others may wait for a number of frames."""

    def __init__(self) -> None:
        self.frames = 0
        self.updates: Counter[str] = Counter()
        self._wanted = 0
        self._reached = asyncio.Event()

    def write(self, event: Event) -> None:
        """Count what the engine takes next."""
        self.updates.update(_keys(event))
        self.frames += len(_frames(event))
        if self.frames >= self._wanted:
            self._reached.set()

    async def reach(self, frames: int) -> None:
        """Wait until so many have arrived."""
        self._wanted = frames
        self._reached.clear()
        if self.frames < frames:
            async with asyncio.timeout(_STEP_LIMIT_S):
                await self._reached.wait()


class _Facts:
    """A sink that keeps every fact as the output log would write it."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def take(self, outputs: Outputs) -> None:
        """Keep the facts."""
        self.facts += [
            msgspec.json.decode(msgspec.json.encode(fact, enc_hook=dict)) for fact in outputs.facts
        ]


async def _play_in_step(
    files: Sequence[RecordedFile], keys: Sequence[str], folder: Path, engine: Engine
) -> Played:
    start_ns = first_ns(files) // NS_PER_S * NS_PER_S - _LEAD_S * NS_PER_S
    market = _CountedExchange(lambda at_ns: Replay(files, at_ns), start_ns, seed=1)
    server = ExchangeServer(market, Pace(start_ns, None, time.monotonic_ns))
    arrivals, sink = _Arrivals(), _Facts()
    runner = Runner(engine, arrivals, [sink], time.perf_counter_ns)
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(listening(server.application(), 0))
        market.address = f"127.0.0.1:{port}"
        http = await stack.enter_async_context(aiohttp.ClientSession())
        origin = await _origin(http, f"http://{market.address}", keys, folder)
        for event in origin.opening(None):
            runner.process(event)
        async with asyncio.TaskGroup() as group:
            works = [work for work in origin.works(runner) if work.name not in _OURS]
            starts = [runner.run, *(work.start for work in works)]
            tasks = [group.create_task(_run(start)) for start in starts]
            await _until_subscribed(market, arrivals, len(keys))
            await _steps(market, server, origin, runner, arrivals)
            for task in tasks:
                task.cancel()
    table = engine.market.table
    volumes = {
        instrument.symbol: int(table.records["volume"][row])
        for row, instrument in enumerate(table.instruments)
    }
    return Played(arrivals.updates, sink.facts, dict(engine.market.counters), dict(volumes))


async def _steps(
    market: _CountedExchange,
    server: ExchangeServer,
    origin: BrokerOrigin,
    runner: Runner,
    arrivals: _Arrivals,
) -> None:
    """Let every second pass: its frames, then the timer; a while longer than the recording."""
    before = arrivals.frames - market.frames
    now_ns, left_s, repairs = market.now_ns, _TAIL_S, _Repairs(runner)
    while left_s:
        now_ns += NS_PER_S
        origin.clock.set(now_ns, 0.0)
        server.advance(now_ns)
        await arrivals.reach(before + market.frames)
        runner.process(TimerFired(now_ns))
        await repairs.done()
        left_s -= market.source.next_ns() is None
    await repairs.end(now_ns)


class _Repairs:
    """Real time for the client's repairs, while market time stands."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._lasting = 0

    async def done(self) -> None:
        """Wait until no minute is open; not again for those that nobody could repair."""
        for _ in range(_REPAIR_LOOKS):
            if self._open <= self._lasting:
                break
            await asyncio.sleep(_REPAIR_LOOK_S)
        self._lasting = self._open

    async def end(self, now_ns: int) -> None:
        """Wait until no more is repaired."""
        before, looks = -1, 0
        while looks < _LAST_LOOKS and self._open:
            looks = looks + 1 if self._open == before else 0
            before = self._open
            await asyncio.sleep(_LAST_LOOK_S)
            self._runner.process(TimerFired(now_ns))

    @property
    def _open(self) -> int:
        return self._runner.market.counters["gap_minutes_open"]


async def _origin(
    http: aiohttp.ClientSession, url: str, keys: Sequence[str], folder: Path
) -> BrokerOrigin:
    tokens = ExchangeTokens(lambda: new_token(http, url))
    held = await tokens.newest(is_needed=True)
    assert held is not None
    entries = RunWatchlist([WatchlistEntry(key.rpartition("|")[2], key) for key in keys])
    hosts, login = Hosts.loopback(url), Login(held)
    return await BrokerOrigin.connect(http, hosts, login, tokens, entries, CANARY, folder)


async def _until_subscribed(market: Exchange, arrivals: _Arrivals, keys: int) -> None:
    """Wait until the client has its greeting and the exchange its wishes."""
    await arrivals.reach(1)
    async with asyncio.timeout(_STEP_LIMIT_S):
        while sum(len(link.keys) for link in market.connections) < keys:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _run(start: Callable[[], Awaitable[None]]) -> None:
    await start()


def _frames(event: Event) -> Sequence[FrameArrived]:
    """The frames of an event, which may be several if the engine was behind."""
    match event:
        case FrameArrived():
            return [event]
        case FramesArrived(frames=frames):
            return frames
    return []


def _keys(event: Event) -> list[str]:
    """The instruments that an event updates, as often as it does."""
    return [key for frame in _frames(event) for key in FeedResponse.FromString(frame.data).feeds]


def _facts(path: Path) -> Iterator[Fact]:
    """The facts of an output log, which holds metrics and instruments too."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith(('{"type":"metrics"', '{"type":"instruments"')):
                yield json.loads(line)
