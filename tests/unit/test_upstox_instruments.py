"""The watchlist against instrument masters, invented and recorded."""

import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ticktick.brokers.upstox.instruments import normalised, resolve
from ticktick.brokers.upstox.rest import read_master
from ticktick.brokers.upstox.wire import MasterRecord, parse_master
from ticktick.domain.instrument import Kind
from ticktick.domain.watchlist import WatchlistEntry
from ticktick.errors import BrokerError


def record(symbol: str, isin: str, **others: Any) -> MasterRecord:
    fields: dict[str, Any] = {
        "segment": "NSE_EQ",
        "exchange": "NSE",
        "instrument_type": "EQ",
        "trading_symbol": symbol,
        "name": f"{symbol} LTD",
        "tick_size": 5.0,
        "lot_size": 1.0,
    }
    fields |= others
    return MasterRecord(instrument_key=f"{fields['segment']}|{isin}", **fields)


MASTER = [
    record("RELIANCE", "INE002A01018", name="RELIANCE INDUSTRIES LTD", tick_size=10.0),
    record("BAJFINANCE", "INE296A01032", name="BAJAJ FINANCE LIMITED", short_name="Bajaj Finance"),
    record("BAJFIN28", "INE296A07XX1", name="BAJAJ FINANCE LIMITED", instrument_type="N1"),
    record("MARUTI", "INE585B01010", tick_size=100.0, cas_eligible=True),
    record("TWIN1", "INE000A01001", name="TWIN LTD"),
    record("TWIN2", "INE000A01002", name="Twin Limited"),
    record("NIFTY", "Nifty 50", segment="NSE_INDEX", instrument_type="INDEX", tick_size=None),
    record("RELIANCE", "INE002A01018", segment="BSE_EQ", exchange="BSE", instrument_type="A"),
    record("USDINR FUT", "1234", segment="NCD_FO", instrument_type="FUT", tick_size=0.25),
    record("NIFTY PUT", "51461", segment="NSE_FO", instrument_type="PE", lot_size=75.0),
]


def entry(name: str, key: str, symbol: str | None = None) -> WatchlistEntry:
    return WatchlistEntry(name, key, symbol)


def test_given_a_listed_key_when_resolved_then_the_instrument_is_the_masters() -> None:
    found = resolve([entry("Reliance Industries", "NSE_EQ|INE002A01018")], MASTER)
    (reliance,) = found.instruments
    assert (reliance.symbol, reliance.name) == ("RELIANCE", "Reliance Industries")
    assert (reliance.tick_size, reliance.price_scale, reliance.lot_size) == (10, 100, 1)
    assert reliance.kind is Kind.EQUITY
    assert reliance.units(Decimal("1412.53")) == 141_250
    assert (found.notes, found.missing) == ((), ())


@pytest.mark.parametrize("symbol", [None, "BAJFINANCE"])
def test_given_a_stale_key_when_resolved_then_it_is_repaired_and_told(symbol: str | None) -> None:
    found = resolve([entry("Bajaj Finance", "NSE_EQ|INE296A01024", symbol)], MASTER)
    assert [one.instrument_key for one in found.instruments] == ["NSE_EQ|INE296A01032"]
    assert found.notes == (
        "Bajaj Finance: key NSE_EQ|INE296A01024 is no longer listed; "
        "using NSE_EQ|INE296A01032 (BAJFINANCE)",
    )


def test_given_an_unknown_entry_when_resolved_then_it_is_named_and_the_others_work() -> None:
    nobody = entry("Nobody", "NSE_EQ|INE999Z01999")
    found = resolve([nobody, entry("Maruti", "NSE_EQ|INE585B01010")], MASTER)
    assert found.missing == (nobody,)
    assert [one.symbol for one in found.instruments] == ["MARUTI"]
    assert "NSE_EQ|INE999Z01999" in found.notes[0]


def test_given_a_name_that_two_have_when_resolved_then_neither_is_guessed() -> None:
    found = resolve([entry("Twin", "NSE_EQ|INE000A01099")], MASTER)
    assert found.instruments == ()
    assert len(found.missing) == 1


