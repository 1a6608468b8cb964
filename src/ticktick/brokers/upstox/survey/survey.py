"""The survey: every assumption in turn, slowly, each with its verdict."""

from collections.abc import AsyncIterator, Iterable
from typing import Final

from ticktick.brokers.upstox.survey.account import ACCOUNT
from ticktick.brokers.upstox.survey.answers import ANSWERS
from ticktick.brokers.upstox.survey.assumption import Assumption
from ticktick.brokers.upstox.survey.candles import CANDLES
from ticktick.brokers.upstox.survey.frames import FRAMES
from ticktick.brokers.upstox.survey.links import LINKS
from ticktick.brokers.upstox.survey.listing import LISTING
from ticktick.brokers.upstox.survey.minutes import MINUTES
from ticktick.brokers.upstox.survey.packets import PACKETS
from ticktick.brokers.upstox.survey.quotes import QUOTES
from ticktick.brokers.upstox.survey.sessions import SESSIONS
from ticktick.brokers.upstox.survey.subject import Subject
from ticktick.brokers.upstox.survey.verdict import NotSeen, Otherwise, Result, Verdict

ASSUMPTIONS: Final[tuple[Assumption, ...]] = (
    *ANSWERS,
    *ACCOUNT,
    *SESSIONS,
    *LISTING,
    *QUOTES,
    *CANDLES,
    *LINKS,
    *FRAMES,
    *PACKETS,
    *MINUTES,
)


async def survey(
    subject: Subject, assumptions: Iterable[Assumption] = ASSUMPTIONS
) -> AsyncIterator[Result]:
    """Look at one after the other."""
    for assumption in assumptions:
        verdict, found = await _looked(subject, assumption)
        yield Result(assumption.name, verdict, assumption.expected, found)


async def _looked(subject: Subject, assumption: Assumption) -> tuple[Verdict, str]:
    try:
        return Verdict.PASS, await assumption.look(subject)
    except NotSeen as reason:
        return Verdict.SKIPPED, str(reason)
    except Otherwise as difference:
        return Verdict.DIFF, str(difference)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        kind = type(error).__name__
        return Verdict.DIFF, f"the answer has another shape than expected ({kind}: {error})"
