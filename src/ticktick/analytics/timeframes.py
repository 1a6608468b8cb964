"""The six timeframes of stored one-minute candles, as the engine builds them from live ones."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, at_ist, ist_day
from ticktick.domain.market import Candle
from ticktick.domain.sessions import Calendar, SessionClass
from ticktick.market.book import COUNTERS, CandleBook, OneStretch


def timeframes(minutes: Sequence[Candle], calendar: Calendar) -> Iterator[Candle]:
    """Every candle of the six timeframes, in the order in which they end.

    `minutes` are final one-minute candles of one instrument, oldest first. Candles are anchored
    at the day's open, by the calendar, else at 09:15; minutes before it are left out. What was
    traded after the close the calendar knows is of the same session.
    """
    for _, day in groupby(minutes, key=lambda candle: ist_day(candle.start_ns)):
        yield from _of_day(list(day), calendar)


def _of_day(minutes: Sequence[Candle], calendar: Calendar) -> Iterator[Candle]:
    open_ns = _open_ns(minutes[0].start_ns, calendar)
    traded = [candle for candle in minutes if candle.start_ns >= open_ns]
    if not traded:
        return
    span = (open_ns, max(traded[-1].end_ns, open_ns + NS_PER_MINUTE))
    counters = dict.fromkeys(COUNTERS, 0)
    book = CandleBook(traded[0].symbol, OneStretch(span), 0, 0, counters)
    found = book.merge(traded, span, span[1] + NS_PER_DAY, span[1])
    yield from sorted(found, key=lambda c: (min(c.end_ns, span[1]), c.minutes))


def _open_ns(at_ns: int, calendar: Calendar) -> int:
    day = ist_day(at_ns)
    session = calendar.session(day, SessionClass.AUCTION_CASH)
    return at_ist(day, 9, 15) if session is None else session.open_ns
