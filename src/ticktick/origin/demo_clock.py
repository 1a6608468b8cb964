"""The market's clock of a demo: that of the exchange on this machine, which may be set."""

import asyncio
import time
from contextlib import suppress
from typing import Final

import aiohttp

from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.rest import Answered
from ticktick.domain.clock import NS_PER_MS, NS_PER_S, MarketClock
from ticktick.emulator.control import ToldClock, read_clock
from ticktick.errors import ConfigError
from ticktick.origin.clock import Note, OffsetWarning

_EVERY_S: Final = 1.0
_TOLERANCE_S: Final = 0.02


class DemoTime:
    """The market time and rate that the exchange's bench tells; made by `begin`.

    Its answers are dated by the market too. Where the bench contradicts that date, the date
    wins, and with it the clock that agreed with it before.
    """

    def __init__(self, http: aiohttp.ClientSession, hosts: Hosts, clock: MarketClock) -> None:
        self.clock = clock
        self._http = http
        self._hosts = hosts
        self._offset_ns = 0
        self._warning = OffsetWarning("the clock that the demo's exchange tells")

    @classmethod
    async def begin(cls, http: aiohttp.ClientSession, hosts: Hosts) -> "DemoTime":
        """Read the clock for the first time.

        Raises ConfigError if no exchange answers.
        """
        try:
            told = await read_clock(http, hosts.api)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConfigError(
                f"no built-in exchange answers at {hosts.api}; start one with `ticktick emulator`"
            ) from error
        guess_ns = told.date_ns + NS_PER_S // 2
        made = cls(http, hosts, MarketClock(guess_ns, 0.0, time.monotonic_ns))
        made._take(told)
        return made

    @property
    def offset_ms(self) -> float | None:
        """How far the bench's clock is ahead of the exchange's, in market time."""
        return self._offset_ns / NS_PER_MS

    def answered(self, answer: Answered) -> None:
        """Nothing: the bench is asked every second, and its answers are dated as well."""

    def framed(self, sent_ns: int, received_ns: int) -> None:
        """Nothing: what the bench tells is exact to the nanosecond."""

    async def look(self) -> None:
        """Take over the exchange's time and rate where ours are off."""
        with suppress(aiohttp.ClientError, TimeoutError):
            self._take(await read_clock(self._http, self._hosts.api))

    async def run(self, note: Note) -> None:
        """Look at the exchange's clock every second."""
        while True:
            await asyncio.sleep(_EVERY_S)
            await self.look()
            for level, text in self._warning.news(self.offset_ms):
                await note(level, text)

    def _take(self, told: ToldClock) -> None:
        now_ns = self.clock.now_ns()
        off_s = abs(told.now_ns - self._offset_ns - now_ns) / NS_PER_S
        if told.rate == self.clock.rate and off_s <= _TOLERANCE_S * max(told.rate, 1.0):
            return
        if told.agrees_with(told.now_ns):
            now_ns = told.now_ns
        elif not told.agrees_with(now_ns):
            now_ns = told.date_ns + NS_PER_S // 2  # the middle of that second
        self._offset_ns = told.now_ns - now_ns
        self.clock.set(now_ns, told.rate)
