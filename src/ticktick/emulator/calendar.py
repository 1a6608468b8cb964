"""A calendar whose days can be set while the exchange runs."""

import re
from datetime import date

from ticktick.domain.holidays import NSE_HOLIDAYS, NSE_SPECIAL_SESSIONS
from ticktick.domain.sessions import Calendar

Hours = tuple[tuple[str, str], ...]
"""Continuous trading as pairs of Indian wall clock times, none on a day without trading."""

_STRETCH = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")


class MovableCalendar(Calendar):
    """The NSE calendar until somebody sets the hours of a day."""

    def __init__(self) -> None:
        super().__init__(NSE_HOLIDAYS, dict(NSE_SPECIAL_SESSIONS))

    def unusual_days(self) -> list[date]:
        """Days closed or with hours of their own, in order."""
        return sorted({*self._holidays, *self._specials})

    def is_special(self, day: date) -> bool:
        """Whether the day has hours of its own."""
        return day in self._specials

    def set_hours(self, day: date, hours: Hours) -> None:
        """Let the day have these hours, or none at all."""
        self._specials = {known: told for known, told in self._specials.items() if known != day}
        if hours:
            self._specials[day] = hours
            self._holidays = self._holidays - {day}
        else:
            self._holidays = self._holidays | {day}


def parse_hours(text: str) -> Hours:
    """Read `09:15-10:00,11:45-12:40`; an empty text means no trading.

    Raises ValueError if the text is no rising list of stretches.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(_STRETCH.fullmatch(part) for part in parts):
        raise ValueError(f"hours are written like 09:15-10:00,11:45-12:40, was {text!r}")
    times = [moment for part in parts for moment in part.split("-")]
    if times != sorted(set(times)):
        raise ValueError(f"hours must rise from stretch to stretch, was {text!r}")
    return tuple(zip(times[::2], times[1::2], strict=True))


def trading_day_after(day: date, calendar: Calendar) -> date:
    """The first trading day after a day."""
    following = date.fromordinal(day.toordinal() + 1)
    while not calendar.is_trading_day(following):
        following = date.fromordinal(following.toordinal() + 1)
    return following
