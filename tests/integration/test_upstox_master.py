"""The instrument master as the broker serves it: day by day, renewed, damaged, or not at all."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import aiohttp
import pytest

from tests.upstox_stage import FRIDAY, Stub
from ticktick.brokers.budget import Budget
from ticktick.brokers.upstox.files import InstrumentFiles
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.master import Master, Masters
from ticktick.domain.clock import at_ist
from ticktick.domain.sessions import Calendar
from ticktick.errors import BrokerError

THURSDAY, MONDAY = date(2026, 11, 19), date(2026, 11, 23)

pytestmark = pytest.mark.usefixtures("retries_do_not_wait")


@pytest.fixture
async def demo(stub: Stub) -> AsyncIterator[InstrumentFiles]:
    """The files of an exchange on this machine."""
    async with aiohttp.ClientSession() as http, asyncio.timeout(60):
        yield InstrumentFiles(http, Hosts.loopback(stub.url), Budget())


@pytest.fixture
def broker(demo: InstrumentFiles) -> InstrumentFiles:
    """The same, in the broker's place."""
    demo.is_loopback = False
    return demo


def master_file(*symbols: str, segment: str = "NSE_EQ") -> bytes:
    records = [
        {
            "segment": segment,
            "exchange": "NSE",
            "instrument_type": "EQ" if segment == "NSE_EQ" else "CE",
            "instrument_key": f"{segment}|{symbol}",
            "trading_symbol": symbol,
        }
        for symbol in symbols
    ]
    return gzip.compress(json.dumps(records).encode(), mtime=0)


def symbols_of(master: Master | None) -> list[str]:
    assert master is not None
    return [record.trading_symbol for record in master.every()]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_an_exchange_on_this_machine_is_asked_at_every_start(
    stub: Stub, demo: InstrumentFiles, tmp_path: Path
) -> None:
    for symbol in ("OLD", "NEW"):
        stub.says(200, master_file(symbol))
        assert symbols_of(await Masters(demo, tmp_path).first(FRIDAY)) == [symbol]
    assert names_in(tmp_path) == ["NSE.json.gz"]
    assert (tmp_path / "NSE.json.gz").read_bytes() == master_file("NEW")


async def test_the_master_of_a_demo_never_takes_the_place_of_the_brokers(
    stub: Stub, demo: InstrumentFiles, tmp_path: Path
) -> None:
    for name in ("NSE-2026-11-19.json.gz", "NSE.json.gz"):
        (tmp_path / name).write_bytes(master_file("REAL"))
    stub.says(200, master_file("DEMO"))
    assert symbols_of(await Masters(demo, tmp_path).first(FRIDAY)) == ["DEMO"]
    assert (tmp_path / "NSE.json.gz").read_bytes() == master_file("REAL")


async def test_the_days_master_is_read_from_the_broker_once(
    stub: Stub, broker: InstrumentFiles, tmp_path: Path
) -> None:
    stub.says(200, master_file("A"))
    for _ in range(2):
        master = await Masters(broker, tmp_path).first(FRIDAY)
        assert (master.day, symbols_of(master), master.notes) == (FRIDAY, ["A"], ())
    assert len(stub.requests) == 1
    assert names_in(tmp_path) == ["NSE-2026-11-20.json.gz", "NSE.json.gz"]


async def test_shares_and_indices_are_at_hand_and_the_rest_is_read_when_asked(
    stub: Stub, broker: InstrumentFiles, tmp_path: Path
) -> None:
    stub.says(200, master_file("A", "A CE", segment="NSE_FO"))
    master = await Masters(broker, tmp_path).first(FRIDAY)
    assert (master.size, master.cash) == (2, [])
    assert [r.trading_symbol for r in master.of({"NSE_EQ", "NSE_FO"})] == ["A", "A CE"]
    assert master.of({"NSE_EQ"}) == []


async def test_F46_a_damaged_copy_is_replaced_by_a_good_one(
    stub: Stub, broker: InstrumentFiles, tmp_path: Path
) -> None:
    (tmp_path / "NSE-2026-11-20.json.gz").write_bytes(master_file("A")[:-6])
    stub.says(200, master_file("A", "B"))
    assert symbols_of(await Masters(broker, tmp_path).first(FRIDAY)) == ["A", "B"]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, b"", "HTTP 404"),
        (200, master_file("A")[:-6], "the instrument file cannot be read"),
        (200, b"<html>busy</html>", "the instrument file cannot be read"),
        (200, gzip.compress(b"[]", mtime=0), "holds no instrument"),
    ],
)
async def test_F46_without_a_good_answer_the_newest_kept_master_serves_and_is_dated(
    stub: Stub, broker: InstrumentFiles, tmp_path: Path, status: int, body: bytes, reason: str
) -> None:
    (tmp_path / "NSE-2026-11-17.json.gz").write_bytes(master_file("OLD"))
    (tmp_path / "NSE-2026-11-18.json.gz").write_bytes(master_file("NEW"))
    (tmp_path / "NSE-2026-11-19.json.gz").write_bytes(b"damaged")
    stub.says(status, body)
    master = await Masters(broker, tmp_path).first(FRIDAY)
    assert (master.day, symbols_of(master)) == (date(2026, 11, 18), ["NEW"])
    (note,) = master.notes
    assert note.startswith("Instruments: the list of 18 Nov 2026 is used, because")
    assert reason in note


