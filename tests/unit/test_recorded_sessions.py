"""The engine on recorded sessions: nothing breaks, and the broker's candles are the ones kept."""

import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.protobuf import json_format

from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS, NS_PER_S, iso_ist, parse_iso_ns
from ticktick.domain.event import (
    Event,
    FrameArrived,
    HistoryRead,
    InstrumentsResolved,
    LinkChanged,
    TimerFired,
)
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.market import TIMEFRAMES, Candle, CandleState
from ticktick.domain.sessions import Calendar
from ticktick.engine.engine import Engine
from ticktick.engine.ports import EngineSettings
from ticktick.proto import MarketDataFeed_pb2 as pb2

DAY = Path("upstox_v3_feed") / "2025-12-15"
OPEN = parse_iso_ns("2025-12-15T09:15:00+05:30")
LOST = {"10:57", "10:58", "11:02", "15:26"}  # the recorder's outages cut these
FILES = (
    "NSE_EQ_INE118H01025",
    "NSE_EQ_INE811K01011",
    "NSE_FO_51461",
    "NSE_FO_60166",
)


class Update(NamedTuple):
    """One recorded line: when it was read, and what it said."""

    read_ns: int
    key: str
    feed: dict[str, Any]

    @property
    def market(self) -> dict[str, Any]:
        """The full packet."""
        market: dict[str, Any] = self.feed["fullFeed"]["marketFF"]
        return market


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("name", FILES)
def test_P07_a_recorded_session_ends_with_the_brokers_own_candles(
    name: str, shared_data: Path
) -> None:
    updates = list(read(shared_data / DAY / f"{name}.jsonl.gz"))
    engine = play([updates])
    symbol = updates[0].key
    row = engine.market.table.row_of_symbol[symbol]
    broker = broker_minutes(updates)
    doubtful = [c for c in engine.market.candles(symbol, 1) if not c.confirmed]
    assert {c.state for c in doubtful} <= {CandleState.PROVISIONAL}
    assert {clock_of(c) for c in doubtful} <= LOST
    ask_broker(engine, symbol, broker)
    closed = engine.market.candles(symbol, 1)

    assert engine.market.counters["frames"] == len(updates)
    assert engine.market.counters["frames_rejected"] == 0
    assert engine.market.counters["refused_values"] == 0
    assert engine.market.table.records["volume"][row] == int(updates[-1].market["vtt"])
    assert {c.start_ns: numbers(c) for c in closed if c.confirmed} == broker
    assert len(broker) == 355
    assert {c.state for c in closed if c.confirmed} == {CandleState.FINAL}
    assert {clock_of(c): c.state for c in closed if not c.confirmed} == dict.fromkeys(
        LOST, CandleState.MISSING
    )
    assert engine.market.counters["minutes_missing"] == 4
    rejected = {n: c for n, c in engine.market.counters.items() if n.startswith("rejected_") and c}
    assert rejected == {}


@pytest.mark.shared
def test_P07_four_sessions_together_give_the_candles_of_each_alone(shared_data: Path) -> None:
    sessions = [
        list(takewhile(is_early, read(shared_data / DAY / f"{name}.jsonl.gz"))) for name in FILES
    ]
    together = play(sessions)
    for updates in sessions:
        alone, symbol = play([updates]), updates[0].key
        for minutes in TIMEFRAMES:
            assert [numbers(c) for c in together.market.candles(symbol, minutes)] == [
                numbers(c) for c in alone.market.candles(symbol, minutes)
            ]


def ask_broker(engine: Engine, symbol: str, broker: dict[int, tuple[int, ...]]) -> None:
    """Let the engine hear what the broker's history would tell: the minutes it has, no others."""
    told = [
        Candle(symbol, 1, start, opened, high, low, close, volume)
        for start, (opened, high, low, close, volume) in sorted(broker.items())
    ]
    session = min(broker), OPEN + 375 * NS_PER_MINUTE
    engine.process(HistoryRead(session[1] + NS_PER_MINUTE * 30, symbol, tuple(told), session))


def clock_of(candle: Candle) -> str:
    """The candle's start as a clock in India shows it."""
    return iso_ist(candle.start_ns)[11:16]


def read(path: Path) -> Iterator[Update]:
    with gzip.open(path, "rt") as lines:
        for line in lines:
            feed = json.loads(line)
            read_at = datetime.fromisoformat(feed.pop("_insertion_time") + "+05:30")
            read_ns = round(read_at.timestamp() * 1000) * NS_PER_MS
            yield Update(read_ns, feed.pop("instrumentKey"), feed)


def is_early(update: Update) -> bool:
    return update.read_ns < OPEN + 45 * NS_PER_MINUTE


def play(sessions: list[list[Update]]) -> Engine:
    engine = Engine(ProtobufDecoder(), Calendar(), EngineSettings())
    for event in events(sessions):
        engine.process(event)
    return engine


def events(sessions: list[list[Update]]) -> Iterator[Event]:
    updates = sorted((u for session in sessions for u in session), key=lambda u: u.read_ns)
    begin_ns, end_ns = updates[0].read_ns, updates[-1].read_ns
    keys = [session[0].key for session in sessions]
    yield InstrumentsResolved(begin_ns, tuple(instrument(key) for key in keys))
    yield LinkChanged(begin_ns, True, "connected")
    second = begin_ns // NS_PER_S
    for seq, update in enumerate(updates):
        while second < update.read_ns // NS_PER_S:
            second += 1
            yield TimerFired(second * NS_PER_S)
        yield FrameArrived(update.read_ns, seq, frame(update))
    for late in range(10):
        yield TimerFired(end_ns + late * NS_PER_S)


def frame(update: Update) -> bytes:
    message = pb2.FeedResponse(type=pb2.live_feed, currentTs=update.read_ns // NS_PER_MS)
    json_format.ParseDict(update.feed, message.feeds[update.key])
    return message.SerializeToString()


def instrument(key: str) -> Instrument:
    segment = key.split("|")[0]
    kind = Kind.EQUITY if segment == "NSE_EQ" else Kind.PUT
    return Instrument(key, key, "NSE", segment, key, kind)


def broker_minutes(updates: list[Update]) -> dict[int, tuple[int, ...]]:
    minutes = {}
    for update in updates:
        for bar in update.market["marketOHLC"]["ohlc"]:
            if bar["interval"] == "I1":
                prices = [round(bar[name] * 100) for name in ("open", "high", "low", "close")]
                minutes[int(bar["ts"]) * NS_PER_MS] = (*prices, int(bar.get("vol", 0)))
    return minutes


def numbers(candle: Candle) -> tuple[int, ...]:
    return candle.open, candle.high, candle.low, candle.close, candle.volume