def test_given_one_instrument_twice_when_resolved_then_it_is_watched_once() -> None:
    twice = [
        entry("Bajaj Finance", "NSE_EQ|INE296A01032"),
        entry("Bajaj again", "NSE_EQ|INE296A01024", "BAJFINANCE"),
    ]
    found = resolve(twice, MASTER)
    assert [one.name for one in found.instruments] == ["Bajaj Finance"]
    assert "already watched as Bajaj Finance" in found.notes[0]


def test_given_another_exchange_when_resolved_then_its_symbol_carries_it() -> None:
    both = [
        entry("Reliance", "NSE_EQ|INE002A01018"),
        entry("Reliance BSE", "BSE_EQ|INE002A01018"),
    ]
    assert [one.symbol for one in resolve(both, MASTER).instruments] == [
        "RELIANCE",
        "BSE:RELIANCE",
    ]
    prefixed = resolve([entry("Reliance BSE", "BSE_EQ|OLD", "BSE:RELIANCE")], MASTER)
    assert [one.symbol for one in prefixed.instruments] == ["BSE:RELIANCE"]


def test_given_a_symbol_of_the_user_when_resolved_then_it_is_the_name_everywhere() -> None:
    found = resolve([entry("Reliance", "NSE_EQ|INE002A01018", "RIL")], MASTER)
    assert found.instruments[0].symbol == "RIL"


@pytest.mark.parametrize(
    ("key", "kind", "tick_size", "price_scale", "lot_size"),
    [
        ("NSE_INDEX|Nifty 50", Kind.INDEX, 1, 100, 1),
        ("NCD_FO|1234", Kind.FUTURE, 25, 10_000, 1),
        ("NSE_FO|51461", Kind.PUT, 5, 100, 75),
        ("NSE_EQ|INE585B01010", Kind.EQUITY, 100, 100, 1),
    ],
)
def test_given_every_kind_when_resolved_then_unit_tick_and_lot_fit(
    key: str, kind: Kind, tick_size: int, price_scale: int, lot_size: int
) -> None:
    (one,) = resolve([entry("Any", key)], MASTER).instruments
    assert (one.kind, one.tick_size, one.price_scale, one.lot_size) == (
        kind,
        tick_size,
        price_scale,
        lot_size,
    )
    assert one.has_closing_auction == (key == "NSE_EQ|INE585B01010")


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("BAJAJ FINANCE LIMITED", "Bajaj Finance"),
        ("ICICI BANK LTD.", "ICICI Bank"),
        ("LARSEN & TOUBRO LTD.", "Larsen and Toubro"),
    ],
)
def test_names_are_compared_without_legal_form_punctuation_and_case(
    written: str, same: str
) -> None:
    assert normalised(written) == normalised(same)


@pytest.mark.shared
def test_given_the_real_master_when_resolved_then_the_stale_key_of_the_split_is_repaired(
    shared_data: Path,
) -> None:
    blob = (shared_data / "instruments/upstox_nse_instruments_2026-01-08.json.gz").read_bytes()
    master = read_master(blob)
    entries = [
        entry("Bajaj Finance", "NSE_EQ|INE296A01024"),
        entry("Infosys", "NSE_EQ|INE009A01021"),
        entry("NIFTY 50", "NSE_INDEX|Nifty 50"),
    ]
    found = resolve(entries, master)
    assert len(master) == 82_699
    assert [one.symbol for one in found.instruments] == ["BAJFINANCE", "INFY", "NIFTY"]
    assert len(found.notes) == 1


def test_given_a_broken_record_when_parsed_then_the_others_are_read() -> None:
    text = b"""[{"segment":"NSE_EQ","exchange":"NSE","instrument_type":"EQ","name":null,
      "instrument_key":"NSE_EQ|A","trading_symbol":"A","tick_size":"5","lot_size":null},
      {"segment":5}, null, "text"]"""
    (only,) = parse_master(text)
    assert (only.trading_symbol, only.tick_size) == ("A", 5.0)


@pytest.mark.parametrize(
    "blob",
    [
        *(b"", b"[]", b"<html>", b"\x1f\x8b"),
        gzip.compress(b"[" * 50, mtime=0),
        gzip.compress(b"[]", mtime=0)[:-4],
    ],
)
def test_given_a_file_that_is_no_master_when_read_then_it_says_so(blob: bytes) -> None:
    with pytest.raises(BrokerError, match="instrument file"):
        read_master(blob)
