"""Tick metrics at their edges: no quote, no trade, gap, silence, a busy second."""

import math

import pytest

from tests.market_stage import OPEN, Stage, clock, index, instrument, words
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MS
from ticktick.domain.sessions import Phase
from ticktick.market.windows import TRADES


def quote(stage: Stage, at_ns: int, bid: int, ask: int) -> None:
    empty = [0] * 4
    stage.frame(
        at_ns,
        bid_price=[bid, *empty],
        bid_quantity=[10, *empty],
        ask_price=[ask, *empty],
        ask_quantity=[30, *empty],
    )


@pytest.mark.parametrize(("bid", "ask"), [(0, 101), (100, 0), (100, 100), (101, 100), (0, 0)])
def test_given_a_quote_that_does_not_stand_then_mid_and_spread_are_missing(
    bid: int, ask: int
) -> None:
    stage = Stage()
    quote(stage, OPEN, 100, 103)
    assert (stage.metric("mid"), stage.metric("spread")) == (101.5, 3.0)
    quote(stage, OPEN, bid, ask)
    assert math.isnan(stage.metric("mid"))
    assert math.isnan(stage.metric("spread"))


def test_given_one_side_only_then_imbalance_is_one_and_with_none_missing() -> None:
    stage = Stage()
    quote(stage, OPEN, 100, 0)
    assert stage.metric("imbalance") == 1.0
    quote(stage, OPEN, 0, 101)
    assert stage.metric("imbalance") == -1.0
    quote(stage, OPEN, 0, 0)
    assert math.isnan(stage.metric("imbalance"))


def test_given_no_average_of_the_exchange_then_the_days_vwap_is_missing_not_zero() -> None:
    stage = Stage()
    stage.frame(OPEN, last_price=100, last_trade_ns=OPEN, average_price=98)
    assert stage.metric("vwap_session") == 98
    stage.frame(OPEN, last_price=100, last_trade_ns=OPEN, average_price=0)
    assert math.isnan(stage.metric("vwap_session"))
    assert math.isnan(stage.metric("vwap_distance"))


def test_given_pre_open_then_no_quote_stands_until_continuous_trading_begins() -> None:
    stage = Stage(at_ns=clock(9, 10))
    quote(stage, clock(9, 10), 100, 103)
    assert math.isnan(stage.metric("mid"))
    outputs = stage.timer(OPEN)
    assert stage.metric("mid") == 101.5
    assert outputs.touched.tolist() == [0]


def test_given_the_closing_auction_then_mid_is_missing_though_the_feed_says_open() -> None:
    stage = Stage(instrument(has_closing_auction=True), at_ns=clock(15, 14))
    stage.process(words(clock(15, 14), NSE_EQ=Phase.CONTINUOUS))
    quote(stage, clock(15, 14, 59), 100, 103)
    stage.timer(clock(15, 15))
    assert math.isnan(stage.metric("mid"))
    assert stage.market.phases == {"NSE_EQ": Phase.AUCTION}
    assert stage.market.phase_sources == {"NSE_EQ": "calendar"}


def test_given_an_index_then_all_that_needs_volume_or_depth_is_missing() -> None:
    stage = Stage(index())
    for second in range(3):
        at_ns = OPEN + second
        stage.frame(at_ns, "NIFTY", last_price=100 + second, last_trade_ns=at_ns, average_price=99)
    for name in ("mid", "spread", "imbalance", "vwap", "vwap_session", "vwap_distance"):
        assert math.isnan(stage.metric(name, "NIFTY")), name
    assert stage.metric("tick_return", "NIFTY") == pytest.approx(102 / 101 - 1)


def test_given_an_update_without_trade_then_the_return_of_the_last_trade_stands() -> None:
    stage = Stage()
    stage.begin(price=100)
    assert math.isnan(stage.metric("tick_return"))
    stage.trade(OPEN + 1, 110)
    stage.frame(OPEN + 2, bid_price=[109, 0, 0, 0, 0])
    assert stage.metric("tick_return") == pytest.approx(0.1)


def test_given_nothing_traded_before_then_the_first_trade_has_no_return() -> None:
    stage = Stage()
    stage.frame(OPEN, bid_price=[109, 0, 0, 0, 0])
    stage.frame(OPEN + 1, last_price=110, last_trade_ns=OPEN + 1, volume=5)
    assert math.isnan(stage.metric("tick_return"))
    assert stage.metric("vwap") == 110.0
    assert stage.counter("trades") == 1


def test_given_silence_then_vwap_expires_with_time_alone() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 10), 101, 10)
    stage.trade(clock(9, 15, 20), 107, 20)
    assert stage.metric("vwap") == 105.0
    assert stage.timer(clock(9, 20, 9)).touched.tolist() == [0]  # stale by now
    assert stage.timer(clock(9, 20, 10)).touched.tolist() == [0]
    assert stage.metric("vwap") == 107.0
    stage.timer(clock(9, 20, 20))
    assert math.isnan(stage.metric("vwap"))
    assert stage.timer(clock(9, 20, 21)).touched.tolist() == []


