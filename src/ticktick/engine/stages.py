"""Where the time of an event goes, stage by stage."""

from collections.abc import Callable
from typing import Final

from ticktick.engine.distribution import Distribution

# `wait` in the inbox; `market` is what the market half does besides the four before it
STAGES: Final = (
    "wait",
    "record",
    "decode",
    "screen",
    "measure",
    "fold",
    "market",
    "analytics",
    "alerts",
    "publish",
)
SPENT_US: Final = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000)
READY_US: Final = (100, 200, 300, 400, 500, 700, *SPENT_US[4:])
_NS_PER_US: Final = 1_000


class Stages:
    """The real time of each event by stage: `begin`, a `lap` at the end of each part, then `end`.

    A stage that comes several times in one event counts once, with their sum; one that does not
    come does not count. `us` is how the microseconds of each are spread, `event_us` the same of
    whole events without their wait, `ready_us` from the socket to the metrics of each frame.
    """

    def __init__(self, counter_ns: Callable[[], int]) -> None:
        self.us = {stage: Distribution(SPENT_US) for stage in STAGES}
        self.event_us = Distribution(SPENT_US)
        self.ready_us = Distribution(READY_US)
        self._counter_ns = counter_ns
        self._spent_ns: dict[str, int] = {}
        self._began_ns = self._lap_ns = 0

    def begin(self, waited_ns: int) -> None:
        """An event came out of the inbox, where it had waited so long."""
        self._spent_ns = {"wait": waited_ns}
        self._began_ns = self._lap_ns = self._counter_ns()

    def lap(self, stage: str) -> None:
        """A part of this stage ends now."""
        now_ns = self._counter_ns()
        self._spent_ns[stage] = self._spent_ns.get(stage, 0) + now_ns - self._lap_ns
        self._lap_ns = now_ns

    def ready(self) -> None:
        """What the frame told is in the metrics as of the last lap."""
        ready_ns = self._spent_ns["wait"] + self._lap_ns - self._began_ns
        self.ready_us.add(ready_ns / _NS_PER_US)

    def end(self) -> int:
        """The event is over as of the last lap; return its nanoseconds without the wait."""
        for stage, spent_ns in self._spent_ns.items():
            self.us[stage].add(spent_ns / _NS_PER_US)
        spent_ns = self._lap_ns - self._began_ns
        self.event_us.add(spent_ns / _NS_PER_US)
        return spent_ns
