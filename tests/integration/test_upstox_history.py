"""Instrument masters and candles as the broker serves them, day by day."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import stamina

from tests.upstox_stage import (
    FRIDAY,
    RELIANCE,
    TOKEN,
    StandingClock,
    Stub,
    stub_broker,
)
from ticktick.brokers.upstox.history import UpstoxHistory
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.master import load_master
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import NS_PER_MINUTE, at_ist, iso_ist
from ticktick.domain.sessions import Calendar
from ticktick.errors import BrokerError, ConfigError


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with stub_broker() as made:
        yield made


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        yield session


@pytest.fixture
def rest(stub: Stub, http: aiohttp.ClientSession) -> UpstoxRest:
    return UpstoxRest(http, Hosts.loopback(stub.url), lambda: TOKEN)


@pytest.fixture(autouse=True)
def retries_do_not_wait() -> Iterator[None]:
    with stamina.set_testing(True, attempts=9, cap=True):
        yield


def master_file(*symbols: str) -> bytes:
    records = [
        {
            "segment": "NSE_EQ",
            "exchange": "NSE",
            "instrument_type": "EQ",
            "instrument_key": f"NSE_EQ|{symbol}",
            "trading_symbol": symbol,
        }
        for symbol in symbols
    ]
    return gzip.compress(json.dumps(records).encode(), mtime=0)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_given_a_loopback_exchange_when_loading_the_master_then_it_is_asked_every_time(
    stub: Stub, rest: UpstoxRest, tmp_path: Path
) -> None:
    for symbol in ("OLD", "NEW"):
        stub.says(200, master_file(symbol))
        master = await load_master(rest, tmp_path, FRIDAY)
        assert [record.trading_symbol for record in master.records] == [symbol]
    assert names_in(tmp_path) == ["NSE.json.gz"]
    assert (tmp_path / "NSE.json.gz").read_bytes() == master_file("NEW")


async def test_given_the_brokers_master_is_kept_when_a_demo_loads_its_own_then_it_stays(
    stub: Stub, rest: UpstoxRest, tmp_path: Path
) -> None:
    for name in ("NSE-2026-11-19.json.gz", "NSE.json.gz"):
        (tmp_path / name).write_bytes(master_file("REAL"))
    stub.says(200, master_file("DEMO"))
    master = await load_master(rest, tmp_path, FRIDAY)
    assert [record.trading_symbol for record in master.records] == ["DEMO"]
    assert (tmp_path / "NSE.json.gz").read_bytes() == master_file("REAL")


class BrokerOf(UpstoxRest):
    """The stub in the broker's place: its hosts say that it is the broker."""

    async def instrument_file(self, exchange: str) -> bytes:
        answering = UpstoxRest(self._http, self.stub_hosts, lambda: None)
        return await answering.instrument_file(exchange)

    stub_hosts: Hosts


@pytest.fixture
def broker(stub: Stub, http: aiohttp.ClientSession) -> BrokerOf:
    made = BrokerOf(http, Hosts.upstox(), lambda: None)
    made.stub_hosts = Hosts.loopback(stub.url)
    return made


async def test_given_the_days_master_is_kept_when_loading_then_the_broker_is_not_asked_again(
    stub: Stub, broker: BrokerOf, tmp_path: Path
) -> None:
    stub.says(200, master_file("A"))
    for _ in range(2):
        assert len((await load_master(broker, tmp_path, FRIDAY)).records) == 1
    assert len(stub.requests) == 1
    assert names_in(tmp_path) == ["NSE-2026-11-20.json.gz", "NSE.json.gz"]


async def test_given_a_damaged_copy_when_loading_then_a_good_one_is_fetched(
    stub: Stub, broker: BrokerOf, tmp_path: Path
) -> None:
    (tmp_path / "NSE-2026-11-20.json.gz").write_bytes(master_file("A")[:-6])
    stub.says(200, master_file("A", "B"))
    assert len((await load_master(broker, tmp_path, FRIDAY)).records) == 2


