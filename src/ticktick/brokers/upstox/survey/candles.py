"""Candles over HTTP: order, labels, anchors, spans, and how long each class trades."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import quote

from ticktick.brokers.upstox.survey.asking import Answer, Bearer
from ticktick.brokers.upstox.survey.assumption import Assumption
from ticktick.brokers.upstox.survey.subject import INDEX, STOCK, Subject
from ticktick.brokers.upstox.survey.verdict import NotSeen, Otherwise, require
from ticktick.domain.clock import NS_PER_MINUTE, ist, ist_day, parse_iso_ns
from ticktick.domain.sessions import SessionClass

_V3: Final = "/v3/historical-candle"
_BACK_DAYS: Final = 12
_TOO_LONG_DAYS: Final = 45
_ENOUGH: Final = 0.9
_OUTSIDE_AUCTION: Final = ("NIFTYBEES", "GOLDBEES", "BANKBEES", "SILVERBEES")
_UNITS: Final = (("minutes", 1), ("days", 300), ("weeks", 300))

Row = list[Any]


async def intraday(subject: Subject, key: str) -> list[Row]:
    """One-minute rows of the current session, asked for again each time."""
    path = f"{_V3}/intraday/{quote(key, safe='')}/minutes/1"
    return _rows(await subject.asker.fresh(path))


async def _open_to_all(subject: Subject) -> str:
    answer = await _history(subject, STOCK, "minutes", 1, _BACK_DAYS)
    return require(answer.status == 200, answer.refusal() if answer.status != 200 else "answered")


async def _order(subject: Subject) -> str:
    found, newest_first = [], True
    for unit, days in _UNITS:
        span = _BACK_DAYS if unit == "minutes" else days
        starts = [row[0] for row in _rows(await _history(subject, STOCK, unit, 1, span))]
        if len(starts) < 2:
            raise NotSeen(f"too few candles of {unit}")
        falling = starts == sorted(starts, reverse=True)
        newest_first = newest_first and falling
        found.append(f"{unit} {_direction(starts)}")
    return require(newest_first, ", ".join(found))


async def _today(subject: Subject) -> str:
    rows = _rows(await _history(subject, STOCK, "minutes", 1, _BACK_DAYS))
    newest = max(map(_day, rows), default=None)
    if newest is None:
        raise NotSeen("no candle of the last days")
    return require(newest < subject.today, f"asked on {subject.today}, the newest is of {newest}")


async def _intraday_day(subject: Subject) -> str:
    """Before the open the session before may be told; from then on only today's."""
    rows = await intraday(subject, STOCK)
    days = sorted({_day(row) for row in rows})
    session = subject.session(SessionClass.AUCTION_CASH)
    found = f"candles of {', '.join(map(str, days)) or 'no day'}"
    if session is None or subject.clock.now_ns() < session.open_ns + 2 * NS_PER_MINUTE:
        raise NotSeen(f"no session runs or is over today; {found}")
    return require(days == [subject.today], found)


async def _labels(subject: Subject) -> str:
    rows = _rows(await _history(subject, STOCK, "minutes", 1, _BACK_DAYS))
    days = _rows(await _history(subject, STOCK, "days", 1, 300))
    if not rows or not days:
        raise NotSeen("no candles of the last days")
    texts = rows[-1][0], days[-1][0]
    good = all(text.endswith("+05:30") for text in texts) and texts[1][11:16] == "00:00"
    return require(good and len(rows[0]) == 7, f"{texts[0]} and {texts[1]}, {len(rows[0])} columns")


async def _anchors(subject: Subject) -> str:
    found, good = [], True
    for unit, size, second in (("hours", 1, "10:15"), ("minutes", 30, "09:45")):
        rows = _rows(await _history(subject, STOCK, unit, size, _BACK_DAYS))
        day = min(map(_day, rows), default=None)
        times = sorted(row[0][11:16] for row in rows if _day(row) == day)[:2]
        found.append(f"{size} {unit} begin {', '.join(times)}")
        good = good and times == ["09:15", second]
    return require(good, "; ".join(found))


async def _span(subject: Subject) -> str:
    answer = await _history(subject, STOCK, "minutes", 1, _TOO_LONG_DAYS)
    found = answer.refusal() if answer.status != 200 else f"{len(_rows(answer))} candles"
    return require((answer.status, answer.code()) == (400, "UDAPI1148"), found)