async def test_F46_with_nothing_kept_and_no_answer_the_error_is_the_brokers(
    stub: Stub, broker: InstrumentFiles, tmp_path: Path
) -> None:
    stub.says(404, b"")
    with pytest.raises(BrokerError, match="HTTP 404"):
        await Masters(broker, tmp_path).first(FRIDAY)


async def test_a_master_that_is_not_new_is_not_downloaded_again(
    stub: Stub, broker: InstrumentFiles, tmp_path: Path
) -> None:
    masters = Masters(broker, tmp_path)
    stub.says(200, master_file("A"), ETag='"one"')
    await masters.first(THURSDAY)
    stub.says(304, b"", ETag='"one"')
    assert await masters.newer(FRIDAY) is None
    assert stub.requests[-1][1]["If-None-Match"] == '"one"'
    stub.says(200, master_file("A", "B"), ETag='"two"')
    newer = await masters.newer(FRIDAY)
    assert newer is not None
    assert (newer.day, symbols_of(newer)) == (FRIDAY, ["A", "B"])
    stub.says(304, b"")
    assert await masters.newer(FRIDAY) is None
    assert stub.requests[-1][1]["If-None-Match"] == '"two"'
    assert names_in(tmp_path)[:2] == ["NSE-2026-11-19.json.gz", "NSE-2026-11-20.json.gz"]


async def test_a_broker_that_knows_no_tags_serves_a_new_master_only_where_it_differs(
    stub: Stub, broker: InstrumentFiles, tmp_path: Path
) -> None:
    masters = Masters(broker, tmp_path)
    for content, is_new in ((("A",), True), (("A",), False), (("B",), True)):
        stub.says(200, master_file(*content))
        if not stub.requests:
            await masters.first(THURSDAY)
        else:
            assert (await masters.newer(FRIDAY) is not None) is is_new
        assert "If-None-Match" not in stub.requests[-1][1]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, b"", "HTTP 404"),
        (200, master_file("A")[:-6], "cannot be read"),
        (200, master_file("A"), "holds 1 instruments where there were 4: it is not believed"),
    ],
)
async def test_F46_a_renewed_master_that_is_missing_or_damaged_leaves_the_last_one_in_use(
    stub: Stub, broker: InstrumentFiles, tmp_path: Path, status: int, body: bytes, reason: str
) -> None:
    masters = Masters(broker, tmp_path)
    stub.says(200, master_file("A", "B", "C", "D"))
    await masters.first(THURSDAY)
    stub.says(status, body)
    with pytest.raises(BrokerError, match=reason):
        await masters.newer(FRIDAY)
    assert "NSE-2026-11-20.json.gz" not in names_in(tmp_path)
    stub.says(200, master_file("A", "B", "C"))
    assert symbols_of(await masters.newer(FRIDAY)) == ["A", "B", "C"]


async def test_a_master_that_cannot_be_kept_is_used_and_that_is_said(
    stub: Stub, broker: InstrumentFiles, tmp_path: Path
) -> None:
    folder = tmp_path / "file"
    folder.write_text("no folder")
    stub.says(200, master_file("A"))
    master = await Masters(broker, folder).first(FRIDAY)
    assert symbols_of(master) == ["A"]
    assert "cannot be kept in" in master.notes[0]


async def test_five_days_of_the_brokers_masters_are_kept(
    stub: Stub, broker: InstrumentFiles, tmp_path: Path
) -> None:
    for day in range(10, 18):
        stub.says(200, master_file(f"S{day}"))
        await Masters(broker, tmp_path).first(date(2026, 11, day))
    kept = [name for name in names_in(tmp_path) if name != "NSE.json.gz"]
    assert kept == [f"NSE-2026-11-{day}.json.gz" for day in range(13, 18)]


@pytest.mark.parametrize(
    ("at_ns", "day"),
    [
        (at_ist(FRIDAY, 5, 59), THURSDAY),
        (at_ist(FRIDAY, 6), FRIDAY),
        (at_ist(FRIDAY, 23, 59), FRIDAY),
        (at_ist(date(2026, 11, 22), 12), FRIDAY),
        (at_ist(MONDAY, 3), FRIDAY),
        (at_ist(MONDAY, 9, 15), MONDAY),
        (at_ist(date(2026, 11, 24), 9, 15), MONDAY),
    ],
)
def test_the_instruments_of_a_trading_day_are_listed_from_six_in_its_morning(
    at_ns: int, day: date
) -> None:
    assert Calendar().master_day(at_ns) == day
