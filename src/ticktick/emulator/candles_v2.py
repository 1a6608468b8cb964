"""REST candles in their older form, which the vendor's SDK still offers."""

from datetime import date
from typing import Final

from ticktick.emulator.answers import Refused, Response
from ticktick.emulator.candles import Width, candles_of_today, day_of, months_before, past_candles
from ticktick.emulator.master import find
from ticktick.emulator.view import View

_WIDTHS: Final = {
    "1minute": Width("minutes", 1),
    "30minute": Width("minutes", 30),
    "day": Width("days", 1),
    "week": Width("weeks", 1),
    "month": Width("months", 1),
}
_INTRADAY: Final = ("1minute", "30minute")
_MOST_MONTHS: Final = {"1minute": 1, "30minute": 6, "day": 12, "week": 120, "month": 120}


def answer_history(view: View, key: str, interval: str, *days: str) -> Response:
    """`GET /v2/historical-candle/{key}/{interval}/{to_date}[/{from_date}]`."""
    find(view.source.listings, key, "UDAPI1021")
    width = _width(interval, tuple(_WIDTHS))
    return past_candles(view, key, width, _span(interval, *days))


def answer_intraday(view: View, key: str, interval: str) -> Response:
    """`GET /v2/historical-candle/intraday/{key}/{interval}`."""
    find(view.source.listings, key, "UDAPI1021")
    return candles_of_today(view, key, _width(interval, _INTRADAY))


def _width(interval: str, valid: tuple[str, ...]) -> Width:
    if interval not in valid:
        raise Refused("UDAPI1020", f"Invalid interval {interval}; valid are {', '.join(valid)}")
    return _WIDTHS[interval]


def _span(interval: str, to_text: str, from_text: str | None = None) -> tuple[date, date]:
    last = day_of(to_text)
    earliest = months_before(last, _MOST_MONTHS[interval])
    if from_text is None:
        return earliest, last
    first = day_of(from_text)
    if not earliest <= first <= last:
        raise Refused("UDAPI1015", f"from_date must be from {earliest} to {last}, was {first}")
    return first, last
