"""The microstructure inside the engine: what it stands on, and what it must not span."""

from typing import Any

import numpy as np
from msgspec.structs import replace

from tests.analytics_stage import walk
from tests.market_stage import OPEN, LiveStage, Stage, clock, index
from ticktick.analytics.microstructure.ranges import amihud, garman_klass, last_bars, parkinson
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S
from ticktick.domain.market import Candle

OF_BARS = ("parkinson", "garman_klass", "amihud")


def minutes_of(count: int, seed: int = 3) -> list[Candle]:
    """Minutes of the stage's day from the open on."""
    shift = OPEN - walk(1)[0].start_ns
    return [replace(c, start_ns=c.start_ns + shift) for c in walk(count, seed)]


def published(stage: Stage, symbol: str = "ACME") -> list[float]:
    return [stage.metric(name, symbol) for name in OF_BARS]


def test_settled_minutes_are_measured_as_they_come() -> None:
    stage = LiveStage(at_ns=clock(10, 0))
    minutes = minutes_of(40)
    stage.history(clock(10, 0), *minutes)
    bars = last_bars(minutes, 0, clock(10, 0))
    assert published(stage) == [parkinson(bars), garman_klass(bars), amihud(bars, 100)]
    assert not np.isnan(published(stage)).any()


def test_a_correction_of_the_broker_is_measured_anew() -> None:
    minutes = minutes_of(40)
    stage = LiveStage(at_ns=clock(10, 0))
    stage.history(clock(10, 0), *minutes)
    before = published(stage)
    wide = minutes[30]
    corrected = replace(wide, high=wide.high + 500)
    outputs = stage.history(clock(10, 1), corrected)
    assert outputs.touched.tolist() == [0]
    assert published(stage)[0] > before[0]


def test_minutes_before_a_gap_of_the_feed_do_not_count() -> None:
    stage = LiveStage(at_ns=clock(9, 50))
    stage.history(clock(9, 50), *minutes_of(35))
    assert not np.isnan(published(stage)).any()
    stage.begin(clock(9, 50))
    stage.link(clock(9, 51), up=False)
    stage.link(clock(9, 53), up=True)
    stage.frame(clock(9, 53, 1), last_price=101, last_trade_ns=clock(9, 53), volume=1010)
    assert np.isnan(published(stage)).all()
    filled = [replace(m, start_ns=clock(9, 50 + n)) for n, m in enumerate(minutes_of(4))]
    stage.history(clock(9, 54), *filled)
    assert not np.isnan(published(stage)).any()


def test_an_index_has_no_minutes_metrics() -> None:
    stage = Stage(index("NIFTY"), at_ns=clock(10, 0))
    minutes = [replace(minute, symbol="NIFTY", volume=0) for minute in minutes_of(40)]
    stage.history(clock(10, 0), *minutes, symbol="NIFTY")
    assert np.isnan(published(stage, "NIFTY")).all()


def test_a_new_day_begins_without_them() -> None:
    stage = Stage(at_ns=clock(10, 0))
    stage.begin(clock(10, 0))
    stage.history(clock(10, 0), *minutes_of(40))
    stage.timer(clock(10, 0) + 24 * 60 * NS_PER_MINUTE)
    assert np.isnan(published(stage)).all()


NAMES = ("liquidity", "volatility", "vwap_cross", "kyle_lambda", *OF_BARS)


def tape(*updates: dict[str, Any]) -> LiveStage:
    """A stage that heard these updates, one each second, with a timer after each."""
    stage = LiveStage()
    for second, columns in enumerate(updates, 1):
        at_ns = OPEN + second * NS_PER_S
        stage.frame(at_ns, **{"last_trade_ns": at_ns, **columns})
        stage.timer(at_ns)
    return stage


def update(price: int = 100_000, volume: int = 1_000, **columns: Any) -> dict[str, Any]:
    """A liquid stock."""
    book = {"bid_price": [price - 5] * 5, "ask_price": [price + 5] * 5}
    sizes = {"bid_quantity": [1_000] * 5, "ask_quantity": [1_000] * 5}
    return {"last_price": price, "volume": volume, **book, **sizes, **columns}


def test_one_update_a_day_says_how_liquid_it_is_and_no_more() -> None:
    stage = tape(update())
    told = {name: stage.metric(name) for name in NAMES if not np.isnan(stage.metric(name))}
    assert told == {"liquidity": 0.0, "volatility": 4.0}


def test_a_stock_locked_at_its_limit_has_no_quote_and_is_extreme() -> None:
    stage = LiveStage()
    locked = update(ask_price=[0] * 5, ask_quantity=[0] * 5)
    stage.frame(OPEN + NS_PER_S, last_trade_ns=OPEN + NS_PER_S, **locked)
    stage.band(OPEN + NS_PER_S, 80_000, 100_000)
    stage.timer(OPEN + NS_PER_S)
    assert (stage.metric("liquidity"), stage.metric("volatility")) == (3.0, 3.0)
    assert np.isnan(stage.metric("vwap_cross"))


def test_repeats_a_fallen_volume_and_trades_out_of_order_move_nothing_twice() -> None:
    walk_up = [update(100_000 + 5 * n, 1_000 + 10 * n) for n in range(120)]
    fallen = [update(100_600, 500), update(100_605, 2_210)]
    late = [update(100_610, 2_220, last_trade_ns=OPEN + NS_PER_S)]
    once, twice = tape(*walk_up, *fallen, *late), LiveStage()
    for second, columns in enumerate((*walk_up, *fallen, *late), 1):
        at_ns = OPEN + second * NS_PER_S
        for _ in range(2):
            twice.frame(at_ns, **{"last_trade_ns": at_ns, **columns})
        twice.timer(at_ns)
    assert [twice.metric(name) for name in NAMES[:3]] == [once.metric(name) for name in NAMES[:3]]
    signed = [stage.engine.market.ground.windows.signed[0] for stage in (once, twice)]
    assert signed[0] == signed[1] > 0


def test_a_burst_within_a_millisecond_is_twenty_updates() -> None:
    stage = LiveStage()
    for n in range(60):
        at_ns = OPEN + NS_PER_S + n * 10_000
        stage.frame(at_ns, last_trade_ns=at_ns, **update(100_000 + 5 * n, 1_000 + 10 * n))
    assert stage.metric("vwap_cross") == 1
