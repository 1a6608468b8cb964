"""What a run begins with: the kept history of a real market, never that of a demo."""

import time
from pathlib import Path

import aiohttp

from tests.store_stage import OPEN_NS, SmallMarket, candle, candles_changed, instrument, serving
from ticktick.brokers.upstox.files import InstrumentFiles
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.master import Masters
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import MarketClock
from ticktick.domain.event import HistoryRead, InstrumentsResolved
from ticktick.emulator.auth import DEMO_APP
from ticktick.emulator.auth import Login as EmulatorLogin
from ticktick.login import Login
from ticktick.origin.broker import BrokerOrigin
from ticktick.origin.day_list import DayList
from ticktick.origin.demo_clock import DemoTime
from ticktick.origin.signing import ExchangeTokens
from ticktick.origin.watchlist import RunWatchlist
from ticktick.store.redis_store import RedisWriter

FIRST = InstrumentsResolved(OPEN_NS, (instrument("RELIANCE"), instrument("TCS")))


async def mint() -> str:
    return EmulatorLogin(1, DEMO_APP).mint(OPEN_NS)


async def origin(hosts: Hosts) -> BrokerOrigin:
    async with aiohttp.ClientSession() as http:
        tokens = ExchangeTokens(mint)
        held = await tokens.newest(is_needed=True)
        assert held is not None
        login = Login(held)
        rest = UpstoxRest(http, hosts, lambda: login.token)
        clock = MarketClock(OPEN_NS, 1.0, time.monotonic_ns)
        masters = Masters(InstrumentFiles(http, hosts, rest.budget), Path())
        watch = DayList(masters, RunWatchlist([]), "NSE_INDEX|Nifty 50")
        watch.latest = FIRST
        made = BrokerOrigin(rest, DemoTime(http, hosts, clock), watch, login, tokens)
        made.begun = [FIRST]
        return made


async def test_a_real_market_begins_with_what_redis_kept_and_a_demo_does_not(
    tmp_path: Path,
) -> None:
    with serving("Valkey without time series", tmp_path) as server:
        writer = RedisWriter(server.url, SmallMarket())
        kept = [candle(minute) for minute in range(30)]
        writer.take(candles_changed(kept))
        writer.close()
        real, demo = await origin(Hosts.upstox()), await origin(Hosts.loopback("http://127.0.0.1"))
        first, history = real.opening(server.url)
        assert first is FIRST
        assert isinstance(history, HistoryRead)
        assert history.symbol == "RELIANCE"
        assert [c.start_ns for c in history.candles] == [c.start_ns for c in kept]
        assert [c.close for c in history.candles] == [c.close for c in kept]
        assert not any(c.confirmed for c in history.candles)
        assert list(demo.opening(server.url)) == [FIRST]
        assert list(real.opening(None)) == [FIRST]
