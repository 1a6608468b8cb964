"""What a chart draws, made at once: the same as the streams told candle by candle."""

from collections.abc import Sequence

import numpy as np
import pytest

from tests.analytics_stage import DAY_MINUTES, flat, minute, split, walk
from ticktick.analytics.catalogue import UNITS
from ticktick.analytics.history import History, indicator_history, pattern_history
from ticktick.analytics.indicators import Indicators
from ticktick.analytics.patterns import Patterns
from ticktick.analytics.volumes import SessionVolumes
from ticktick.domain.market import Candle


def standing(first: int, count: int) -> list[Candle]:
    """A walk that stands still in between, traded and not, so that windows are flat."""
    price = walk(first)[-1].close
    still = [minute(first + i, price, price, price, price, i % 2) for i in range(count)]
    after = [
        minute(first + count + i, price, price + 9, price - 5, price + i, 7) for i in range(40)
    ]
    return [*walk(first), *still, *after]


def check(candles: Sequence[Candle], history: History, *, has_volume: bool = True) -> None:
    stream = Indicators("ACME", 1, has_volume=has_volume)
    for place, candle in enumerate(candles):
        reading = stream.update(candle)
        told = {n: float(v[place]) for n, v in history.values.items() if not np.isnan(v[place])}
        assert told == {n: v for n, v in reading.values.items() if n in history.values}
        marked = {name for name, is_flat in history.degenerate.items() if is_flat[place]}
        assert marked == set(reading.degenerate) & set(history.values)
        assert history.withheld[place] == reading.withheld


@pytest.mark.parametrize(
    "candles",
    [walk(8000, seed=5), walk(400), standing(120, 30), flat(60, volume=5), flat(40), walk(3), []],
    ids=["20 days", "a day", "stands still", "flat", "untraded", "three", "none"],
)
def test_every_value_equals_the_stream_bit_for_bit(candles: list[Candle]) -> None:
    check(candles, indicator_history(candles, UNITS, has_volume=True))


def test_an_instrument_without_volume_has_no_values_made_of_it() -> None:
    candles = [minute(i, 100, 105, 95, 100 + i % 3, 0) for i in range(60)]
    history = indicator_history(candles, UNITS, has_volume=False)
    check(candles, history, has_volume=False)
    assert np.isnan(history.values["vwap"]).all()
    assert np.isnan(history.values["mfi_14"]).all()


@pytest.mark.parametrize("name", sorted(UNITS))
def test_a_name_asked_for_alone_is_the_same_and_comes_alone(name: str) -> None:
    candles = standing(60, 25)
    alone = indicator_history(candles, [name], has_volume=True)
    together = indicator_history(candles, UNITS, has_volume=True)
    assert list(alone.values) == [name]
    np.testing.assert_array_equal(alone.values[name], together.values[name])


def test_the_patterns_of_every_candle_equal_the_stream() -> None:
    candles = walk(300, seed=9)
    stream = Patterns("ACME", 1)
    told = [pattern for candle in candles for pattern in stream.update(candle)[0]]
    assert pattern_history(candles) == told
    assert told
    assert pattern_history([]) == []


def test_after_a_leap_that_nobody_explained_a_chart_draws_as_little_as_the_stream_tells() -> None:
    candles = split(walk(700), 375, 2)
    history = indicator_history(candles, UNITS, has_volume=True)
    check(candles, history)
    rsi = history.values["rsi_14"]
    assert np.isnan(rsi[375:625]).all()
    assert not np.isnan(rsi[[374, 625]]).any()


def test_the_relative_volume_is_of_the_minutes_that_the_stream_counts() -> None:
    days = walk(DAY_MINUTES * 22)
    volumes = SessionVolumes()
    for each in days:
        volumes.take(each)
    kept = days[-DAY_MINUTES:]
    ratios = indicator_history(kept, ["rvol"], has_volume=True, volumes=volumes).values["rvol"]
    stream = Indicators("ACME", 1, volumes=volumes)
    np.testing.assert_array_equal(ratios, [stream.update(each).values["rvol"] for each in kept])
