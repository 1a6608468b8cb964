"""The broker's calendar: which days are closed, and when the exchange trades on the others."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from ticktick.brokers.upstox.wire import ExchangeHours, Holiday
from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.sessions import DayHours

_CASH, _DERIVATIVES = "NSE", "NFO"


def of_holidays(holidays: Iterable[Holiday]) -> Iterator[DayHours]:
    """What the list of holidays says of NSE: closed, or open at these hours.

    A day that names NSE neither closed nor open says nothing of it.
    """
    for holiday in holidays:
        try:
            day = date.fromisoformat(holiday.date[:10])
        except ValueError:
            continue
        open_there = holiday.open_exchanges or []
        if any(hours.exchange == _CASH for hours in open_there):
            yield _day_hours(day, open_there)
        elif _CASH in (holiday.closed_exchanges or []):
            yield DayHours(day)


def of_timings(day: date, timings: Sequence[ExchangeHours]) -> DayHours | None:
    """What the timings of one day say of NSE; None if they do not name it."""
    found = _day_hours(day, timings)
    return found if found.cash else None


def _day_hours(day: date, timings: Sequence[ExchangeHours]) -> DayHours:
    """The hours of both parts; derivatives of which nothing is told trade with the stocks."""
    cash = _stretches(timings, _CASH)
    return DayHours(day, cash, _stretches(timings, _DERIVATIVES) or cash)


def _stretches(timings: Iterable[ExchangeHours], exchange: str) -> tuple[tuple[int, int], ...]:
    spans = {
        (hours.start_time * NS_PER_MS, hours.end_time * NS_PER_MS)
        for hours in timings
        if hours.exchange == exchange and 0 < hours.start_time < hours.end_time
    }
    return tuple(sorted(spans))
