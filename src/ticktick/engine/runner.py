"""The inbox: every event in order through the engine, then to the consumers.

One task owns the engine. Sources put events; a full inbox makes them wait, so nothing is lost
between socket and engine.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from ticktick.domain.event import Event
from ticktick.engine.engine import Engine
from ticktick.engine.ports import EventLog, Outputs, Sink

INBOX_EVENTS = 1024


class Pace:
    """Number of events, their total and their longest time in the engine and its consumers."""

    def __init__(self) -> None:
        self.events = 0
        self.total_ns = 0
        self.longest_ns = 0

    def add(self, spent_ns: int) -> None:
        """Count one event."""
        self.events += 1
        self.total_ns += spent_ns
        self.longest_ns = max(self.longest_ns, spent_ns)

    def __str__(self) -> str:
        mean_us = self.total_ns / self.events / 1000 if self.events else 0.0
        return f"events={self.events} mean_us={mean_us:.0f} longest_us={self.longest_ns / 1000:.0f}"


class Runner:
    """Feeds one engine from one inbox and hands its outputs on."""

    def __init__(
        self,
        engine: Engine,
        event_log: EventLog | None,
        sinks: Sequence[Sink],
        counter_ns: Callable[[], int],
    ) -> None:
        self._engine = engine
        self._event_log = event_log
        self._sinks = list(sinks)
        self._counter_ns = counter_ns
        self._pace = Pace()
        self._inbox: asyncio.Queue[Event] = asyncio.Queue(INBOX_EVENTS)

    @property
    def waiting(self) -> int:
        """Events in the inbox."""
        return self._inbox.qsize()

    async def put(self, event: Event) -> None:
        """Append an event; wait while the inbox is full."""
        await self._inbox.put(event)

    async def take_from(self, events: AsyncGenerator[Event]) -> None:
        """Append all events of a source until it ends; close the source in any case."""
        async with aclosing(events) as source:
            async for event in source:
                await self._inbox.put(event)

    async def run(self) -> None:
        """Process events for ever, in the order of the inbox."""
        while True:
            self.process(await self._inbox.get())

    def process(self, event: Event) -> Outputs:
        """Keep the event, let the engine work, hand the outputs on."""
        began_ns = self._counter_ns()
        outputs = self._process(event)
        self._pace.add(self._counter_ns() - began_ns)
        return outputs

    def take_pace(self) -> Pace:
        """How fast events were processed since the last call."""
        pace, self._pace = self._pace, Pace()
        return pace

    def _process(self, event: Event) -> Outputs:
        if self._event_log is not None:
            self._event_log.write(event)
        outputs = self._engine.process(event)
        for sink in self._sinks:
            sink.take(outputs)
        return outputs