async def _agreement(subject: Subject) -> str:
    """Where today's endpoint still tells a past day, both must tell the same."""
    told = {row[0]: row[1:6] for row in await intraday(subject, STOCK)}
    past = _rows(await _history(subject, STOCK, "minutes", 1, _BACK_DAYS))
    both = [(told[row[0]], row[1:6]) for row in past if row[0] in told]
    if not both:
        raise NotSeen("no minute is told by both; look again before 09:15")
    differ = sum(one != other for one, other in both)
    return require(not differ, f"{differ} of {len(both)} minutes differ")


async def _auction_stock(subject: Subject) -> str:
    return await _whole_day(subject, STOCK, SessionClass.AUCTION_CASH)


async def _other_stock(subject: Subject) -> str:
    records = (await subject.records()).values()
    named = {record.trading_symbol: record for record in records if record.segment == "NSE_EQ"}
    key = next(
        (
            named[symbol].instrument_key
            for symbol in _OUTSIDE_AUCTION
            if symbol in named and not named[symbol].cas_eligible
        ),
        None,
    )
    if key is None:
        raise NotSeen("the instrument file lists no busy fund outside the closing auction")
    return await _whole_day(subject, key, SessionClass.CASH)


async def _future(subject: Subject) -> str:
    contract = await subject.derivative("FUT")
    return await _whole_day(subject, contract.instrument_key, SessionClass.DERIVATIVE)


async def _index(subject: Subject) -> str:
    return await _whole_day(subject, INDEX, SessionClass.AUCTION_CASH)


async def _whole_day(subject: Subject, key: str, kind: SessionClass) -> str:
    """First and last minute of the latest day that is over, against our calendar."""
    day = subject.last_full_day()
    session = subject.calendar.session(day, kind)
    rows = [
        row
        for row in _rows(await _history(subject, key, "minutes", 1, _BACK_DAYS))
        if _day(row) == day
    ]
    if session is None or not rows:
        raise NotSeen(f"no candle of {day}")
    starts = sorted(parse_iso_ns(row[0]) for row in rows)
    found = f"{day}: {len(rows)} minutes, {ist(starts[0]):%H:%M} to {ist(starts[-1]):%H:%M}"
    expected = (session.open_ns, session.close_ns - NS_PER_MINUTE)
    many = len(rows) >= _ENOUGH * session.minutes
    return require((starts[0], starts[-1]) == expected and many, found)


async def _history(subject: Subject, key: str, unit: str, size: int, back_days: int) -> Answer:
    """Candles until today, without a token."""
    first = subject.today - timedelta(days=back_days)
    path = f"{_V3}/{quote(key, safe='')}/{unit}/{size}/{subject.today}/{first}"
    return await subject.asker.get(path, Bearer.NONE)


def _rows(answer: Answer) -> list[Row]:
    rows = answer.data()["candles"]
    if not isinstance(rows, list):
        raise Otherwise("candles are no list")
    return rows


def _day(row: Row) -> date:
    return ist_day(parse_iso_ns(row[0]))


def _direction(starts: Sequence[str]) -> str:
    if list(starts) == sorted(starts, reverse=True):
        return "newest first"
    return "oldest first" if list(starts) == sorted(starts) else "in no order"


CANDLES: Final = (
    Assumption("candles.open", "candles need no token", _open_to_all),
    Assumption("candles.order", "history is told newest first, in every unit", _order),
    Assumption("candles.today", "history leaves out today", _today),
    Assumption("candles.intraday", "the intraday candles are today's alone", _intraday_day),
    Assumption("candles.labels", "a candle is labelled by its start, with +05:30", _labels),
    Assumption("candles.anchors", "longer candles begin at 09:15", _anchors),
    Assumption("candles.span", "more than a month of minutes is refused (UDAPI1148)", _span),
    Assumption("candles.agreement", "intraday and history tell the same candles", _agreement),
    Assumption(
        "hours.auction_stock", "a stock with derivatives trades 09:15-15:15", _auction_stock
    ),
    Assumption("hours.other_stock", "another stock trades 09:15-15:30", _other_stock),
    Assumption("hours.future", "a future trades 09:15-15:40", _future),
    Assumption("hours.index", "an index is told 09:15-15:15", _index),
)