def test_given_a_volume_that_fell_then_two_rising_updates_are_believed_not_one() -> None:
    stage = Stage()
    stage.begin()
    stage.frame(OPEN + 1, last_price=101, last_trade_ns=OPEN + 1, volume=900)
    stage.frame(OPEN + 2, last_price=102, last_trade_ns=OPEN + 1, volume=900)
    assert stage.counter("trades") == 0
    stage.frame(OPEN + 3, last_price=103, last_trade_ns=OPEN + 3, volume=907)
    assert (stage.counter("trades"), stage.metric("vwap")) == (1, 103.0)
    stage.frame(OPEN + 4, last_price=104, last_trade_ns=OPEN + 4, volume=908)
    assert stage.counter("trades") == 2
    assert stage.counter("volume_falls") == 3


def test_given_a_volume_beyond_any_market_then_it_weighs_nothing_and_trading_goes_on() -> None:
    stage = Stage()
    stage.begin()
    stage.frame(OPEN + 1, last_price=101, last_trade_ns=OPEN + 1, volume=2**53)
    assert stage.counter("trades") == 0
    stage.frame(OPEN + 2, last_price=103, last_trade_ns=OPEN + 2, volume=1010)
    assert (stage.counter("trades"), stage.metric("vwap")) == (1, 103.0)
    assert stage.counter("volume_falls") == 1


def test_given_a_first_volume_beyond_any_market_then_two_true_ones_are_believed() -> None:
    stage = Stage()
    stage.frame(OPEN, last_price=100, last_trade_ns=OPEN, volume=2**53)
    for second, volume in ((1, 1000), (2, 1004)):
        stage.frame(OPEN + second, last_price=101, last_trade_ns=OPEN + second, volume=volume)
    forming = stage.market.forming("ACME", 1)
    assert forming is not None
    assert forming.volume == 4


def test_given_old_updates_out_of_order_then_their_lower_volume_never_counts_twice() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(OPEN + 10, 101, 50)
    for volume, trade_ns in ((1010, OPEN + 2), (1020, OPEN + 4)):
        stage.frame(OPEN + 11, last_price=99, last_trade_ns=trade_ns, volume=volume)
    stage.frame(OPEN + 12, last_price=102, last_trade_ns=OPEN + 12, volume=1060)
    forming = stage.market.forming("ACME", 1)
    assert forming is not None
    assert (forming.volume, forming.low) == (60, 101)


def test_given_a_fallen_volume_then_an_older_update_does_not_confirm_it() -> None:
    stage = Stage()
    stage.begin(OPEN + 5)
    stage.frame(OPEN + 6, last_price=101, last_trade_ns=OPEN + 6, volume=900)
    stage.frame(OPEN + 7, last_price=102, last_trade_ns=OPEN + 3, volume=950)
    assert stage.counter("trades") == 0


def test_given_a_volume_that_recovered_then_a_later_fall_is_a_first_one_again() -> None:
    stage = Stage()
    stage.begin()
    for second, volume in ((1, 900), (2, 1000), (3, 905)):
        stage.frame(OPEN + second, last_price=101, last_trade_ns=OPEN + second, volume=volume)
    assert stage.counter("trades") == 0


def test_given_a_trade_told_late_then_updates_older_than_the_newest_trade_stay_doubtful() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(OPEN + 10, 101)
    stage.frame(OPEN + 11, last_price=102, last_trade_ns=OPEN + 5, volume=1020)
    for volume, trade_ns in ((1012, OPEN + 7), (1014, OPEN + 8)):
        stage.frame(OPEN + 12, last_price=99, last_trade_ns=trade_ns, volume=volume)
    assert stage.counter("trades") == 2


def test_given_a_new_day_that_begins_above_the_old_volume_then_all_of_it_is_new() -> None:
    stage = Stage()
    stage.begin()
    monday = clock(9, 15, 1) + 3 * NS_PER_DAY
    stage.frame(monday, last_price=105, last_trade_ns=monday, volume=1025)
    forming = stage.market.forming("ACME", 1)
    assert forming is not None
    assert forming.volume == 1025


def test_given_a_new_day_then_volume_counts_from_zero() -> None:
    stage = Stage()
    stage.begin()
    monday = clock(9, 15, 1) + 3 * NS_PER_DAY
    stage.frame(monday - 1, volume=0)
    assert stage.counter("volume_falls") == 1
    stage.frame(monday, last_price=105, last_trade_ns=monday, volume=40)
    forming = stage.market.forming("ACME", 1)
    assert forming is not None
    assert forming.volume == 40


def test_given_more_trades_than_the_window_holds_then_the_vwap_stays_exact() -> None:
    stage = Stage()
    stage.begin()
    value = volume = 0
    for i in range(TRADES + 50):
        price = 100 + i % 7
        stage.trade(OPEN + i * NS_PER_MS, price, 1 + i % 3)
        value += price * (1 + i % 3)
        volume += 1 + i % 3
    assert stage.metric("vwap") == pytest.approx(value / volume, rel=1e-12)
    stage.timer(OPEN + 300_000 * NS_PER_MS + (TRADES + 10) * NS_PER_MS)
    assert not math.isnan(stage.metric("vwap"))
    stage.timer(clock(9, 20, 10))
    assert math.isnan(stage.metric("vwap"))
