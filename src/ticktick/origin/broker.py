"""A broker as the origin of a run: its feed, its history, its clock and the session timer."""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from pathlib import Path

import aiohttp

from ticktick.brokers.upstox.files import InstrumentFiles
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.master import Masters
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.event import Event, HistoryRead, InstrumentsResolved, NoteTaken
from ticktick.domain.health import LinkHealth
from ticktick.domain.instrument import Instrument
from ticktick.domain.sessions import Phase
from ticktick.engine.runner import Runner
from ticktick.engine.sources import timers
from ticktick.engine.supervisor import Work
from ticktick.login import Login
from ticktick.origin.clock import BrokerTime, Timekeeper, boot_ns
from ticktick.origin.day_list import DayList
from ticktick.origin.days import Days
from ticktick.origin.demo_clock import DemoTime
from ticktick.origin.feeding import Feeding
from ticktick.origin.refill import FIRST_MINUTES, Refill
from ticktick.origin.relisting import Relisting
from ticktick.origin.signing import Renewal, Signing
from ticktick.origin.steering import BrokerSteering
from ticktick.origin.watching import Watching
from ticktick.origin.watchlist import Watchlist
from ticktick.store.redis_store import stored_minutes
from ticktick.web.steering import Steering


class BrokerOrigin:
    """The feed, the timer, the days and the history of one broker; made by `connect`.

    `begun` are the events that come before everything else.
    """

    def __init__(
        self,
        rest: UpstoxRest,
        timekeeper: Timekeeper,
        day_list: DayList,
        login: Login,
        renewal: Renewal,
    ) -> None:
        self.clock = timekeeper.clock
        self.begun: Sequence[Event] = ()
        self._rest = rest
        self._day_list = day_list
        self._login = login
        self._renewal = renewal
        self._timekeeper = timekeeper
        self._refill = Refill(
            rest,
            self.clock,
            self._instruments,
            timekeeper.look,
            self._restate,
            lambda: self._days.calendar,
        )
        self._feeding = Feeding(rest, login, self.clock, self._instruments, self._refill.ask)
        self._relisting = Relisting(self._feeding, self._refill)
        self._days = Days(rest, self.clock, day_list, self._relisting, self._refill.read_again)
        self._watching = Watching(rest, self.clock, self._feeding, self._instruments)

    @classmethod
    async def connect(
        cls,
        http: aiohttp.ClientSession,
        hosts: Hosts,
        login: Login,
        renewal: Renewal,
        kept: Watchlist,
        canary_key: str,
        folder: Path,
    ) -> "BrokerOrigin":
        """Read the clock, the broker's calendar and the day's instruments, and find the list.

        Raises ConfigError if nothing of the list is listed, or more than the feed tells,
        BrokerError if nobody answers.
        """
        rest = UpstoxRest(
            http,
            hosts,
            lambda: login.token,
            refused=lambda token, error: login.refuse(token, error.code),
            counter_ns=boot_ns,
        )
        timekeeper = await timekeeper_of(http, rest)
        rest.bearer = lambda: login.bearer(timekeeper.clock.now_ns())
        masters = Masters(InstrumentFiles(http, hosts, rest.budget), folder)
        origin = cls(rest, timekeeper, DayList(masters, kept, canary_key), login, renewal)
        await origin._begin()
        return origin

    async def _begin(self) -> None:
        self.begun = await self._days.open()
        self._feeding.change_keys([one.instrument_key for one in self._instruments()])
        self._relisting.begin(self._day_list.latest)

    def opening(self, store_url: str | None) -> Iterable[Event]:
        """The instruments and the calendar, and what Redis kept of a real market."""
        yield from self.begun
        if store_url is None or self._rest.hosts.is_loopback:
            return
        for instrument in self._instruments():
            candles = stored_minutes(store_url, instrument, FIRST_MINUTES)
            if candles:
                yield HistoryRead(self._day_list.latest.at_ns, instrument.symbol, tuple(candles))

    def works(self, runner: Runner) -> Iterator[Work]:
        """Feed, timer, history, clock, and the login of an exchange on this machine."""

        def fire() -> Awaitable[None]:
            clock = self.clock
            return runner.take_from(timers(clock, lambda: clock.rate, asyncio.sleep))

        async def note(level: str, text: str) -> None:
            await runner.put(NoteTaken(self.clock.now_ns(), level, text))

        signing = Signing(self._login, self.clock, self._renewal, lambda: _trades(runner))
        yield Work("the feed", lambda: self._feeding.run(runner))
        yield Work("the indicators", runner.go_on, can_wait=True)
        yield Work("the feed's keeper", lambda: self._feeding.attend(runner))
        yield Work("the watch on the feed", lambda: self._watching.run(runner))
        yield Work("the login", lambda: signing.run(runner))
        yield Work("the timer", fire, is_vital=True)
        yield Work("the history", lambda: self._refill.run(runner), can_wait=True)
        yield Work("the clock", lambda: self._timekeeper.run(note))
        yield Work("the days", lambda: self._days.run(runner))

    def steering(self, runner: Runner) -> Steering:
        """What a person may change while it runs."""
        return BrokerSteering(runner, self._day_list, self._relisting, self._feeding, self.clock)

    def health(self) -> LinkHealth:
        """How the connection does."""
        feeding, budget = self._feeding, self._rest.budget
        return LinkHealth(
            ping_ms=feeding.ping_ms,
            rest_ms=self._rest.latency_ms,
            rest_waiting={"reads": budget.waiting},
            budget_left={"reads": budget.left},
            clock_offset_ms=self._timekeeper.offset_ms,
            next_attempt_s=feeding.next_attempt_s,
            unheard=feeding.unheard,
            can_take_over=feeding.can_take_over,
        )

    def framed(self, sent_ns: int, received_ns: int) -> None:
        """Learn from a frame what time it is."""
        self._timekeeper.framed(sent_ns, received_ns)

    def resumed(self, slept_s: float) -> None:
        """Connect anew after a sleep of this computer, and read what happened meanwhile."""
        self._feeding.hang_up("resumed", f"this computer slept for {slept_s:.0f} s")
        self._refill.ask()

    def _instruments(self) -> Sequence[Instrument]:
        return self._day_list.latest.instruments

    async def _restate(self, runner: Runner, symbol: str) -> None:
        """Begin a new past of a symbol: the broker tells the old one at another level."""

        async def restated() -> InstrumentsResolved:
            return self._day_list.restate([symbol], self.clock.now_ns())

        await self._relisting.change(runner, restated)


def _trades(runner: Runner) -> bool:
    """Whether a market that is watched trades at the moment."""
    return Phase.CONTINUOUS in runner.market.phases.values()


async def timekeeper_of(http: aiohttp.ClientSession, rest: UpstoxRest) -> Timekeeper:
    """The broker's time, right from the start; `rest` counts by `boot_ns`."""
    if rest.hosts.is_loopback:
        return await DemoTime.begin(http, rest.hosts)
    timekeeper = BrokerTime(time.time_ns, boot_ns, lambda: rest.market_status("NSE"))
    rest.on_answer = timekeeper.answered
    await timekeeper.look()
    return timekeeper
