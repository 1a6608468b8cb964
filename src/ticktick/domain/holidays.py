"""Dated exchange calendar: weekday closures and sessions at unusual times.

Closures: NSE circulars for the years listed. Specials: two-stretch drills and week-end
sessions as traded; the evening session of 8 November 2026 is absent, its times were told later
than the circular, so there the feed's own word decides. A year that is not listed has no
holidays here; `covers` says so.
"""

from datetime import date

_CLOSED_MONTH_DAYS = {
    2024: "01-22 01-26 03-08 03-25 03-29 04-11 04-17 05-01 05-20 06-17 07-17 08-15 10-02 11-01 "
    "11-15 11-20 12-25",
    2025: "02-26 03-14 03-31 04-10 04-14 04-18 05-01 08-15 08-27 10-02 10-21 10-22 11-05 12-25",
    2026: "01-15 01-26 03-03 03-26 03-31 04-03 04-14 05-01 05-28 06-26 09-14 10-02 10-20 11-10 "
    "11-24 12-25",
}

NSE_HOLIDAYS = frozenset(
    date.fromisoformat(f"{year}-{month_day}")
    for year, month_days in _CLOSED_MONTH_DAYS.items()
    for month_day in month_days.split()
)

NSE_SPECIAL_SESSIONS: dict[date, tuple[tuple[str, str], ...]] = {
    date(2024, 1, 20): (("09:15", "15:30"),),
    date(2024, 3, 2): (("09:15", "10:00"), ("11:30", "12:30")),
    date(2024, 5, 18): (("09:15", "10:00"), ("11:45", "12:40")),
    date(2024, 11, 1): (("18:00", "19:00"),),
    date(2025, 2, 1): (("09:15", "15:30"),),
    date(2025, 10, 21): (("13:45", "14:45"),),
    date(2026, 2, 1): (("09:15", "15:30"),),
}


def covers(day: date) -> bool:
    """Whether the closures of that year are known."""
    return day.year in _CLOSED_MONTH_DAYS
