"""The microstructure inside the engine: what it stands on, and what it must not span."""

import numpy as np
from msgspec.structs import replace

from tests.analytics_stage import walk
from tests.market_stage import OPEN, LiveStage, Stage, clock, index
from ticktick.analytics.microstructure.ranges import amihud, garman_klass, last_bars, parkinson
from ticktick.domain.clock import NS_PER_MINUTE
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
    stage = LiveStage(at_ns=clock(10, 0))
    stage.begin(clock(10, 0))
    stage.history(clock(10, 0), *minutes_of(40))
    stage.timer(clock(10, 0) + 24 * 60 * NS_PER_MINUTE)
    assert np.isnan(published(stage)).all()
