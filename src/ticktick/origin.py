"""Where the events of a run come from: a broker's feed, or a recording of one."""

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine, Iterable, Iterator, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from random import Random
from typing import Any, Protocol, TypeAlias

import aiohttp

from ticktick.brokers.upstox.feed import feed_events
from ticktick.brokers.upstox.history import UpstoxHistory
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.instruments import resolve
from ticktick.brokers.upstox.master import load_master
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import NS_PER_S, MarketClock
from ticktick.domain.event import (
    Event,
    FrameArrived,
    HistoryRead,
    InstrumentsResolved,
    LinkChanged,
    NoteTaken,
)
from ticktick.domain.sessions import Calendar
from ticktick.domain.watchlist import WatchlistEntry
from ticktick.emulator.control import read_clock
from ticktick.engine.runner import Runner, supervise
from ticktick.engine.sources import DEEP_SESSIONS, FIRST_MINUTES, history, timers
from ticktick.errors import AuthError, ConfigError
from ticktick.login import Login
from ticktick.store.recording import Recording
from ticktick.store.redis_store import stored_minutes

Work: TypeAlias = Coroutine[Any, Any, None]

_CLOCK_EVERY_S = 1.0
_CLOCK_TOLERANCE_S = 0.02
_RENEW_PAUSE_S = 1.0


class Origin(Protocol):
    """Events and the clock they belong to."""

    clock: MarketClock

    def opening(self, store_url: str | None) -> Iterable[Event]:
        """The events that come before everything else; may read the store."""
        ...

    def works(self, runner: Runner) -> Iterator[Work]:
        """What must run to feed the runner, until it is cancelled."""
        ...


