"""How a look at the broker ends, and how to say that it was not seen."""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """How an assumption fared."""

    PASS = "PASS"  # noqa: S105  a verdict, not a secret
    DIFF = "DIFF"
    SKIPPED = "SKIPPED"


class Result(Struct, frozen=True):
    """One line of the survey; of a skipped one `found` says why."""

    name: str
    verdict: Verdict
    expected: str
    found: str


class NotSeen(Exception):
    """It cannot be told now; the message says why."""


class Otherwise(Exception):
    """The broker does it in another way; the message says how."""


def require(holds: bool, found: str) -> str:
    """What was found, if it is as expected; else raise Otherwise with it."""
    if not holds:
        raise Otherwise(found)
    return found


def listed(words: Iterable[object]) -> str:
    """The words in order, or that there is none."""
    return ", ".join(map(str, sorted(words, key=str))) or "none"
