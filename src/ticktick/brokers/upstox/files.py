"""The broker's public instrument files, read without a token and only when they are new."""

from typing import Final
from urllib.parse import quote

import aiohttp
import stamina
from msgspec import Struct
from yarl import URL

from ticktick.brokers.budget import Budget, Priority
from ticktick.brokers.upstox.hosts import USER_AGENT, Hosts
from ticktick.brokers.upstox.problem import refusal
from ticktick.brokers.upstox.rest import is_worth_repeating, unreachable

_TRIES: Final = 4
_LIMITS: Final = aiohttp.ClientTimeout(total=120, sock_connect=10, sock_read=10)
_UNCHANGED: Final = 304


class InstrumentFile(Struct, frozen=True):
    """A file as the broker served it (JSON, gzipped), and the tag by which it knows it again."""

    content: bytes
    tag: str


class InstrumentFiles:
    """Asks for instrument files, each read in its turn like any other."""

    def __init__(self, http: aiohttp.ClientSession, hosts: Hosts, budget: Budget) -> None:
        self.is_loopback = hosts.is_loopback
        self._http = http
        self._assets = hosts.assets
        self._budget = budget

    async def read(self, exchange: str, tag: str = "") -> InstrumentFile | None:
        """The file of an exchange; None if it is still the one of the tag.

        Raises BrokerError if it cannot be had.
        """
        name = quote(exchange, safe="")
        url = f"{self._assets}/market-quote/instruments/exchange/{name}.json.gz"
        try:
            async for attempt in stamina.retry_context(
                on=is_worth_repeating, attempts=_TRIES, wait_initial=0.25, wait_max=2.0
            ):
                with attempt:
                    async with self._budget.turn(Priority.REFILL):
                        return await self._read(url, tag)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise unreachable(url, error) from error
        raise AssertionError("the last attempt returns or raises")

    async def _read(self, url: str, tag: str) -> InstrumentFile | None:
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if tag:
            headers["If-None-Match"] = tag
        async with self._http.get(
            URL(url, encoded=True), headers=headers, timeout=_LIMITS, allow_redirects=False
        ) as response:
            content = await response.read()
            if response.status == _UNCHANGED and tag:
                return None
            if response.status != 200:
                raise refusal(response.status, content, response.headers.get("Retry-After"))
            return InstrumentFile(content, response.headers.get("ETag", ""))
