"""Days and hours: the broker's holidays, timings and market status against our calendar."""

from datetime import date, timedelta
from typing import Any, Final

from ticktick.brokers.upstox.survey.asking import Bearer
from ticktick.brokers.upstox.survey.assumption import Assumption
from ticktick.brokers.upstox.survey.subject import Subject
from ticktick.brokers.upstox.survey.verdict import NotSeen, Otherwise, require
from ticktick.domain.clock import NS_PER_MS, NS_PER_S, ist, ist_day
from ticktick.domain.sessions import Phase, SessionClass

STATUS: Final = "/v2/market/status/"
_CLASSES: Final = {
    "NSE": SessionClass.CASH,
    "BSE": SessionClass.CASH,
    "NFO": SessionClass.DERIVATIVE,
}
PHASE_OF_WORD: Final = {
    "PRE_OPEN_START": Phase.PRE_OPEN,
    "PRE_OPEN_END": Phase.PRE_OPEN,
    "NORMAL_OPEN": Phase.CONTINUOUS,
    "NORMAL_CLOSE": Phase.CLOSED,
    "CLOSING_START": Phase.POST_CLOSE,
    "CLOSING_END": Phase.CLOSED,
}
AUCTION_WORDS: Final = {*PHASE_OF_WORD, "CTS_CLOSE"}
_HOLIDAY_WORDS: Final = {"ALL", "SETTLEMENT_HOLIDAY", "TRADING_HOLIDAY", "SPECIAL_TIMING"}
_NEAR_NS: Final = 120 * NS_PER_S


async def _holidays(subject: Subject) -> str:
    """Weekdays without trading of this year; a settlement holiday is a trading day."""
    rows = await _open_data(subject, "/v2/market/holidays")
    year = subject.today.year
    theirs = {
        day
        for row in rows
        if (day := date.fromisoformat(row["date"][:10])).year == year
        and day.weekday() < 5
        and "NSE" in row["closed_exchanges"]
        and not _is_open(row, "NSE")
    }
    days = (date(year, 1, 1) + timedelta(days=i) for i in range(366))
    ours = {
        day
        for day in days
        if day.year == year and day.weekday() < 5 and not subject.calendar.is_trading_day(day)
    }
    if not theirs:
        raise Otherwise(f"no holiday of {year}")
    only = [f"only there: {_days(theirs - ours)}", f"only here: {_days(ours - theirs)}"]
    found = f"{len(theirs)} in {year}" + (f"; {'; '.join(only)}" if theirs != ours else "")
    return require(theirs == ours, found)


async def _holiday_words(subject: Subject) -> str:
    rows = await _open_data(subject, "/v2/market/holidays")
    words = {row["holiday_type"] for row in rows}
    return require(bool(rows) and words <= _HOLIDAY_WORDS, ", ".join(sorted(words)) or "none")


async def _hours(subject: Subject) -> str:
    """First and last moment of trading, of the class whose hours its exchange is told with."""
    day = subject.calendar.latest_trading_day(subject.clock.now_ns())
    rows = await _open_data(subject, f"/v2/market/timings/{day}")
    told = {row["exchange"]: (row["start_time"], row["end_time"]) for row in rows}
    found, same = [], True
    for exchange, kind in _CLASSES.items():
        session = subject.calendar.session(day, kind)
        if exchange not in told or session is None:
            found.append(f"{exchange} not told")
            same = False
            continue
        start, end = (int(moment) * NS_PER_MS for moment in told[exchange])
        found.append(f"{exchange} {ist(start):%H:%M}-{ist(end):%H:%M}")
        same = same and (start, end) == (session.open_ns, session.close_ns)
    return require(same, f"{day}: {', '.join(found)}")


async def _closed_day(subject: Subject) -> str:
    day = subject.today
    while subject.calendar.is_trading_day(day):
        day += timedelta(days=1)
    rows = await _open_data(subject, f"/v2/market/timings/{day}")
    trading = sorted(row["exchange"] for row in rows if row["exchange"] in _CLASSES)
    return require(not trading, f"{day}: {', '.join(trading) or 'none'}")


