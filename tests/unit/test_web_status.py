"""What the API says: rupees, ages in market time, null where nothing is known."""

import numpy as np
import pytest

from tests.web_stage import MORNING_NS, SmallMarket, Stage, candle, instrument
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MS
from ticktick.domain.instrument import Kind
from ticktick.domain.market import CandleState, Freshness
from ticktick.domain.metric import METRICS
from ticktick.domain.sessions import Phase
from ticktick.engine.ports import Outputs
from ticktick.web.bodies import SymbolStatus
from ticktick.web.status import (
    candle_answer,
    candle_row,
    extra_rows,
    feed_state,
    symbol_answer,
    symbol_statuses,
    watched_rows,
)

NOW_MS = MORNING_NS // NS_PER_MS


def test_a_symbol_never_heard_of_is_null_and_never_zero() -> None:
    (status,) = symbol_statuses(SmallMarket([instrument("RELIANCE")]), [0], NOW_MS)
    known = {"symbol", "name", "freshness", "phase", "bids", "asks", "warm"}
    assert set(status.model_dump(exclude=known).values()) == {None}
    assert not status.warm
    assert (status.bids, status.asks) == ([], [])
    assert status.freshness is Freshness.UNKNOWN


def test_P01_a_price_comes_with_its_times_its_frame_and_its_freshness() -> None:
    market = SmallMarket([instrument("ITC")])
    market.trade("ITC", 40_000)
    market.table.records["received_ns"] = MORNING_NS + 7 * NS_PER_MS
    market.table.records["seq"] = 12
    (status,) = symbol_statuses(market, [0], NOW_MS)
    assert (status.last_price, status.exchange_ms) == (400, NOW_MS)
    assert (status.received_ms, status.seq) == (NOW_MS + 7, 12)
    assert status.freshness is market.freshness[0]


def test_prices_are_rupees_whatever_the_price_unit() -> None:
    market = SmallMarket([instrument("RELIANCE"), instrument("USDINR", price_scale=10_000)])
    for symbol, price, previous in (("RELIANCE", 140_005, 140_000), ("USDINR", 845_675, 840_000)):
        market.trade(symbol, price)
        market.table.records["previous_close"][market.table.row_of_symbol[symbol]] = previous
    shares, currency = symbol_statuses(market, watched_rows(market), NOW_MS)
    assert (shares.last_price, shares.change, shares.bid) == (1400.05, 0.05, 1400)
    assert shares.change_fraction == pytest.approx(5 / 140_000)
    assert (currency.last_price, currency.change) == (84.5675, 0.5675)
    told = shares.model_dump()
    assert (told["mid"], told["spread"], told["imbalance"]) == (1400.05, 0.1, 0.25)


def test_every_metric_is_told_in_its_unit_and_named_in_the_schema() -> None:
    market = SmallMarket([instrument("USDINR", price_scale=10_000)])
    for value, metric in enumerate(METRICS, start=7):
        market.metrics[value - 7, 0] = {"word": 2, "claim": 1}.get(metric.unit, value)
    (status,) = symbol_statuses(market, [0], NOW_MS)
    told = status.model_dump()
    for value, metric in enumerate(METRICS, start=7):
        match metric.unit:
            case "price":
                assert told[metric.name] == value / 10_000
            case "word":
                assert told[metric.name] == metric.words[2]
            case "claim":
                assert told[metric.name] is True
            case _:
                assert told[metric.name] == value
        assert metric.name in SymbolStatus.model_json_schema()["properties"]


def test_an_index_has_no_volume_rather_than_none_traded() -> None:
    market = SmallMarket([instrument("NIFTY 50", Kind.INDEX), instrument("ITC")])
    market.trade("NIFTY 50", 2_600_000)
    market.trade("ITC", 40_000)
    told = symbol_statuses(market, watched_rows(market), NOW_MS)
    assert [status.volume for status in told] == [None, 10]


def test_P01_a_symbol_is_told_with_its_times_its_place_and_its_freshness() -> None:
    market = SmallMarket([instrument("ITC")])
    market.trade("ITC", 40_000)
    market.table.records["received_ns"], market.table.records["seq"] = MORNING_NS + 10**6, 7
    market.warm[0] = True
    (told,) = symbol_statuses(market, [0], NOW_MS)
    assert (told.exchange_ms, told.received_ms, told.seq) == (NOW_MS, NOW_MS + 1, 7)
    assert (told.freshness, told.warm, told.phase) == (Freshness.FRESH, True, Phase.CONTINUOUS)


