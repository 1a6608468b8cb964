"""What a run asks of the place where its events come from."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from ticktick.domain.clock import MarketClock
from ticktick.domain.event import Event, FrameArrived
from ticktick.domain.health import LinkHealth
from ticktick.engine.runner import Runner
from ticktick.engine.supervisor import Work
from ticktick.web.steering import Steering


class RatedClock(Protocol):
    """Market time and how many seconds of it pass in a real one."""

    @property
    def rate(self) -> float: ...

    def now_ns(self) -> int:
        """Market time."""
        ...


class Origin(Protocol):
    """Events and the clock they belong to."""

    clock: MarketClock

    def opening(self, store_url: str | None) -> Iterable[Event]:
        """The events that come before everything else; may read the store."""
        ...

    def works(self, runner: Runner) -> Iterator[Work]:
        """What must run to feed the runner, until it is cancelled."""
        ...

    def steering(self, runner: Runner) -> Steering:
        """What a person may change while it runs."""
        ...

    def health(self) -> LinkHealth:
        """How the connection to the broker does at this moment."""
        ...

    def framed(self, sent_ns: int, received_ns: int) -> None:
        """Learn what time it is from a frame's own time and when it was read."""
        ...

    def resumed(self, slept_s: float) -> None:
        """Make good what was missed while the computer slept or the program was stopped."""
        ...


def event_ns(event: Event) -> int:
    """Market time of an event."""
    return event.received_ns if isinstance(event, FrameArrived) else event.at_ns