async def _words(subject: Subject) -> str:
    words = {exchange: (await _status(subject, exchange))["status"] for exchange in _CLASSES}
    return require(set(words.values()) <= PHASE_OF_WORD.keys(), _pairs(words))


async def _phases(subject: Subject) -> str:
    """What each exchange does now, by its word and by our calendar."""
    found, same = {}, True
    for exchange, kind in _CLASSES.items():
        expected = subject.phase(kind)
        word = (await _status(subject, exchange))["status"]
        found[exchange] = f"{word} when {expected} is expected"
        same = same and PHASE_OF_WORD.get(word) is expected
    return require(same, _pairs(found))


async def _since(subject: Subject) -> str:
    """The moments at which the present states began are those of our calendar."""
    found, same, seen = {}, True, False
    for exchange, kind in _CLASSES.items():
        session = subject.session(kind)
        status = await _status(subject, exchange)
        since_ns = int(status["last_updated"]) * NS_PER_MS
        found[exchange] = f"{status['status']} since {ist(since_ns):%d %b %H:%M:%S}"
        if session is None or subject.phase(kind) is Phase.CLOSED:
            continue
        seen = True
        moments = [session.pre_open_ns, session.open_ns, session.close_ns, *session.post_close_ns]
        is_entry_end = status["status"] == "PRE_OPEN_END"
        near = min(abs(moment - since_ns) for moment in moments) <= _NEAR_NS
        same = same and (near or (is_entry_end and ist_day(since_ns) == session.day))
    if not seen:
        raise NotSeen(f"the market is closed; {_pairs(found)}")
    return require(same, _pairs(found))


async def _auction(subject: Subject) -> str:
    words = {}
    for exchange in _CLASSES:
        status = (await _status(subject, exchange)).get("cas_eligible_status")
        if status is not None:
            words[exchange] = status["status"]
    if not words:
        raise NotSeen("no exchange tells a state of the closing auction now")
    good = set(words) <= {"NSE", "BSE"} and set(words.values()) <= AUCTION_WORDS
    return require(good, _pairs(words))


async def _segment_refused(subject: Subject) -> str:
    answer = await subject.asker.get(f"{STATUS}MCX_FO")
    return require((answer.status, answer.code()) == (400, "UDAPI1089"), answer.refusal())


async def _status(subject: Subject, exchange: str) -> Any:
    return (await subject.asker.get(STATUS + exchange)).data()


async def _open_data(subject: Subject, path: str) -> Any:
    """What is told without a token."""
    return (await subject.asker.get(path, Bearer.NONE)).data()


def _is_open(row: dict[str, Any], exchange: str) -> bool:
    return any(hours["exchange"] == exchange for hours in row.get("open_exchanges") or ())


def _days(days: set[date]) -> str:
    return ", ".join(f"{day:%d %b}" for day in sorted(days)) or "none"


def _pairs(words: dict[str, str]) -> str:
    return ", ".join(f"{name} {word}" for name, word in words.items())


SESSIONS: Final = (
    Assumption("calendar.holidays", "its holidays of NSE are those of our calendar", _holidays),
    Assumption("calendar.holiday_words", "a holiday is of one of four kinds", _holiday_words),
    Assumption("calendar.hours", "its hours of trading are those of our calendar", _hours),
    Assumption("calendar.closed_day", "a closed day has no hours", _closed_day),
    Assumption("status.words", "the market is in one of six states", _words),
    Assumption("status.phase", "the state now is the one our calendar expects", _phases),
    Assumption("status.since", "a state begins when our calendar says so", _since),
    Assumption(
        "status.auction", "only NSE and BSE tell the closing auction, in words we know", _auction
    ),
    Assumption(
        "status.segment",
        "a segment in place of an exchange is refused (UDAPI1089)",
        _segment_refused,
    ),
)