def test_F44_without_a_trade_today_nothing_of_another_day_is_told_as_todays() -> None:
    market = SmallMarket([instrument("ITC")])
    market.trade("ITC", 40_000)
    record = market.table.records[0]
    record["day_high"], record["day_low"] = 41_000, 39_000
    record["last_trade_ns"] = MORNING_NS - NS_PER_DAY
    (told,) = symbol_statuses(market, [0], NOW_MS)
    assert told.last_price == 400.0
    assert told.last_trade_ms == NOW_MS - NS_PER_DAY // NS_PER_MS
    assert (told.volume, told.day_high, told.day_low) == (None, None, None)
    record["volume"] = 0
    (told,) = symbol_statuses(market, [0], NOW_MS)
    assert told.volume == 0


def test_the_age_is_told_in_market_time_and_never_negative() -> None:
    market = SmallMarket([instrument("ITC")])
    market.trade("ITC", 40_000)
    ages = [symbol_statuses(market, [0], NOW_MS + late)[0].age_ms for late in (-50, 0, 1500)]
    assert ages == [0, 0, 1500]


def test_the_feed_counts_only_fresh_symbols_and_the_freshest_index_is_the_canary() -> None:
    indices = [instrument("NIFTY 50", Kind.INDEX), instrument("INDIA VIX", Kind.INDEX)]
    market = SmallMarket([instrument("ITC"), *indices])
    assert feed_state(market, NOW_MS).canary_age_ms is None
    assert feed_state(market, NOW_MS).last_frame_ms is None
    market.trade("NIFTY 50", 2_600_000, MORNING_NS - 3_000 * NS_PER_MS)
    market.trade("INDIA VIX", 1_200, MORNING_NS - 1_000 * NS_PER_MS)
    market.freshness[1] = Freshness.QUIET
    feed = feed_state(market, NOW_MS)
    assert (feed.fresh, feed.total, feed.canary_age_ms) == (1, 3, 1000)
    assert feed.last_frame_ms == NOW_MS - 1000


def test_a_market_without_symbols_has_a_state_too() -> None:
    feed = feed_state(SmallMarket([]), NOW_MS)
    assert (feed.fresh, feed.total, feed.canary_age_ms) == (0, 0, None)


def test_candles_and_tick_sizes_are_rupees() -> None:
    answer = candle_answer(candle(close=140_005), instrument("RELIANCE"))
    assert (answer.close, answer.volume, answer.state) == (1400.05, 10, "final")
    assert symbol_answer(instrument("RELIANCE")).tick_size == 0.05


def test_a_missing_candle_has_neither_prices_nor_volume_on_any_way_out() -> None:
    missing = candle(close=0, state=CandleState.MISSING)
    row, answer = candle_row(missing), candle_answer(missing, instrument("RELIANCE"))
    for told in (row, answer):
        values = [told.open, told.high, told.low, told.close, told.volume]
        assert values == [None] * 5
        assert told.state is CandleState.MISSING
    assert row.start_ms == answer.start_ms == NOW_MS


def test_counters_of_engine_surroundings_and_browsers_are_in_one_status() -> None:
    counters = Stage().overview.status().counters
    assert counters["frames"] == 0
    assert counters["reconnects"] == 2
    assert counters["client_conflated_total"] == 0


def test_an_index_that_is_only_followed_is_no_symbol_of_the_list() -> None:
    market = SmallMarket([instrument("RELIANCE"), instrument("NIFTY", kind=Kind.INDEX)])
    market.extras = {"NIFTY"}
    market.freshness[0] = Freshness.FRESH
    assert (watched_rows(market), extra_rows(market)) == ([0], [1])
    feed = feed_state(market, NOW_MS)
    assert (feed.fresh, feed.total) == (1, 1)


def test_P04_an_engine_that_lags_calls_nothing_fresh() -> None:
    stage = Stage()
    stage.market.trade("RELIANCE", 140_000)
    row = stage.market.table.row_of_symbol["RELIANCE"]
    stage.market.freshness[row] = Freshness.FRESH
    stage.hub.take(Outputs(stage.now_ns, np.array([row], np.int32), ()))

    def told() -> tuple[Freshness, int, str]:
        answer = stage.overview.answer()
        fresh = next(s.freshness for s in answer.symbols if s.symbol == "RELIANCE")
        return fresh, answer.feed.fresh, answer.feed.reason

    assert told()[:2] == (Freshness.FRESH, 1)
    stage.now_ns += 5_000 * NS_PER_MS
    assert told()[:2] == (Freshness.FRESH, 1)
    stage.now_ns += 2_000 * NS_PER_MS
    freshness, count, reason = told()
    assert (freshness, count) == (Freshness.STALE, 0)
    assert "7 s of market time behind" in reason
    stage.hub.take(Outputs(stage.now_ns, np.array([row], np.int32), ()))
    assert told()[:2] == (Freshness.FRESH, 1)
