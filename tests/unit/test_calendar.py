"""Trading days against an independent calendar, and the sessions that one does not know."""

from datetime import date, timedelta

import exchange_calendars
import pytest

from ticktick.domain.clock import at_ist
from ticktick.domain.holidays import NSE_SPECIAL_SESSIONS, covers
from ticktick.domain.sessions import Calendar, DayHours, SessionClass

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


FRIDAY, SATURDAY, HOLIDAY = date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 24)


def hours(day: date, *spans: str) -> tuple[tuple[int, int], ...]:
    """Stretches written like 09:15-15:30."""
    texts = [moment for span in spans for moment in span.split("-")]
    moments = [at_ist(day, int(text[:2]), int(text[3:])) for text in texts]
    return tuple(zip(moments[::2], moments[1::2], strict=True))


def told(day: date, *spans: str) -> Calendar:
    """The calendar after the broker told these hours for everything."""
    stretches = hours(day, *spans)
    return Calendar().told([DayHours(day, stretches, stretches)])


def test_F41_the_broker_closes_a_day_that_the_file_calls_open() -> None:
    calendar = told(FRIDAY)
    assert not calendar.is_trading_day(FRIDAY)
    assert calendar.session(FRIDAY, SessionClass.CASH) is None
    assert calendar.trading_days_before(SATURDAY, 1) == [date(2026, 11, 19)]
    assert Calendar().is_trading_day(FRIDAY)


@pytest.mark.parametrize("day", [SATURDAY, HOLIDAY])
@pytest.mark.parametrize("span", ["09:15-15:30", "09:00-15:40"])
def test_F41_the_broker_opens_a_day_that_the_file_calls_closed(day: date, span: str) -> None:
    calendar = told(day, span)
    for kind in SessionClass:
        session, usual = calendar.session(day, kind), Calendar().session(FRIDAY, kind)
        assert session is not None
        assert usual is not None
        assert session.minutes == usual.minutes
        assert session.auction_end_ns - session.close_ns == usual.auction_end_ns - usual.close_ns


def test_F41_an_evening_or_half_session_has_the_hours_the_broker_tells() -> None:
    for day, spans in ((date(2026, 11, 8), ["18:00-19:00"]), (FRIDAY, ["09:15-12:30"])):
        session = told(day, *spans).session(day, SessionClass.AUCTION_CASH)
        assert session is not None
        assert session.stretches == hours(day, *spans)
        assert session.auction_end_ns == session.close_ns


def test_F41_breaks_that_the_broker_does_not_tell_are_taken_from_the_file() -> None:
    drill = date(2024, 3, 2)
    parts = ("09:15-10:00", "11:30-12:30")
    for spans in (("09:15-12:30",), parts):
        session = told(drill, *spans).session(drill, SessionClass.CASH)
        assert session is not None
        assert session.stretches == hours(drill, *parts)


def test_F41_derivatives_may_rest_while_stocks_trade() -> None:
    evening = hours(SATURDAY, "18:00-19:00")
    calendar = Calendar().told([DayHours(SATURDAY, cash=evening)])
    assert calendar.is_trading_day(SATURDAY)
    assert calendar.session(SATURDAY, SessionClass.CASH) is not None
    assert calendar.session(SATURDAY, SessionClass.DERIVATIVE) is None


def test_F41_what_the_broker_said_last_of_a_day_holds_and_other_days_stay() -> None:
    calendar = told(FRIDAY).told([DayHours(SATURDAY, hours(SATURDAY, "10:00-11:00"))])
    assert not calendar.is_trading_day(FRIDAY)
    assert calendar.is_trading_day(SATURDAY)
    usual = hours(FRIDAY, "09:15-15:30")
    assert calendar.told([DayHours(FRIDAY, usual, usual)]).is_trading_day(FRIDAY)


def days() -> list[date]:
    return [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
