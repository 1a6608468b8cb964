"""The market's clock of a run, and who keeps it right."""

import asyncio
import time
from contextlib import suppress

import aiohttp

from ticktick.brokers.upstox.hosts import Hosts
from ticktick.domain.clock import NS_PER_S, MarketClock
from ticktick.emulator.control import read_clock
from ticktick.errors import ConfigError

_EVERY_S = 1.0
_TOLERANCE_S = 0.02


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


class ClockKeeper:
    """Keeps a market clock in step with the exchange on this machine, which may be set."""

    def __init__(self, http: aiohttp.ClientSession, hosts: Hosts, clock: MarketClock) -> None:
        self._http = http
        self._hosts = hosts
        self._clock = clock

    async def run(self) -> None:
        """Look at the exchange's clock every second."""
        while True:
            await asyncio.sleep(_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Take over the exchange's time and rate where ours are off."""
        with suppress(aiohttp.ClientError, TimeoutError):
            now_ns, rate = await read_clock(self._http, self._hosts.api)
            off_s = abs(now_ns - self._clock.now_ns()) / NS_PER_S
            if rate != self._clock.rate or off_s > _TOLERANCE_S * max(rate, 1.0):
                self._clock.set(now_ns, rate)
