"""Law: the metrics of a stream equal those computed anew from everything told so far."""

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market_stage import NEVER_SILENT, OPEN, Stage, instrument
from tests.metric_stage import MetricStage, differences
from tests.oracles.metrics import Told, Update
from ticktick.core.ticks import TICK_COLUMNS
from ticktick.domain.clock import NS_PER_MS, NS_PER_S
from ticktick.domain.metric import METRIC_ROW
from ticktick.market.windows import TICKS

TICK = 5
LEVELS = st.lists(
    st.tuples(st.one_of(st.just(0), st.integers(60, 180)), st.integers(0, 500)),
    min_size=5,
    max_size=5,
)
Side = list[tuple[int, int]]
Sides = tuple[list[int], list[int], list[int], list[int]]
BEHIND = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 9)), max_size=25)
BEST = st.tuples(st.integers(95, 102), st.integers(1, 4), st.integers(0, 30), st.integers(0, 30))


def _sides(bids: Side, asks: Side) -> Sides:
    """Prices and quantities of the levels."""
    return [p for p, _ in bids], [q for _, q in bids], [p for p, _ in asks], [q for _, q in asks]


@st.composite
def streams(draw: st.DrawFn, most: int = 80, *, is_deep: bool = True) -> list[Update]:
    """Updates of a morning: bursts and silences, quotes that stand and others."""
    at_ns, volume, updates = OPEN, draw(st.sampled_from((5, 5_000))), list[Update]()
    for _ in range(draw(st.integers(1, most))):
        at_ns += draw(st.sampled_from((0, 1, 700, 4_900, 5_000, 13_000, 61_000))) * NS_PER_MS
        price = draw(st.integers(95, 105))
        volume += draw(st.integers(0, 20)) if updates else 0
        bid, width, bids, asks = draw(BEST)
        book = [(bid, bids)], [(bid + width, asks)]
        if draw(st.integers(0, 7)) == 0:
            book = draw(LEVELS), draw(LEVELS)
        if is_deep and draw(st.integers(0, 7)) == 0:
            book = ([*book[0], *draw(BEHIND)], [*book[1], *draw(BEHIND)])
        average = draw(st.integers(98, 102))
        update = Update(at_ns, price, at_ns, volume, *_sides(*book), average)
        updates.append(update._replace(total_bid=volume % 977, total_ask=3 * price))
    return updates


@settings(deadline=None)
@given(streams(), st.sampled_from((TICK, 100)))
def test_every_metric_equals_its_definition_at_every_update(
    updates: list[Update], tick: int
) -> None:
    stage, told = MetricStage(instrument(tick_size=tick)), Told(updates, tick)
    for count, update in enumerate(updates, start=1):
        stage.take(update)
        assert differences(told, count, update.at_ns, stage.values()) == []


@given(streams(), st.lists(st.integers(0, 100), max_size=6))
def test_every_metric_equals_its_definition_as_time_alone_passes(
    updates: list[Update], silences_s: list[int]
) -> None:
    stage, told = MetricStage(), Told(updates, TICK)
    stage.take_all(updates)
    now_ns = updates[-1].at_ns
    for silence_s in silences_s:
        now_ns += silence_s * NS_PER_S
        stage.metrics.expire(now_ns)
        assert differences(told, len(updates), now_ns, stage.values()) == []


@settings(max_examples=30, deadline=None)
@given(streams(40, is_deep=False), st.integers(0, 1_300))
def test_the_engine_publishes_what_the_definitions_say(
    updates: list[Update], silence_s: int
) -> None:
    stage, heard = Stage(settings=NEVER_SILENT), list[Update]()
    for update in updates:
        stage.frame(update.at_ns, **_columns(update))
        if not heard or update._replace(at_ns=heard[-1].at_ns) != heard[-1]:
            heard.append(update)
    at_ns = updates[-1].at_ns
    told = Told(heard, TICK)
    assert differences(told, len(heard), heard[-1].at_ns, _published(stage)) == []
    at_ns += silence_s * NS_PER_S
    stage.timer(at_ns)
    assert differences(told, len(heard), at_ns, _published(stage)) == []
    _compare_window(stage, told)


@given(streams(), st.data())
def test_an_update_told_twice_changes_nothing(updates: list[Update], data: st.DataObject) -> None:
    once, twice = MetricStage(), MetricStage()
    for update in updates:
        once.take(update)
        twice.take(update)
        if data.draw(st.booleans()):
            twice.take(update)
        np.testing.assert_equal(twice.values(), once.values())


