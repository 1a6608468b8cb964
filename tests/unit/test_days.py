"""A day ends and another begins: nothing of the one is taken for the other."""

import math
from typing import Any

import pytest

from tests.market_stage import LiveStage, Stage, candle, clock, frame, instrument
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, NS_PER_S
from ticktick.domain.event import Event, InstrumentsResolved, TimerFired
from ticktick.engine.ports import Outputs

FRIDAY_END = clock(15, 29, 30)
MONDAY = 3 * NS_PER_DAY
MONDAY_OPEN = clock(9, 15) + MONDAY


class NoMidnight(Stage):
    """A broken clock: it always tells the time of Friday, whatever the event."""

    def process(self, event: Event) -> Outputs:
        """Let timers of another day fire on Friday."""
        if isinstance(event, TimerFired) and event.at_ns > clock(23):
            return super().process(TimerFired(FRIDAY_END))
        return super().process(event)


def traded_on_friday(stage: Stage, **columns: Any) -> None:
    stage.begin(FRIDAY_END - 2 * NS_PER_S)
    stage.trade(FRIDAY_END - NS_PER_S, 101)
    stage.frame(
        FRIDAY_END,
        last_price=102,
        last_trade_ns=FRIDAY_END,
        volume=1020,
        average_price=99,
        **columns,
    )


def test_P09_given_a_new_day_then_no_metric_of_the_day_before_is_published() -> None:
    def check(kind: type[Stage]) -> None:
        stage = kind(at_ns=FRIDAY_END - 2 * NS_PER_S)
        traded_on_friday(stage)
        assert stage.metric("vwap") == 101.5
        outputs = stage.timer(clock(0) + MONDAY)
        assert outputs.touched.tolist() == [0]
        assert all(math.isnan(value) for value in stage.market.metrics[:, 0])
        assert len(stage.market.window("ACME")) == 0

    check(Stage)
    with pytest.raises(AssertionError):
        check(NoMidnight)


def test_F45_given_a_split_over_night_then_no_return_spans_it() -> None:
    stage = Stage(at_ns=FRIDAY_END - 2 * NS_PER_S)
    traded_on_friday(stage)
    stage.timer(clock(0) + MONDAY)
    told = {"last_price": 21, "last_trade_ns": MONDAY_OPEN, "volume": 50, "average_price": 21}
    stage.process(frame(MONDAY_OPEN, {"ACME": told}))
    assert math.isnan(stage.metric("tick_return"))
    assert stage.metric("vwap") == 21.0
    at_ns = MONDAY_OPEN + NS_PER_S
    stage.frame(at_ns, last_price=22, last_trade_ns=at_ns, volume=60)
    assert stage.metric("tick_return") == pytest.approx(22 / 21 - 1)


def test_F45_given_history_told_at_another_level_then_it_takes_the_old_ones_place() -> None:
    stage = LiveStage(at_ns=clock(9, 30), up=False)
    old = [candle(clock(9, 15 + i) - NS_PER_DAY, 500) for i in range(10)]
    told = clock(0) - NS_PER_DAY, clock(0)
    stage.history(clock(9, 30), *old, told=told)
    split = [candle(c.start_ns, 100, volume=50) for c in old]
    stage.history(clock(9, 31), *split, told=told)
    for minutes in (1, 5):
        found = stage.market.candles("ACME", minutes)
        assert {(c.close, c.revision) for c in found} == {(100, 1)}


def test_F45_given_a_restated_symbol_then_its_row_knows_nothing_until_it_is_told() -> None:
    stage = LiveStage(at_ns=FRIDAY_END - 2 * NS_PER_S)
    traded_on_friday(stage)
    stage.history(FRIDAY_END, candle(clock(15, 0), 500))
    key = instrument(instrument_key="NSE_EQ|AFTER")
    event = InstrumentsResolved(MONDAY_OPEN, (key,), restated=("ACME",))
    stage.process(event)
    assert tuple(stage.market.candles("ACME", 1)) == ()
    assert stage.market.table.records["last_price"][0] == 0
    assert stage.market.table.row_of_key == {"NSE_EQ|AFTER": 0}
    assert stage.market.wishes.untold == ("ACME",)


def test_F44_given_no_trade_today_then_nothing_of_yesterday_is_measured_as_todays() -> None:
    stage = Stage(at_ns=MONDAY_OPEN)
    book = [95, 0, 0, 0, 0]
    stage.frame(
        MONDAY_OPEN,
        last_price=100,
        last_trade_ns=FRIDAY_END,
        volume=5000,
        average_price=99,
        bid_price=book,
        bid_quantity=book,
    )
    for name in ("vwap_session", "vwap_distance", "vwap", "tick_return", "mid", "spread"):
        assert math.isnan(stage.metric(name)), name
    assert stage.metric("imbalance") == 1.0  # locked at the upper circuit: bids alone
    assert stage.counter("trades") == 0
    assert not stage.market.table.traded_today(stage.frame(MONDAY_OPEN + 1).touched)[0]
    stage.timer(MONDAY_OPEN + NS_PER_MINUTE)
    assert tuple(stage.market.candles("ACME", 1)) == ()


def test_P09_given_a_gap_or_a_new_day_then_the_windows_are_warm_only_when_full_again() -> None:
    stage = LiveStage()
    start = clock(9, 15)
    stage.begin(start)
    assert not stage.market.warm[0]
    stage.timer(start + 299 * NS_PER_S)
    assert not stage.market.warm[0]
    outputs = stage.timer(start + 300 * NS_PER_S)
    assert stage.market.warm[0]
    assert 0 in outputs.touched.tolist()
    stage.link(start + 310 * NS_PER_S, up=False)
    stage.link(start + 320 * NS_PER_S, up=True)
    assert not stage.market.warm[0]
    stage.begin(start + 330 * NS_PER_S)
    stage.timer(start + 629 * NS_PER_S)
    assert not stage.market.warm[0]
    stage.timer(start + 630 * NS_PER_S)
    assert stage.market.warm[0]
    stage.link(start + 640 * NS_PER_S, up=False)
    stage.timer(clock(1) + NS_PER_DAY)
    assert not stage.market.warm[0]


def test_P08_given_a_new_day_then_the_band_of_the_day_before_binds_nothing() -> None:
    stage = Stage(at_ns=FRIDAY_END - 2 * NS_PER_S)
    traded_on_friday(stage)
    stage.band(FRIDAY_END, 90, 110)
    stage.frame(MONDAY_OPEN, last_price=120, last_trade_ns=MONDAY_OPEN, volume=10)
    assert stage.counter("rejected_band") == 0
    assert stage.market.table.records["last_price"][0] == 120


def test_P08_given_a_band_told_before_the_first_frame_then_it_holds_until_the_day_ends() -> None:
    stage = Stage(at_ns=FRIDAY_END)
    stage.band(FRIDAY_END, 90, 110)
    stage.frame(FRIDAY_END, last_price=120, last_trade_ns=FRIDAY_END, volume=5)
    assert stage.counter("rejected_band") == 1
    stage.timer(clock(0) + MONDAY)
    stage.frame(MONDAY_OPEN, last_price=120, last_trade_ns=MONDAY_OPEN, volume=5)
    assert stage.counter("rejected_band") == 1
    assert stage.market.table.records["last_price"][0] == 120
