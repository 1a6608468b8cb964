"""When the exchange trades: phases, dated sessions and the NSE calendar.

The feed's market status wins over this table; the table is the fallback and the anchor of
candles. Rules are date-effective: the closing auction of 3 August 2026 moved the end of
continuous trading of stocks with derivatives to 15:15 and of derivatives to 15:40.
"""

from collections.abc import Iterable
from copy import copy
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, at_ist, ist_day
from ticktick.domain.holidays import NSE_HOLIDAYS, NSE_SPECIAL_SESSIONS, covers
from ticktick.domain.instrument import Instrument, Kind


class Phase(StrEnum):
    """What the exchange is doing for one class of instruments."""

    PRE_OPEN = "pre_open"
    CONTINUOUS = "continuous"
    AUCTION = "auction"
    POST_CLOSE = "post_close"
    CLOSED = "closed"
    HALTED = "halted_by_exchange"
    UNKNOWN = "unknown"


class SessionClass(StrEnum):
    """Instruments that share their trading times."""

    AUCTION_CASH = "auction_cash"
    CASH = "cash"
    DERIVATIVE = "derivative"


class DayHours(Struct, frozen=True):
    """What the broker says of one day: the continuous trading of stocks and of derivatives.

    Stretches (start, end) in their order; none where that part of the exchange is closed.
    """

    day: date
    cash: tuple[tuple[int, int], ...] = ()
    derivatives: tuple[tuple[int, int], ...] = ()


