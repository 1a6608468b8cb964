"""Liquidity and volatility flags against their definitions, second by second."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market_stage import OPEN, LiveStage, Stage
from tests.oracles.flags import ORDER, Moved, Seen, liquidity, volatility
from ticktick.analytics.microstructure.ladder import DWELL_NS, Ladder
from ticktick.analytics.microstructure.liquidity import level_of
from ticktick.analytics.microstructure.volatility import VolatilityFlag
from ticktick.core.columns import Floats, Rows
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S, ist_day_number
from ticktick.domain.event import BaselinesRead
from ticktick.domain.market import Liquidity, QuarterHour, Volatility

ORDER_RUPEES = 100_000
MID = 200_000
ROW: Rows = np.array([0], np.int32)

spreads = st.sampled_from([None, 20, 140, 170, 180, 210, 390, 410, 490, 510, 2_000])
depths = st.sampled_from([150_000, 210_000, 260_000, 450_000, 550_000, 650_000, 5_000_000])
usuals = st.sampled_from([None, 1.0, 4.0])
books = st.lists(st.tuples(spreads, depths, st.integers(1, 25)), min_size=1, max_size=12)
levels = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(sorted)


def show_book(
    stage: Stage, at_ns: int, spread: int | None, depth_rupees: int, mid: int = MID
) -> Seen:
    """A book about 2,000 rupees with one level of that value on the bid side; what it is."""
    bid, ask = mid - (spread or 0) // 2, mid + (spread or 0) // 2
    bids = depth_rupees * 100 // bid
    columns: dict[str, Any] = {"bid_price": [bid, 0, 0, 0, 0], "ask_price": [ask, 0, 0, 0, 0]}
    columns |= {"bid_quantity": [bids, 0, 0, 0, 0], "ask_quantity": [9 * bids, 0, 0, 0, 0]}
    if spread is None:
        columns["ask_price"] = [0, 0, 0, 0, 0]
    stage.frame(at_ns, **columns)
    told = None if spread is None else 1e4 * (ask - bid) / ((ask + bid) / 2)
    return Seen(told, bids * bid / 100)


def teach(stage: Stage, usual_bps: float | None, days: int = 5) -> None:
    """What was usual in the first quarter of an hour of as many days before."""
    today = ist_day_number(OPEN)
    past = [QuarterHour("ACME", today - 1 - n, 555, usual_bps, None) for n in range(days)]
    stage.process(BaselinesRead(OPEN, "ACME", tuple(past)))


def known(value: float | None) -> Floats:
    return np.array([np.nan if value is None else value])


def word(stage: Stage, words: type[Liquidity] | type[Volatility], name: str) -> str | None:
    code = stage.metric(name)
    return None if np.isnan(code) else list(words)[int(code)].value


@settings(max_examples=15)
@given(books, usuals)
def test_the_liquidity_flag_of_every_second_is_the_definitions(
    books: list[tuple[int | None, int, int]], usual: float | None
) -> None:
    stage = LiveStage()
    teach(stage, usual)
    told, seen = [], []
    at_ns = OPEN
    for spread, depth, seconds in books:
        for _ in range(seconds):
            at_ns += NS_PER_S
            seen.append(show_book(stage, at_ns, spread, depth)._replace(usual_bps=usual))
            stage.timer(at_ns)
            told.append(word(stage, Liquidity, "liquidity"))
            assert stage.metric("liquidity_baseline") == (usual is not None)
    assert told == liquidity(seen, ORDER_RUPEES)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, 1.0, 1.3, 1.4, 2.5, 3.1, 3.3, 4.7, 5.0, 6.1]),
            st.sampled_from([None, 0.0, 2.0]),
            st.sampled_from([None, 0.005, 0.011, 0.013, 0.1]),
            st.integers(1, 40),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_the_volatility_flag_of_every_second_is_the_definitions(
    spells: list[tuple[float | None, float | None, float | None, int]],
) -> None:
    stage = Stage()
    stage.begin(price=MID)
    flag = VolatilityFlag(stage.market.ground)
    told, moved = [], []
    at_ns = OPEN + 5 * NS_PER_MINUTE
    for rv, usual, distance, seconds in spells:
        high = round(MID / (1 - distance)) if distance else 10 * MID
        stage.band(OPEN, MID // 10, high)
        for _ in range(seconds):
            moved.append(Moved(rv, usual, distance))
            code = flag.judge(ROW, known(rv), known(usual), at_ns)[0]
            told.append(list(Volatility)[int(code)].value)
            at_ns += NS_PER_S
    assert told == volatility(moved)


@given(st.lists(st.tuples(levels, st.integers(1, 40)), min_size=2, max_size=40))
def test_a_flag_never_flips_twice_within_the_dwell(spans: list[tuple[list[int], int]]) -> None:
    ladder, at_ns, held = Ladder(1), 0, []
    for (least, most), seconds in spans:
        at_ns += seconds * NS_PER_S
        bounds = np.array([least]), np.array([most])
        held.append((at_ns, int(ladder.settle(ROW, bounds[0], *bounds, at_ns)[0])))
    flips = [late for (_, one), late in pairwise(held) if one != late[1]]
    assert all(late[0] - soon[0] >= DWELL_NS for soon, late in pairwise(flips))


@given(st.floats(0.1, 60), st.floats(0.1, 10), st.floats(0, 1e7), st.sampled_from([0.0, 0.2]))
def test_the_worst_rule_wins(spread: float, usual: float, depth: float, ease: float) -> None:
    calm, deep = np.array([0.0]), np.array([np.inf])
    alone = [
        level_of(np.array([spread]), np.array([np.nan]), deep, ORDER_RUPEES, ease),
        level_of(np.array([spread]), np.array([usual]), deep, ORDER_RUPEES, ease),
        level_of(calm, np.array([np.nan]), np.array([depth]), ORDER_RUPEES, ease),
    ]
    level = level_of(np.array([spread]), np.array([usual]), np.array([depth]), ORDER_RUPEES, ease)
    assert level[0] == max(each[0] for each in alone)


@settings(max_examples=15)
@given(books, st.integers(1, 300))
def test_a_flag_does_not_know_the_future(
    books: list[tuple[int | None, int, int]], cut_s: int
) -> None:
    steps = [(spread, depth) for spread, depth, seconds in books for _ in range(seconds)]

    def play(count: int) -> list[str | None]:
        stage, told = LiveStage(), []
        for second, (spread, depth) in enumerate(steps[:count], 1):
            show_book(stage, OPEN + second * NS_PER_S, spread, depth)
            stage.timer(OPEN + second * NS_PER_S)
            told.append(word(stage, Liquidity, "liquidity"))
        return told

    assert play(cut_s) == play(len(steps))[:cut_s]


def test_an_oracle_without_hysteresis_is_told_apart() -> None:
    wide, easing = Seen(12.0, 1e9), Seen(9.0, 1e9)
    told = liquidity([wide, *[easing] * 60], ORDER_RUPEES)
    assert set(told) == {"THIN"}
    with pytest.raises(AssertionError):
        assert told == [ORDER[level] for level in [1, *[0] * 60]]
