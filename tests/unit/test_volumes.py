"""Relative volume of every timeframe, from minutes further back than its own candles."""

import random

import numpy as np
import pytest
from msgspec.structs import replace

from tests.analytics_stage import DAY_MINUTES, minute, walk
from ticktick.analytics.timeframes import timeframes
from ticktick.analytics.volumes import SessionVolumes
from ticktick.domain.market import TIMEFRAMES, Candle, CandleState
from ticktick.domain.sessions import Calendar

DAYS = 21


def of_minutes(candles: list[Candle]) -> SessionVolumes:
    volumes = SessionVolumes()
    for each in candles:
        volumes.take(each)
    return volumes


@pytest.mark.parametrize("seed", [1, 2])
def test_the_ratio_is_that_of_numpy_on_every_timeframe_whatever_the_order(seed: int) -> None:
    candles = walk(DAY_MINUTES * DAYS, seed)
    mixed = random.Random(seed).sample(candles, len(candles))
    volumes = of_minutes(mixed)
    sums = np.cumsum([c.volume for c in candles]).reshape(DAYS, DAY_MINUTES)
    sums -= sums[:, :1] - np.array([c.volume for c in candles[::DAY_MINUTES]])[:, None]
    usual = np.median(sums[:-1], axis=0)
    last_day = [c for c in timeframes(candles, Calendar()) if c.start_ns >= candles[-375].start_ns]
    for candle in last_day:
        place = (candle.start_ns - candles[-375].start_ns) // 60_000_000_000
        end = min(place + candle.minutes, DAY_MINUTES) - 1
        assert volumes.ratio(candle) == pytest.approx(sums[-1, end] / usual[end], rel=1e-12)
    assert {c.minutes for c in last_day} == set(TIMEFRAMES)


def test_too_few_sessions_and_missing_minutes_give_no_ratio() -> None:
    candles = walk(DAY_MINUTES * DAYS)
    last = candles[-1]
    assert of_minutes(candles[DAY_MINUTES:]).ratio(last) is None
    for hole in (candles[-9], candles[5]):
        volumes = of_minutes(candles)
        assert volumes.ratio(last) is not None
        volumes.take(replace(hole, volume=0, state=CandleState.MISSING))
        assert volumes.ratio(last) is None
        volumes.take(hole)
        assert volumes.ratio(last) is not None


def test_what_comes_later_changes_no_ratio() -> None:
    candles = walk(DAY_MINUTES * DAYS)
    later = candles[-100]
    full = of_minutes([*candles, replace(later, volume=0, state=CandleState.MISSING)])
    for place in (-375, -300, -101):
        cut = of_minutes(candles[: len(candles) + place + 1])
        assert full.ratio(candles[place]) == cut.ratio(candles[place]) is not None
    assert full.ratio(later) is None


def test_a_corrected_day_changes_what_is_usual() -> None:
    volumes = SessionVolumes()
    for day in range(DAYS):
        volumes.take(minute(day * DAY_MINUTES, 10, 10, 10, 10, 100 if day < 10 else 200))
    last = minute((DAYS - 1) * DAY_MINUTES, 10, 10, 10, 10, 300)
    assert volumes.ratio(last) == 300 / 150
    volumes.take(minute(0, 10, 10, 10, 10, 200))
    assert volumes.ratio(last) == 300 / 200


def test_what_trades_in_the_evening_has_no_usual_volume() -> None:
    volumes = of_minutes(walk(DAY_MINUTES * DAYS))
    evening = minute((DAYS - 1) * DAY_MINUTES, 10, 10, 10, 10, 300)
    late = replace(evening, start_ns=evening.start_ns + 9 * 3_600_000_000_000)
    volumes.take(late)
    assert volumes.ratio(late) is None
