"""Asking the broker for what the feed did not tell: real sockets, a broker of the test's making."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import unquote

import aiohttp
import pytest
from aiohttp import web

from tests.market_stage import OPEN, JsonDecoder, candle, clock, frame, instrument
from tests.upstox_stage import TOKEN, listening
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, NS_PER_MS, NS_PER_S, iso_ist
from ticktick.domain.event import Event, InstrumentsResolved, LinkChanged, TimerFired
from ticktick.domain.instrument import Instrument
from ticktick.domain.market import Candle, CandleState, Freshness
from ticktick.domain.sessions import Calendar
from ticktick.engine.engine import Engine
from ticktick.engine.market_half import MarketHalf
from ticktick.engine.ports import EngineSettings
from ticktick.engine.runner import Runner
from ticktick.origin.confirming import Confirming
from ticktick.origin.refill import Refill

LIMIT_S = 10.0
SYMBOLS = ("ACME", "BOLT", "CORE")

pytestmark = pytest.mark.usefixtures("retries_do_not_wait")


async def nothing() -> None:
    """What comes before a reading."""


async def never(runner: Runner, symbol: str) -> None:
    """Nothing is told at another price level here."""
    raise AssertionError(symbol)


class TestClock:
    """Market time that stands where the test puts it."""

    __test__ = False

    def __init__(self, at_ns: int) -> None:
        self.at_ns = at_ns
        self.rate = 1.0

    def now_ns(self) -> int:
        return self.at_ns


class Broker:
    """A broker that knows every minute of today but those the test takes away."""

    def __init__(self, clock: TestClock) -> None:
        self.clock = clock
        self.asked: Counter[str] = Counter()
        self.failures = 0
        self.unknown: set[int] = set()
        self.is_empty = False
        self.old_days = asyncio.Event()
        self.old_days.set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer candles and OHLC quotes."""
        kind = "ohlc" if "ohlc" in request.path else "intraday"
        kind = "days" if "/minutes/1/" in request.path else kind
        self.asked[kind] += 1
        if self.failures:
            self.failures -= 1
            return web.Response(status=503)
        if kind == "ohlc":
            return web.json_response(self._bars(request.query["instrument_key"].split(",")))
        if kind == "days":
            if self.asked["days"] > len(SYMBOLS):  # beyond the first reading of each
                await self.old_days.wait()
            rows = [row(OPEN - NS_PER_DAY + n * NS_PER_MINUTE) for n in range(375)]
            return web.json_response({"data": {"candles": rows[::-1]}})
        assert unquote(request.path).split("|")[1].split("/")[0] in SYMBOLS
        starts = [] if self.is_empty else self._starts()
        return web.json_response({"data": {"candles": [row(start) for start in starts][::-1]}})

    def _starts(self) -> list[int]:
        starts = range(OPEN, self.clock.at_ns, NS_PER_MINUTE)
        return [start for start in starts if start not in self.unknown]

    def _bars(self, keys: list[str]) -> dict[str, Any]:
        newest = self._starts()[-2:]
        names = ("open", "high", "low", "close", "volume")
        bars = [
            dict(zip(names, row(start)[1:6], strict=True)) | {"ts": start // NS_PER_MS}
            for start in newest
        ]
        return {
            "data": {
                key.replace("|", ":"): {
                    "instrument_token": key,
                    "prev_ohlc": bars[0],
                    "live_ohlc": bars[1],
                }
                for key in keys
            }
        }


def row(start_ns: int) -> list[Any]:
    """A flat minute of 2.00 rupees."""
    return [iso_ist(start_ns), 2.0, 2.0, 2.0, 2.0, 77, 0]


class Watched:
    """An engine behind its inbox, with a link and one packet of every symbol."""

    def __init__(self, broker: Broker, *symbols: str, at_ns: int) -> None:
        self.broker = broker
        self.runner = Runner(
            Engine(JsonDecoder(), Calendar(), EngineSettings()), None, [], time.perf_counter_ns
        )
        self.instruments: list[Instrument] = []
        self.follow(at_ns, *symbols)
        self.runner.process(LinkChanged(at_ns, True, "connected"))

    @property
    def market(self) -> MarketHalf:
        return self.runner.market

    def follow(self, at_ns: int, *symbols: str) -> None:
        """Follow these symbols."""
        self.instruments = [instrument(symbol) for symbol in symbols]
        self.runner.process(InstrumentsResolved(at_ns, tuple(self.instruments)))

    def trade(self, at_ns: int, volume: int) -> None:
        """Every symbol is told with a trade at the moment."""
        told = {"last_price": 200, "last_trade_ns": at_ns, "volume": volume}
        self.happens(frame(at_ns, dict.fromkeys(self.market.table.row_of_symbol, told)))

    def happens(self, *events: Event) -> None:
        """Let events happen and the clock follow."""
        for event in events:
            self.broker.clock.at_ns = self.runner.process(event).at_ns

    def lose(self, from_ns: int, to_ns: int) -> None:
        """The link is away for a while in which every symbol trades."""
        self.trade(from_ns, 1000)
        self.happens(LinkChanged(from_ns, False, "lost"), LinkChanged(to_ns, True, "back"))
        self.trade(to_ns, 9000)

    def closed(self, symbol: str) -> dict[int, Candle]:
        """The closed minutes by minutes since the open."""
        candles = self.market.candles(symbol, 1)
        return {(c.start_ns - OPEN) // NS_PER_MINUTE: c for c in candles if c.start_ns >= OPEN}


@asynccontextmanager
async def refilling(watched: Watched) -> AsyncIterator[Refill]:
    """The refill at work on a real socket."""
    async with listening(watched.broker.answer) as port, aiohttp.ClientSession() as http:
        rest = UpstoxRest(http, Hosts.loopback(f"http://127.0.0.1:{port}"), lambda: TOKEN)
        refill = Refill(
            rest, watched.broker.clock, lambda: watched.instruments, nothing, never, Calendar
        )
        tasks = [
            asyncio.create_task(work) for work in (watched.runner.run(), refill.run(watched.runner))
        ]
        try:
            yield refill
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task


async def holds(claim: Callable[[], bool], within_s: float = LIMIT_S) -> bool:
    """Whether the claim comes true in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while not claim():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    return claim()


def broker_at(at_ns: int) -> Broker:
    return Broker(TestClock(at_ns))


async def test_P06_a_gap_is_told_within_ten_seconds_though_the_broker_fails_at_first() -> None:
    async def check(broker: Broker, within_s: float) -> None:
        watched = Watched(broker, *SYMBOLS, at_ns=clock(9, 20))
        watched.lose(clock(9, 20, 30), clock(9, 24, 40))
        broker.unknown = {clock(9, 22)}
        async with refilling(watched) as refill:
            refill.ask()
            states = watched.market.freshness
            assert await holds(lambda: Freshness.GAP not in states, within_s), states
        for symbol in SYMBOLS:
            told = {minute: c.state for minute, c in watched.closed(symbol).items() if minute >= 5}
            assert told == {
                5: CandleState.BACKFILLED,
                6: CandleState.BACKFILLED,
                7: CandleState.MISSING,
                8: CandleState.BACKFILLED,
            }
        counters = watched.market.counters
        assert (counters["minutes_backfilled"], counters["minutes_missing"]) == (9, 3)

    broker = broker_at(clock(9, 24, 40))
    broker.failures = 4
    await check(broker, LIMIT_S)
    silent = broker_at(clock(9, 24, 40))
    silent.is_empty = True  # an answer of nothing is no knowledge
    with pytest.raises(AssertionError):
        await check(silent, 2.0)


async def test_P06_a_gap_is_repaired_while_the_deep_history_hangs() -> None:
    broker = broker_at(clock(9, 20))
    broker.old_days.clear()
    watched = Watched(broker, *SYMBOLS, at_ns=clock(9, 20))
    async with refilling(watched):
        assert await holds(lambda: broker.asked["days"] > len(SYMBOLS))
        assert not watched.market.wishes.untold
        watched.lose(clock(9, 20, 30), clock(9, 22, 40))
        assert await holds(lambda: Freshness.GAP not in watched.market.freshness)
        assert watched.closed("ACME")[6].state is CandleState.BACKFILLED
        broker.old_days.set()


async def test_new_symbols_get_their_past_and_then_their_deep_past() -> None:
    broker = broker_at(clock(9, 20))
    watched = Watched(broker, "ACME", at_ns=clock(9, 20))
    async with refilling(watched):
        assert await holds(lambda: len(watched.market.candles("ACME", 1)) >= 250)
        watched.follow(clock(9, 20), *SYMBOLS)
        assert await holds(lambda: len(watched.market.candles("CORE", 1)) == 375 + 5)
        assert {c.state for c in watched.market.candles("CORE", 60)} == {CandleState.FINAL}
        calls = broker.asked.total()
        await asyncio.sleep(1.5)
        assert broker.asked.total() == calls


async def test_P07_what_the_feed_did_not_confirm_is_asked_for_in_one_call() -> None:
    def unconfirmed(watched: Watched) -> None:
        for second in range(70, 124):  # the minute 9:16, told to its last second
            watched.trade(OPEN + second * NS_PER_S, 1000 + second)
            watched.happens(TimerFired(OPEN + second * NS_PER_S))

    async def check(broker: Broker) -> None:
        watched = Watched(broker, *SYMBOLS, at_ns=OPEN)
        watched.happens(TimerFired(OPEN + 56 * NS_PER_S))
        watched.trade(OPEN + 56 * NS_PER_S, 1000)
        watched.happens(TimerFired(OPEN + 60 * NS_PER_S))
        unconfirmed(watched)
        async with listening(broker.answer) as port, aiohttp.ClientSession() as http:
            rest = UpstoxRest(http, Hosts.loopback(f"http://127.0.0.1:{port}"), lambda: TOKEN)
            refill = Refill(
                rest, broker.clock, lambda: watched.instruments, nothing, never, Calendar
            )
            running = asyncio.create_task(watched.runner.run())
            await Confirming(broker.clock, refill._source).look(watched.runner)
            assert await holds(lambda: watched.runner.waiting == 0)
            running.cancel()
        for symbol in SYMBOLS:
            minute = watched.closed(symbol)[1]
            assert (minute.volume, minute.confirmed) == (77, True)
        assert broker.asked["ohlc"] == 1

    await check(broker_at(OPEN))
    late = broker_at(OPEN)
    late.unknown = {clock(9, 16)}
    with pytest.raises(AssertionError):
        await check(late)


def test_a_candle_of_the_stage_is_the_brokers() -> None:
    assert candle(OPEN, 200, volume=77).close == row(OPEN)[4] * 100