@given(streams(), streams())
def test_a_stream_split_at_a_gap_equals_two_streams(one: list[Update], other: list[Update]) -> None:
    through, anew = MetricStage(), MetricStage()
    through.take_all(one)
    through.metrics.restart(np.zeros(1, np.int32))
    later_ns = one[-1].at_ns - OPEN + NS_PER_S
    for update in other:
        moved = update._replace(at_ns=update.at_ns + later_ns, trade_ns=update.trade_ns + later_ns)
        through.take(moved)
        anew.take(moved)
        np.testing.assert_equal(through.values(), anew.values())


@given(streams(), streams(), streams())
def test_updates_that_left_the_windows_change_nothing_later(
    one: list[Update], other: list[Update], after: list[Update]
) -> None:
    stages = MetricStage(), MetricStage()
    for stage, before in zip(stages, (one, other), strict=True):
        stage.take_all(before)
        # the same last words of both, so that only the windows differ
        end_ns = max(one[-1].at_ns, other[-1].at_ns)
        for price, step in ((99, 1), (100, 2)):
            at_ns = end_ns + step * NS_PER_S
            stage.take(Update(at_ns, price, at_ns, 10_000 + step, [99], [5], [101], [5], 100))
    later_ns = 400 * NS_PER_S + end_ns - OPEN
    for update in after:
        moved = update._replace(
            at_ns=update.at_ns + later_ns,
            trade_ns=update.trade_ns + later_ns,
            volume=update.volume + 10_000,
        )
        for stage in stages:
            stage.take(moved)
        np.testing.assert_equal(stages[0].values(), stages[1].values())


@given(LEVELS, LEVELS)
def test_imbalance_changes_sign_when_the_sides_change_places(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]]
) -> None:
    values = []
    for left, right in ((bids, asks), (asks, bids)):
        stage = MetricStage()
        stage.take(Update(OPEN, 100, OPEN, 0, *_sides(left, right)))
        values.append(stage.values())
    for name in ("imbalance", "imbalance_1"):
        assert values[0][name] == -values[1][name] or math.isnan(values[0][name])
        assert math.isnan(values[0][name]) == math.isnan(values[1][name])


def test_an_oracle_of_other_definitions_would_be_noticed() -> None:
    bids, asks = [98, 97, 96, 95, 94, 93], [103, 104, 105, 106, 107, 108]
    book = (bids, [7] * 6, asks, [9] * 6)
    updates = [
        Update(OPEN + i * 700 * NS_PER_MS, 100 + i % 3, OPEN, 9 * i, *book, 100, 7, 9 + i % 2)
        for i in range(900)
    ]
    updates = [update._replace(bid_quantity=[7 + i % 4] * 6) for i, update in enumerate(updates)]
    stage, told = MetricStage(instrument(tick_size=100)), Told(updates, 100)
    stage.take_all(updates)
    values = stage.values()
    assert differences(told, len(updates), updates[-1].at_ns, values) == []
    for name in told.at(len(updates), updates[-1].at_ns):
        assert not math.isnan(values[name])
        wrong = {**values, name: values[name] * (1 + 1e-8) + 1e-8}
        assert len(differences(told, len(updates), updates[-1].at_ns, wrong)) == 1


def _columns(update: Update) -> dict[str, Any]:
    filled = {
        name: [*getattr(update, name), *[0] * (5 - len(getattr(update, name)))]
        for name in ("bid_price", "bid_quantity", "ask_price", "ask_quantity")
    }
    return filled | {
        "last_price": update.price,
        "last_trade_ns": update.trade_ns,
        "volume": update.volume,
        "average_price": update.average_price,
        "total_bid_quantity": update.total_bid,
        "total_ask_quantity": update.total_ask,
    }


def _published(stage: Stage) -> dict[str, float]:
    return {name: stage.metric(name) for name in METRIC_ROW}


def _compare_window(stage: Stage, told: Told) -> None:
    window = stage.market.window("ACME")
    expected = np.stack([told.times, told.prices, told.deltas, told.bid, told.ask], axis=1)
    names = ("exchange_ns", "last_price", "volume_delta", "bid", "ask")
    kept = [TICK_COLUMNS.index(name) for name in names]
    np.testing.assert_array_equal(window[:, kept], expected[-TICKS:])
