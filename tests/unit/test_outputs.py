"""The output log: one JSON object a line, the same bytes every time."""

import json
from pathlib import Path

import pytest

from tests.store_stage import OPEN_MS, OPEN_NS, SmallMarket, candle, candles_changed, facts_only
from ticktick.domain.event import FeedChanged, Noticed
from ticktick.domain.metric import METRICS
from ticktick.engine.ports import Outputs
from ticktick.errors import StoreError
from ticktick.store.outputs import OutputLog


def written(path: Path, market: SmallMarket, outputs: list[Outputs]) -> bytes:
    log = OutputLog(path, market)
    for one in outputs:
        log.take(one)
    log.close()
    return path.read_bytes()


def lines(data: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in data.splitlines()]


def test_a_touched_row_is_a_line_in_price_units_with_null_for_the_unknown(tmp_path: Path) -> None:
    market = SmallMarket()
    outputs = market.trade(141_255, OPEN_MS, mid=141_252.5)
    first, second = lines(written(tmp_path / "a", market, [outputs]))
    assert first["type"] == "instruments"
    assert first["instruments"][0]["price_scale"] == 100  # type: ignore[index]
    assert second == {
        "type": "metrics",
        "at_ns": OPEN_NS,
        "symbol": "RELIANCE",
        "exchange_ns": OPEN_NS,
        "received_ns": OPEN_NS + 20 * 10**6,
        "seq": 0,
        "freshness": "fresh",
        "last_price": 141_255,
        **dict.fromkeys(metric.name for metric in METRICS),
        "mid": 141_252.5,
    }


def test_a_price_and_a_time_nobody_told_are_null(tmp_path: Path) -> None:
    market = SmallMarket()
    line = lines(written(tmp_path / "a", market, [market.trade(0, 0)]))[1]
    assert line["last_price"] is None
    assert line["exchange_ns"] is None


def test_facts_are_written_as_they_are_in_their_order(tmp_path: Path) -> None:
    market = SmallMarket()
    feed = FeedChanged(OPEN_NS, up=False, reason="silent")
    found = lines(
        written(
            tmp_path / "a",
            market,
            [candles_changed([candle()]), facts_only(feed, Noticed(OPEN_NS, "info", "hello"))],
        )
    )
    assert [line["type"] for line in found] == ["instruments", "candle", "feed", "notice"]
    assert found[1]["candle"]["close"] == 141_255  # type: ignore[index]
    assert found[2] == {
        "type": "feed",
        "at_ns": OPEN_NS,
        "up": False,
        "reason": "silent",
        "cause": "",
    }


def test_instruments_come_once_and_again_when_they_change(tmp_path: Path) -> None:
    market = SmallMarket()
    log = OutputLog(tmp_path / "a", market)
    log.take(market.trade(1, OPEN_MS))
    log.take(market.trade(2, OPEN_MS))
    market.table.add(SmallMarket(["TCS"]).table.instruments)
    log.take(market.trade(3, OPEN_MS, "TCS"))
    log.close()
    types = [line["type"] for line in lines((tmp_path / "a").read_bytes())]
    assert types == ["instruments", "metrics", "metrics", "instruments", "metrics"]


def test_the_same_outputs_are_the_same_bytes(tmp_path: Path) -> None:
    def run(name: str) -> bytes:
        market = SmallMarket()
        log = OutputLog(tmp_path / name, market)
        for i in range(50):
            log.take(market.trade(100_000 + i, OPEN_MS + i, mid=100_000 + i / 3, vwap=i * 0.1))
        log.close()
        return (tmp_path / name).read_bytes()

    assert run("a") == run("b")


def test_a_file_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot write .*nowhere/a: No such file"):
        OutputLog(tmp_path / "nowhere" / "a", SmallMarket())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_disturbs_nobody_until_the_end() -> None:
    market = SmallMarket()
    log = OutputLog(Path("/dev/full"), market)
    for i in range(20_000):
        log.take(market.trade(100_000 + i, OPEN_MS + i))
    assert "No space left" in log.trouble
    with pytest.raises(StoreError, match="No space left"):
        log.close()
