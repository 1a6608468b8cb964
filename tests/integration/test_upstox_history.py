"""Candles as the broker serves them, day by day."""

from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from tests.upstox_stage import (
    FRIDAY,
    RELIANCE,
    StandingClock,
    Stub,
)
from ticktick.brokers.upstox.history import UpstoxHistory
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import NS_PER_MINUTE, at_ist, iso_ist
from ticktick.domain.sessions import Calendar
from ticktick.errors import ConfigError

pytestmark = pytest.mark.usefixtures("retries_do_not_wait")


def rows(first_ns: int, count: int) -> list[list[Any]]:
    """Candles newest first, as the broker sends them."""
    starts = [first_ns + minute * NS_PER_MINUTE for minute in range(count)]
    return [[iso_ist(start), 100.0, 101.0, 99.0, 100.5, 10, 0] for start in reversed(starts)]


async def test_given_an_early_morning_when_reading_history_then_the_day_before_fills_it(
    stub: Stub, rest: UpstoxRest
) -> None:
    notes: list[str] = []
    now_ns = at_ist(FRIDAY, 9, 25, 30)
    today = rows(at_ist(FRIDAY, 9, 15), 11)  # the last one still forms
    stub.says(200, {"data": {"candles": today}})
    before = rows(at_ist(date(2026, 11, 19), 9, 15), 375)
    stub.says(200, {"data": {"candles": [*before, before[3], ["broken"], *today[-2:]]}})
    history = UpstoxHistory(rest, [RELIANCE], StandingClock(now_ns), Calendar(), notes.append)
    told = await history.minutes("RELIANCE", 250)
    candles = told.candles
    assert len(candles) == 250
    assert candles[-1].start_ns == at_ist(FRIDAY, 9, 24)
    assert all(one.start_ns < two.start_ns for one, two in pairwise(candles))
    assert notes == ["RELIANCE: 1 candles of the broker were no candles; left out"]
    assert stub.requests[1][0].endswith("/minutes/1/2026-11-19/2026-11-17")


async def test_given_many_sessions_wanted_when_reading_then_each_call_spans_at_most_a_month(
    stub: Stub, rest: UpstoxRest
) -> None:
    stub.says(200, {"data": {"candles": []}})
    stub.says(200, {"data": {"candles": rows(at_ist(date(2026, 11, 19), 9, 15), 375)}})
    stub.says(200, {"data": {"candles": rows(at_ist(date(2026, 10, 19), 9, 15), 375)}})
    stub.says(200, {"data": {"candles": []}})
    clock = StandingClock(at_ist(FRIDAY, 8, 0))
    history = UpstoxHistory(rest, [RELIANCE], clock, Calendar(), lambda _: None)
    told = await history.minutes("RELIANCE", 42 * 375)
    assert len(told.candles) == 750
    spans = [path.rsplit("/", 2)[1:] for path, _ in stub.requests[1:]]
    days = [(date.fromisoformat(to_day), date.fromisoformat(day)) for to_day, day in spans]
    assert all(0 <= (to_day - day).days <= 28 for to_day, day in days)
    assert all(newer[1] > older[0] for newer, older in pairwise(days))


async def test_given_a_symbol_nobody_watches_when_reading_history_then_it_is_named(
    rest: UpstoxRest,
) -> None:
    history = UpstoxHistory(rest, [RELIANCE], StandingClock(0), Calendar(), lambda _: None)
    with pytest.raises(ConfigError, match="TCS"):
        await history.minutes("TCS", 5)
