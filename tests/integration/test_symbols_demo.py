"""The list of a running demo, changed from the command line: at once, without a new connection."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.oracles.trades import candles_of_trades
from tests.program_stage import Program, ask, eventually, exchange, fetch, program, status, ticktick
from ticktick.domain.clock import parse_iso_ns

OPEN_NS = parse_iso_ns("2026-11-20T09:15:00+05:30")
START = "2026-11-20T10:59:30"
INFY = "NSE_EQ|INE009A01021"

pytestmark = pytest.mark.timeout(240)


class Stage:
    """A demo without Infosys in its list, and the exchange behind it."""

    def __init__(self, home: Path, url: str, demo: Program) -> None:
        self.home = home
        self.url = url
        self.demo = demo

    def get(self, path: str) -> Any:
        """An answer of the program."""
        return json.loads(ask(self.home, path))

    def symbols(self, *arguments: str) -> str:
        """What `ticktick symbols` says."""
        done = ticktick(self.home, "symbols", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def refused(self, *arguments: str) -> str:
        """Why `ticktick symbols` fails."""
        done = ticktick(self.home, "symbols", *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr.strip()

    def watched(self) -> dict[str, str]:
        """Freshness by symbol."""
        return {one["symbol"]: one["freshness"] for one in self.get("/api/v1/status")["symbols"]}

    def has_infosys(self) -> bool:
        """Whether it is watched and its deep history was read."""
        is_watched = "INFY" in self.watched()
        return is_watched and len(self.get("/api/v1/candles/INFY/60")["candles"]) > 100

    def redis(self, database: int, *words: str) -> str:
        """What Redis answers."""
        done = ticktick(self.home, "redis-cli", "-n", str(database), *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def listed(self) -> list[str]:
        """The symbols in symbols.json."""
        content = json.loads((self.home / "symbols.json").read_text())
        return [entry["symbol"] for entry in content["symbols"]]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("demo")
    outputs = str(home / "live.jsonl")
    assert ticktick(home, "symbols", "remove", "INFY").returncode == 0
    options = ("--speed", "5", "--start", START)
    with exchange(tmp_path_factory.mktemp("exchange"), *options) as (_, url):
        arguments = ("--exchange", url, "--no-browser", "--port", "0", "--outputs", outputs)
        with program(home, "demo", *arguments) as demo:
            demo.line_with("are fresh")
            yield Stage(home, url, demo)


def test_a_symbol_is_added_at_once_and_its_history_is_read(stage: Stage) -> None:
    assert "INFY" not in stage.watched()
    said = stage.symbols("add", "infy")
    assert said == f"INFY ({INFY}) is watched now; symbols.json holds it"
    assert eventually(lambda: "INFY" in stage.watched())
    assert stage.listed()[-1] == "INFY"
    assert eventually(lambda: stage.watched()["INFY"] == "fresh")
    # after the deep history of the others, which were there first
    assert eventually(stage.has_infosys, 120.0)
    assert eventually(lambda: stage.redis(1, "EXISTS", "tick:INFY") == "(integer) 1")


@pytest.mark.slow
def test_the_candles_of_an_added_symbol_are_those_of_the_exchanges_trades(stage: Stage) -> None:
    if "INFY" not in stage.watched():  # where this test runs alone
        stage.symbols("add", "infy")
    assert eventually(stage.has_infosys, 120.0)
    deadline_ns = fetch(f"{stage.url}/_emu/clock")["now_ns"] + 150 * 10**9
    assert eventually(lambda: fetch(f"{stage.url}/_emu/clock")["now_ns"] > deadline_ns, 60)
    query = f"instrument_key={quote(INFY)}&from_ns={OPEN_NS}&to_ns={deadline_ns}"
    oracle = candles_of_trades(fetch(f"{stage.url}/_emu/trades?{query}"), 1, OPEN_NS)
    told = stage.get("/api/v1/candles/INFY/1")["candles"]
    ours = {
        candle["start_ms"] * 10**6: [
            *(round(candle[name] * 100) for name in ("open", "high", "low", "close")),
            candle["volume"],
        ]
        for candle in told
        if candle["state"] in ("final", "backfilled")
    }
    wanted = {at: row for at, row in oracle.items() if at <= deadline_ns - 120 * 10**9}
    assert {at: ours.get(at) for at in wanted} == wanted
    assert len(wanted) > 100


def test_a_symbol_is_removed_at_once_from_everything_but_its_series(stage: Stage) -> None:
    said = stage.symbols("remove", "ITC")
    assert said == "ITC is watched no more; symbols.json is without it"
    assert eventually(lambda: "ITC" not in stage.watched())
    assert "ITC" not in stage.listed()
    assert "ITC" not in {one["symbol"] for one in stage.get("/api/v1/symbols")["symbols"]}
    assert eventually(lambda: stage.redis(1, "EXISTS", "tick:ITC") == "(integer) 0")
    assert stage.redis(0, "EXISTS", "candle:ITC:1m") == "(integer) 0"
    assert stage.redis(1, "EXISTS", "symbol:ITC") == "(integer) 1"


def test_what_cannot_be_changed_is_said_and_changes_nothing(stage: Stage) -> None:
    before = stage.listed(), stage.watched().keys()
    assert "RELIANCE is already in the list, as Reliance" in stage.refused("add", "RELIANCE")
    assert "nearly the same: RELIANCE" in stage.refused("add", "RELIANC")
    assert "'XYZ' is not in the watchlist" in stage.refused("remove", "XYZ")
    assert (stage.listed(), stage.watched().keys()) == before


def test_a_search_asks_the_running_program(stage: Stage) -> None:
    assert "NSE_EQ|INE062A01020" in stage.symbols("search", "state bank")
    found = stage.symbols("search", "nifty", "--derivatives")
    assert "NIFTY FUT" in found
    expiry_day = "2026-12-01"
    strikes = stage.symbols("search", "nifty", "--expiry", expiry_day, "--strike", "25500")
    assert strikes.count("NSE_FO|") == 2


def test_a_derivative_is_added_by_its_symbol_and_becomes_fresh(stage: Stage) -> None:
    said = stage.symbols("add", "NIFTY 25500 CE 01 DEC 26")
    assert "is watched now" in said
    option = "NIFTY 25500 CE 01 DEC 26"
    assert eventually(lambda: stage.watched()[option] in ("fresh", "quiet"), 60), stage.watched()


def test_all_of_it_happened_on_one_connection_and_replays_byte_for_byte(stage: Stage) -> None:
    told = status(stage.home)
    assert told["feed"]["up"]
    assert "asked" not in [outage["cause"] for outage in told["health"]["outages"]]
    assert told["counters"]["unknown_keys"] == 0
    assert stage.demo.end() == 0
    assert "ERROR" not in (stage.home / "logs" / "error.log").read_text()
    (recording,) = (stage.home / "data" / "demo" / "recordings").glob("*.ttrec")
    live = (stage.home / "live.jsonl").read_bytes()
    assert live.count(b'"type":"watchlist"') == 4
    played = stage.home / "played.jsonl"
    done = ticktick(stage.home, "replay", str(recording), "--outputs", str(played))
    assert done.returncode == 0, done.stderr
    assert played.read_bytes() == live


def test_a_run_with_a_list_of_its_own_leaves_the_file_alone(tmp_path: Path) -> None:
    with program(
        tmp_path, *("demo", "--no-browser", "--port", "0", "--start", START), "--symbols", INFY
    ) as demo:
        demo.line_with("are fresh")
        before = (tmp_path / "symbols.json").read_bytes()
        done = ticktick(tmp_path, "symbols", "add", "TCS")
        assert done.stdout == (
            "TCS (NSE_EQ|INE467B01029) is watched now; the list of this run, not symbols.json, "
            "holds it\n"
        )
        assert [one["symbol"] for one in status(tmp_path)["symbols"]] == ["INFY", "TCS"]
        assert (tmp_path / "symbols.json").read_bytes() == before
