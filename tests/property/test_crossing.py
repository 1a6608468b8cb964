"""Crossings of the VWAP against the definition, update by update."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market_stage import OPEN, LiveStage, instrument
from tests.oracles.crossing import Crossing, Update, crossings
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import VwapCrossed
from ticktick.market.windows import TICKS

TICK = 5

Leg = tuple[int, int, int, int, int | None]

legs = st.lists(
    st.tuples(
        st.integers(-8, 8),  # ticks of each update
        st.integers(4, 30),  # updates
        st.sampled_from([1, 1, 2, 5]),  # seconds between them
        st.sampled_from([1, 1, 2, 4]),  # every how manieth is a trade
        st.sampled_from([5, 5, 60, None]),
    ),
    min_size=4,
    max_size=12,
)


def updates_of(legs: list[Leg]) -> list[Update]:
    """A price that goes this way and that."""
    at_s, price, made = 0, 200_000, list[Update]()
    for ticks, count, seconds, every, spread in legs:
        for place in range(count):
            at_s += seconds
            price += TICK * ticks
            made.append(Update(at_s, price, 0 if place % every else 10, spread))
    return made


def show(stage: LiveStage, update: Update, total: int) -> None:
    """One update as a frame and nothing else."""
    at_ns = OPEN + round(update.at_s) * NS_PER_S
    half = (update.spread or 0) // 2
    bid, ask = update.price - half, update.price - half + (update.spread or 0)
    columns: dict[str, Any] = {"bid_price": [bid] + [0] * 4, "ask_price": [ask] + [0] * 4}
    columns |= {"bid_quantity": [10] * 5, "ask_quantity": [10] * 5}
    stage.frame(at_ns, last_price=update.price, last_trade_ns=at_ns, volume=total, **columns)


def play(updates: list[Update]) -> list[Crossing]:
    """What the engine shows and tells after each update."""
    return watch(updates)[0]


def watch(updates: list[Update]) -> tuple[list[Crossing], list[VwapCrossed]]:
    """The same, and the facts that tell it."""
    stage = LiveStage(instrument(tick_size=TICK))
    total, found = 1_000, list[Crossing]()
    for update in updates:
        told = len(stage.facts)
        total += update.volume
        show(stage, update, total)
        news = [fact for fact in stage.facts[told:] if isinstance(fact, VwapCrossed)]
        side = stage.metric("vwap_cross")
        found.append(
            Crossing(None if np.isnan(side) else int(side), news[0].direction if news else None)
        )
    return found, [fact for fact in stage.facts if isinstance(fact, VwapCrossed)]


@settings(max_examples=40)
@given(legs)
def test_every_update_shows_and_tells_what_the_definition_says(
    legs: list[Leg],
) -> None:
    updates = updates_of(legs)
    assert play(updates) == crossings(updates, TICK)


@pytest.mark.parametrize("seconds", [1, 2, 3])
@pytest.mark.parametrize("length", [13, 29, 30])
def test_a_price_that_swings_is_told_as_the_definition_says(seconds: int, length: int) -> None:
    swings: list[Leg] = [(6 if n % 2 else -6, length, seconds, 1, 5) for n in range(12)]
    updates = updates_of(swings)
    told = play(updates)
    assert told == crossings(updates, TICK)
    times = [u.at_s for u, each in zip(updates, told, strict=True) if each.event]
    assert all(late - soon >= 30 for soon, late in pairwise(times))
    assert len(times) >= 2


def rise_and_fall(seconds: int) -> list[Update]:
    """A price that rises for sixty updates and falls for sixty, this many seconds apart."""
    ticks = [*range(60), *range(60, 0, -1)]
    return [Update(n * seconds, 200_000 + TICK * t, 10, 5) for n, t in enumerate(ticks)]


def test_a_turn_of_the_price_is_told_once() -> None:
    events = [told.event for told in play(rise_and_fall(2))]
    assert [event for event in events if event] == [-1]


def test_the_first_side_is_no_crossing() -> None:
    told = play([Update(n, 200_000 + TICK * max(0, n - 50), 10, 5) for n in range(90)])
    assert (told[40].side, told[-1].side) == (0, 1)
    assert [each.event for each in told if each.event] == []


def test_fewer_than_thirty_trades_are_told_to_nobody() -> None:
    told = list[int]()
    for quiet in range(25, 60):
        updates = [u if n > quiet else u._replace(volume=0) for n, u in enumerate(rise_and_fall(1))]
        shown, events = watch(updates)
        assert shown == crossings(updates, TICK)
        told += [event.trades for event in events]
    assert min(told) == 30


def test_a_gap_begins_the_side_anew() -> None:
    stage = LiveStage(instrument(tick_size=TICK))
    total = 1_000
    updates = rise_and_fall(1)
    for place, update in enumerate(updates):
        total += update.volume
        if place == 60:
            at_ns = OPEN + 60 * NS_PER_S
            stage.link(at_ns, up=False)
            stage.link(at_ns, up=True)
            assert np.isnan(stage.metric("vwap_cross"))
        show(stage, update, total)
    assert stage.metric("vwap_cross") == -1
    assert not any(isinstance(fact, VwapCrossed) for fact in stage.facts)


@pytest.mark.parametrize("unknown", [TICKS - 2, TICKS - 1, TICKS, 2 * TICKS])
def test_a_mean_of_before_the_quotes_were_gone_is_never_taken_for_the_last_one(
    unknown: int,
) -> None:
    """However many updates there are without a quote, also as many as are kept of them."""
    before = [Update(n, 200_000 + TICK * n, 10, 5) for n in range(40)]
    gone = [Update(40 + n, 200_000 - TICK * n, 10, None) for n in range(unknown)]
    after = [Update(40 + unknown + n, 200_000 - TICK * unknown, 10, 5) for n in range(25)]
    updates = [*before, *gone, *after]
    assert play(updates) == crossings(updates, TICK)
