"""The demo as a user runs it: what it shows, what is in Redis, what a replay gives."""

import json
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from tests.oracles import outside
from tests.oracles.trades import candles_of_trades
from tests.program_stage import Program, ask, eventually, exchange, fetch, program, status, ticktick
from tests.upstox_stage import free_port
from ticktick.domain.clock import parse_iso_ns
from ticktick.domain.market import TIMEFRAMES
from ticktick.running import find_running
from ticktick.store.recording import read_recording

OPEN_NS = parse_iso_ns("2026-11-20T09:15:00+05:30")
START = "2026-11-20T10:59:30"
SPEED = 20
RELIANCE = "NSE_EQ|INE002A01018"

pytestmark = pytest.mark.timeout(240)


class Stage:
    """A demo at twenty times the speed and the exchange behind it."""

    def __init__(self, home: Path, url: str, demo: Program, outputs: Path) -> None:
        self.home = home
        self.url = url
        self.demo = demo
        self.outputs = outputs

    def get(self, path: str) -> Any:
        return json.loads(ask(self.home, path))

    def metrics(self) -> dict[str, str]:
        running = find_running(self.home / "data" / "server.json")
        token = (self.home / "data" / "server.token").read_text()
        request = Request(f"{running.url}/metrics", headers={"Authorization": f"Bearer {token}"})
        with urlopen(request, timeout=10) as answer:
            return dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines())

    def redis(self, database: int, *words: str) -> list[str]:
        done = ticktick(self.home, "redis-cli", "-n", str(database), *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("demo")
    exchange_home = tmp_path_factory.mktemp("exchange")
    outputs = home / "live.jsonl"
    options = ("--speed", str(SPEED), "--start", START)
    with exchange(exchange_home, *options) as (_, url):
        arguments = ("--exchange", url, "--no-browser", "--port", "0", "--outputs", str(outputs))
        with program(home, "demo", *arguments) as demo:
            demo.line_with("are fresh")
            yield Stage(home, url, demo, outputs)


def test_the_stale_key_of_the_shipped_list_is_repaired_and_reported(stage: Stage) -> None:
    line = stage.demo.line_with("no longer listed")
    assert "Bajaj Finance" in line
    assert "INE296A01024" in line
    assert "INE296A01032" in line


def test_status_tells_every_symbol_of_the_list_fresh(stage: Stage) -> None:
    told = status(stage.home)
    assert told["mode"] == "DEMO"
    assert len(told["symbols"]) == 15
    reliance = next(s for s in told["symbols"] if s["symbol"] == "RELIANCE")
    assert 1000 < reliance["last_price"] < 2000

    def are_fresh() -> bool:  # 5 s of this market are a quarter of a second here
        symbols = {symbol["symbol"]: symbol for symbol in status(stage.home)["symbols"]}
        words = {symbol["freshness"] for symbol in symbols.values()}
        return words == {"fresh"} and bool(symbols["RELIANCE"]["age_ms"] < 5_000)

    assert eventually(are_fresh, 90)


def test_metrics_tell_of_the_running_demo(stage: Stage) -> None:
    assert eventually(lambda: float(stage.metrics()["ticktick_loop_lag_ms_count"]) > 5)
    # at this speed a symbol is quiet for a moment when this computer pauses a quarter of a second
    assert eventually(lambda: stage.metrics()['ticktick_symbols{freshness="fresh"}'] == "15.0")
    told = stage.metrics()
    assert told["ticktick_link_state"] == "1.0"
    assert told['ticktick_redis_state{state="on"}'] == "1.0"
    assert told["ticktick_clock_skew_ms"] == "0.0"
    assert float(told["ticktick_feed_lag_ms_count"]) > 10
    assert float(told['ticktick_stage_us_count{stage="decode"}']) > 10
    assert float(told["ticktick_recorder_dropped_total"]) == 0


def test_redis_holds_rising_ticks_in_rupees(stage: Stage) -> None:
    lines = stage.redis(1, "TS.RANGE", "symbol:RELIANCE", "-", "+", "COUNT", "5")
    assert len(lines) == 10
    stamps = [int(line.rsplit(" ", 1)[1]) for line in lines[::2]]
    prices = [float(line.rsplit(" ", 1)[1]) for line in lines[1::2]]
    assert stamps == sorted(set(stamps))
    assert all(1000 < price < 2000 for price in prices)


def test_redis_holds_the_candles_of_the_exchange_in_order(stage: Stage) -> None:
    def stored() -> dict[int, float]:
        lines = stage.redis(0, "TS.RANGE", "candle:RELIANCE:1m:close", "-", "+")
        numbers = [line.rsplit(" ", 1)[1] for line in lines]
        return dict(zip(map(int, numbers[::2]), map(float, numbers[1::2]), strict=True))

    assert eventually(lambda: len(stored()) >= 250)
    found = stored()
    assert list(found) == sorted(found)
    rows: list[list[Any]] = []
    for path in (
        f"intraday/{quote(RELIANCE, safe='')}/minutes/1",
        f"{quote(RELIANCE, safe='')}/minutes/1/2026-11-19/2026-11-15",
    ):
        rows += fetch(f"{stage.url}/v3/historical-candle/{path}")["data"]["candles"]
    theirs = {parse_iso_ns(row[0]) // 1_000_000: row[4] for row in rows}
    newest = list(found)[-250:]
    assert {at: found[at] for at in newest} == {at: theirs[at] for at in newest}


def test_candles_of_six_timeframes_equal_a_resample_of_the_exchanges_trades(stage: Stage) -> None:
    begin_ns = parse_iso_ns(f"{START}+05:30")
    deadline_ns = begin_ns + 7 * 60 * 1_000_000_000
    assert eventually(lambda: fetch(f"{stage.url}/_emu/clock")["now_ns"] > deadline_ns, 60)
    compared = 0
    for symbol, key in (("RELIANCE", RELIANCE), ("HDFCBANK", "NSE_EQ|INE040A01034")):
        query = f"instrument_key={quote(key)}&from_ns={OPEN_NS}&to_ns={deadline_ns}"
        trades = fetch(f"{stage.url}/_emu/trades?{query}")
        for minutes in TIMEFRAMES:
            oracle = candles_of_trades(trades, minutes, OPEN_NS)
            last_ns = deadline_ns - minutes * 60_000_000_000
            wanted = {at: row for at, row in oracle.items() if at <= last_ns}
            eventually(partial(has_settled, stage, symbol, minutes, wanted))
            ours = settled(stage, symbol, minutes)
            assert {at: ours.get(at) for at in wanted} == wanted, f"{symbol} {minutes}m"
            compared += len(wanted)
    assert compared > 200


def has_settled(stage: Stage, symbol: str, minutes: int, starts: Iterable[int]) -> bool:
    """Whether the broker confirmed or gave back all candles with these starts."""
    return set(starts) <= settled(stage, symbol, minutes).keys()


def settled(stage: Stage, symbol: str, minutes: int) -> dict[int, list[int]]:
    """The candles that the broker confirmed or gave back, by start; prices in paise."""
    told = stage.get(f"/api/v1/candles/{quote(symbol)}/{minutes}")["candles"]
    return {
        candle["start_ms"] * 1_000_000: [
            *(round(candle[name] * 100) for name in ("open", "high", "low", "close")),
            candle["volume"],
        ]
        for candle in told
        if candle["state"] in {"final", "backfilled"}
    }


def test_indicators_in_redis_are_those_of_the_exchanges_candles(stage: Stage) -> None:
    def told() -> dict[str, dict[str, str]]:
        words = stage.redis(2, "HGETALL", "indicators:RELIANCE")
        values = [word.split(") ", 1)[1].strip('"') for word in words]
        by_frame: dict[str, dict[str, str]] = {f"{minutes}m": {} for minutes in TIMEFRAMES}
        for field, value in zip(values[::2], values[1::2], strict=True):
            frame, _, name = field.partition(":")
            by_frame[frame][name] = value
        return by_frame

    def are_deep() -> bool:
        return all(int(frame.get("bars", 0)) >= 250 for frame in told().values())

    assert eventually(are_deep, 120)
    read = told()
    key = quote(RELIANCE, safe="")
    paths = [f"intraday/{key}/minutes/1"]
    paths += [f"{key}/minutes/1/{to}/{since}" for since, to in MONTHS]
    rows = [
        row
        for path in paths
        for row in fetch(f"{stage.url}/v3/historical-candle/{path}")["data"]["candles"]
    ]
    compared = sum(
        compare(outside.computed(rows, minutes, read[f"{minutes}m"]), read[f"{minutes}m"])
        for minutes in TIMEFRAMES
    )
    assert compared >= 6 * 54
    wrong = read["5m"] | {"rsi_14": str(float(read["5m"]["rsi_14"]) + 1e-6)}
    with pytest.raises(AssertionError):
        compare(outside.computed(rows, 5, wrong), wrong)


MONTHS = (("2026-11-01", "2026-11-19"), ("2026-10-01", "2026-10-31"), ("2026-09-01", "2026-09-30"))


def compare(expected: dict[str, float], told: dict[str, str]) -> int:
    """Count the values that were compared; each must be there and equal."""
    for name, value in expected.items():
        assert float(told[name]) == pytest.approx(value, rel=1e-9, abs=1e-9), name
    return len(expected)


def test_a_replay_gives_the_outputs_of_the_live_run_byte_for_byte(stage: Stage) -> None:
    assert stage.demo.end() == 0
    (recording,) = (stage.home / "data" / "demo" / "recordings").glob("*.ttrec")
    live = stage.outputs.read_bytes()
    assert live.count(b'"type":"metrics"') > 1000
    for name in ("first.jsonl", "second.jsonl"):
        played = stage.home / name
        done = ticktick(stage.home, "replay", str(recording), "--outputs", str(played))
        assert done.returncode == 0, done.stderr
        assert played.read_bytes() == live
    assert "ERROR" not in (stage.home / "logs" / "error.log").read_text()


def test_a_killed_demo_leaves_no_process_and_a_recording_that_replays(tmp_path: Path) -> None:
    with program(tmp_path, "demo", "--no-browser", "--port", "0", "--start", START) as demo:
        demo.line_with("are fresh")
        url = find_running(tmp_path / "data" / "server.json").redis
        (recording,) = (tmp_path / "data" / "demo" / "recordings").glob("*.ttrec")
        assert eventually(lambda: read_recording(recording).events > 100)
        demo.process.kill()
        demo.process.wait(10)
    done = ticktick(tmp_path, "replay", str(recording))
    assert done.returncode == 0
    assert "was not closed" in done.stderr
    assert "RELIANCE" in done.stdout
    assert url is not None
    with program(tmp_path, "demo", "--no-browser", "--port", "0", "--start", START) as again:
        again.line_with("are fresh")


def test_minutes_lost_while_the_exchange_was_away_are_filled_from_its_history(
    tmp_path: Path,
) -> None:
    port = free_port()
    home, exchange_home = tmp_path / "demo", tmp_path / "exchange"
    home.mkdir()
    exchange_home.mkdir()
    with (
        exchange(exchange_home, "--start", START, port=port) as (server, url),
        program(home, "demo", "--exchange", url, "--no-browser", "--port", "0") as demo,
    ):
        demo.line_with("are fresh")
        stage = Stage(home, url, demo, home / "unused")
        server.process.kill()
        assert eventually(lambda: not status(home)["feed"]["up"])
        with exchange(exchange_home, "--start", "2026-11-20T11:04:10", port=port) as (_, again):

            def newest() -> list[dict[str, Any]]:
                candles: list[dict[str, Any]] = stage.get("/api/v1/candles/RELIANCE/1")["candles"]
                return [candle for candle in candles if candle["state"] != "forming"][-4:]

            def filled() -> bool:
                return [c["state"] for c in newest()].count("backfilled") >= 3

            assert eventually(filled), newest()
            starts = [candle["start_ms"] for candle in newest()]
            assert [b - a for a, b in pairwise(starts)] == [60_000] * 3
            to_ns = OPEN_NS + 109 * 60_000_000_000
            query = f"instrument_key={quote(RELIANCE)}&from_ns={OPEN_NS}&to_ns={to_ns}"
            oracle = candles_of_trades(fetch(f"{again}/_emu/trades?{query}"), 1, OPEN_NS)
            for candle in newest()[:3]:
                assert round(candle["close"] * 100) == oracle[candle["start_ms"] * 1_000_000][3]


def test_a_demo_gets_a_new_login_when_the_old_one_ends(tmp_path: Path) -> None:
    home, exchange_home = tmp_path / "demo", tmp_path / "exchange"
    home.mkdir()
    exchange_home.mkdir()
    with (
        exchange(exchange_home, "--start", START) as (_, url),
        program(home, "demo", "--exchange", url, "--no-browser", "--port", "0") as demo,
    ):
        demo.line_with("are fresh")
        before = status(home)["token"]
        late_ns = parse_iso_ns("2026-11-21T03:29:58+05:30")
        fetch(f"{url}/_emu/clock", b'{"now_ns": %d}' % late_ns)

        def renewed() -> bool:
            token = status(home)["token"]
            return bool(token["state"] == "valid" and token["expires_ms"] > before["expires_ms"])

        assert eventually(renewed), status(home)["token"]
