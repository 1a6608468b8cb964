"""The broker's REST calls that the product uses; every one only reads, but for the login's."""

import asyncio
import json
import os
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
import stamina
from msgspec import Struct
from stamina.instrumentation import set_on_retry_hooks
from yarl import URL

from ticktick.brokers.budget import Budget, Priority
from ticktick.brokers.upstox.hosts import USER_AGENT, Hosts
from ticktick.brokers.upstox.problem import KEYS_REFUSED, refusal
from ticktick.brokers.upstox.wire import (
    Bar,
    CandleRow,
    Envelope,
    ExchangeHours,
    FeedAddress,
    FullQuote,
    Holiday,
    MarketState,
    MasterRecord,
    MinuteBars,
    Profile,
    TokenReply,
    parse_master,
)
from ticktick.brokers.upstox.zipped import unzipped
from ticktick.domain.clock import NS_PER_S
from ticktick.errors import AuthError, BrokerError, RateLimited

T = TypeVar("T")

_TRIES = 4
_CALL = aiohttp.ClientTimeout(total=10)
_QUOTES_PER_CALL = 500

# a repeated read is no news for the user; that all of them failed is
set_on_retry_hooks([])


class Answered(Struct, frozen=True):
    """When one call began and its answer came, and the server's own time of it in whole seconds.

    `date_ns` is None where it told none, or a cache answered in its place.
    """

    asked_ns: int
    answered_ns: int
    date_ns: int | None


class UpstoxRest:
    """Asks the broker over HTTP.

    Every read waits for its turn in `budget`. It is repeated when the connection or the server
    failed or the answer cannot be read, never when the broker said no. Every call raises
    AuthError, RateLimited or BrokerError; nothing follows a redirect, so a token goes nowhere
    else.

    `token` (market data; kept as `bearer`) and `account_token` (the account; by default the same)
    are asked anew for every call; `refused` is told each token that the broker does not take.
    `on_answer` hears of every answer of the API, whatever it says, in nanoseconds of `counter_ns`.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        hosts: Hosts,
        token: Callable[[], str | None],
        *,
        account_token: Callable[[], str | None] | None = None,
        refused: Callable[[str, AuthError], None] = lambda _, __: None,
        budget: Budget | None = None,
        counter_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.hosts = hosts
        self.budget = budget or Budget()
        self.latency_ms: float | None = None
        self.on_answer: Callable[[Answered], None] = _unheard
        self.bearer = token
        self._http = http
        self._account_token = account_token or (lambda: self.bearer())
        self._refused = refused
        self._counter_ns = counter_ns

    async def profile(self) -> Profile:
        """Who the account's token belongs to: the cheapest proof that it works."""
        url = self._api("/v2/user/profile")
        answer = await self._get(
            url, _reader(Envelope[Profile]), Priority.QUOTES, self._account_token
        )
        return answer.data

    async def history_minutes(
        self, key: str, to_day: date, from_day: date, priority: Priority = Priority.DEEP
    ) -> list[CandleRow]:
        """One-minute candles of past days, both ends included; a month at most.

        The current day is not among them; the order is the broker's.
        """
        path = f"/v3/historical-candle/{quote(key, safe='')}/minutes/1/{to_day}/{from_day}"
        return await self._get(self._api(path), _candle_rows, priority)

    async def intraday_minutes(
        self, key: str, priority: Priority = Priority.REFILL
    ) -> list[CandleRow]:
        """One-minute candles of the current session; the newest may still be forming.

        Before the open the broker may answer with the session before.
        """
        path = f"/v3/historical-candle/intraday/{quote(key, safe='')}/minutes/1"
        return await self._get(self._api(path), _candle_rows, priority)

    async def market_status(self, exchange: str) -> MarketState:
        """What the exchange is doing now."""
        url = self._api(f"/v2/market/status/{quote(exchange, safe='')}")
        answer = await self._get(url, _reader(Envelope[MarketState]), Priority.QUOTES, self.bearer)
        return answer.data

    async def holidays(self) -> list[Holiday]:
        """The days of the year on which some exchange is closed or trades at unusual times."""
        url = self._api("/v2/market/holidays")
        return (await self._get(url, _reader(Envelope[list[Holiday]]), Priority.REFILL)).data

    async def timings(self, day: date) -> list[ExchangeHours]:
        """When each exchange trades on that day; nothing on a day without trading."""
        url = self._api(f"/v2/market/timings/{day}")
        read = _reader(Envelope[list[ExchangeHours]])
        return (await self._get(url, read, Priority.REFILL)).data

    async def authorise_feed(self) -> str:
        """An address of the market feed that is good for one connection."""
        url = self._api("/v3/feed/market-data-feed/authorize")
        answer = await self._get(
            url, _reader(Envelope[FeedAddress]), Priority.AUTHORISE, self.bearer
        )
        feed = answer.data.authorized_redirect_uri or answer.data.camel_uri
        if not feed:
            raise BrokerError("the broker authorised the feed but named no address; try again")
        return self.hosts.checked_feed(feed)

    async def quotes(self, keys: Sequence[str]) -> dict[str, FullQuote]:
        """Full quotes by instrument key; a key that the broker refuses is not among them.

        The broker answers by symbol, so the key is read from each quote itself.
        """
        path, priority = "/v2/market-quote/quotes", Priority.QUOTES
        answers = await self._quoted(path, {}, keys, FullQuote, priority)
        return {quoted.instrument_token: quoted for quoted in answers}

    async def minute_bars(self, keys: Sequence[str]) -> dict[str, Sequence[Bar]]:
        """The newest minutes by instrument key, the running one too; absent without trades."""
        path, form = "/v3/market-quote/ohlc", {"interval": "I1"}
        answers = await self._quoted(path, form, keys, MinuteBars, Priority.CONFIRM)
        return {
            told.instrument_token: [bar for bar in (told.prev_ohlc, told.live_ohlc) if bar]
            for told in answers
        }

    async def token(self, form: Mapping[str, str]) -> TokenReply:
        """Trade the login's one-time code for a token; never repeated."""
        url = self._api("/v2/login/authorization/token")
        try:
            body = await self._once("POST", url, _headers(None), _CALL, dict(form))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise unreachable(url, error) from error
        return _read(body, TokenReply)

    def _api(self, path: str) -> str:
        return self.hosts.api + path

    async def _quoted(
        self,
        path: str,
        form: Mapping[str, str],
        keys: Sequence[str],
        kind: type[T],
        priority: Priority,
    ) -> list[T]:
        """What is quoted of the keys; a key that the broker refuses is not among them."""
        found: list[T] = []
        for first in range(0, len(keys), _QUOTES_PER_CALL):
            part = keys[first : first + _QUOTES_PER_CALL]
            found += await self._quoted_at_once(path, form, part, kind, priority)
        return found

    async def _quoted_at_once(
        self,
        path: str,
        form: Mapping[str, str],
        keys: Sequence[str],
        kind: type[T],
        priority: Priority,
    ) -> list[T]:
        """What one call tells; a refused one is split, since one bad key refuses all."""
        query = urlencode({"instrument_key": ",".join(keys), **form})
        read = _reader(Envelope[dict[str, kind]])  # type: ignore[valid-type]
        try:
            answer = await self._get(self._api(f"{path}?{query}"), read, priority, self.bearer)
        except BrokerError as error:
            if error.code not in KEYS_REFUSED:
                raise
            if len(keys) == 1:
                return []
            half = len(keys) // 2
            parts = keys[:half], keys[half:]
            found = [await self._quoted_at_once(path, form, p, kind, priority) for p in parts]
            return [*found[0], *found[1]]
        return list(answer.data.values())

    async def _get(
        self,
        url: str,
        read: Callable[[bytes], T],
        priority: Priority,
        token: Callable[[], str | None] | None = None,
    ) -> T:
        """What `read` makes of the answer; it runs in a thread and raises `_Unreadable`."""
        try:
            async for attempt in stamina.retry_context(
                on=is_worth_repeating, attempts=_TRIES, wait_initial=0.25, wait_max=2.0
            ):
                with attempt:
                    body = await self._turn(url, priority, token)
                    return await asyncio.to_thread(read, body)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise unreachable(url, error) from error
        raise AssertionError("the last attempt returns or raises")

    async def _turn(
        self,
        url: str,
        priority: Priority,
        token: Callable[[], str | None] | None,
    ) -> bytes:
        """The body of one answer, in its turn; what the broker says of us is passed on."""
        async with self.budget.turn(priority):
            bearer = None if token is None else _required(token())
            began_s = time.monotonic()
            try:
                body = await self._once("GET", url, _headers(bearer), _CALL, None)
            except RateLimited as error:
                self.budget.pause(error.retry_after_s)
                raise
            except AuthError as error:
                if bearer is not None:
                    self._refused(bearer, error)
                raise
            self.latency_ms = (time.monotonic() - began_s) * 1000
            return body

    async def _once(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        limits: aiohttp.ClientTimeout,
        form: dict[str, str] | None,
    ) -> bytes:
        asked_ns = self._counter_ns()
        async with self._http.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=form,
            timeout=limits,
            allow_redirects=False,
        ) as response:
            if url.startswith(self.hosts.api):
                date_ns = _date_ns(response.headers)
                self.on_answer(Answered(asked_ns, self._counter_ns(), date_ns))
            body = await response.read()
            if response.status != 200:
                raise refusal(response.status, body, response.headers.get("Retry-After"))
            return body


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


