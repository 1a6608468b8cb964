"""Market status: which segment is in which state, when that changes, and how it is told.

The broker's words for states are kept: `PRE_OPEN_START`, `NORMAL_OPEN` and so on. Stocks that
close by auction leave continuous trading before their segment does, which only
`cas_market_status` shows.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS, ist_day, ist_midnight_ns
from ticktick.domain.sessions import Session, SessionClass
from ticktick.emulator.answers import Refused, Request, Response, success
from ticktick.emulator.calendar import MovableCalendar
from ticktick.emulator.day import ENTRY_MINUTES
from ticktick.emulator.wire import STATUS_OF_WORD
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse, StatusInfo, Type

_SEGMENT_CLASSES: Final = {
    "NSE_EQ": SessionClass.CASH,
    "NSE_INDEX": SessionClass.AUCTION_CASH,
    "NSE_FO": SessionClass.DERIVATIVE,
    "BSE_EQ": SessionClass.CASH,
    "BSE_INDEX": SessionClass.AUCTION_CASH,
    "BSE_FO": SessionClass.DERIVATIVE,
}
SEGMENTS: Final = tuple(_SEGMENT_CLASSES)
_EXCHANGES: Final = {"NSE": "NSE_EQ", "NFO": "NSE_FO", "BSE": "BSE_EQ", "BFO": "BSE_FO"}
_NOT_RUN: Final = ("CDS", "BCD", "MCX", "NSCOM")
_WITH_AUCTION: Final = ("NSE", "BSE")
_PRE_OPEN: Final = ("PRE_OPEN_START", "PRE_OPEN_END")


class Status(NamedTuple):
    """A state and the moment since which it holds."""

    word: str
    since_ns: int


class Timetable:
    """Market status of every segment by the calendar."""

    def __init__(self, calendar: MovableCalendar) -> None:
        self._calendar = calendar

    def status(self, segment: str, at_ns: int) -> Status:
        """State of a segment at that moment."""
        return self._latest(_SEGMENT_CLASSES[segment], at_ns)

    def auction_status(self, at_ns: int) -> Status | None:
        """State of the stocks that close by auction; None until their trading ends."""
        session = self._session(SessionClass.AUCTION_CASH, at_ns)
        if (
            session is None
            or at_ns < session.close_ns
            or session.auction_end_ns == session.close_ns
        ):
            return None
        if at_ns < session.auction_end_ns:
            return Status("CTS_CLOSE", session.close_ns)
        return Status("CLOSING_END", session.auction_end_ns)

    def next_change_ns(self, at_ns: int) -> int:
        """The first moment after this one at which some status changes."""
        day = ist_day(at_ns)
        while True:
            later = [moment for moment in self._changes(day) if moment > at_ns]
            if later:
                return min(later)
            day = date.fromordinal(day.toordinal() + 1)

    def market_info(self, at_ns: int, told: Mapping[str, str], forced: Mapping[str, str]) -> bytes:
        """The feed's message of every segment's status.

        What a source told wins over the calendar. A forced state wins over both, and of a
        segment that has one neither pre-open nor auction is told.
        """
        words = {segment: self.status(segment, at_ns).word for segment in _SEGMENT_CLASSES}
        frame = status_frame(at_ns, words | dict(told) | dict(forced))
        for segment in _SEGMENT_CLASSES.keys() - forced.keys():
            status = self.status(segment, at_ns)
            if status.word in _PRE_OPEN:
                _tell(frame.marketInfo.preOpenSessionStatus[segment], status)
        auction = self.auction_status(at_ns)
        for segment in {"NSE_EQ", "BSE_EQ"} - forced.keys():
            if auction is not None:
                _tell(frame.marketInfo.casMarketStatus[segment], auction)
        return frame.SerializeToString(deterministic=True)

    def answer_status(self, exchange: str, at_ns: int, forced: Mapping[str, Status]) -> Response:
        """`GET /v2/market/status/{exchange}`; a forced status wins over the calendar."""
        if exchange in _NOT_RUN:
            midnight = ist_midnight_ns(ist_day(at_ns))
            return success({"exchange": exchange, **_told(Status("NORMAL_CLOSE", midnight))})
        segment = _EXCHANGES.get(exchange)
        if segment is None:
            raise Refused("UDAPI1089", f"Invalid exchange {exchange}")
        status = forced.get(segment) or self.status(segment, at_ns)
        data: dict[str, Any] = {"exchange": exchange, **_told(status)}
        auction = None if segment in forced else self.auction_status(at_ns)
        if auction is not None and exchange in _WITH_AUCTION:
            data["cas_eligible_status"] = _told(auction)
        return success(data)

    def answer_timings(self, request: Request) -> Response:
        """`GET /v2/market/timings/{date}`: the cash and derivative hours of the day."""
        return success(self._open_exchanges(_day_of(request)))

    def answer_holidays(self, request: Request) -> Response:
        """`GET /v2/market/holidays[/{date}]`: days without trading, or at unusual times."""
        days = self._calendar.unusual_days()
        if not request.path.endswith("/holidays"):
            wanted = _day_of(request)
            days = [day for day in days if day == wanted]
        return success([self._holiday(day) for day in days])

    def _holiday(self, day: date) -> dict[str, Any]:
        special = self._calendar.is_special(day)
        return {
            "date": day.isoformat(),
            "description": "Special session" if special else "Trading holiday",
            "holiday_type": "SPECIAL_TIMING" if special else "TRADING_HOLIDAY",
            "closed_exchanges": [] if special else list(_EXCHANGES),
            "open_exchanges": self._open_exchanges(day),
        }

    def _open_exchanges(self, day: date) -> list[dict[str, Any]]:
        found = []
        for exchange, segment in _EXCHANGES.items():
            session = self._calendar.session(day, _SEGMENT_CLASSES[segment])
            if session is not None:
                found.append(_hours(exchange, session))
        return found

    def _session(self, kind: SessionClass, at_ns: int) -> Session | None:
        return self._calendar.session(ist_day(at_ns), kind)

    def _latest(self, kind: SessionClass, at_ns: int) -> Status:
        midnight = ist_midnight_ns(ist_day(at_ns))
        session = self._session(kind, at_ns)
        states = [Status("NORMAL_CLOSE", midnight), *(_states(session) if session else [])]
        return [state for state in states if state.since_ns <= at_ns][-1]

    def _changes(self, day: date) -> set[int]:
        found: set[int] = set()
        for kind in SessionClass:
            session = self._calendar.session(day, kind)
            if session is not None:
                found.update(state.since_ns for state in _states(session))
                found.add(session.auction_end_ns)
        return found


def status_frame(at_ns: int, words: Mapping[str, str]) -> FeedResponse:
    """The feed's message of these segments' status and nothing else."""
    frame = FeedResponse(type=Type.market_info, currentTs=at_ns // NS_PER_MS)
    for segment, word in words.items():
        frame.marketInfo.segmentStatus[segment] = STATUS_OF_WORD[word]
    return frame


def _states(session: Session) -> list[Status]:
    states = []
    if session.pre_open_ns < session.open_ns:
        entry_end = session.pre_open_ns + ENTRY_MINUTES * NS_PER_MINUTE
        states.append(Status("PRE_OPEN_START", session.pre_open_ns))
        states.append(Status("PRE_OPEN_END", entry_end))
    for start, end in session.stretches:
        states.append(Status("NORMAL_OPEN", start))
        states.append(Status("NORMAL_CLOSE", end))
    start, end = session.post_close_ns
    if start < end:
        states.append(Status("CLOSING_START", start))
        states.append(Status("CLOSING_END", end))
    return states


def _tell(info: StatusInfo, status: Status) -> None:
    info.status = status.word
    info.updatedTime = status.since_ns // NS_PER_MS


def _told(status: Status) -> dict[str, Any]:
    return {"status": status.word, "last_updated": status.since_ns // NS_PER_MS}


def _hours(exchange: str, session: Session) -> dict[str, Any]:
    return {
        "exchange": exchange,
        "start_time": session.open_ns // NS_PER_MS,
        "end_time": session.close_ns // NS_PER_MS,
    }


def _day_of(request: Request) -> date:
    text = request.path.rpartition("/")[2]
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("UDAPI1088", f"Invalid date {text}; write YYYY-MM-DD") from None
