"""A broker as the origin of a run: its feed, its history, its clock and the session timer."""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from pathlib import Path

import aiohttp

from ticktick.brokers.upstox.files import InstrumentFiles
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.instruments import resolve
from ticktick.brokers.upstox.keys import check_keys
from ticktick.brokers.upstox.master import Masters
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.event import Event, HistoryRead, InstrumentsResolved, NoteTaken
from ticktick.domain.health import LinkHealth
from ticktick.domain.instrument import Instrument
from ticktick.domain.sessions import Calendar, Phase
from ticktick.domain.watchlist import WatchlistEntry
from ticktick.engine.runner import Runner
from ticktick.engine.sources import FIRST_MINUTES, timers
from ticktick.engine.supervisor import Work
from ticktick.errors import ConfigError
from ticktick.login import Login
from ticktick.origin.clock import BrokerTime, Timekeeper, boot_ns
from ticktick.origin.demo_clock import DemoTime
from ticktick.origin.feeding import Feeding
from ticktick.origin.refill import Refill
from ticktick.origin.signing import Renewal, Signing
from ticktick.origin.watching import Watching
from ticktick.store.redis_store import stored_minutes
from ticktick.web.steering import FixedSteering, Steering


class BrokerOrigin:
    """The feed, the timer and the history of one broker; made by `connect`.

    `latest` is what the watchlist resolved to last.
    """

    def __init__(
        self,
        rest: UpstoxRest,
        timekeeper: Timekeeper,
        first: InstrumentsResolved,
        login: Login,
        renewal: Renewal,
    ) -> None:
        self.clock = timekeeper.clock
        self.latest = first
        self._rest = rest
        self._login = login
        self._renewal = renewal
        self._timekeeper = timekeeper
        self._refill = Refill(rest, self.clock, self._instruments, timekeeper.look)
        self._feeding = Feeding(rest, login, self.clock, self._instruments, self._refill.ask)
        self._watching = Watching(rest, self.clock, self._feeding, self._instruments)

    @classmethod
    async def connect(
        cls,
        http: aiohttp.ClientSession,
        hosts: Hosts,
        login: Login,
        renewal: Renewal,
        entries: Sequence[WatchlistEntry],
        canary_key: str,
        folder: Path,
    ) -> "BrokerOrigin":
        """Read the clock and resolve the watchlist against the day's instrument master.

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
        first = await resolved(http, rest, entries, canary_key, folder, timekeeper.clock.now_ns())
        check_keys([instrument.instrument_key for instrument in first.instruments])
        return cls(rest, timekeeper, first, login, renewal)

    def opening(self, store_url: str | None) -> Iterable[Event]:
        """The instruments, and what Redis kept of a real market."""
        yield self.latest
        if store_url is None or self._rest.hosts.is_loopback:
            return
        for instrument in self.latest.instruments:
            candles = stored_minutes(store_url, instrument, FIRST_MINUTES)
            if candles:
                yield HistoryRead(self.latest.at_ns, instrument.symbol, tuple(candles))

    def works(self, runner: Runner) -> Iterator[Work]:
        """Feed, timer, history, clock, and the login of an exchange on this machine."""

        def fire() -> Awaitable[None]:
            clock = self.clock
            return runner.take_from(timers(clock, lambda: clock.rate, asyncio.sleep))

        async def note(level: str, text: str) -> None:
            await runner.put(NoteTaken(self.clock.now_ns(), level, text))

        signing = Signing(self._login, self.clock, self._renewal, lambda: _trades(runner))
        yield Work("the feed", lambda: self._feeding.run(runner))
        yield Work("the feed's keeper", lambda: self._feeding.attend(runner))
        yield Work("the watch on the feed", lambda: self._watching.run(runner))
        yield Work("the login", lambda: signing.run(runner))
        yield Work("the timer", fire, is_vital=True)
        yield Work("the history", lambda: self._refill.run(runner))
        yield Work("the clock", lambda: self._timekeeper.run(note))

    def steering(self, runner: Runner) -> Steering:
        """What a person may change while it runs."""
        return FixedSteering("change the list with `ticktick symbols` and start again")

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

    def change_keys(self, keys: Sequence[str]) -> None:
        """Follow these instruments on the feed from now on.

        Raises ConfigError if they are more than it tells.
        """
        self._feeding.change_keys(keys)

    def hang_up(self, cause: str, reason: str) -> None:
        """End the connection to the feed and make a new one; `cause` is one of LINK_CAUSES."""
        self._feeding.hang_up(cause, reason)

    def reconnect(self) -> str:
        """Make a new connection to the feed; the sentence says what happens.

        Raises ConfigError where that is of no use.
        """
        return self._feeding.reconnect()

    def take_over(self) -> str:
        """Use the feed although another program seems to have it.

        Raises ConfigError if none has.
        """
        return self._feeding.take_over()

    def _instruments(self) -> Sequence[Instrument]:
        return self.latest.instruments


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


async def resolved(
    http: aiohttp.ClientSession,
    rest: UpstoxRest,
    entries: Sequence[WatchlistEntry],
    canary_key: str,
    folder: Path,
    now_ns: int,
) -> InstrumentsResolved:
    """The watchlist and the canary against the instrument master of the day.

    Raises ConfigError if nothing of the list is listed, BrokerError if there is no master.
    """
    masters = Masters(InstrumentFiles(http, rest.hosts, rest.budget), folder)
    master = await masters.first(Calendar().master_day(now_ns))
    records = master.every()
    found = resolve(entries, records)
    if not found.instruments:
        raise ConfigError(
            "none of the watchlist's instruments is listed today; see `ticktick symbols`"
        )
    canary = resolve([WatchlistEntry("Index", canary_key)], records).instruments
    watched = {instrument.instrument_key: instrument for instrument in found.instruments}
    extra = [instrument for instrument in canary if instrument.instrument_key not in watched]
    symbols = [watched.get(index.instrument_key, index).symbol for index in canary]
    return InstrumentsResolved(
        at_ns=now_ns,
        instruments=(*found.instruments, *extra),
        canary=symbols[0] if symbols else None,
        extras=tuple(instrument.symbol for instrument in extra),
        notes=(*master.notes, *found.notes),
    )
