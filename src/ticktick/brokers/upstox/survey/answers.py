"""How the broker answers at all: envelope, refusals, the clock in its headers."""

from email.utils import parsedate_to_datetime
from statistics import median
from typing import Final

from ticktick.brokers.upstox.survey.asking import Answer, Bearer
from ticktick.brokers.upstox.survey.assumption import Assumption
from ticktick.brokers.upstox.survey.subject import Subject
from ticktick.brokers.upstox.survey.verdict import NotSeen, Otherwise, require
from ticktick.domain.clock import NS_PER_S

STATUS: Final = "/v2/market/status/NSE"
_SPELLINGS: Final = {
    "errorCode",
    "message",
    "propertyPath",
    "invalidValue",
    "error_code",
    "property_path",
    "invalid_value",
}
_COUNTERS: Final = ("ratelimit", "x-ratelimit", "x-rate-limit", "retry-after")
_TOLERANCE_S = 2.0


async def _envelope(subject: Subject) -> str:
    content = (await subject.asker.get(STATUS)).content()
    return require(set(content) == {"status", "data"}, f"fields {', '.join(sorted(content))}")


async def _both_spellings(subject: Subject) -> str:
    answer = await subject.asker.get("/v2/market-quote/quotes")
    content = answer.content()
    missing = _SPELLINGS - content["errors"][0].keys()
    found = f"{answer.refusal()}; missing {', '.join(sorted(missing)) or 'none'}"
    return require(not missing and answer.code() == "UDAPI1009" and "data" not in content, found)


async def _no_route(subject: Subject) -> str:
    answer = await subject.asker.get("/v2/there-is-no-such-path")
    return require((answer.status, answer.code()) == (404, "UDAPI100060"), answer.refusal())


async def _wrong_token(subject: Subject) -> str:
    answer = await subject.asker.get(STATUS, Bearer.WRONG)
    return require((answer.status, answer.code()) == (401, "UDAPI100050"), answer.refusal())


async def _date(subject: Subject) -> str:
    """The clock of this computer against the broker's, from the answers so far."""
    await subject.asker.fresh(STATUS)
    offsets = [off for one in subject.asker.answers if (off := _ahead_s(subject, one)) is not None]
    if not offsets:
        raise Otherwise("no answer says when it was made")
    ahead_s = median(offsets)
    found = f"this computer is {abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} it"
    return require(abs(ahead_s) <= _TOLERANCE_S * max(subject.clock.rate, 1.0), found)


async def _no_counters(subject: Subject) -> str:
    names = {name for answer in subject.asker.answers for name in answer.headers}
    counters = sorted(name for name in names if name.startswith(_COUNTERS))
    if not names:
        raise NotSeen("nothing was answered")
    return require(not counters, f"headers about it: {', '.join(counters) or 'none'}")


def _ahead_s(subject: Subject, answer: Answer) -> float | None:
    """Market seconds by which our clock was ahead when the answer came; None if it has no date.

    A date is a whole second that has begun; on average half of it is over.
    """
    text = answer.headers.get("date")
    if text is None:
        return None
    try:
        told_s = parsedate_to_datetime(text).timestamp() + 0.5
    except ValueError:
        return None
    middle_s = (answer.asked_s + answer.answered_s) / 2
    since_s = (subject.now_s() - middle_s) * subject.clock.rate
    return subject.clock.now_ns() / NS_PER_S - since_s - told_s


ANSWERS: Final = (
    Assumption("answer.envelope", "a success is {status, data}", _envelope),
    Assumption("answer.refusal", "a refusal tells every field in two spellings", _both_spellings),
    Assumption("answer.no_route", "an unknown path is refused with UDAPI100060", _no_route),
    Assumption("answer.wrong_token", "a wrong token is refused with UDAPI100050", _wrong_token),
    Assumption("answer.date", "its Date is within 2 s of this computer's clock", _date),
    Assumption("answer.no_counters", "no header counts what may still be asked", _no_counters),
)
