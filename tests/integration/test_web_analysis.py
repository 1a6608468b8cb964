"""What candles say, as programs read it: indicators in rupees, patterns with their story."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from tests.analytics_stage import walk
from tests.web_stage import SmallMarket, Stage, instrument, running
from ticktick.analytics.bars import bars_of
from ticktick.analytics.indicators import Indicators
from ticktick.domain.event import CandleChanged
from ticktick.domain.market import Candle


class MarketOfCandles(SmallMarket):
    """A market whose closed minutes are given."""

    def __init__(self, candles: Sequence[Candle]) -> None:
        super().__init__([instrument("ACME"), instrument("OTHER")])
        self.minutes = candles

    def candles(self, symbol: str, minutes: int) -> Sequence[Candle]:
        return self.minutes if (symbol, minutes) == ("ACME", 1) else ()

    def forming(self, symbol: str, minutes: int) -> Candle | None:
        return None


def stage_of(candles: Sequence[Candle]) -> Stage:
    stage = Stage(MarketOfCandles(candles))
    stage.now_ns = candles[-1].end_ns
    stage.analysis.hear([CandleChanged(candle.end_ns, candle) for candle in candles])
    stage.analysis.work(stage.now_ns)
    return stage


async def answer(stage: Stage, path: str) -> Any:
    async with running(stage) as opened:
        await opened.log_in()
        told = await opened.ask("GET", path)
        return told.status, told.json()


async def test_indicators_are_told_in_rupees_and_null_where_not_ready() -> None:
    candles = walk(100)
    status, told = await answer(stage_of(candles), "/api/v1/indicators/ACME")
    assert status == 200
    (reading,) = told["readings"]
    expected = Indicators("ACME", 1).seed(bars_of(candles))
    assert expected is not None
    assert reading["timeframe"] == "1m"
    assert reading["sma_20"] == pytest.approx(expected.values["sma_20"] / 100)
    assert reading["rsi_14"] == pytest.approx(expected.values["rsi_14"])
    assert reading["sma_200"] is None
    assert reading["warming"] is True


async def test_patterns_of_the_day_come_newest_first_and_judged() -> None:
    candles = walk(300, 3, step=4.0)
    status, told = await answer(stage_of(candles), "/api/v1/patterns?symbol=ACME")
    assert status == 200
    starts = [pattern["start"] for pattern in told["patterns"]]
    assert starts == sorted(starts, reverse=True)
    assert {pattern["confirmed"] for pattern in told["patterns"]} >= {True, False}
    assert all(pattern["symbol"] == "ACME" for pattern in told["patterns"])
    _, everything = await answer(stage_of(candles), "/api/v1/patterns")
    assert everything["patterns"] == told["patterns"]


async def test_patterns_of_another_day_are_not_todays() -> None:
    candles = walk(300, 3, step=4.0)
    stage = stage_of(candles)
    stage.now_ns += 86_400_000_000_000
    _, told = await answer(stage, "/api/v1/patterns")
    assert told["patterns"] == []


async def test_a_symbol_nobody_watches_is_a_sentence() -> None:
    stage = stage_of(walk(30))
    for path in ("/api/v1/indicators/NOBODY", "/api/v1/patterns?symbol=NOBODY"):
        status, told = await answer(stage, path)
        assert (status, "not watched" in told["error"]) == (404, True)


async def test_a_symbol_without_candles_has_no_reading() -> None:
    candles = [replace(candle, symbol="ACME") for candle in walk(30)]
    _, told = await answer(stage_of(candles), "/api/v1/indicators/OTHER")
    assert told["readings"] == []
