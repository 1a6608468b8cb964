"""Market time: integer nanoseconds since the Unix epoch, UTC, and the clocks that tell it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Protocol

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
NS_PER_MINUTE = 60 * NS_PER_S
NS_PER_DAY = 86_400 * NS_PER_S

IST = timezone(timedelta(hours=5, minutes=30), "IST")
IST_OFFSET_NS = 19_800 * NS_PER_S


class Clock(Protocol):
    """Tells market time; a test passes one that stands still."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, UTC."""
        ...


class MarketClock:
    """Market time with a value and a rate, carried forward by a counter of real nanoseconds.

    It reads `base_ns` at construction and runs `rate` market seconds per real second. Where
    `counter_ns` steps back, so does market time.
    """

    def __init__(self, base_ns: int, rate: float, counter_ns: Callable[[], int]) -> None:
        self._counter_ns = counter_ns
        self.rate = rate
        self._base_ns = base_ns
        self._mark_ns = counter_ns()

    def now_ns(self) -> int:
        """Market time now."""
        return self._base_ns + int((self._counter_ns() - self._mark_ns) * self.rate)

    def set(self, now_ns: int, rate: float) -> None:
        """Take over a new reading of the market's time and rate."""
        self._mark_ns = self._counter_ns()
        self._base_ns = now_ns
        self.rate = rate

    def set_ahead(self, by_ns: int) -> None:
        """Go on from so much later, or earlier where it is negative."""
        self._base_ns += by_ns


def ist(at_ns: int) -> datetime:
    """The moment as an aware datetime in IST, exact to the microsecond."""
    whole, rest = divmod(at_ns, NS_PER_S)
    return datetime.fromtimestamp(whole, IST).replace(microsecond=rest // 1000)


def ist_day(at_ns: int) -> date:
    """The calendar day in India at that moment."""
    return ist(at_ns).date()


def ist_day_number(at_ns: int) -> int:
    """Days since 1 January 1970 in India: equal exactly for moments of one Indian day."""
    return (at_ns + IST_OFFSET_NS) // NS_PER_DAY


def ist_midnight_ns(day: date) -> int:
    """The start of the day in India."""
    return (day - date(1970, 1, 1)).days * NS_PER_DAY - IST_OFFSET_NS


def at_ist(day: date, hour: int, minute: int = 0, second: int = 0) -> int:
    """The moment of a wall clock time in India."""
    return ist_midnight_ns(day) + (hour * 3600 + minute * 60 + second) * NS_PER_S


def iso_ist(at_ns: int) -> str:
    """ISO 8601 with offset, to the second, as the broker's candles are labelled."""
    return ist(at_ns).isoformat(timespec="seconds")


def parse_iso_ns(text: str) -> int:
    """Nanoseconds of an ISO 8601 moment that carries an offset.

    Raises ValueError if the text is no such moment or has no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text!r} has no offset; write it like 2026-11-20T09:15:00+05:30")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * NS_PER_S + since.microseconds * 1000
