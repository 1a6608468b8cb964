"""REST candles: history before today and today's, in every unit the broker knows."""

from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np

from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, iso_ist, ist_day, ist_midnight_ns
from ticktick.domain.sessions import Calendar, SessionClass
from ticktick.emulator.answers import Refused, Response, success
from ticktick.emulator.bars import Bars
from ticktick.emulator.master import find
from ticktick.emulator.model import Ints
from ticktick.emulator.source import Source
from ticktick.emulator.view import View

_MOST_INTERVAL: Final = {"minutes": 300, "hours": 5, "days": 1, "weeks": 1, "months": 1}
_INTRADAY_UNITS: Final = ("minutes", "hours", "days")
_DAY_UNITS: Final = ("days", "weeks", "months")
_SHORT_MINUTES = 15
_IST_OFFSET_NS = 19_800_000_000_000
_EPOCH_WEEKDAY = 3


class Width(NamedTuple):
    """A candle length as the broker says it: `minutes`, 5."""

    unit: str
    size: int


def answer_history(view: View, key: str, unit: str, interval: str, *days: str) -> Response:
    """`GET /v3/historical-candle/{key}/{unit}/{interval}/{to_date}[/{from_date}]`."""
    find(view.source.listings, key, "UDAPI1021")
    width = _width(unit, interval, tuple(_MOST_INTERVAL))
    return past_candles(view, key, width, _span(width, *days))


def answer_intraday(view: View, key: str, unit: str, interval: str) -> Response:
    """`GET /v3/historical-candle/intraday/{key}/{unit}/{interval}`: the last one is forming."""
    find(view.source.listings, key, "UDAPI1021")
    return candles_of_today(view, key, _width(unit, interval, _INTRADAY_UNITS))


def answer_without_end(view: View, key: str, *widths: str) -> Response:
    """History asked for without its last day: refused."""
    find(view.source.listings, key, "UDAPI1021")
    raise Refused("UDAPI1022", "to_date is required")


def past_candles(view: View, key: str, width: Width, span: tuple[date, date]) -> Response:
    """Candles of the days of the span, both ends included, but never of today."""
    first, last = span
    today = ist_midnight_ns(ist_day(view.source.now_ns))
    end_ns = min(ist_midnight_ns(last) + NS_PER_DAY, today)
    bars = _bars(view.source, key, width).between(ist_midnight_ns(first), end_ns)
    return _told(view, key, bars, width)


def candles_of_today(view: View, key: str, width: Width) -> Response:
    """Today's candles; the last one is forming."""
    now_ns = view.source.now_ns
    today = ist_midnight_ns(ist_day(now_ns))
    bars = _bars(view.source, key, width)
    found = bars.between(today, now_ns + 1)
    if not len(found) and view.switches.is_on("candles.last_session") and len(bars):
        last_day = ist_midnight_ns(ist_day(int(bars.start_ns[-1])))
        found = bars.between(last_day, now_ns)
    return _told(view, key, found, width)


def _bars(source: Source, key: str, width: Width) -> Bars:
    """What candles of this length are made of: minutes, or whole days with their auctions."""
    return source.day_bars(key) if width.unit in _DAY_UNITS else source.bars(key)


def _width(unit: str, interval: str, units: tuple[str, ...]) -> Width:
    if unit not in units:
        raise Refused("UDAPI1146", f"Invalid unit {unit}; valid units are {', '.join(units)}")
    if not interval.isdecimal() or not 1 <= int(interval) <= _MOST_INTERVAL[unit]:
        raise Refused("UDAPI1147", f"Invalid interval {interval} for unit {unit}")
    return Width(unit, int(interval))


def _span(width: Width, to_text: str, from_text: str | None = None) -> tuple[date, date]:
    last = day_of(to_text)
    earliest = _earliest(width, last)
    if from_text is None:
        return earliest, last
    first = day_of(from_text)
    if first > last:
        raise Refused("UDAPI1015", f"from_date {first} must not be after to_date {last}")
    if first < earliest:
        raise Refused("UDAPI1148", f"Invalid date range: the earliest from_date is {earliest}")
    return first, last


def _earliest(width: Width, last: date) -> date:
    """First day that one call may reach back to."""
    if width.unit in ("weeks", "months"):
        return date(2000, 1, 1)
    if width.unit == "days":
        return months_before(last, 120)
    short = width.unit == "minutes" and width.size <= _SHORT_MINUTES
    return months_before(last, 1 if short else 3)


def months_before(day: date, months: int) -> date:
    """The same day some months earlier, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def day_of(text: str) -> date:
    """The day of a text; Refused if it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("UDAPI1015", f"Invalid date {text}; write YYYY-MM-DD") from None


def _told(view: View, key: str, bars: Bars, width: Width) -> Response:
    source = view.source
    label_ns = bars.start_ns
    if width != Width("minutes", 1):
        label_ns = _labels(bars, width, view.calendar)
    grouped = bars.grouped(label_ns)
    last = np.searchsorted(label_ns, grouped.start_ns, "right") - 1
    within = NS_PER_DAY if width.unit in _DAY_UNITS else NS_PER_MINUTE
    interest = source.open_interest(key, np.minimum(bars.start_ns[last] + within, source.now_ns))
    rows = zip(
        map(iso_ist, grouped.start_ns.tolist()),
        (grouped.open / 100).tolist(),
        (grouped.high / 100).tolist(),
        (grouped.low / 100).tolist(),
        (grouped.close / 100).tolist(),
        grouped.volume.tolist(),
        interest.tolist(),
        strict=True,
    )
    candles = [list(row) for row in rows]
    is_oldest_first = view.switches.is_on("candles.oldest_first")
    return success({"candles": candles if is_oldest_first else candles[::-1]})


def _labels(bars: Bars, width: Width, calendar: Calendar) -> Ints:
    """Start of the longer candle of each minute: by session, or by calendar in India."""
    days = (bars.start_ns + _IST_OFFSET_NS) // NS_PER_DAY
    match width.unit:
        case "days":
            return _midnights(days)
        case "weeks":
            return _midnights(days - (days + _EPOCH_WEEKDAY) % 7)
        case "months":
            months = days.astype("M8[D]").astype("M8[M]").astype("M8[D]")
            return _midnights(months.astype(np.int64))
    minutes = width.size * (60 if width.unit == "hours" else 1)
    return _session_labels(bars.start_ns, days, minutes * NS_PER_MINUTE, calendar)


def _session_labels(start_ns: Ints, days: Ints, width_ns: int, calendar: Calendar) -> Ints:
    found, where = np.unique(days, return_inverse=True)
    opens = [_open_ns(date.fromordinal(int(day) + _EPOCH_ORDINAL), calendar) for day in found]
    anchor = np.array(opens, np.int64)[where]
    return np.asarray(anchor + (start_ns - anchor) // width_ns * width_ns, np.int64)


_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def _open_ns(day: date, calendar: Calendar) -> int:
    session = calendar.session(day, SessionClass.AUCTION_CASH)
    return ist_midnight_ns(day) if session is None else session.open_ns


def _midnights(days: Ints) -> Ints:
    return np.asarray(days * NS_PER_DAY - _IST_OFFSET_NS, np.int64)
