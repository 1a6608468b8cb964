"""When to dial a lost feed again, and when to leave it to another program."""

from collections.abc import Iterator
from random import Random
from typing import Final

from msgspec import Struct

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
BURST: Final = 4
SPACING_S: Final = 10.0
SHORT_LIFE_S: Final = 10.0
ROW: Final = 3


class Ending(Struct, frozen=True):
    """How an attempt ended.

    `cause` is one of LINK_CAUSES, `reason` a sentence. `least_s` is the pause that the other
    side asks for, `lived_s` how long the connection was open, None if it never was.
    `by_us`: this program hung up. `no_room`: the handshake was refused, as when others are in.
    """

    cause: str
    reason: str
    least_s: float = 0.0
    lived_s: float | None = None
    by_us: bool = False
    no_room: bool = False


class Attempts:
    """The attempts to connect so far, and what follows from how they ended.

    Pauses are random up to a bound that doubles from 0.5 to 30 s and starts over only after
    data. Whatever happens there are at most ten attempts in a minute: four at once, and one more
    for every ten seconds. `now_s` is a clock that never steps back.
    """

    def __init__(self, rng: Random, spacing_s: float = SPACING_S) -> None:
        self._rng = rng
        self._spacing_s = spacing_s
        self._paid_until_s = 0.0
        self._pauses = backoff(rng)
        self._refused = 0
        self._short = 0

    def begin(self, now_s: float) -> None:
        """Count an attempt."""
        self._paid_until_s = max(self._paid_until_s, now_s) + self._spacing_s

    def data_came(self) -> None:
        """Start over with short pauses: only data proves that a link works."""
        self._pauses = backoff(self._rng)

    def end(self, ending: Ending) -> float | None:
        """Seconds to pause; None if another program has the feed, and only a person decides."""
        is_short = ending.lived_s is not None and ending.lived_s < SHORT_LIFE_S
        self._short = self._short + 1 if is_short and not ending.by_us else 0
        self._refused = self._refused + 1 if ending.no_room else 0
        if max(self._short, self._refused) >= ROW:
            return None
        return max(ending.least_s, next(self._pauses))

    def forced_s(self, now_s: float) -> float:
        """How long the attempts so far forbid another one."""
        return max(self._paid_until_s - (BURST - 1) * self._spacing_s - now_s, 0.0)

    def forgive(self) -> None:
        """Begin as if nothing had happened, but for the ten attempts in a minute."""
        self._pauses = backoff(self._rng)
        self._refused = self._short = 0


def backoff(rng: Random) -> Iterator[float]:
    """Yield seconds to wait before each attempt: random up to a bound that doubles to 30 s."""
    bound_s = FIRST_PAUSE_S
    while True:
        yield rng.uniform(0.0, bound_s)
        bound_s = min(2.0 * bound_s, LONGEST_PAUSE_S)


def taken_sentence(ending: Ending) -> str:
    """What to tell the user when another program has the feed."""
    seen = (
        "the broker refused the connection three times in a row"
        if ending.no_room
        else "three connections in a row were closed within seconds"
    )
    return (
        f"another program seems to have the feed of this login: {seen}; "
        "close that program, then take over here"
    )
