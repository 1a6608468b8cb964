"""`ticktick symbols`: list, add, remove and search."""

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ticktick.cli import run
from ticktick.domain.clock import NS_PER_MS, at_ist
from ticktick.domain.watchlist import WatchlistEntry
from ticktick.workspace import Workspace, current_workspace

SHARES = {"TATAMOTORS": "TATA MOTORS LTD", "TATASTEEL": "TATA STEEL LTD", "TATAPOWER": "TATA POWER"}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("TICKTICK_HOME", str(tmp_path))
    return current_workspace()


def record(symbol: str, name: str, kind: str = "EQ", segment: str = "NSE_EQ") -> dict[str, Any]:
    return {
        "segment": segment,
        "exchange": "NSE",
        "instrument_type": kind,
        "instrument_key": f"{segment}|{symbol}-ID",
        "trading_symbol": symbol,
        "name": name,
    }


@pytest.fixture
def master(workspace: Workspace) -> Path:
    records = [record(symbol, name) for symbol, name in SHARES.items()]
    records.append(record("NIFTY", "Nifty 50", "INDEX", "NSE_INDEX"))
    option = record("TATAMOTORS 800 CE", "TATA MOTORS LTD", "CE", "NSE_FO")
    ends_ms = at_ist(date(2026, 12, 3), 23, 59, 59) // NS_PER_MS
    records.append(option | {"strike_price": 800.0, "expiry": ends_ms})
    records += [record(f"MANY{number}", "MANY FUND") for number in range(25)]
    workspace.master.parent.mkdir(parents=True)
    workspace.master.write_bytes(gzip.compress(json.dumps(records).encode()))
    return workspace.master


def ended(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["symbols", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.mark.parametrize("arguments", [(), ("list",)])
def test_the_list_shows_symbol_name_and_key(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    workspace.save_watchlist(
        [
            WatchlistEntry("Larsen & Toubro", "NSE_EQ|INE018A01030", "LT"),
            WatchlistEntry("India VIX", "NSE_INDEX|India VIX"),
        ]
    )
    assert ended(capsys, *arguments) == (
        0,
        "SYMBOL  NAME             KEY\n"
        "LT      Larsen & Toubro  NSE_EQ|INE018A01030\n"
        "-       India VIX        NSE_INDEX|India VIX\n",
        "",
    )


@pytest.mark.usefixtures("master")
@pytest.mark.parametrize(
    ("arguments", "added"),
    [
        (
            ["tatamotors"],
            WatchlistEntry("TATA MOTORS LTD", "NSE_EQ|TATAMOTORS-ID", "TATAMOTORS"),
        ),
        (["NIFTY"], WatchlistEntry("Nifty 50", "NSE_INDEX|NIFTY-ID", "NIFTY")),
        (
            ["TATAMOTORS 800 CE"],
            WatchlistEntry("TATA MOTORS LTD", "NSE_FO|TATAMOTORS 800 CE-ID", "TATAMOTORS 800 CE"),
        ),
        (
            ["NSE_EQ|TATASTEEL-ID", "--name", "Steel"],
            WatchlistEntry("Steel", "NSE_EQ|TATASTEEL-ID", "TATASTEEL"),
        ),
    ],
)
def test_an_instrument_of_the_list_is_added_by_symbol_or_key(
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    added: WatchlistEntry,
) -> None:
    code, out, _ = ended(capsys, "add", *arguments)
    assert code == 0
    assert out.startswith(f"Added {added.symbol} ({added.instrument_key}).")
    assert workspace.load_watchlist()[15:] == [added]


def test_a_named_key_can_be_added_without_an_instrument_list(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(capsys, "add", "NSE_EQ|INE155A01022", "--name", "Tata Motors")[0] == 0
    assert workspace.load_watchlist()[15:] == [WatchlistEntry("Tata Motors", "NSE_EQ|INE155A01022")]


@pytest.mark.parametrize("what", ["ITC", "itc", "NSE_EQ|INE154A01025", "Infosys"])
def test_an_entry_is_removed_by_symbol_key_or_name(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    assert ended(capsys, "remove", what)[0] == 0
    assert len(workspace.load_watchlist()) == 14


@pytest.mark.usefixtures("master")
def test_a_search_finds_shares_and_indices_by_any_words(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ended(capsys, "search", "motors tata")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["SYMBOL", "TATAMOTORS"]
    assert ended(capsys, "search", "nifty")[1].splitlines()[1].split()[0] == "NIFTY"


@pytest.mark.usefixtures("master")
def test_a_search_finds_derivatives_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert "CE" not in ended(capsys, "search", "tata")[1]
    assert "TATAMOTORS 800 CE" in ended(capsys, "search", "tata", "--derivatives")[1]
    lines = ended(capsys, "search", "tata", "--strike", "800", "--expiry", "2026-12-03")[1]
    assert len(lines.splitlines()) == 2
    assert "NSE_FO|TATAMOTORS 800 CE-ID" in lines


@pytest.mark.usefixtures("master")
def test_a_long_result_is_cut_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ended(capsys, "search", "many")[1].splitlines()
    assert len(lines) == 22
    assert lines[-1] == "... and 5 more: search for a longer text"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "TATAMOTORS"], "there is no instrument list in"),
        (["search", "tata"], "there is no instrument list in"),
        (["add", "NSE_EQ|INE155A01022"], "give NSE_EQ|INE155A01022 a name with --name"),
        (["add", "NSE_EQ|", "--name", "X"], "instrument_key is 'NSE_EQ|', expected SEGMENT|ID"),
        (
            ["add", "NSE_EQ|INE154A01025", "--name", "X"],
            "X is already in the list, as ITC (NSE_EQ|INE154A01025)",
        ),
        (["remove", "XYZ"], "'XYZ' is not in the watchlist; `ticktick symbols list` shows it"),
    ],
)
@pytest.mark.usefixtures("workspace")
def test_what_cannot_be_done_without_an_instrument_list_is_explained(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    code, out, err = ended(capsys, *arguments)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert sentence in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "TATA"], "nearly the same: TATAMOTORS, TATAPOWER, TATASTEEL"),
        (["add", "TATAMOTORS 900 CE"], "no instrument has the trading symbol"),
        (["add", "NSE_EQ|NO-ID"], "NSE_EQ|NO-ID is not listed today"),
        (["search", "zzz"], "nothing in the instrument list holds 'zzz'"),
        (["search", "tata", "--strike", "900"], "nothing in the instrument list holds 'tata'"),
    ],
)
@pytest.mark.usefixtures("master")
def test_what_the_instrument_list_does_not_hold_is_explained(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    code, out, err = ended(capsys, *arguments)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert sentence in err


@pytest.mark.parametrize(
    "content", [b"garbage", gzip.compress(b"[]", mtime=0)[:-4], gzip.compress(b"{}", mtime=0)]
)
def test_a_damaged_instrument_list_is_explained(
    master: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    master.write_bytes(content)
    code, _, err = ended(capsys, "search", "tata")
    assert code == 1
    assert f"{master} is damaged" in err
