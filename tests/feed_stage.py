"""A stage for the feed of a run: the real link and engine; the test owns every clock."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from tests.exchange_stage import ExchangeStage
from ticktick.brokers.budget import Budget, Window
from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import Clock
from ticktick.domain.event import (
    Event,
    FrameArrived,
    InstrumentsResolved,
    LinkChanged,
    NoteTaken,
)
from ticktick.domain.instrument import Instrument
from ticktick.domain.sessions import Calendar
from ticktick.engine.engine import Engine
from ticktick.engine.ports import EngineSettings
from ticktick.engine.runner import Runner
from ticktick.login import Login
from ticktick.origin.feeding import Feeding

LIMIT_S = 20.0


class ExchangeClock:
    """Market time as the exchange has it; it runs as fast as the test moves it."""

    rate = 1.0

    def __init__(self, exchange: ExchangeStage) -> None:
        self._exchange = exchange

    def now_ns(self) -> int:
        """Market time."""
        return self._exchange.now_ns


def rest_of(exchange: ExchangeStage, login: Login) -> UpstoxRest:
    """A client of the exchange; its budget counts every read and forgets none."""
    return UpstoxRest(
        exchange.http,
        Hosts.loopback(f"http://{exchange.exchange.address}"),
        lambda: login.bearer(exchange.now_ns),
        refused=lambda token, error: login.refuse(token, error.code),
        budget=Budget((Window(1.0, 100_000),), clock_s=lambda: 0.0),
    )


class Hand:
    """A clock in seconds that only the test moves, and pauses that take none of its time."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.paused_s: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    async def wait(self, _: asyncio.Event, seconds: float) -> None:
        """A pause: it moves the clock."""
        self.paused_s.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)


class Diary:
    """Every event that reached the engine, and a way to wait for what has not happened yet."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def write(self, event: Event) -> None:
        """Note an event."""
        self.events.append(event)
        self._news.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until the claim about the events is true."""
        async with asyncio.timeout(LIMIT_S):
            while not is_so():
                self._news.clear()
                await self._news.wait()

    @property
    def links(self) -> list[LinkChanged]:
        """The changes of the link."""
        return [event for event in self.events if isinstance(event, LinkChanged)]

    @property
    def causes(self) -> list[str]:
        """The link in short: `up`, or the cause of a loss."""
        return ["up" if link.up else link.cause for link in self.links]

    @property
    def notes(self) -> list[str]:
        """The sentences for the user."""
        return [event.text for event in self.events if isinstance(event, NoteTaken)]

    @property
    def frames(self) -> list[FrameArrived]:
        """The frames."""
        return [event for event in self.events if isinstance(event, FrameArrived)]


class FeedStage:
    """The feed of a run between a broker and an engine; use it as a context."""

    def __init__(
        self, rest: UpstoxRest, login: Login, clock: Clock, instruments: Sequence[Instrument]
    ) -> None:
        self.rest = rest
        self.hand = Hand()
        self.diary = Diary()
        self.engine = Engine(ProtobufDecoder(), Calendar(), EngineSettings())
        self.runner = Runner(self.engine, self.diary, [], lambda: 0)
        self.returns = 0
        self.feeding = Feeding(
            rest,
            login,
            clock,
            lambda: instruments,
            self._came_back,
            rng=Random(1),
            clock_s=self.hand,
            wait=self.hand.wait,
        )
        self.runner.process(InstrumentsResolved(clock.now_ns(), tuple(instruments)))
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "FeedStage":
        self._tasks = [
            asyncio.create_task(self.feeding.run(self.runner)),
            asyncio.create_task(self.runner.run()),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def look(self, after_s: float = 0.0) -> None:
        """Let time pass by the test's clock, then look after the connection once."""
        self.hand.now_s += after_s
        await self.feeding.look(self.runner)
        for _ in range(20):  # let what it did to the socket happen
            await asyncio.sleep(0)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until the claim about the events is true."""
        await self.diary.until(is_so)

    async def until_causes(self, *causes: str) -> None:
        """Wait until the link has changed exactly so since the start."""
        await self.until(lambda: len(self.diary.causes) >= len(causes))
        assert self.diary.causes == [*causes]

    def _came_back(self) -> None:
        self.returns += 1
