"""Volatility and impact of closed minutes against plain NumPy, and what must not be spanned."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.analytics_stage import DAY_MINUTES, column, days, kite, walk
from tests.oracles import microstructure as oracle
from ticktick.analytics import kernels
from ticktick.analytics.microstructure.ranges import (
    BARS,
    LEAST_BARS,
    amihud,
    garman_klass,
    last_bars,
    parkinson,
)
from ticktick.domain.clock import ist_day_number
from ticktick.domain.market import Candle, CandleState

SCALE = 100
Told = tuple[float, float, float]


def told(minutes: Sequence[Candle], after_ns: int = 0, now_ns: int | None = None) -> Told:
    """What is published after the newest of these minutes."""
    bars = last_bars(minutes, after_ns, minutes[-1].end_ns if now_ns is None else now_ns)
    return parkinson(bars), garman_klass(bars), amihud(bars, SCALE)


def expected(minutes: Sequence[Candle]) -> Told:
    """The same of minutes of one day, all settled."""
    opened, high, low, close, volume = (
        column(minutes, of)
        for of in (
            lambda c: c.open,
            lambda c: c.high,
            lambda c: c.low,
            lambda c: c.close,
            lambda c: c.volume,
        )
    )
    typical = (high + low + close) / 3 / SCALE
    return (
        oracle.parkinson(high, low),
        oracle.garman_klass(opened, high, low, close),
        oracle.amihud(typical, close, volume),
    )


def of_last_day(minutes: Sequence[Candle]) -> list[Candle]:
    numbers = days(minutes)
    return [minute for minute, day in zip(minutes, numbers, strict=True) if day == numbers[-1]]


@given(st.integers(1, 2 * DAY_MINUTES), st.integers(0, 100))
def test_the_last_minutes_say_what_plain_numpy_says(count: int, seed: int) -> None:
    minutes = walk(count, seed)
    np.testing.assert_allclose(told(minutes), expected(of_last_day(minutes)), rtol=1e-12)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["SBIN", "HDFCBANK", "ICICIBANK"])
def test_every_minute_of_a_recorded_month_says_what_plain_numpy_says(
    name: str, shared_data: Path
) -> None:
    minutes = kite(shared_data / "candles_1m" / "kite_2023" / f"{name}.csv.gz")
    for end in range(1, len(minutes), 7):
        part = minutes[max(0, end - DAY_MINUTES) : end]
        np.testing.assert_allclose(told(part), expected(of_last_day(part)), rtol=1e-12)


@given(st.integers(1, 90), st.integers(0, 40), st.integers(0, 100))
def test_nothing_spans_a_missing_minute_or_a_lost_one(count: int, back: int, seed: int) -> None:
    minutes = walk(count + 1, seed)
    place = max(0, count - back)
    broken = list(minutes)
    broken[place] = replace(minutes[place], state=CandleState.MISSING)
    after = minutes[place + 1 :]
    alone = expected(after) if after else (np.nan,) * 3
    np.testing.assert_allclose(told(broken), alone, rtol=1e-12)
    np.testing.assert_allclose(told(minutes, minutes[place].end_ns), alone, rtol=1e-12)


def test_nineteen_minutes_of_the_day_say_nothing_and_twenty_do() -> None:
    minutes = walk(DAY_MINUTES + LEAST_BARS)
    assert np.isnan(told(minutes[:-1])[:2]).all()
    assert not np.isnan(told(minutes)[:2]).any()


def test_a_minute_without_volume_is_left_out_of_the_impact_alone() -> None:
    minutes = [replace(minute, volume=100) for minute in walk(LEAST_BARS + 1)]
    assert not np.isnan(told(minutes)).any()
    idle = [*minutes[:-1], replace(minutes[-1], volume=0)]
    assert np.isnan(told(idle)).tolist() == [False, False, True]


def test_minutes_that_are_not_settled_wait_where_they_are_the_newest() -> None:
    minutes = walk(60)
    newest = replace(minutes[-1], state=CandleState.PROVISIONAL)
    assert told([*minutes[:-1], newest]) == told(minutes[:-1], now_ns=newest.end_ns)


def test_yesterdays_minutes_say_nothing_of_today() -> None:
    minutes = walk(DAY_MINUTES)
    tomorrow_ns = minutes[-1].end_ns + 86_400 * 10**9
    assert ist_day_number(tomorrow_ns) != ist_day_number(minutes[-1].end_ns)
    assert np.isnan(told(minutes, now_ns=tomorrow_ns)).all()


@given(st.integers(1, 200), st.integers(0, 50))
def test_a_value_does_not_know_the_future_nor_more_than_its_window(count: int, seed: int) -> None:
    minutes = walk(count + 40, seed)
    then = minutes[:count]
    short = then[-(BARS + 1) :]
    np.testing.assert_array_equal(told(then), told(short))
    flat_future = last_bars(minutes[:count], 0, minutes[count - 1].end_ns)
    assert flat_future == then[-len(flat_future) :]


def test_a_flat_stock_has_no_volatility_and_no_impact() -> None:
    flat = [replace(m, open=500, high=500, low=500, close=500, volume=10) for m in walk(40)]
    assert told(flat) == (0.0, 0.0, 0.0)


@given(
    st.lists(st.integers(1, 400), max_size=40), st.integers(0, 100), st.sampled_from([100, 10_000])
)
def test_both_forms_say_the_same(volumes: list[int], seed: int, scale: int) -> None:
    bars = [
        replace(bar, volume=max(volume - 40, 0))
        for bar, volume in zip(walk(len(volumes), seed), volumes, strict=True)
    ]
    fast = kernels.parkinson(bars), kernels.garman_klass(bars), kernels.amihud(bars, scale)
    plain = parkinson(bars), garman_klass(bars), amihud(bars, scale)
    np.testing.assert_array_equal(fast, plain)
