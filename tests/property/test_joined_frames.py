"""Frames that come to the engine as one leave the market as if each had come alone."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.market_stage import OPEN, Stage, frame, instrument
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import CandleChanged, FrameArrived, FramesArrived, TimerFired
from ticktick.domain.market import Candle
from ticktick.domain.metric import METRIC_ROW

SYMBOLS = ("ACME", "BOLT")
STEADY = ("mid", "spread", "imbalance")

Trade = tuple[int, int, int, int]
trades = st.lists(
    st.tuples(
        st.integers(1, 40), st.sampled_from(range(2)), st.integers(99, 101), st.integers(1, 9)
    ),
    min_size=1,
    max_size=40,
)


def frames_of(steps: list[Trade]) -> list[FrameArrived]:
    """One trade of one symbol a frame, up to forty seconds apart."""
    at_ns, volumes, found = OPEN, [0, 0], []
    for gap_s, number, price, size in steps:
        at_ns += gap_s * NS_PER_S
        volumes[number] += size
        values = {
            "last_price": price * 100,
            "last_trade_ns": at_ns,
            "last_quantity": size,
            "volume": volumes[number],
            "bid_price": [price * 100 - 5, 0, 0, 0, 0],
            "ask_price": [price * 100 + 5, 0, 0, 0, 0],
            "bid_quantity": [size, 0, 0, 0, 0],
            "ask_quantity": [10, 0, 0, 0, 0],
        }
        found.append(frame(at_ns, {SYMBOLS[number]: values}))
    return found


def after(events: list[FrameArrived | FramesArrived]) -> Stage:
    stage = Stage(*(instrument(symbol) for symbol in SYMBOLS))
    for event in events:
        stage.process(event)
    last = events[-1]
    end_ns = last.received_ns if isinstance(last, FrameArrived) else last.at_ns
    stage.process(TimerFired(end_ns + 120 * NS_PER_S))
    return stage


def minutes(stage: Stage) -> dict[tuple[str, int], Candle]:
    """The newest version of each closed minute."""
    closed = (fact.candle for fact in stage.facts if isinstance(fact, CandleChanged))
    return {(one.symbol, one.start_ns): one for one in closed if one.minutes == 1}


@given(trades, st.sets(st.integers(1, 39)))
def test_F10_joined_frames_lose_no_volume_and_end_at_the_same_prices(
    steps: list[Trade], cuts: set[int]
) -> None:
    frames = frames_of(steps)
    edges = [0, *sorted(cut for cut in cuts if cut < len(frames)), len(frames)]
    parts = [frames[first:end] for first, end in pairwise(edges)]
    joined = after([FramesArrived(tuple(p)) if len(p) > 1 else p[0] for p in parts])
    alone = after(list(frames))
    names = ("last_price", "last_trade_ns", "volume", "bid_price", "exchange_ns", "received_ns")
    for name in names:
        assert (joined.market.table.records[name] == alone.market.table.records[name]).all()
    for name in STEADY:
        row = METRIC_ROW[name]
        np.testing.assert_array_equal(joined.market.metrics[row], alone.market.metrics[row])
    one, other = minutes(joined), minutes(alone)
    assert one.keys() == other.keys()
    for key, candle in one.items():
        assert (candle.volume, candle.close) == (other[key].volume, other[key].close)
        assert other[key].low <= candle.low <= candle.high <= other[key].high
