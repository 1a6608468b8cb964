"""The demo watches an option: its day ends with derivatives, not with stocks."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.program_stage import ask, eventually, exchange, fetch, program, status
from ticktick.domain.clock import iso_ist, parse_iso_ns

CALL, SYMBOL = "NSE_FO|60140", "NIFTY 25900 CE 01 DEC 26"
MIDNIGHT_NS = parse_iso_ns("2026-11-20T00:00:00+05:30")

pytestmark = pytest.mark.timeout(180)


def is_closed(home: Path) -> bool:
    """Whether the program says that the option's day is over."""
    (only,) = [row for row in status(home)["symbols"] if row["symbol"] == SYMBOL]
    return bool(only["freshness"] == "closed")


def minutes_of_the_day(home: Path) -> int:
    """How many one-minute candles of the day the program has."""
    told = json.loads(ask(home, f"/api/v1/candles/{quote(SYMBOL)}/1"))["candles"]
    return sum(candle["start_ms"] * 1_000_000 >= MIDNIGHT_NS for candle in told)


def test_candles_of_an_option_end_at_fifteen_forty(tmp_path: Path) -> None:
    exchange_home, home = tmp_path / "exchange", tmp_path / "demo"
    exchange_home.mkdir()
    home.mkdir()
    outputs = home / "out.jsonl"
    with exchange(exchange_home, "--speed", "30", "--start", "2026-11-20T15:35") as (_, url):
        options = ("--exchange", url, "--symbols", CALL, "--no-browser", "--port", "0")
        with program(home, "demo", *options, "--outputs", str(outputs)) as demo:
            demo.line_with("are fresh")
            assert eventually(lambda: is_closed(home))
            assert eventually(lambda: minutes_of_the_day(home) == 385)
            # the last minute is confirmed a little after its end, or left unconfirmed after 5 s
            settled_ns = parse_iso_ns("2026-11-20T15:40:10+05:30")
            assert eventually(lambda: bool(fetch(f"{url}/_emu/clock")["now_ns"] > settled_ns))
    written: list[dict[str, Any]] = [json.loads(line) for line in outputs.open()]
    candles = {
        output["candle"]["start_ns"]: output["candle"]
        for output in written
        if output["type"] == "candle"
        and (output["candle"]["symbol"], output["candle"]["minutes"]) == (SYMBOL, 1)
        and output["candle"]["start_ns"] >= MIDNIGHT_NS
    }
    last = candles[max(candles)]
    assert iso_ist(last["start_ns"]) == "2026-11-20T15:39:00+05:30"
    assert (last["state"], last["confirmed"]) == ("final", True)
    assert last["open_interest"] > 0
    assert len(candles) == 385
