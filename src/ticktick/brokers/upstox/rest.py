"""The broker's REST calls that the product uses; every one only reads, but for the login's."""

import asyncio
import json
import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
import stamina
from stamina.instrumentation import set_on_retry_hooks
from yarl import URL

from ticktick.brokers.upstox.hosts import USER_AGENT, Hosts
from ticktick.brokers.upstox.problem import refusal
from ticktick.brokers.upstox.wire import (
    CandleRow,
    Envelope,
    FeedAddress,
    FullQuote,
    MarketState,
    MasterRecord,
    Profile,
    TokenReply,
    parse_master,
)
from ticktick.brokers.upstox.zipped import unzipped
from ticktick.errors import AuthError, BrokerError

T = TypeVar("T")

_TRIES = 4
_CALL = aiohttp.ClientTimeout(total=10)
_DOWNLOAD = aiohttp.ClientTimeout(total=120, sock_connect=10, sock_read=10)
_QUOTES_PER_CALL = 500

# a repeated read is no news for the user; that all of them failed is
set_on_retry_hooks([])


class UpstoxRest:
    """Asks the broker over HTTP.

    A read is repeated when the connection or the server failed, never when the broker said no.
    Every call raises AuthError, RateLimited or BrokerError; nothing follows a redirect, so the
    token goes nowhere else. `token` is asked anew for every call.
    """

    def __init__(
        self, http: aiohttp.ClientSession, hosts: Hosts, token: Callable[[], str | None]
    ) -> None:
        self.hosts = hosts
        self._http = http
        self._token = token

    async def profile(self) -> Profile:
        """Who the token belongs to: the cheapest proof that it works."""
        return _read(await self._get(self._api("/v2/user/profile")), Envelope[Profile]).data

    async def instruments(self, exchange: str = "NSE") -> list[MasterRecord]:
        """The instrument master of the day, some 80,000 records for NSE."""
        return await asyncio.to_thread(read_master, await self.instrument_file(exchange))

    async def instrument_file(self, exchange: str) -> bytes:
        """The instrument master as the broker serves it: JSON, gzipped."""
        path = f"/market-quote/instruments/exchange/{quote(exchange, safe='')}.json.gz"
        return await self._get(self.hosts.assets + path, authorised=False, limits=_DOWNLOAD)

    async def history_minutes(self, key: str, to_day: date, from_day: date) -> list[CandleRow]:
        """One-minute candles of past days, both ends included; a month at most.

        The current day is not among them; the order is the broker's.
        """
        path = f"/v3/historical-candle/{quote(key, safe='')}/minutes/1/{to_day}/{from_day}"
        return await self._candles(path)

    async def intraday_minutes(self, key: str) -> list[CandleRow]:
        """One-minute candles of the current session; the newest may still be forming.

        Before the open the broker may answer with the session before.
        """
        return await self._candles(
            f"/v3/historical-candle/intraday/{quote(key, safe='')}/minutes/1"
        )

    async def market_status(self, exchange: str) -> MarketState:
        """What the exchange is doing now."""
        url = self._api(f"/v2/market/status/{quote(exchange, safe='')}")
        return _read(await self._get(url), Envelope[MarketState]).data

    async def authorise_feed(self) -> str:
        """An address of the market feed that is good for one connection."""
        url = self._api("/v3/feed/market-data-feed/authorize")
        address = _read(await self._get(url), Envelope[FeedAddress]).data
        feed = address.authorized_redirect_uri or address.camel_uri
        if not feed:
            raise BrokerError("the broker authorised the feed but named no address; try again")
        return self.hosts.checked_feed(feed)

    async def quotes(self, keys: Sequence[str]) -> dict[str, FullQuote]:
        """Full quotes by instrument key.

        The broker answers by symbol, so the key is read from each quote itself.
        """
        found: dict[str, FullQuote] = {}
        for first in range(0, len(keys), _QUOTES_PER_CALL):
            query = urlencode({"instrument_key": ",".join(keys[first : first + _QUOTES_PER_CALL])})
            body = await self._get(self._api(f"/v2/market-quote/quotes?{query}"))
            answer = _read(body, Envelope[dict[str, FullQuote]])
            found |= {quoted.instrument_token: quoted for quoted in answer.data.values()}
        return found

    async def token(self, form: Mapping[str, str]) -> TokenReply:
        """Trade the login's one-time code for a token; never repeated."""
        url = self._api("/v2/login/authorization/token")
        try:
            body = await self._once("POST", url, _headers(None), _CALL, dict(form))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(url, error) from error
        return _read(body, TokenReply)

    def _api(self, path: str) -> str:
        return self.hosts.api + path

    async def _candles(self, path: str) -> list[CandleRow]:
        body = await self._get(self._api(path), authorised=False)
        return await asyncio.to_thread(_candle_rows, body)

    async def _get(
        self, url: str, *, authorised: bool = True, limits: aiohttp.ClientTimeout = _CALL
    ) -> bytes:
        body = b""
        try:
            async for attempt in stamina.retry_context(
                on=_is_worth_repeating, attempts=_TRIES, wait_initial=0.25, wait_max=2.0
            ):
                with attempt:
                    headers = _headers(self._required_token() if authorised else None)
                    body = await self._once("GET", url, headers, limits, None)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(url, error) from error
        return body

    async def _once(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        limits: aiohttp.ClientTimeout,
        form: dict[str, str] | None,
    ) -> bytes:
        async with self._http.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=form,
            timeout=limits,
            allow_redirects=False,
        ) as response:
            body = await response.read()
            if response.status != 200:
                raise refusal(response.status, body, response.headers.get("Retry-After"))
            return body

    def _required_token(self) -> str:
        token = self._token()
        if not token:
            raise AuthError("not logged in: there is no access token; run `ticktick login`")
        return token


def read_master(blob: bytes) -> list[MasterRecord]:
    """The records of an instrument file, gzipped or already unpacked on the way.

    Raises BrokerError if it is no such file or holds no record.
    """
    try:
        records = parse_master(unzipped(blob))
    except (msgspec.DecodeError, ValueError) as error:
        raise BrokerError("the instrument file cannot be read; try again later") from error
    if not records:
        raise BrokerError("the instrument file holds no instrument; try again later")
    return records


def _headers(token: str | None) -> dict[str, str]:
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _is_worth_repeating(error: Exception) -> bool:
    if isinstance(error, BrokerError):
        return error.http_status >= 500
    # a certificate that is wrong stays wrong
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return False
    return isinstance(error, aiohttp.ClientError | TimeoutError)


def _unreachable(url: str, error: Exception) -> BrokerError:
    host = URL(url).authority
    if isinstance(error, aiohttp.ClientSSLError):
        return BrokerError(
            f"{host} could not prove that it is {host} ({_reason(error)}); nothing was sent to it, "
            "check the network and the clock of this machine"
        )
    return BrokerError(f"cannot reach {host} ({_reason(error)}); check the connection")


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError) and (error.errno or 0) > 0:
        return os.strerror(error.errno or 0)
    return str(error) or type(error).__name__


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except msgspec.DecodeError as error:
        raise BrokerError(f"the broker's answer cannot be read: {error}; try again") from error


def _candle_rows(body: bytes) -> list[CandleRow]:
    """The rows as they came; the tolerant parser also takes NaN, which a row may hold."""
    try:
        answer: Any = json.loads(body)
    except ValueError as error:
        raise BrokerError("the broker's candles are no JSON; try again") from error
    data = answer.get("data") if isinstance(answer, dict) else None
    rows = data.get("candles") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise BrokerError("the broker's answer holds no candles; try again")
    return rows
