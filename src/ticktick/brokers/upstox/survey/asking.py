"""Asking the broker over HTTP for the survey: GET alone, one after the other, slowly."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import Enum, auto
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from msgspec import Struct
from yarl import URL

from ticktick.brokers.upstox.hosts import USER_AGENT, Hosts
from ticktick.brokers.upstox.survey.private import of_answer
from ticktick.brokers.upstox.survey.shape import shape
from ticktick.brokers.upstox.survey.verdict import NotSeen, Otherwise

PAUSE_S: Final = 0.25
_LIMIT = aiohttp.ClientTimeout(total=30, sock_connect=10)
_LARGE_FILE: Final = 1 << 20
_WRONG_TOKEN: Final = "not-a-token"  # noqa: S105

Sleep = Callable[[float], Awaitable[None]]


class Bearer(Enum):
    """Which token a request carries: that for the market, or that of the account's owner."""

    OURS = auto()
    OWNER = auto()
    NONE = auto()
    WRONG = auto()


class Answer(Struct, frozen=True):
    """One answer as it came; `asked_s` and `answered_s` count real seconds."""

    status: int
    headers: dict[str, str]
    body: bytes
    asked_s: float
    answered_s: float

    def content(self) -> Any:
        """Its JSON. Raises Otherwise if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Otherwise(f"HTTP {self.status} and no JSON") from None

    def data(self) -> Any:
        """What a success holds. Raises Otherwise for a refusal, NotSeen if the server failed."""
        if self.status != 200:
            if self.status >= 500:
                raise NotSeen(f"the broker answered HTTP {self.status}")
            raise Otherwise(self.refusal())
        return self.content()["data"]

    def refusal(self) -> str:
        """Status and code of a refusal."""
        return f"HTTP {self.status} {self.code()}".strip()

    def code(self) -> str:
        """The broker's error code, empty where none is told."""
        try:
            errors = json.loads(self.body)["errors"]
            return str(errors[0].get("errorCode") or errors[0].get("error_code") or "")
        except (ValueError, LookupError, TypeError, AttributeError):
            return ""


class Asked(Struct, frozen=True):
    """One request as the report tells it: nothing of what the answer says but its shape."""

    path: str
    status: int
    code: str
    ms: int
    size: int
    shape: Any


class Asker:
    """Asks each thing once and remembers the answer; `asked` is the list for the report.

    `private` collects what the answers tell of the account's owner.

    `token` reads the market; `owner` is that of a daily login, which also reads the account, empty
    if there is none. It waits `pause_s` before each request, and asks nothing more once the
    broker wants a pause or does not take a token any more.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        hosts: Hosts,
        token: str,
        owner: str = "",
        *,
        pause_s: float = PAUSE_S,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.hosts = hosts
        self.asked: list[Asked] = []
        self.answers: list[Answer] = []
        self.private: set[str] = {token} | ({owner} if owner else set())
        self.owner = owner
        self._http = http
        self._token = token
        self._pause_s = pause_s
        self._sleep = sleep
        self._known: dict[tuple[str, Bearer], Answer] = {}
        self._ended = ""

    async def get(self, path: str, bearer: Bearer = Bearer.OURS, **query: str) -> Answer:
        """The answer to a path of the API. Raises NotSeen if there is none."""
        return await self._get(self.hosts.api, path, bearer, query)

    async def fresh(self, path: str) -> Answer:
        """As `get`, but asked again each time."""
        self._known.pop((self.hosts.api + path, Bearer.OURS), None)
        return await self.get(path)

    async def file(self, path: str) -> Answer:
        """A public file of the broker."""
        return await self._get(self.hosts.assets, path, Bearer.NONE, {})

    async def _get(self, host: str, path: str, bearer: Bearer, query: dict[str, str]) -> Answer:
        url = f"{host}{path}?{urlencode(query)}" if query else host + path
        known = self._known.get((url, bearer))
        if known is not None:
            return known
        if self._ended:
            raise NotSeen(self._ended)
        await self._sleep(self._pause_s)
        answer = await self._once(url, bearer)
        self._known[url, bearer] = answer
        self.answers.append(answer)
        self.asked.append(_told(f"{path}?{urlencode(query)}" if query else path, answer))
        self._keep_private(path, answer)
        self._mind(answer, bearer)
        return answer

    async def _once(self, url: str, bearer: Bearer) -> Answer:
        began_s = time.monotonic()
        try:
            async with self._http.get(
                URL(url, encoded=True),
                headers=self._headers(bearer),
                timeout=_LIMIT,
                allow_redirects=False,
            ) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NotSeen(f"the broker could not be reached ({type(error).__name__})") from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, body, began_s, time.monotonic())

    def _headers(self, bearer: Bearer) -> dict[str, str]:
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if bearer is not Bearer.NONE:
            tokens = {Bearer.OURS: self._token, Bearer.OWNER: self.owner}
            headers["Authorization"] = f"Bearer {tokens.get(bearer, _WRONG_TOKEN)}"
        return headers

    def _keep_private(self, path: str, answer: Answer) -> None:
        with suppress(ValueError, LookupError, TypeError):
            self.private.update(of_answer(path, json.loads(answer.body)["data"]))

    def _mind(self, answer: Answer, bearer: Bearer) -> None:
        """End the survey's questions where the broker does not want any more."""
        if answer.status == 429:
            self._ended = "the broker asked for a pause (HTTP 429), so nothing more was asked"
        elif answer.status == 401 and bearer in (Bearer.OURS, Bearer.OWNER):
            self._ended = "the broker does not take the token any more (HTTP 401)"
        if self._ended:
            raise NotSeen(self._ended)


def _told(path: str, answer: Answer) -> Asked:
    content: Any = answer.headers.get("content-type", "no JSON")
    with suppress(ValueError):
        if len(answer.body) < _LARGE_FILE:
            content = shape(json.loads(answer.body))
    ms = round((answer.answered_s - answer.asked_s) * 1000)
    return Asked(path, answer.status, answer.code(), ms, len(answer.body), content)