class Session(Struct, frozen=True):
    """One day's trading times of one session class.

    `stretches` are the continuous periods (start, end), usually one. The pre-open and the
    closing auction are empty (start == end) where the day has none.
    """

    day: date
    stretches: tuple[tuple[int, int], ...]
    pre_open_ns: int
    auction_end_ns: int
    post_close_ns: tuple[int, int]

    @property
    def open_ns(self) -> int:
        """Start of continuous trading: the anchor of every candle of the day."""
        return self.stretches[0][0]

    @property
    def close_ns(self) -> int:
        """End of continuous trading."""
        return self.stretches[-1][1]

    @property
    def boundaries(self) -> list[int]:
        """The moments at which the phase may change."""
        moments = [moment for stretch in self.stretches for moment in stretch]
        return sorted({*moments, self.pre_open_ns, self.auction_end_ns, *self.post_close_ns})

    @property
    def minutes(self) -> int:
        """Number of one-minute candles of a day in which every minute trades."""
        return sum((end - start) // NS_PER_MINUTE for start, end in self.stretches)

    def phase(self, at_ns: int) -> Phase:
        """The phase by the clock alone."""
        if any(start <= at_ns < end for start, end in self.stretches):
            return Phase.CONTINUOUS
        if self.pre_open_ns <= at_ns < self.open_ns:
            return Phase.PRE_OPEN
        if self.close_ns <= at_ns < self.auction_end_ns:
            return Phase.AUCTION
        if self.post_close_ns[0] <= at_ns < self.post_close_ns[1]:
            return Phase.POST_CLOSE
        return Phase.CLOSED

    def candle_start_ns(self, at_ns: int, minutes: int) -> int:
        """Start of the candle of `minutes` that holds the moment.

        Candles are anchored at the open of their stretch, so none spans two of them; a moment
        outside every stretch counts from the stretch before it, else from the first.
        """
        width = minutes * NS_PER_MINUTE
        begun = [start for start, _ in self.stretches if start <= at_ns]
        anchor = begun[-1] if begun else self.open_ns
        return anchor + (at_ns - anchor) // width * width


# (first day, end of continuous trading, end of the closing auction) as IST hours and minutes
_CLOSES: dict[SessionClass, list[tuple[date, tuple[int, int], tuple[int, int]]]] = {
    SessionClass.AUCTION_CASH: [
        (date.min, (15, 30), (15, 30)),
        (date(2026, 8, 3), (15, 15), (15, 35)),
    ],
    SessionClass.CASH: [(date.min, (15, 30), (15, 30))],
    SessionClass.DERIVATIVE: [
        (date.min, (15, 30), (15, 30)),
        (date(2026, 8, 3), (15, 40), (15, 40)),
    ],
}
_POST_CLOSES = [
    (date.min, (15, 40), (16, 0)),
    (date(2026, 8, 3), (15, 50), (16, 0)),
]

_Stretches: TypeAlias = tuple[tuple[int, int], ...]
_MASTER_TIME = (6, 0)
_REGULAR = (("09:15", "15:30"),)  # a special session at regular hours is a day like any other


class Calendar:
    """Trading days of the exchange and the session of each.

    What the broker told of a day wins over the dated file, but for the pre-open, the auction and
    the stretches inside its hours, of which the broker tells nothing.
    """

    def __init__(
        self,
        holidays: frozenset[date] = NSE_HOLIDAYS,
        specials: dict[date, tuple[tuple[str, str], ...]] | None = None,
    ) -> None:
        self._holidays = holidays
        self._specials = NSE_SPECIAL_SESSIONS if specials is None else specials
        self._told: dict[date, DayHours] = {}

    def told(self, days: Iterable[DayHours]) -> "Calendar":
        """This calendar with what the broker says of some days."""
        other = copy(self)
        other._told = {**self._told, **{hours.day: hours for hours in days}}
        return other

    def knows(self, day: date) -> bool:
        """Whether the closures around that day are known, so that a week day is no guess."""
        return day in self._told or day in self._specials or covers(day)

    def is_trading_day(self, day: date) -> bool:
        """Whether the exchange trades at all on that day."""
        told = self._told.get(day)
        if told is not None:
            return bool(told.cash or told.derivatives)
        return day in self._specials or (day.weekday() < 5 and day not in self._holidays)

    def session(self, day: date, kind: SessionClass) -> Session | None:
        """The session of that day, or None when the exchange is closed."""
        if not self.is_trading_day(day):
            return None
        unusual = self._unusual(day, kind)
        if unusual is not None:
            return _special_session(day, unusual) if unusual else None
        _, close, auction_end = [row for row in _CLOSES[kind] if row[0] <= day][-1]
        _, post_start, post_end = [row for row in _POST_CLOSES if row[0] <= day][-1]
        return Session(
            day=day,
            stretches=((at_ist(day, 9, 15), at_ist(day, *close)),),
            pre_open_ns=at_ist(day, 9, 0),
            auction_end_ns=at_ist(day, *auction_end),
            post_close_ns=(at_ist(day, *post_start), at_ist(day, *post_end)),
        )

    def _unusual(self, day: date, kind: SessionClass) -> _Stretches | None:
        """The hours of a trading day, none for a class that rests; None if they are as usual."""
        special = self._specials.get(day, _REGULAR)
        dated = None if special == _REGULAR else _on_clock(day, special)
        told = self._told.get(day)
        if told is None:
            return dated
        return _believed(
            day, told.derivatives if kind is SessionClass.DERIVATIVE else told.cash, dated
        )

    def trading_days_before(self, day: date, count: int) -> list[date]:
        """The last `count` trading days before the day, oldest first."""
        found: list[date] = []
        while len(found) < count:
            day -= timedelta(days=1)
            if self.is_trading_day(day):
                found.append(day)
        return found[::-1]

    def master_day(self, at_ns: int) -> date:
        """The trading day whose instruments are listed: a new one's come at six in the morning."""
        before_dawn = at_ns < at_ist(ist_day(at_ns), *_MASTER_TIME)
        return self.latest_trading_day(at_ns - before_dawn * NS_PER_DAY)

    def latest_trading_day(self, at_ns: int) -> date:
        """The day itself if the exchange trades on it, else the trading day before."""
        day = ist_day(at_ns)
        return day if self.is_trading_day(day) else self.trading_days_before(day, 1)[0]


def session_class(instrument: Instrument) -> SessionClass:
    """Which trading times the instrument follows.

    Index values come from stocks that close by auction, so an index follows those.
    """
    if instrument.kind is Kind.INDEX or instrument.has_closing_auction:
        return SessionClass.AUCTION_CASH
    return SessionClass.CASH if instrument.kind is Kind.EQUITY else SessionClass.DERIVATIVE


def _believed(day: date, told: _Stretches, dated: _Stretches | None) -> _Stretches | None:
    """The unusual hours of a day of which the broker told; None if they are the usual ones.

    The dated file knows breaks that the broker's first and last moment do not show.
    """
    if len(told) != 1:
        return told
    ((start_ns, end_ns),) = told
    if dated and (start_ns, end_ns) == (dated[0][0], dated[-1][1]):
        return dated
    begins_as_usual = at_ist(day, 9) <= start_ns <= at_ist(day, 9, 15)
    ends_as_usual = at_ist(day, 15, 15) <= end_ns <= at_ist(day, 15, 45)
    return None if begins_as_usual and ends_as_usual else told


def _special_session(day: date, stretches: _Stretches) -> Session:
    close = stretches[-1][1]
    return Session(
        day=day,
        stretches=stretches,
        pre_open_ns=stretches[0][0],
        auction_end_ns=close,
        post_close_ns=(close, close),
    )


def _on_clock(day: date, hours: tuple[tuple[str, str], ...]) -> _Stretches:
    return tuple((_wall_ns(day, start), _wall_ns(day, end)) for start, end in hours)


def _wall_ns(day: date, text: str) -> int:
    hour, minute = text.split(":")
    return at_ist(day, int(hour), int(minute))
