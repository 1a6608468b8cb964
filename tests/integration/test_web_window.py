"""The window as programs read it: rupees, Indian time, and the metrics computed again from it."""

import asyncio
import csv
import io
import json
import math
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.market_stage import OPEN
from tests.market_stage import instrument as share
from tests.metric_stage import MetricStage
from tests.oracles.metrics import S, Told, Update
from tests.web_stage import CLI_TOKEN, Answer, SmallMarket, Stage, instrument, running
from ticktick.cli import commands
from ticktick.domain.instrument import Kind
from ticktick.running import Running, announce

UPDATES = [
    Update(
        OPEN + i * S,
        141_250 + 5 * (i % 7),
        OPEN + i * S,
        1_000 + 3 * i,
        [141_250 + 5 * (i % 5), 141_200],
        [10 + i % 9, 100],
        [141_280 + 5 * (i % 3), 141_400],
        [20 + i % 11, 200],
        141_260,
    )
    for i in range(400)
]


def market() -> SmallMarket:
    """A share of which 400 updates were told, and an index."""
    metrics = MetricStage(share(tick_size=5))
    metrics.take_all(UPDATES)
    shown = SmallMarket([instrument("ACME"), instrument("NIFTY", Kind.INDEX)])
    shown.windows["ACME"] = metrics.windows.newest(0)
    shown.windows["NIFTY"] = metrics.windows.newest(0)[-1:]
    return shown


async def answer(symbol: str) -> Answer:
    async with running(Stage(market())) as opened:
        await opened.log_in()
        return await opened.ask("GET", f"/api/v1/window/{symbol}")


async def test_the_metrics_can_be_computed_again_from_the_window() -> None:
    told = (await answer("ACME")).json()
    rows = told["rows"]
    assert (len(rows), told["tick_size"]) == (300, 0.05)
    assert rows[-1]["exchange_time"] == "2026-11-20T09:21:39.000+05:30"
    again = [
        Update(
            row["exchange_ms"] * 1_000_000,
            *(round(row["last_price"] * 100), row["exchange_ms"] * 1_000_000, row["volume"]),
            *([round(row["bid"] * 100)], [row["bid_quantity"]]),
            *([round(row["ask"] * 100)], [row["ask_quantity"]]),
            round(row["average_price"] * 100),
        )
        for row in rows
    ]
    ours = Told(UPDATES, 5).at(400, UPDATES[-1].at_ns)
    theirs = Told(again, 5).at(300, again[-1].at_ns)
    names = ("mid", "spread_ticks", "microprice", "imbalance_1", "ofi", "ofi_60", "tick_return")
    for name in (*names, "trade_sign", "effective_spread", "realised_spread", "vwap_session"):
        assert math.isclose(ours[name], theirs[name], rel_tol=1e-12), name
    last = rows[-1]
    depth = last["bid_quantity_5"], last["ask_quantity_5"]
    assert (depth[0] - depth[1]) / sum(depth) == pytest.approx(ours["imbalance"], rel=1e-12)
    assert [row["volume_delta"] for row in rows] == [3] * 300


async def test_an_index_has_neither_volume_nor_book_in_its_window() -> None:
    (row,) = (await answer("NIFTY")).json()["rows"]
    assert row["volume"] is row["volume_delta"] is row["bid_quantity"] is None
    assert row["last_price"] == 1412.5


async def test_the_window_of_a_symbol_nobody_watches_is_a_sentence() -> None:
    told = await answer("NOBODY")
    assert told.status == 404
    assert "not watched" in told.json()["error"]


async def test_the_command_prints_the_window_in_three_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKTICK_HOME", str(tmp_path))
    async with running(Stage(market())) as opened:
        url = f"http://127.0.0.1:{opened.port}"
        announce(tmp_path / "data" / "server.json", Running(os.getpid(), "DEMO", url, CLI_TOKEN))
        table, lines, sheet = [
            (
                await asyncio.to_thread(CliRunner().invoke, commands, ["window", "acme", *flags])
            ).output
            for flags in ([], ["--json"], ["--csv"])
        ]
    rows = [json.loads(line) for line in lines.splitlines()]
    assert len(rows) == 300
    last = ["09:21:39.000", "1,412.50", "3", "1,412.70", "13", "1,412.80", "23"]
    assert table.splitlines()[-1].split() == last
    read = list(csv.DictReader(io.StringIO(sheet)))
    assert [float(row["last_price"]) for row in read] == [row["last_price"] for row in rows]
    assert [row["exchange_time"] for row in read] == [row["exchange_time"] for row in rows]
