"""What is compiled of the indicators tells the same bits as plain Python does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.analytics_stage import flat, split, walk
from ticktick.analytics import flat as plain_flat
from ticktick.analytics import kernels, leaps, own, record, story
from ticktick.analytics.bars import CLOSE, bars_of
from ticktick.analytics.handle import Handles, PlainHandles, Streaming, handles_of
from ticktick.analytics.indicators import streams_of
from ticktick.analytics.patterns import STREAMS
from ticktick.analytics.shapes import SHAPES
from ticktick.analytics.values import unpack
from ticktick.compiled import part
from ticktick.domain.market import Candle

pytestmark = pytest.mark.skipif(part("ticktick.analytics.handles") is None, reason="not compiled")

EVERY = (*streams_of(has_volume=True), *STREAMS)
WIDTH = sum(len(each.outputs) for each in EVERY)


def told(handles: Handles, rows: list[list[float]]) -> np.ndarray:
    """A peek and an update at every bar."""
    said = [handles.peek(*row) + handles.update(*row) for row in rows]
    return np.array([unpack(each) for each in said])


def check_alike(streams: tuple[Streaming, ...], candles: list[Candle], seeded: int) -> None:
    """Both ways tell the same bits of the candles after the seeded ones."""
    fast, plain = handles_of(streams), PlainHandles(streams)
    assert not isinstance(fast, PlainHandles)
    columns = bars_of(candles[:seeded]).columns
    fast.seed(columns)
    plain.seed(columns)
    rows = bars_of(candles[seeded:]).columns.T.tolist()
    np.testing.assert_array_equal(told(fast, rows), told(plain, rows))


@given(
    seed=st.integers(0, 200),
    seeded=st.sampled_from([0, 1, 2, 13, 40, 199, 200, 251, 300]),
    step=st.sampled_from([0.0, 0.4, 4.0, 300.0]),
    still=st.sampled_from([0, 3, 30]),
)
@settings(max_examples=40, deadline=None)
def test_both_ways_tell_the_same_bits_from_any_number_of_seeded_bars(
    seed: int, seeded: int, step: float, still: int
) -> None:
    moving = walk(260, seed, step)
    candles = [*moving, *flat(still, moving[-1].close), *walk(60, seed + 1, step)]
    check_alike(EVERY, candles, seeded)


def test_prices_of_crores_are_whole_numbers_too() -> None:
    far = 10**10
    candles = [
        replace(c, open=c.open + far, high=c.high + far, low=c.low + far, close=c.close + far)
        for c in walk(260, 3, step=4.0)
    ]
    check_alike(tuple(each for each in EVERY if each.is_windowed), candles, 60)


def test_a_window_is_not_enough_where_every_bar_counts() -> None:
    averages = [each for each in EVERY if each.function in ("EMA", "RSI")]
    check_alike(tuple(averages), walk(120), 0)
    with pytest.raises(AssertionError):
        check_alike(tuple(replace(each, is_windowed=True) for each in averages), walk(120), 0)


def test_both_ways_tell_the_same_verdicts_and_none_where_there_is_none() -> None:
    fast, other, plain = handles_of(EVERY), handles_of(EVERY), PlainHandles(EVERY)
    for row in bars_of(walk(120, step=4.0)).columns.T.tolist():
        said = fast.verdicts(*row)
        assert said == plain.verdicts(*row)
        numbers = unpack(other.update(*row))
        assert said == [(i, value) for i, value in enumerate(numbers) if value and value == value]


def test_a_handle_opens_at_its_first_bar_and_not_before() -> None:
    handles = handles_of(EVERY)
    rows = bars_of(walk(260)).columns.T.tolist()
    ready = ~np.isnan([unpack(handles.update(*row)) for row in rows])
    firsts = [each.first for each in EVERY for _ in each.outputs]
    assert ready.shape == (260, WIDTH)
    assert np.argmax(ready, axis=0).tolist() == firsts


def test_a_bar_that_is_no_number_is_refused_and_what_is_no_function_is_not_found() -> None:
    handles = handles_of((Streaming("RSI", (3,), (14,), 14, "d"),))
    handles.seed(bars_of(walk(40)).columns)
    with pytest.raises(ValueError, match="TA-Lib refused"):
        handles.update(1.0, 1.0, 1.0, float("nan"), 1.0)
    assert isinstance(handles_of((Streaming("NOTHING", (3,), (), 1, "d"),)), PlainHandles)


@given(
    seed=st.integers(0, 200),
    still=st.sampled_from([0, 20, 500]),
    seeded=st.sampled_from([0, 1, 60]),
)
@settings(max_examples=15, deadline=None)
def test_flat_windows_are_seen_alike(seed: int, still: int, seeded: int) -> None:
    moving = walk(80, seed, step=2.0)
    candles = [*moving, *flat(still, moving[-1].close, volume=3), *walk(40, seed + 1, step=1.0)]
    fast, plain = kernels.Flatness(), plain_flat.Flatness()
    bars = bars_of(candles[:seeded])
    fast.seed(bars.rows, bars.columns[CLOSE])
    plain.seed(bars.rows, bars.columns[CLOSE])
    for candle in candles[seeded:]:
        assert fast.fork().update(candle) == plain.fork().update(candle)
        assert fast.update(candle) == plain.update(candle)


@given(seed=st.integers(0, 200))
@settings(max_examples=15, deadline=None)
def test_own_indicators_are_alike(seed: int) -> None:
    candles = walk(900, seed, step=4.0)
    fast, plain = kernels.SessionVwap(), own.SessionVwap()
    for candle in candles:
        assert fast.update(candle) == plain.update(candle)
    values = {"ema_20": seed + 0.1, "atr_10": seed / 7, "natr_14": seed / 3, "bb_middle": 1.0}
    values |= {"bb_lower": seed - 0.3, "bb_upper": seed + 0.7, "roc_5": seed - 9.1}
    values |= {"roc_15": 3.0 - seed, "roc_30": seed / 11}
    assert kernels.keltner(values) == own.keltner(values)
    assert kernels.bollinger(values, seed) == own.bollinger(values, seed)
    assert kernels.momentum(values) == own.momentum(values)
    for missing in ("ema_20", "bb_middle", "roc_30"):
        fewer = {name: value for name, value in values.items() if name != missing}
        assert kernels.keltner(fewer) == own.keltner(fewer)
        assert kernels.bollinger(fewer, seed) == own.bollinger(fewer, seed)
        assert kernels.momentum(fewer) == own.momentum(fewer)


@given(seed=st.integers(0, 200), seeded=st.sampled_from([0, 3, 9, 10, 11, 200]))
@settings(max_examples=15, deadline=None)
def test_stories_of_patterns_are_told_alike(seed: int, seeded: int) -> None:
    candles, rng = walk(600, seed, step=4.0), np.random.default_rng(seed)
    fast, plain = kernels.Records(), record.Records()
    closes = bars_of(candles[:seeded]).columns[CLOSE]
    foretold = {case: np.flatnonzero(rng.random(seeded) < 0.1) for case in range(record.CASES)}
    apart = sorted({seeded // 3, seeded // 2} - {0})
    fast.seed(closes, foretold, apart)
    plain.seed(closes, foretold, apart)
    both = kernels.Story("ACME", 1, fast), story.Story("ACME", 1, plain)
    for number, candle in enumerate(candles[seeded:]):
        if number == seed:
            fast.begin_anew()
            plain.begin_anew()
        places = np.flatnonzero(rng.random(len(SHAPES)) < 0.1).tolist()
        said = [(place, float(rng.choice([-200.0, -100.0, 100.0]))) for place in places]
        average = candle.close + float(rng.choice([-9.5, 0.0, 9.5, np.nan], p=[0.4, 0.1, 0.4, 0.1]))
        assert both[0].judge(candle) == both[1].judge(candle)
        assert both[0].take(candle, average, said) == both[1].take(candle, average, said)
    assert any(plain.of(case).rate is not None for case in range(32, record.CASES))


@given(seed=st.integers(0, 200), at=st.integers(1, 60), seeded=st.sampled_from([0, 1, 30]))
@settings(max_examples=15, deadline=None)
def test_leaps_are_seen_alike(seed: int, at: int, seeded: int) -> None:
    candles = split(walk(320, seed), at, 5.0)
    fast, plain = kernels.Leaps(), leaps.Leaps()
    for each in (fast, plain):
        each.seed(bars_of(candles[:seeded]))
    for candle in candles[seeded:]:
        assert fast.peek(candle) == plain.peek(candle)
        assert fast.update(candle) == plain.update(candle)
