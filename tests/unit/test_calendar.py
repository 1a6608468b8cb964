"""Trading days against an independent calendar, and the sessions that one does not know."""

from datetime import date, timedelta

import exchange_calendars
import pytest

from ticktick.domain.clock import at_ist
from ticktick.domain.holidays import NSE_SPECIAL_SESSIONS, covers
from ticktick.domain.sessions import Calendar, SessionClass

FIRST, LAST = date(2024, 1, 1), date(2026, 12, 31)


@pytest.mark.filterwarnings("ignore:Series.values")
def test_trading_days_equal_the_exchanges_but_for_its_special_sessions() -> None:
    oracle = exchange_calendars.get_calendar("XBOM", start=FIRST, end=LAST)
    theirs = {session.date() for session in oracle.sessions}
    ours = {day for day in days() if Calendar().is_trading_day(day)}
    assert theirs - ours == set()
    assert ours - theirs <= set(NSE_SPECIAL_SESSIONS)


def test_every_special_session_trades() -> None:
    for day in NSE_SPECIAL_SESSIONS:
        assert Calendar().session(day, SessionClass.CASH) is not None


def test_a_day_without_session_has_none() -> None:
    assert Calendar().session(date(2026, 11, 22), SessionClass.CASH) is None
    assert Calendar().session(date(2026, 11, 24), SessionClass.CASH) is None


def test_the_years_whose_closures_are_known_are_told() -> None:
    assert covers(FIRST)
    assert covers(LAST)
    assert not covers(date(2027, 1, 1))


def test_the_last_trading_days_skip_week_ends_and_holidays() -> None:
    assert Calendar().trading_days_before(date(2026, 11, 25), 3) == [
        date(2026, 11, 19),
        date(2026, 11, 20),
        date(2026, 11, 23),
    ]


def test_on_a_closed_day_the_latest_trading_day_is_the_one_before() -> None:
    calendar = Calendar()
    assert calendar.latest_trading_day(at_ist(date(2026, 11, 22), 12)) == date(2026, 11, 20)
    assert calendar.latest_trading_day(at_ist(date(2026, 11, 20), 1)) == date(2026, 11, 20)


def days() -> list[date]:
    return [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
