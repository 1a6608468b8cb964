"""Whether work that was put off goes on with an event, or with a later one."""

from typing import Final

from ticktick.domain.event import Event, TimerFired, WorkGoesOn

EVENTS_BEFORE_WORK: Final = 10


class Turns:
    """Counts the events: none that brings news waits for such work, but the tenth in a row does it.

    It depends on the events alone, so a replay does the same work with the same events.
    """

    def __init__(self) -> None:
        self._events = 0

    def may_work(self, event: Event) -> bool:
        """Whether work may go on with this event."""
        brings_news = not isinstance(event, TimerFired | WorkGoesOn)
        self._events = (self._events + 1) % EVENTS_BEFORE_WORK if brings_news else 0
        return self._events == 0
