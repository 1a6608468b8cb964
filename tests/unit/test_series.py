"""The closed candles of one timeframe: kept as numbers, given back as what was put in."""

import tracemalloc
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ticktick.domain.market import Candle, CandleState
from ticktick.market.series import Joined, Series, alone

LIMIT = 12
BEGIN = 1_790_000_000_000_000_000
NUMBERS = st.integers(0, 2**31 + 5) | st.integers(2**53 - 3, 2**53) | st.integers(0, 500)
CANDLES = st.builds(
    Candle,
    symbol=st.just("ACME"),
    minutes=st.just(5),
    start_ns=st.integers(0, 40).map(lambda place: BEGIN + place * 7),
    open=NUMBERS,
    high=NUMBERS,
    low=NUMBERS,
    close=NUMBERS,
    volume=NUMBERS,
    open_interest=NUMBERS,
    state=st.sampled_from(CandleState),
    confirmed=st.booleans(),
    revision=st.integers(0, 2**28),
)


class Model:
    """The same by a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[int, Candle] = {}

    @property
    def candles(self) -> list[Candle]:
        return [self.kept[start_ns] for start_ns in sorted(self.kept)]

    def trim(self) -> tuple[int, int] | None:
        starts = sorted(self.kept)
        surplus = len(starts) - LIMIT
        if surplus <= 0:
            return None
        for start_ns in starts[:surplus]:
            del self.kept[start_ns]
        return starts[0], starts[surplus]


@given(st.lists(CANDLES | st.none(), max_size=60))
def test_it_is_a_dictionary_of_candles_in_order(steps: list[Candle | None]) -> None:
    series, model = Series("ACME", 5, LIMIT), Model()
    for step in steps:
        if step is None:
            assert series.trim() == model.trim()
        else:
            series.put(step)
            model.kept[step.start_ns] = step
        assert list(series) == model.candles
        assert list(reversed(series)) == model.candles[::-1]
        assert series[-3:] == model.candles[-3:]
        assert series[::2] == model.candles[::2]
        assert series.last() == next(iter(model.candles[::-1]), None)


@given(st.lists(CANDLES, max_size=20), CANDLES, CANDLES)
def test_candles_are_found_by_their_start(kept: list[Candle], one: Candle, other: Candle) -> None:
    series, model = Series("ACME", 5, 100), Model()
    for candle in kept:
        series.put(candle)
        model.kept[candle.start_ns] = candle
    from_ns, until_ns = sorted((one.start_ns, other.start_ns))
    inside = [c for c in model.candles if from_ns <= c.start_ns < until_ns]
    assert series.get(from_ns) == model.kept.get(from_ns)
    assert series.between(from_ns, until_ns) == inside
    assert series.starts(from_ns, until_ns) == [c.start_ns for c in inside]


def bytes_each(keep: Callable[[list[Candle]], Sequence[Candle]], count: int = 1000) -> float:
    """What a kept candle takes."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = keep([_candle(place) for place in range(count)])
        assert len(kept) == count
        return (tracemalloc.get_traced_memory()[0] - before) / count
    finally:
        tracemalloc.stop()


def check_takes_little(keep: Callable[[list[Candle]], Sequence[Candle]]) -> None:
    assert bytes_each(keep) < 48


def test_a_kept_candle_takes_less_than_48_bytes() -> None:
    def as_numbers(candles: list[Candle]) -> Sequence[Candle]:
        series = Series("ACME", 5, 2000)
        for candle in candles:
            series.put(candle)
        return series

    check_takes_little(as_numbers)
    with pytest.raises(AssertionError):
        check_takes_little(list)


def _candle(place: int) -> Candle:
    start_ns, price = 1_790_000_000_000_000_000 + place * 300_000_000_000, 250_000 + place
    return Candle("ACME", 5, start_ns, price, price + 5, price - 5, price, 90_000 + place)


def real(candle: Candle) -> Candle:
    """The candle with prices, or without any number where it is missing."""
    if candle.state is CandleState.MISSING:
        nothing = dict.fromkeys(("open", "high", "low", "close", "volume", "open_interest"), 0)
        return replace(candle, **nothing, confirmed=False)
    return replace(candle, low=max(candle.low, 1))


@given(st.lists(CANDLES.map(real), min_size=3, max_size=30), st.integers(0, 9), st.integers(0, 40))
@settings(max_examples=100)
def test_candles_in_a_row_come_to_what_each_of_them_says(
    candles: list[Candle], first: int, width: int
) -> None:
    series = Series("ACME", 5, 100)
    for each in candles:
        series.put(each)
    span = BEGIN + first * 7, BEGIN + (first + width) * 7
    members = series.between(*span)
    told = series.joined(*span)
    assert (told is None) == (not members)
    if told is not None:
        traded = [each for each in members if each.state is not CandleState.MISSING]
        assert told == Joined(
            members[0].state,
            members[-1].state,
            members[-1].start_ns,
            members[0].open,
            max((each.high for each in traded), default=0),
            min((each.low for each in traded), default=0),
            members[-1].close,
            sum(each.volume for each in traded),
            members[-1].open_interest,
            frozenset(each.state for each in members),
            all(each.confirmed for each in members),
        )
        if traded == members:
            by_one = alone(members[0])
            for each in members[1:]:
                by_one = by_one.then(each)
            assert by_one == told
