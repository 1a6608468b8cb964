"""A recording as the origin of a run."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable, Iterator

from ticktick.domain.clock import NS_PER_S, MarketClock
from ticktick.domain.event import Event
from ticktick.domain.health import LinkHealth
from ticktick.engine.runner import Runner
from ticktick.engine.supervisor import Work
from ticktick.origin.ports import event_ns
from ticktick.store.recording import Recording
from ticktick.web.steering import FixedSteering, Steering


class RecordingOrigin:
    """The events of a recording at `speed` market seconds per second, on their own clock."""

    def __init__(self, recording: Recording, speed: float) -> None:
        self.clock = MarketClock(recording.header.started_ns, speed, time.monotonic_ns)
        self._recording = recording
        self._speed = speed

    def opening(self, store_url: str | None) -> Iterable[Event]:
        """Nothing: the recording begins with its own opening."""
        return ()

    def works(self, runner: Runner) -> Iterator[Work]:
        """The recording."""
        yield Work("the recording", lambda: runner.take_from(self._events()))

    def steering(self, runner: Runner) -> Steering:
        """Nothing can be changed of what was recorded."""
        return FixedSteering(
            "this is a replay: it shows what was recorded, and nothing of it can be changed"
        )

    def health(self) -> LinkHealth:
        """Nothing: a recording has no connection."""
        return LinkHealth()

    def framed(self, sent_ns: int, received_ns: int) -> None:
        """Nothing: a recording tells the time itself."""

    def resumed(self, slept_s: float) -> None:
        """Nothing: a recording misses nothing."""

    async def _events(self) -> AsyncGenerator[Event]:
        for event in self._recording:
            wait_ns = event_ns(event) - self.clock.now_ns()
            if wait_ns > 0:
                await asyncio.sleep(wait_ns / NS_PER_S / self._speed)
            yield event
        self.clock.set(self.clock.now_ns(), 0.0)
