"""What is taken for true about the broker, and the look that tells whether it is."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from ticktick.brokers.upstox.survey.subject import Subject


class Assumption(Struct, frozen=True):
    """A sentence about the broker, and the look that returns what was found.

    The look raises Otherwise where it is not so, NotSeen where that cannot be told.
    """

    name: str
    expected: str
    look: Callable[[Subject], Awaitable[str]]
