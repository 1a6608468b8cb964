"""Rows of the broker's candles: what becomes a candle, and what is left out."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticktick.brokers.upstox.history import finished_candles
from ticktick.domain.clock import NS_PER_MINUTE, iso_ist
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.market import Candle, CandleState

RELIANCE = Instrument("RELIANCE", "Reliance", "NSE", "NSE_EQ", "NSE_EQ|INE002A01018", Kind.EQUITY)
START = "2026-11-20T09:15:00+05:30"
START_NS = int(datetime(2026, 11, 20, 3, 45, tzinfo=UTC).timestamp()) * 10**9
LATER_NS = START_NS + 10 * NS_PER_MINUTE


def row(*changes: tuple[int, Any]) -> list[Any]:
    made: list[Any] = [START, 1412.55, 1413.0, 1412.1, 1412.9, 1500, 0]
    for position, value in changes:
        made[position] = value
    return made


def test_given_a_row_when_read_then_it_is_a_final_candle_in_price_units() -> None:
    candles, refused = finished_candles([row()], RELIANCE, LATER_NS)
    assert candles == {
        START_NS: Candle("RELIANCE", 1, START_NS, 141_255, 141_300, 141_210, 141_290, 1500)
    }
    assert candles[START_NS].state is CandleState.FINAL
    assert candles[START_NS].confirmed
    assert refused == 0


def test_given_the_minute_still_runs_when_read_then_it_is_left_out() -> None:
    end_ns = START_NS + NS_PER_MINUTE
    assert finished_candles([row()], RELIANCE, end_ns - 1) == ({}, 0)
    assert list(finished_candles([row()], RELIANCE, end_ns)[0]) == [START_NS]


@pytest.mark.parametrize(
    "bad",
    [
        row((1, math.nan)),
        row((2, math.inf)),
        row((3, -1.0)),
        row((4, None)),
        row((4, "1412.9")),
        row((2, 1400.0)),
        row((3, 1412.7)),
        row((3, 0.0)),
        row((5, -5)),
        row((5, None)),
        row((6, -1)),
        row((0, "2026-11-20T09:15:00")),
        row((0, "2026-11-20T09:15:30+05:30")),
        row((0, 1_795_000_000_000)),
        row((0, "yesterday")),
        row()[:5],
        [],
        None,
        5,
        "text",
    ],
)
def test_given_a_row_that_is_no_candle_when_read_then_it_is_counted_and_left_out(bad: Any) -> None:
    candles, refused = finished_candles([bad, row()], RELIANCE, LATER_NS)
    assert list(candles) == [START_NS]
    assert refused == 1


def test_given_no_open_interest_when_read_then_it_is_zero() -> None:
    candles, _ = finished_candles([row()[:6]], RELIANCE, LATER_NS)
    assert candles[START_NS].open_interest == 0


@given(st.lists(st.integers(0, 600), max_size=40))
def test_any_order_and_any_repeats_give_one_candle_a_minute(minutes: list[int]) -> None:
    rows = [row((0, iso_ist(START_NS + minute * NS_PER_MINUTE))) for minute in minutes]
    candles, refused = finished_candles(rows, RELIANCE, START_NS + 1000 * NS_PER_MINUTE)
    assert sorted(candles) == [START_NS + minute * NS_PER_MINUTE for minute in sorted(set(minutes))]
    assert refused == 0