class _Unreadable(BrokerError):
    """A success whose content is none: cut off, HTML, or not what was asked for."""


def _required(token: str | None) -> str:
    if not token:
        raise AuthError("not logged in: there is no access token; run `ticktick login`")
    return token


def _unheard(_: Answered) -> None:
    """Nobody wants to know when answers come."""


def _headers(token: str | None) -> dict[str, str]:
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _date_ns(headers: Mapping[str, str]) -> int | None:
    if "Age" in headers:
        return None
    try:
        return int(parsedate_to_datetime(headers.get("Date", "")).timestamp()) * NS_PER_S
    except ValueError:
        return None


def is_worth_repeating(error: Exception) -> bool:
    """Whether a read that failed so may succeed when it is done again."""
    if isinstance(error, BrokerError):
        return error.http_status >= 500 or isinstance(error, _Unreadable)
    # a certificate that is wrong stays wrong
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return False
    return isinstance(error, aiohttp.ClientError | TimeoutError)


def unreachable(url: str, error: Exception) -> BrokerError:
    """What to say of a host that did not answer."""
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


def _reader(kind: type[T]) -> Callable[[bytes], T]:
    return lambda body: _read(body, kind)


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _Unreadable(f"the broker's answer cannot be read: {error}; try again") from error


def _candle_rows(body: bytes) -> list[CandleRow]:
    """The rows as they came; the tolerant parser also takes NaN, which a row may hold."""
    try:
        answer: Any = json.loads(body)
    except ValueError as error:
        raise _Unreadable("the broker's candles are no JSON; try again") from error
    data = answer.get("data") if isinstance(answer, dict) else None
    rows = data.get("candles") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise _Unreadable("the broker's answer holds no candles; try again")
    return rows