async def test_given_no_answer_when_loading_then_the_newest_kept_master_serves_and_says_so(
    stub: Stub, broker: BrokerOf, tmp_path: Path
) -> None:
    (tmp_path / "NSE-2026-11-18.json.gz").write_bytes(master_file("OLD"))
    (tmp_path / "NSE-2026-11-19.json.gz").write_bytes(master_file("NEW"))
    stub.says(404, b"")
    master = await load_master(broker, tmp_path, FRIDAY)
    assert [record.trading_symbol for record in master.records] == ["NEW"]
    assert "NSE-2026-11-19.json.gz" in master.notes[0]


async def test_given_nothing_kept_and_no_answer_when_loading_then_the_error_is_the_brokers(
    stub: Stub, broker: BrokerOf, tmp_path: Path
) -> None:
    stub.says(404, b"")
    with pytest.raises(BrokerError, match="HTTP 404"):
        await load_master(broker, tmp_path, FRIDAY)


def rows(first_ns: int, count: int) -> list[list[Any]]:
    """Candles newest first, as the broker sends them."""
    starts = [first_ns + minute * NS_PER_MINUTE for minute in range(count)]
    return [[iso_ist(start), 100.0, 101.0, 99.0, 100.5, 10, 0] for start in reversed(starts)]


async def test_given_an_early_morning_when_reading_history_then_the_day_before_fills_it(
    stub: Stub, rest: UpstoxRest
) -> None:
    notes: list[str] = []
    now_ns = at_ist(FRIDAY, 9, 25, 30)
    today = rows(at_ist(FRIDAY, 9, 15), 11)  # the last one still forms
    stub.says(200, {"data": {"candles": today}})
    before = rows(at_ist(date(2026, 11, 19), 9, 15), 375)
    stub.says(200, {"data": {"candles": [*before, before[3], ["broken"], *today[-2:]]}})
    history = UpstoxHistory(rest, [RELIANCE], StandingClock(now_ns), Calendar(), notes.append)
    candles = await history.minutes("RELIANCE", 250)
    assert len(candles) == 250
    assert candles[-1].start_ns == at_ist(FRIDAY, 9, 24)
    assert all(one.start_ns < two.start_ns for one, two in pairwise(candles))
    assert notes == ["RELIANCE: 1 candles of the broker were no candles; left out"]
    assert stub.requests[1][0].endswith("/minutes/1/2026-11-19/2026-11-17")


async def test_given_many_sessions_wanted_when_reading_then_each_call_spans_at_most_a_month(
    stub: Stub, rest: UpstoxRest
) -> None:
    stub.says(200, {"data": {"candles": []}})
    stub.says(200, {"data": {"candles": rows(at_ist(date(2026, 11, 19), 9, 15), 375)}})
    stub.says(200, {"data": {"candles": rows(at_ist(date(2026, 10, 19), 9, 15), 375)}})
    stub.says(200, {"data": {"candles": []}})
    clock = StandingClock(at_ist(FRIDAY, 8, 0))
    history = UpstoxHistory(rest, [RELIANCE], clock, Calendar(), lambda _: None)
    assert len(await history.minutes("RELIANCE", 42 * 375)) == 750
    spans = [path.rsplit("/", 2)[1:] for path, _ in stub.requests[1:]]
    days = [(date.fromisoformat(to_day), date.fromisoformat(day)) for to_day, day in spans]
    assert all(0 <= (to_day - day).days <= 28 for to_day, day in days)
    assert all(newer[1] > older[0] for newer, older in pairwise(days))


async def test_given_a_symbol_nobody_watches_when_reading_history_then_it_is_named(
    rest: UpstoxRest,
) -> None:
    history = UpstoxHistory(rest, [RELIANCE], StandingClock(0), Calendar(), lambda _: None)
    with pytest.raises(ConfigError, match="TCS"):
        await history.minutes("TCS", 5)
