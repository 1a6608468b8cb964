"""The inbox: every event in order through the engine, then to the consumers.

One task owns the engine. Sources put events; a full inbox makes them wait, and lets frames of the
feed join, so nothing is lost between socket and engine.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import Event, FrameArrived, FramesArrived, WorkGoesOn
from ticktick.engine.engine import Engine
from ticktick.engine.inbox import Inbox
from ticktick.engine.market_half import MarketHalf
from ticktick.engine.ports import EventLog, Outputs, Sink
from ticktick.engine.stages import Stages


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
    """Feeds one engine from one inbox and hands its outputs on.

    `stages` tells where the real time of the events goes.
    """

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
        self._pace = Pace()
        self.stages = Stages(counter_ns)
        engine.time_with(self.stages)
        self._inbox = Inbox(counter_ns)
        self._awaited: list[tuple[Event, asyncio.Event]] = []
        self._unfinished = asyncio.Event()
        self._at_ns = 0

    @property
    def waiting(self) -> int:
        """Events in the inbox."""
        return len(self._inbox)

    @property
    def behind_s(self) -> float:
        """How long the oldest event in the inbox has waited."""
        return self._inbox.age_ns / NS_PER_S

    @property
    def conflated(self) -> int:
        """Frames that reached the engine together with others because it was behind."""
        return self._inbox.conflated

    @property
    def market(self) -> MarketHalf:
        """The state of the market, for reading."""
        return self._engine.market

    async def put(self, event: Event) -> None:
        """Append an event; wait while the inbox is full."""
        await self._inbox.put(event)

    async def let_happen(self, event: Event) -> None:
        """Append an event and wait until the engine and the consumers have taken it."""
        happened = asyncio.Event()
        self._awaited.append((event, happened))
        await self.put(event)
        await happened.wait()

    def put_frame(self, frame: FrameArrived, spent_ns: int = 0) -> None:
        """Append a frame of the feed without waiting; so long ago it was read."""
        self._inbox.put_frame(frame, spent_ns)

    async def room(self) -> None:
        """Wait while so much waits for the engine that reading more is of no use."""
        await self._inbox.room()

    async def take_from(self, events: AsyncGenerator[Event]) -> None:
        """Append all events of a source until it ends; close the source in any case."""
        async with aclosing(events) as source:
            async for event in source:
                await self._inbox.put(event)

    async def go_on(self) -> None:
        """Let the engine go on with what it has put off, for ever, while nothing else waits.

        That is an event like any other, so that a replay slices its work alike.
        """
        while True:
            await self._unfinished.wait()
            self._unfinished.clear()
            if not len(self._inbox):
                await self._inbox.put(WorkGoesOn(self._at_ns))

    async def run(self) -> None:
        """Process events for ever, in the order of the inbox."""
        while True:
            self.process(await self._inbox.get())
            # whoever reads the socket has its turn after every event, however many wait
            await asyncio.sleep(0)

    def process(self, event: Event) -> Outputs:
        """Keep the event, let the engine work, hand the outputs on."""
        stages = self.stages
        stages.begin(self._inbox.take_wait_ns())
        if self._event_log is not None:
            self._event_log.write(event)
            stages.lap("record")
        outputs = self._engine.process(event)
        if isinstance(event, FrameArrived | FramesArrived):
            stages.ready()
        for sink in self._sinks:
            sink.take(outputs)
        stages.lap("publish")
        self._pace.add(stages.end())
        if self._awaited:
            self._tell_waiters(event)
        self._at_ns = outputs.at_ns
        if self._engine.has_work(outputs.at_ns):
            self._unfinished.set()
        return outputs

    def take_pace(self) -> Pace:
        """How fast events were processed since the last call."""
        pace, self._pace = self._pace, Pace()
        return pace

    def _tell_waiters(self, event: Event) -> None:
        for awaited, happened in self._awaited:
            if awaited is event:
                happened.set()
        self._awaited = [one for one in self._awaited if one[0] is not event]
