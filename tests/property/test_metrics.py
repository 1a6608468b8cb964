"""Law: the metrics of a stream equal those computed anew from everything told so far."""

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market_stage import OPEN, Stage
from tests.oracles import metrics as oracle
from ticktick.domain.clock import NS_PER_MS, NS_PER_S
from ticktick.market.windows import TICKS

LEVELS = st.lists(
    st.tuples(st.one_of(st.just(0), st.integers(60, 180)), st.integers(0, 500)),
    min_size=5,
    max_size=5,
)
STEPS = st.lists(
    st.tuples(st.integers(1, 4_000), st.integers(90, 110), st.integers(0, 20), LEVELS, LEVELS),
    min_size=1,
    max_size=60,
)
WINDOW_S = 300
TICK = 5


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(0, 1_300))
def test_streamed_metrics_equal_the_oracle(
    steps: list[tuple[int, int, int, list[tuple[int, int]], list[tuple[int, int]]]], silence_s: int
) -> None:
    stage, updates = Stage(), list[oracle.Update]()
    at_ns, volume = OPEN, 5_000
    for gap_ms, price, size, bids, asks in steps:
        at_ns += gap_ms * NS_PER_MS * 20
        volume += size if updates else 0
        update = oracle.Update(
            at_ns,
            price,
            at_ns,
            volume,
            [p for p, _ in bids],
            [q for _, q in bids],
            [p for p, _ in asks],
            [q for _, q in asks],
            price + 1,
            sum(q for _, q in bids),
            3 * price,
        )
        updates.append(update)
        stage.frame(at_ns, **_columns(update))
        _compare(stage, updates, at_ns)
    stage.timer(at_ns + silence_s * NS_PER_S)
    _compare(stage, updates, at_ns + silence_s * NS_PER_S)
    _compare_window(stage, updates)


@settings(max_examples=50, deadline=None)
@given(LEVELS, LEVELS)
def test_imbalance_changes_sign_when_the_sides_change_places(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]]
) -> None:
    values = []
    for left, right in ((bids, asks), (asks, bids)):
        stage = Stage()
        stage.frame(
            OPEN,
            bid_price=[p for p, _ in left],
            bid_quantity=[q for _, q in left],
            ask_price=[p for p, _ in right],
            ask_quantity=[q for _, q in right],
        )
        values.append(stage.metric("imbalance"))
    assert values[0] == -values[1] or (math.isnan(values[0]) and math.isnan(values[1]))


def _columns(update: oracle.Update) -> dict[str, Any]:
    return {
        "last_price": update.price,
        "last_trade_ns": update.trade_ns,
        "volume": update.volume,
        "bid_price": update.bid_price,
        "bid_quantity": update.bid_quantity,
        "ask_price": update.ask_price,
        "ask_quantity": update.ask_quantity,
        "average_price": update.average_price,
        "total_bid_quantity": update.total_bid,
        "total_ask_quantity": update.total_ask,
    }


def _compare(stage: Stage, updates: list[oracle.Update], now_ns: int) -> None:
    expected = oracle.quote_metrics(updates[-1], TICK) | {
        "tick_return": oracle.tick_return(updates),
        "vwap": oracle.vwap(updates, now_ns, WINDOW_S * NS_PER_S),
        "vwap_session": float(updates[-1].average_price),
        "vwap_distance": updates[-1].price / updates[-1].average_price - 1.0,
    }
    for name, value in expected.items():
        assert math.isclose(stage.metric(name), value, rel_tol=1e-12, abs_tol=1e-12) or (
            math.isnan(value) and math.isnan(stage.metric(name))
        ), f"{name}: {stage.metric(name)}, expected {value}"


def _compare_window(stage: Stage, updates: list[oracle.Update]) -> None:
    window = stage.market.window("ACME")
    expected = [
        (u.at_ns, u.price, delta, u.bid_price[0], u.ask_price[0])
        for u, delta in zip(updates, oracle.volume_deltas(updates), strict=True)
    ]
    np.testing.assert_array_equal(window, np.array(expected)[-TICKS:])