class BrokerOrigin:
    """The feed, the timer and the history of one broker; made by `connect`."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        rest: UpstoxRest,
        clock: MarketClock,
        first: InstrumentsResolved,
        login: Login,
    ) -> None:
        self.clock = clock
        self._login = login
        self.first = first
        self._http = http
        self._rest = rest
        self._returned = asyncio.Event()
        self._was_down = False
        self._next_seq = 1

    @classmethod
    async def connect(
        cls,
        http: aiohttp.ClientSession,
        hosts: Hosts,
        login: Login,
        entries: Sequence[WatchlistEntry],
        canary_key: str,
        folder: Path,
    ) -> "BrokerOrigin":
        """Read the clock and resolve the watchlist against the day's instrument master.

        Raises ConfigError if nothing of the list is listed, BrokerError if nobody answers.
        """
        rest = UpstoxRest(http, hosts, lambda: login.token)
        clock = await market_clock(http, hosts)
        now_ns = clock.now_ns()
        master = await load_master(rest, folder, Calendar().latest_trading_day(now_ns))
        found = resolve(entries, master.records)
        if not found.instruments:
            raise ConfigError(
                "none of the watchlist's instruments is listed today; see `ticktick symbols`"
            )
        canary = resolve([WatchlistEntry("Index", canary_key)], master.records).instruments
        watched = {instrument.instrument_key: instrument for instrument in found.instruments}
        extra = [instrument for instrument in canary if instrument.instrument_key not in watched]
        symbols = [watched.get(index.instrument_key, index).symbol for index in canary]
        first = InstrumentsResolved(
            at_ns=now_ns,
            instruments=(*found.instruments, *extra),
            canary=symbols[0] if symbols else None,
            extras=tuple(instrument.symbol for instrument in extra),
            notes=(*master.notes, *found.notes),
        )
        return cls(http, rest, clock, first, login)

    def opening(self, store_url: str | None) -> Iterable[Event]:
        """The instruments, and what Redis kept of a real market."""
        yield self.first
        if store_url is None or self._rest.hosts.is_loopback:
            return
        for instrument in self.first.instruments:
            candles = stored_minutes(store_url, instrument, FIRST_MINUTES)
            if candles:
                yield HistoryRead(self.first.at_ns, instrument.symbol, tuple(candles))

    def works(self, runner: Runner) -> Iterator[Work]:
        """Feed, timer, history, and the clock of an exchange on this machine."""
        clock = self.clock
        yield self._feed(runner)
        yield runner.take_from(timers(clock, lambda: clock.rate, asyncio.sleep))
        yield supervise("history", lambda: self._history(runner), time.monotonic)
        if self._rest.hosts.is_loopback:
            yield self._follow_clock()

    async def _feed(self, runner: Runner) -> None:
        """Pass on the feed; a refused token that nobody can renew here ends it, and is told."""
        keys = [instrument.instrument_key for instrument in self.first.instruments]

        async def run() -> None:
            await runner.take_from(self._noting_returns(keys))

        while True:
            try:
                await supervise("feed", run, time.monotonic)
            except AuthError as error:
                if not await self._login.renew():
                    await runner.put(NoteTaken(self.clock.now_ns(), "error", str(error)))
                    return
                await asyncio.sleep(_RENEW_PAUSE_S)

    async def _noting_returns(
        self, keys: Sequence[str]
    ) -> AsyncGenerator[FrameArrived | LinkChanged]:
        """The feed's events; each return of the link asks for the minutes that were missed."""
        feed = feed_events(
            self._rest,
            keys,
            self.clock,
            Random(),  # noqa: S311
            first_seq=self._next_seq,
        )
        async with aclosing(feed) as events:
            async for event in events:
                if isinstance(event, FrameArrived):
                    self._next_seq = event.seq + 1
                else:
                    if event.up and self._was_down:
                        self._returned.set()
                    self._was_down = not event.up
                yield event

    async def _history(self, runner: Runner) -> None:
        """History at the start, deep; after each return of the link the newest minutes again."""
        notes: list[str] = []
        source = UpstoxHistory(
            self._rest, self.first.instruments, self.clock, Calendar(), notes.append
        )
        symbols = [instrument.symbol for instrument in self.first.instruments]
        sessions = DEEP_SESSIONS
        while True:
            await runner.take_from(
                history(source, symbols, self.clock, notes.append, asyncio.sleep, sessions)
            )
            for text in dict.fromkeys(notes):
                await runner.put(NoteTaken(self.clock.now_ns(), "warning", text))
            notes.clear()
            await self._returned.wait()
            self._returned.clear()
            if self._rest.hosts.is_loopback:
                await self._set_clock()
            sessions = 0

    async def _follow_clock(self) -> None:
        """Keep in step with the exchange's clock, which may be set or sped up past the login."""
        while True:
            await asyncio.sleep(_CLOCK_EVERY_S)
            await self._set_clock()
            if self.clock.now_ns() >= self._login.expires_ns:
                await self._login.renew()

    async def _set_clock(self) -> None:
        with suppress(aiohttp.ClientError, TimeoutError):
            now_ns, rate = await read_clock(self._http, self._rest.hosts.api)
            off_s = abs(now_ns - self.clock.now_ns()) / NS_PER_S
            if rate != self.clock.rate or off_s > _CLOCK_TOLERANCE_S * max(rate, 1.0):
                self.clock.set(now_ns, rate)


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
        yield runner.take_from(self._events())

    async def _events(self) -> AsyncGenerator[Event]:
        for event in self._recording:
            wait_ns = event_ns(event) - self.clock.now_ns()
            if wait_ns > 0:
                await asyncio.sleep(wait_ns / NS_PER_S / self._speed)
            yield event
        self.clock.set(self.clock.now_ns(), 0.0)


def event_ns(event: Event) -> int:
    """Market time of an event."""
    return event.received_ns if isinstance(event, FrameArrived) else event.at_ns


async def market_clock(http: aiohttp.ClientSession, hosts: Hosts) -> MarketClock:
    """The system's clock, or that of the exchange on this machine.

    Raises ConfigError if no exchange answers where one should be.
    """
    if not hosts.is_loopback:  # a monotonic counter would stand still while a laptop sleeps
        return MarketClock(time.time_ns(), 1.0, time.time_ns)
    try:
        now_ns, rate = await read_clock(http, hosts.api)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ConfigError(
            f"no built-in exchange answers at {hosts.api}; start one with `ticktick emulator`"
        ) from error
    return MarketClock(now_ns, rate, time.monotonic_ns)
