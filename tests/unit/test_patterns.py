"""Patterns: TA-Lib's verdicts on integers, and what stands around them."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics_stage import column, kite, minute, split, walk
from ticktick.analytics.bars import bars_of
from ticktick.analytics.line import Line
from ticktick.analytics.patterns import SEED_TOLD, Patterns
from ticktick.analytics.record import HORIZON_BARS, LEAST_CASES, Records, wilson
from ticktick.analytics.shapes import SHAPES
from ticktick.analytics.story import case_of
from ticktick.analytics.talib import talib
from ticktick.domain.analysis import BARS_NEEDED, Confirmation, Pattern
from ticktick.domain.market import Candle

KITE = ("SBIN", "HDFCBANK", "ICICIBANK", "BANKNIFTY", "INDIAVIX")


def found(candles: Sequence[Candle]) -> list[list[Pattern]]:
    stream = Patterns("ACME", 1)
    return [stream.update(candle)[0] for candle in candles]


def by_name(told: Sequence[Sequence[Pattern]]) -> dict[str, dict[int, int]]:
    verdicts: dict[str, dict[int, int]] = {shape.name: {} for shape in SHAPES}
    for place, patterns in enumerate(told):
        for pattern in patterns:
            verdicts[pattern.name][place] = pattern.value
    return verdicts


def of_talib(candles: Sequence[Candle], unit: float = 1.0) -> dict[str, dict[int, int]]:
    columns = [
        column(candles, lambda c: c.open),
        column(candles, lambda c: c.high),
        column(candles, lambda c: c.low),
        column(candles, lambda c: c.close),
    ]
    verdicts = {}
    for shape in SHAPES:
        function = getattr(talib, shape.function)
        out = function(*(prices / unit for prices in columns), *shape.parameters)
        verdicts[shape.name] = {int(i): int(out[i]) for i in np.flatnonzero(out)}
    return verdicts


def falling(count: int, start: int = 100_000) -> list[Candle]:
    """Bars of a steady fall, ten ticks each."""
    return [
        minute(i, start - 50 * i, start - 50 * i + 5, start - 50 * i - 55, start - 50 * i - 50, 10)
        for i in range(count)
    ]


def hammer_after_a_fall(lower_shadow: int = 60) -> list[Candle]:
    candles = falling(30)
    last = candles[-1].close
    return [*candles, minute(30, last - 10, last, last - 10 - lower_shadow, last, 10)]


@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_verdicts_are_those_of_the_batch_functions(seed: int) -> None:
    candles = walk(400, seed, step=4.0)
    assert by_name(found(candles)) == of_talib(candles)


@pytest.mark.shared
@pytest.mark.parametrize("name", KITE)
def test_verdicts_are_those_of_the_batch_functions_on_a_recorded_month(
    name: str, shared_data: Path
) -> None:
    candles = kite(shared_data / "candles_1m" / "kite_2023" / f"{name}.csv.gz")
    assert by_name(found(candles)) == of_talib(candles)


@pytest.mark.shared
def test_prices_in_rupees_would_break_ties_at_random(shared_data: Path) -> None:
    candles = kite(shared_data / "candles_1m" / "kite_2023" / "SBIN.csv.gz")
    assert of_talib(candles) != of_talib(candles, unit=100.0)


@given(cut=st.integers(1, 300), seed=st.integers(0, 50))
@settings(max_examples=20, deadline=None)
def test_a_pattern_never_depends_on_what_came_later(cut: int, seed: int) -> None:
    candles = walk(320, seed, step=4.0)
    assert found(candles)[cut - 1] == found(candles[:cut])[-1]


@given(count=st.integers(1, 300), seed=st.integers(0, 50))
@settings(max_examples=20, deadline=None)
def test_seeded_patterns_go_on_as_those_fed_candle_by_candle(count: int, seed: int) -> None:
    candles = walk(count + 5, seed, step=4.0)
    seeded, fed = Patterns("ACME", 1), Patterns("ACME", 1)
    expected = [fed.update(candle) for candle in candles]
    first = max(count - SEED_TOLD, 0)
    assert seeded.seed(bars_of(candles[:count])) == [
        p for told, _ in expected[first:count] for p in told
    ]
    assert [seeded.update(candle) for candle in candles[count:]] == expected[count:]


def test_a_hammer_after_a_fall_is_in_context_and_tells_what_would_prove_it_wrong() -> None:
    candles = hammer_after_a_fall()
    hammer = next(p for p in found(candles)[-1] if p.name == "hammer")
    assert (hammer.value, hammer.direction, hammer.trend) == (100, 1, "down")
    assert hammer.in_context is True
    assert hammer.confirmation == candles[-1].high
    assert hammer.invalidation == candles[-1].low
    assert hammer.start_ns == candles[-1].start_ns


def test_a_short_shadow_makes_a_hammer_that_the_textbook_refuses() -> None:
    strict = next(p for p in found(hammer_after_a_fall(60))[-1] if p.name == "hammer")
    loose = next(p for p in found(hammer_after_a_fall(15))[-1] if p.name == "hammer")
    assert (strict.strict, strict.shadow_ratio) == (True, 6.0)
    assert (loose.strict, loose.shadow_ratio) == (False, 1.5)


@pytest.mark.parametrize(("rise", "confirmed"), [(1, True), (0, False), (-30, False)])
def test_the_next_close_confirms_a_pattern_only_beyond_its_extreme(
    rise: int, confirmed: bool
) -> None:
    candles = hammer_after_a_fall()
    stream = Patterns("ACME", 1)
    stream.seed(bars_of(candles))
    end = candles[-1].high + rise
    _, told = stream.update(minute(31, end - 5, end + 5, end - 40, end, 10))
    expected = Confirmation("ACME", 1, candles[-1].start_ns, "hammer", confirmed)
    assert expected in told
    _, later = stream.update(minute(32, end, end + 90, end, end + 90, 10))
    assert "hammer" not in {c.name for c in later if c.start_ns == candles[-1].start_ns}


def test_an_undirected_pattern_is_neither_confirmed_nor_proved_wrong() -> None:
    candles = walk(200, 3, step=4.0)
    told = [p for patterns in found(candles) for p in patterns if p.name == "doji"]
    assert told
    assert {(p.direction, p.confirmation, p.invalidation, p.in_context) for p in told} == {
        (0, None, None, None)
    }


def test_a_record_counts_what_came_of_earlier_cases_only() -> None:
    candles = walk(4000, 5, step=4.0)
    told = found(candles)
    closes = [candle.close for candle in candles]
    cases = [
        i for i, ps in enumerate(told) if any(p.name == "engulfing" and p.direction > 0 for p in ps)
    ]
    last = cases[-1]
    known = [i for i in cases if i + HORIZON_BARS <= last]
    hits = sum(closes[i + HORIZON_BARS] > closes[i] for i in known)
    record = next(p.record for p in told[last] if p.name == "engulfing")
    assert (record.cases, record.rate) == (len(known), hits / len(known))
    pairs = [closes[i + HORIZON_BARS] > closes[i] for i in range(last - HORIZON_BARS + 1)]
    assert record.base_rate == pytest.approx(sum(pairs) / len(pairs))
    assert (record.low, record.high) == wilson(hits, len(known))


def test_few_cases_are_no_record() -> None:
    records, rise = Records(), case_of(len(SHAPES) - 1, 1)
    for i in range(LEAST_CASES + HORIZON_BARS):
        records.take(100.0 + i)
        told = records.of(rise)
        assert (told.rate is None) == (told.cases < LEAST_CASES)
        records.foretell(rise)
    assert records.of(rise).cases == LEAST_CASES


@pytest.mark.parametrize(
    ("hits", "cases", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_bounds_are_the_published_ones(
    hits: int, cases: int, low: float, high: float
) -> None:
    np.testing.assert_allclose(wilson(hits, cases), (low, high), atol=5e-5)


LEAP = 375


@pytest.mark.parametrize("parts", [2, 0.5])
def test_a_pattern_with_bars_on_both_sides_of_a_leap_is_not_told(parts: float) -> None:
    candles = split(walk(700, seed=9), LEAP, parts)
    told, plain = by_name(found(candles)), of_talib(candles)
    for shape in SHAPES:
        straddles = range(LEAP, LEAP + shape.first)
        vouched = {i: v for i, v in plain[shape.name].items() if i not in straddles}
        assert told[shape.name] == vouched
    assert any(plain[s.name].keys() & set(range(LEAP, LEAP + s.first)) for s in SHAPES), (
        "without the leap's rule some would be told"
    )


def test_after_a_leap_the_trend_is_not_known_before_the_indicators_are() -> None:
    told = found(split(walk(700, seed=9), LEAP, 2))
    apart = [p for patterns in told[LEAP : LEAP + BARS_NEEDED] for p in patterns]
    assert apart
    assert {(p.trend, p.in_context) for p in apart} == {(None, None)}
    later = [p for patterns in told[LEAP + BARS_NEEDED + 10 :] for p in patterns]
    assert {p.trend for p in later} == {"up", "down", "none"}


def test_a_candle_beyond_a_leap_judges_nothing_before_it() -> None:
    quiet = walk(700, seed=9)
    told = found(quiet)
    places = [i for i in range(20, 699) if any(p.direction for p in told[i])]
    leapt = split(quiet, places[5] + 1, 2)
    stream = Patterns("ACME", 1)
    judged = [stream.update(candle)[1] for candle in leapt]
    assert judged[places[4] + 1]
    assert judged[places[5] + 1] == []
    line = Line("ACME", 1, has_volume=True)
    line.seed(leapt[: places[5] + 2], 0, None)
    before = [p for p in line.patterns if p.start_ns == leapt[places[5]].start_ns]
    assert before
    assert {line.judged(pattern) for pattern in before} == {None}


@pytest.mark.parametrize("seeded", [LEAP - 1, LEAP, LEAP + 1, LEAP + 8, LEAP + 200])
def test_a_seeded_stream_leaves_out_the_same_patterns_after_a_leap(seeded: int) -> None:
    candles = split(walk(700, seed=9), LEAP, 2)
    whole = [(p.start_ns, p.name, p.trend) for patterns in found(candles) for p in patterns]
    stream = Patterns("ACME", 1)
    told = stream.seed(bars_of(candles[:seeded]), 0)
    told += [pattern for candle in candles[seeded:] for pattern in stream.update(candle)[0]]
    assert [(p.start_ns, p.name, p.trend) for p in told] == whole


def test_no_move_over_a_leap_is_an_outcome() -> None:
    records, rise = Records(), case_of(0, 1)
    for close in range(20):
        records.take(100.0 + close)
        records.foretell(rise)
    settled = 20 - HORIZON_BARS
    assert records.of(rise).cases == settled
    records.begin_anew()  # the price is another one from here
    for close in range(HORIZON_BARS):
        records.take(50.0 - close)
        records.foretell(rise)
    assert records.of(rise).cases == settled
    records.take(60.0)
    assert records.of(rise).cases == settled + 1


@pytest.mark.parametrize("leap", [0, 1, 9, 10, 25, 39])
@pytest.mark.parametrize("seeded", [0, 1, 10, 26, 39, 40])
def test_a_seeded_record_counts_as_one_that_took_every_candle(leap: int, seeded: int) -> None:
    closes = column(walk(80, seed=3), lambda c: c.close)
    seen, rise = np.arange(0, 80, 3), case_of(4, 1)
    stepped, seed = Records(), Records()
    leaps = [leap] if 0 < leap < seeded else []
    seed.seed(closes[:seeded], {rise: seen[seen < seeded]}, leaps)
    for place, close in enumerate(closes.tolist()):
        for records in (stepped, seed):
            if records is seed and place < seeded:
                continue
            if place == leap and leap:
                records.begin_anew()
            records.take(close)
            if place % 3 == 0:
                records.foretell(rise)
        if place >= seeded:
            assert vars_of(seed, rise) == vars_of(stepped, rise)


def test_a_seeded_record_tells_plain_numbers() -> None:
    records, rise = Records(), case_of(4, 1)
    closes = np.arange(2.0 * LEAST_CASES)
    records.seed(closes, {rise: np.arange(len(closes))})
    records.take(float(len(closes)))
    assert msgspec.json.encode(records.of(rise))


def vars_of(records: Records, case: int) -> tuple[int, int, int, int]:
    """What is counted, however few cases there are."""
    return records._cases[case], records._hits[case], records._moves, records._rises


@pytest.mark.parametrize("seeded", [1300, 1303, 1400, 1499])
def test_a_seeded_stream_has_the_same_records_after_a_leap(seeded: int) -> None:
    candles = split(walk(1500, seed=9), 1300, 2)
    stream, whole = Patterns("ACME", 1), found(candles)
    stream.seed(bars_of(candles[:seeded]))
    for place, candle in enumerate(candles[seeded:], seeded):
        assert [p.record for p in stream.update(candle)[0]] == [p.record for p in whole[place]]
