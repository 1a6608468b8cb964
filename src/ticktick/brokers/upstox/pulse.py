"""Whether the other side of a connection still lives."""

from enum import Enum
from typing import Final

# together the 15 s within which a dead link is noticed, with time to look twice a second
PING_EVERY_S: Final = 9.0
PONG_LIMIT_S: Final = 5.0


class Beat(Enum):
    """What to do at a moment."""

    NOTHING = 0
    PING = 1
    HANG_UP = 2


class Pulse:
    """A ping every nine seconds; dead is who sends neither its pong nor any frame within five.

    Times are seconds of one clock that never steps back.
    """

    def __init__(self, now_s: float) -> None:
        self._pinged_s = now_s
        self._asked = False

    def heard(self) -> None:
        """A pong or a frame arrived."""
        self._asked = False

    def beat(self, now_s: float) -> Beat:
        """What to do now; whoever is told to ping does so at once."""
        since_s = now_s - self._pinged_s
        if self._asked and since_s >= PONG_LIMIT_S:
            return Beat.HANG_UP
        if since_s < PING_EVERY_S:
            return Beat.NOTHING
        self._pinged_s = now_s
        self._asked = True
        return Beat.PING
