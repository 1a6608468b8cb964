"""The list changes while the market runs: who comes, who goes, and whose past becomes void."""

import math

import numpy as np
import pytest

from tests.market_stage import (
    OPEN,
    Stage,
    candle,
    changed_candles,
    clock,
    index,
    instrument,
)
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, NS_PER_S
from ticktick.domain.event import (
    FreshnessChanged,
    InstrumentsResolved,
    Noticed,
    WatchlistChanged,
)
from ticktick.domain.instrument import Instrument
from ticktick.domain.market import CandleState, Freshness
from ticktick.domain.metric import METRICS

ACME, BOLT, NIFTY = instrument(), instrument("BOLT"), index()
SPLIT = instrument(instrument_key="NSE_EQ|ACME-NEW")


def resolved(
    at_ns: int, *instruments: Instrument, restated: tuple[str, ...] = ()
) -> InstrumentsResolved:
    return InstrumentsResolved(at_ns, instruments, restated=restated)


def changes(stage: Stage) -> list[WatchlistChanged]:
    return [fact for fact in stage.facts if isinstance(fact, WatchlistChanged)]


def busy(*instruments: Instrument) -> Stage:
    """A stage after some trades of every instrument and the first closed minute."""
    stage = Stage(*instruments)
    for one in instruments:
        stage.begin(OPEN, one.symbol)
        stage.trade(OPEN + NS_PER_S, 101, symbol=one.symbol)
        stage.trade(OPEN + 2 * NS_PER_S, 102, symbol=one.symbol)
    stage.timer(OPEN + 63 * NS_PER_S)
    return stage


def test_the_first_list_tells_who_is_followed() -> None:
    assert changes(Stage(ACME, NIFTY)) == [
        WatchlistChanged(OPEN, ("ACME", "NIFTY"), added=("ACME", "NIFTY"))
    ]


def test_the_same_list_again_tells_nothing_and_forgets_nothing() -> None:
    stage = busy(ACME)
    stage.process(resolved(OPEN + 64 * NS_PER_S, ACME))
    assert len(changes(stage)) == 1
    assert stage.metric("tick_return") > 0
    assert len(stage.market.candles("ACME", 1)) == 1


def test_a_symbol_that_is_added_gets_a_row_and_the_others_keep_theirs_and_all_they_know() -> None:
    stage = busy(ACME)
    outputs = stage.process(resolved(OPEN + 64 * NS_PER_S, ACME, BOLT))
    assert outputs.touched.tolist() == [0, 1]
    assert changes(stage)[-1].added == ("BOLT",)
    assert stage.market.table.followed == [0, 1]
    assert stage.metric("tick_return") > 0
    assert stage.freshness("BOLT") is Freshness.UNKNOWN
    stage.begin(OPEN + 65 * NS_PER_S, "BOLT")
    assert stage.freshness("BOLT") is Freshness.FRESH


def test_a_symbol_that_is_removed_is_known_to_nobody_and_judged_no_more() -> None:
    stage = busy(ACME, BOLT)
    stage.process(resolved(OPEN + 64 * NS_PER_S, BOLT))
    market = stage.market
    assert changes(stage)[-1].removed == ("ACME",)
    assert (market.table.followed, list(market.table.row_of_symbol)) == ([1], ["BOLT"])
    assert list(market.table.row_of_key) == ["NSE_EQ|BOLT"]
    assert market.candles("ACME", 1) == ()
    assert market.forming("ACME", 1) is None
    assert np.isnan(market.metrics[:, 0]).all()
    assert int(market.table.records["last_price"][0]) == 0
    before = len(stage.facts)
    stage.frame(OPEN + 70 * NS_PER_S, "ACME", last_price=500)
    stage.trade(OPEN + 71 * NS_PER_S, 103, symbol="BOLT")
    stage.timer(OPEN + 200 * NS_PER_S)
    told = [f for f in stage.facts[before:] if isinstance(f, FreshnessChanged)]
    assert {fact.symbol for fact in told} == {"BOLT"}
    assert market.table.left_keys == {"NSE_EQ|ACME"}
    assert stage.history(OPEN + 201 * NS_PER_S, candle(OPEN)).facts == ()


