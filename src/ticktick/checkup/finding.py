"""How a check of this machine ends, and the one way to run one."""

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from ticktick.errors import AuthError, ConfigError, StoreError


class Verdict(StrEnum):
    """How a check ended."""

    PASS = "PASS"  # noqa: S105  a verdict, not a secret
    FAIL = "FAIL"
    SKIPPED = "SKIPPED"


class Finding(Struct, frozen=True):
    """One line of the report; the text of a failure says what to do."""

    subject: str
    verdict: Verdict
    text: str


class NotChecked(Exception):
    """There is nothing to check, or it cannot be told here; the message says why."""


def find(subject: str, check: Callable[[], str]) -> Finding:
    """Run a check: it returns what is well and raises what is not."""
    try:
        return Finding(subject, Verdict.PASS, check())
    except NotChecked as reason:
        return Finding(subject, Verdict.SKIPPED, str(reason))
    except (ConfigError, AuthError, StoreError) as error:
        return Finding(subject, Verdict.FAIL, str(error))
