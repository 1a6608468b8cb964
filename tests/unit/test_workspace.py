"""The workspace: which folder it is, and the watchlist in it."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from ticktick.domain.watchlist import WatchlistEntry
from ticktick.errors import ConfigError
from ticktick.workspace import Workspace, open_workspace

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace({"TICKTICK_HOME": str(tmp_path)}, tmp_path, tmp_path)


def entry(**fields: Any) -> dict[str, Any]:
    return {"name": "ITC", "instrument_key": "NSE_EQ|INE154A01025", **fields}


def test_the_environment_names_the_workspace_first(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "symbols.json").write_text('{"symbols": []}')
    found = open_workspace({"TICKTICK_HOME": str(tmp_path / "mine")}, here, tmp_path)
    assert found.root == tmp_path / "mine"
    assert len(found.load_watchlist()) == 15


def test_a_folder_with_a_watchlist_is_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "symbols.json").write_text('{"symbols": []}')
    found = open_workspace({}, tmp_path, tmp_path / "home")
    assert found.root == tmp_path
    assert found.load_watchlist() == []


def test_otherwise_the_workspace_is_made_in_the_home_for_its_owner_alone(tmp_path: Path) -> None:
    here, home = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    home.mkdir()
    found = open_workspace({}, here, home)
    assert found.root == home / ".ticktick"
    for folder in (found.root, found.logs, found.data):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not list(here.iterdir())


def test_a_watchlist_that_is_there_is_never_replaced(workspace: Workspace, tmp_path: Path) -> None:
    workspace.save_watchlist([])
    again = open_workspace({"TICKTICK_HOME": str(tmp_path)}, tmp_path, tmp_path)
    assert again.load_watchlist() == []


def test_a_workspace_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"file cannot be written \(.*\): set TICKTICK_HOME"):
        open_workspace({"TICKTICK_HOME": str(tmp_path / "file")}, tmp_path, tmp_path)


def test_the_shipped_watchlist_holds_the_fifteen_of_the_specification(workspace: Workspace) -> None:
    entries = workspace.load_watchlist()
    isins = " ".join(one.instrument_key.removeprefix("NSE_EQ|") for one in entries)
    assert [one.name for one in entries][:2] == ["Reliance Industries", "Tata Consultancy Services"]
    assert isins == (
        "INE002A01018 INE467B01029 INE009A01021 INE040A01034 INE090A01021 INE030A01027 "
        "INE154A01025 INE062A01020 INE397D01024 INE237A01028 INE018A01030 INE021A01026 "
        "INE585B01010 INE296A01024 INE860A01027"
    )
    assert workspace.symbols.read_bytes() == (CHECKOUT / "symbols.json").read_bytes()


def test_the_specified_format_without_symbols_is_read(workspace: Workspace) -> None:
    workspace.symbols.write_text(json.dumps({"symbols": [entry()]}))
    assert workspace.load_watchlist() == [WatchlistEntry("ITC", "NSE_EQ|INE154A01025")]


def test_a_file_of_a_windows_editor_is_read(workspace: Workspace) -> None:
    workspace.symbols.write_text(json.dumps({"symbols": [entry()]}), encoding="utf-8-sig")
    assert len(workspace.load_watchlist()) == 1


def test_what_is_saved_is_what_is_loaded(workspace: Workspace) -> None:
    entries = [
        WatchlistEntry("Larsen & Toubro", "NSE_EQ|INE018A01030", "LT"),
        WatchlistEntry("निफ्टी", "NSE_INDEX|Nifty 50"),
    ]
    workspace.save_watchlist(entries)
    assert workspace.load_watchlist() == entries
    assert sorted(path.name for path in workspace.root.iterdir()) == [
        "data",
        "logs",
        "symbols.json",
    ]


def test_an_entry_twice_is_not_saved(workspace: Workspace) -> None:
    twice = WatchlistEntry("Infosys", "NSE_EQ|INE000A01010")
    with pytest.raises(ConfigError, match="entry 16: name 'Infosys' is already in entry 3"):
        workspace.save_watchlist([*workspace.load_watchlist(), twice])
    assert len(workspace.load_watchlist()) == 15


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            '{"symbols": [',
            ", line 1, column 14: this is not JSON (Expecting value)",
        ),
        ("", ", line 1, column 1: this is not JSON (Expecting value)"),
        ("[" * 200_000, ": this is no watchlist"),
        ("1" * 5000, ": this is no watchlist"),
        ("[]", ': found a list, expected {"symbols": [...]} with a list of entries'),
        ('{"symbols": 5}', ": found an object with the fields 'symbols', expected"),
        ("null", ": found nothing, expected"),
        (json.dumps({"symbols": ["ITC"]}), ", entry 1: found the text 'ITC', expected"),
        (
            json.dumps({"symbols": [{"name": "ITC"}]}),
            ", entry 1: instrument_key is nothing, expected a text",
        ),
        (
            json.dumps({"symbols": [entry(name=5)]}),
            ", entry 1: name is 5, expected a text",
        ),
        (
            json.dumps({"symbols": [entry(name=" ")]}),
            ", entry 1: name is ' ', expected 1 to 100 printable characters",
        ),
        (
            json.dumps({"symbols": [entry(name="a\x1b[31m")]}),
            r", entry 1: name is 'a\x1b[31m', expected 1 to 100 printable characters",
        ),
        (
            json.dumps({"symbols": [entry(), entry(name="X", instrument_key="NSE_EQ:INE1")]}),
            ", entry 2: instrument_key is 'NSE_EQ:INE1', "
            "expected SEGMENT|ID such as 'NSE_EQ|INE002A01018'",
        ),
        (
            json.dumps({"symbols": [entry(instrument_key="NSE_EQ|A\nFLUSHALL")]}),
            r", entry 1: instrument_key is 'NSE_EQ|A\nFLUSHALL', expected SEGMENT|ID",
        ),
        (
            json.dumps({"symbols": [entry(symbol="reliance")]}),
            ", entry 1: symbol is 'reliance', expected the exchange's trading symbol",
        ),
        (
            json.dumps({"symbols": [entry(isin="INE154A01025")]}),
            ", entry 1: found the field 'isin', expected name, instrument_key, symbol",
        ),
        (
            json.dumps({"symbols": [entry(), entry(name="itc", instrument_key="NSE_EQ|X")]}),
            ", entry 2: name 'itc' is already in entry 1, expected each once",
        ),
        (
            json.dumps({"symbols": [entry(), entry(name="ITC again")]}),
            ", entry 2: instrument_key 'NSE_EQ|INE154A01025' is already in entry 1",
        ),
        (
            json.dumps(
                {
                    "symbols": [
                        entry(symbol="ITC"),
                        entry(name="X", instrument_key="NSE_EQ|X", symbol="ITC"),
                    ]
                }
            ),
            ", entry 2: symbol 'ITC' is already in entry 1, expected each once",
        ),
    ],
)
def test_a_malformed_watchlist_is_explained_in_one_sentence(
    workspace: Workspace, content: str, sentence: str
) -> None:
    workspace.symbols.write_text(content)
    with pytest.raises(ConfigError) as caught:
        workspace.load_watchlist()
    assert str(caught.value).startswith(f"{workspace.symbols}{sentence}")
    assert "\n" not in str(caught.value)


def test_a_watchlist_that_is_no_text_is_explained(workspace: Workspace) -> None:
    workspace.symbols.write_bytes(b'{"symbols": "\xff"}')
    with pytest.raises(ConfigError, match="byte 13: found bytes that are no text, expected UTF-8"):
        workspace.load_watchlist()


def test_a_watchlist_that_cannot_be_read_is_explained(workspace: Workspace) -> None:
    workspace.symbols.unlink()
    workspace.symbols.mkdir()
    with pytest.raises(ConfigError, match=r"symbols\.json cannot be read: Is a directory"):
        workspace.load_watchlist()