def test_a_symbol_that_comes_back_has_its_row_again_and_nothing_of_its_past() -> None:
    stage = busy(ACME, BOLT)
    stage.process(resolved(OPEN + 64 * NS_PER_S, BOLT))
    stage.process(resolved(OPEN + 65 * NS_PER_S, BOLT, ACME))
    assert stage.market.table.followed == [1, 0]
    assert stage.freshness() is Freshness.UNKNOWN
    assert tuple(stage.market.candles("ACME", 1)) == ()
    assert math.isnan(stage.metric("tick_return"))
    stage.begin(OPEN + 66 * NS_PER_S, price=300)
    assert math.isnan(stage.metric("tick_return"))
    stage.trade(OPEN + 67 * NS_PER_S, 303)
    assert stage.metric("tick_return") == pytest.approx(0.01)


def test_two_symbols_may_exchange_their_keys() -> None:
    stage = busy(ACME, BOLT)
    swapped = (
        instrument(instrument_key="NSE_EQ|BOLT"),
        instrument("BOLT", instrument_key="NSE_EQ|ACME"),
    )
    stage.process(resolved(OPEN + 64 * NS_PER_S, *swapped, restated=("ACME", "BOLT")))
    assert stage.market.table.row_of_key == {"NSE_EQ|BOLT": 0, "NSE_EQ|ACME": 1}
    assert stage.market.table.left_keys == set()


def split_over_night(restated: tuple[str, ...]) -> Stage:
    """One share becomes five: 500 on the day before, 101 at the open of the next."""
    stage = Stage(ACME, at_ns=OPEN)
    stage.begin(OPEN, price=500)
    for days in (2, 1):
        start_ns = OPEN - days * NS_PER_DAY
        stage.history(OPEN, *(candle(start_ns + i * NS_PER_MINUTE, 500) for i in range(60)))
    stage.trade(OPEN + NS_PER_S, 501)
    stage.timer(clock(15, 31))
    stage.process(resolved(OPEN + 21 * 3600 * NS_PER_S, SPLIT, restated=restated))
    next_open = OPEN + 3 * NS_PER_DAY
    stage.history(
        next_open - NS_PER_S,
        *(candle(OPEN - NS_PER_DAY + i * NS_PER_MINUTE, 100, volume=50) for i in range(60)),
        candle(OPEN, 100, volume=50),
    )
    stage.frame(next_open, last_price=101, last_trade_ns=next_open, volume=0, previous_close=100)
    return stage


def check_the_split_is_seamless(stage: Stage) -> None:
    """Nothing of the old price is left beside the new one, and no return spans the change."""
    assert math.isnan(stage.metric("tick_return"))
    closes = {one.close for minutes in (1, 5, 60) for one in stage.market.candles("ACME", minutes)}
    assert closes == {100}
    assert len(stage.market.window("ACME")) == 1
    assert "NSE_EQ|ACME" not in stage.market.table.row_of_key
    assert stage.freshness() is Freshness.FRESH


def test_F45_after_a_split_the_row_stays_and_everything_of_the_old_price_is_gone() -> None:
    stage = split_over_night(restated=("ACME",))
    check_the_split_is_seamless(stage)
    assert changes(stage)[-1].restated == ("ACME",)
    assert stage.market.table.row_of_symbol == {"ACME": 0}
    assert stage.market.table.instruments[0].instrument_key == "NSE_EQ|ACME-NEW"
    warnings = [f for f in stage.facts if isinstance(f, Noticed) and f.level != "info"]
    assert warnings == []


def test_F45_the_check_fails_where_nobody_says_that_the_past_is_void() -> None:
    with pytest.raises(AssertionError):
        check_the_split_is_seamless(split_over_night(restated=()))


def test_F45_minutes_read_again_after_a_split_are_final_and_make_every_timeframe() -> None:
    stage = split_over_night(restated=("ACME",))
    read_again = [c for c in changed_candles(stage.facts) if c.close == 100]
    assert {c.state for c in read_again} == {CandleState.FINAL}
    for minutes, count in ((1, 61), (5, 13), (60, 2)):
        assert len(stage.market.candles("ACME", minutes)) == count
    assert len(METRICS) == len(stage.market.metrics)
