"""Looking instruments up: by symbol, key or words; what is nearly meant is named."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ticktick.brokers.upstox.finder import expiry_day, find, search, to_entry
from ticktick.brokers.upstox.rest import read_master
from ticktick.brokers.upstox.wire import MasterRecord
from ticktick.domain.clock import NS_PER_MS, at_ist
from ticktick.domain.watchlist import WatchlistEntry
from ticktick.errors import ConfigError

EXPIRY = date(2026, 12, 3)


def record(symbol: str, name: str = "", kind: str = "EQ", **more: Any) -> MasterRecord:
    segment = {"INDEX": "NSE_INDEX", "CE": "NSE_FO", "PE": "NSE_FO", "FUT": "NSE_FO"}.get(
        kind, "NSE_EQ"
    )
    key = f"{segment}|{more.pop('id', symbol)}"
    return MasterRecord(segment, "NSE", kind, key, symbol, name or f"{symbol} LTD", **more)


def ends_ms(expiry: date) -> int:
    """How the master tells the last day of a contract."""
    return at_ist(expiry, 23, 59, 59) // NS_PER_MS


def option(strike: float, kind: str = "CE", expiry: date = EXPIRY) -> MasterRecord:
    symbol = f"NIFTY {strike:g} {kind} {expiry:%d %b %y}".upper()
    return record(symbol, "NIFTY", kind, expiry=ends_ms(expiry), strike_price=strike)


MASTER = [
    record("TATAMOTORS", "TATA MOTORS LTD", short_name="Tata Motors"),
    record("TATASTEEL", "TATA STEEL LTD"),
    record("TATAPOWER"),
    record("RADIOCITY", id="PREFERENCE", kind="P1"),
    record("RADIOCITY", "MUSIC BROADCAST"),
    record("YAARI", kind="BE"),
    record("749RJ35", "RAJASTHAN SDL", kind="SG"),
    record("NIFTY", "Nifty 50", "INDEX"),
    option(24_500.0),
    option(24_500.0, "PE"),
    option(24_600.0),
    option(24_500.0, expiry=date(2026, 12, 10)),
    record(
        "NIFTY FUT 30 DEC 26", "NIFTY", "FUT", expiry=at_ist(date(2026, 12, 30), 23) // NS_PER_MS
    ),
]


@pytest.mark.parametrize(
    ("what", "key"),
    [
        ("tatamotors", "NSE_EQ|TATAMOTORS"),
        (" TATASTEEL ", "NSE_EQ|TATASTEEL"),
        ("NSE_EQ|TATAPOWER", "NSE_EQ|TATAPOWER"),
        ("RADIOCITY", "NSE_EQ|RADIOCITY"),
        ("YAARI", "NSE_EQ|YAARI"),
        ("NIFTY", "NSE_INDEX|NIFTY"),
        ("nifty 24500 ce 03 dec 26", "NSE_FO|NIFTY 24500 CE 03 DEC 26"),
    ],
)
def test_an_instrument_is_found_by_its_symbol_or_key(what: str, key: str) -> None:
    assert find(MASTER, what).instrument_key == key


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("TATA", "no instrument has the trading symbol 'TATA'; nearly the same: TATAMOTORS, TATAP"),
        ("TATAMOTER", "nearly the same: TATAMOTORS"),
        ("749RJ35", "find it with `ticktick symbols search 749RJ35`"),
        ("XQZ", "find it with `ticktick symbols search XQZ`"),
        ("NSE_EQ|NO", "NSE_EQ|NO is not listed today; find the instrument with"),
    ],
)
def test_what_nobody_lists_is_explained_and_what_is_near_is_named(what: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        find(MASTER, what)
    assert sentence in str(refused.value)


def found(text: str, **wish: Any) -> list[str]:
    return [one.trading_symbol for one in search(MASTER, text, **wish)]


def test_a_search_needs_every_word_in_any_order_and_leaves_bonds_and_derivatives_out() -> None:
    assert found("motors TATA") == ["TATAMOTORS"]
    assert found("tata") == ["TATAPOWER", "TATASTEEL", "TATAMOTORS"]
    assert found("nifty") == ["NIFTY"]
    assert found("sdl") == []


def test_a_search_for_derivatives_has_the_next_to_expire_first_after_the_index() -> None:
    assert found("nifty", derivatives=True) == [
        "NIFTY",
        "NIFTY 24500 CE 03 DEC 26",
        "NIFTY 24500 PE 03 DEC 26",
        "NIFTY 24600 CE 03 DEC 26",
        "NIFTY 24500 CE 10 DEC 26",
        "NIFTY FUT 30 DEC 26",
    ]


def test_a_search_by_expiry_and_strike_finds_those_alone() -> None:
    assert found("nifty", expiry=EXPIRY, strike=24_500.0) == [
        "NIFTY 24500 CE 03 DEC 26",
        "NIFTY 24500 PE 03 DEC 26",
    ]
    assert len(found("nifty", strike=24_500.0)) == 3
    assert found("nifty", expiry=date(2026, 12, 30)) == ["NIFTY FUT 30 DEC 26"]


def test_a_found_record_becomes_a_line_of_the_list() -> None:
    assert to_entry(MASTER[0]) == WatchlistEntry(
        "TATA MOTORS LTD", "NSE_EQ|TATAMOTORS", "TATAMOTORS"
    )
    assert to_entry(MASTER[0], "Tata").name == "Tata"
    with pytest.raises(ConfigError, match="name is"):
        to_entry(MASTER[0], "\n")
    assert (expiry_day(option(24_500.0)), expiry_day(MASTER[0])) == (EXPIRY, None)


@pytest.mark.shared
def test_in_the_real_master_searches_are_right(shared_data: Path) -> None:
    blob = (shared_data / "instruments/upstox_nse_instruments_2026-01-08.json.gz").read_bytes()
    master = read_master(blob)
    assert find(master, "infy").instrument_key == "NSE_EQ|INE009A01021"
    assert search(master, "infosys limited")[0].trading_symbol == "INFY"
    options = search(master, "nifty 27000", expiry=date(2026, 6, 30), strike=27_000.0)
    assert {one.trading_symbol for one in options} >= {
        "NIFTY 27000 CE 30 JUN 26",
        "NIFTY 27000 PE 30 JUN 26",
    }
    with pytest.raises(ConfigError, match=r"nearly the same: .*INFY"):
        find(master, "INFI")
    usable = [one for one in master if one.instrument_type in {"EQ", "BE", "SM", "INDEX"}]
    refused = []
    for one in usable:
        try:
            to_entry(one)
        except ConfigError:
            refused.append(one.trading_symbol)
    assert refused == []
