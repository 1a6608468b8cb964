"""Asking the built-in exchange for what a real one does not tell: its clock and a token."""

from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import aiohttp
import msgspec
from msgspec import Struct

from ticktick.domain.clock import NS_PER_S

T = TypeVar("T")

_LIMIT = aiohttp.ClientTimeout(total=5)
_UNDERWAY_NS: Final = NS_PER_S // 10


class _Clock(Struct):
    now_ns: int
    rate: float


class ToldClock(Struct, frozen=True):
    """What the bench tells of the market's time, and the date of its answer in whole seconds."""

    now_ns: int
    rate: float
    date_ns: int

    def agrees_with(self, now_ns: int) -> bool:
        """Whether that can have been the time when the answer was dated.

        A tenth of a real second may pass until it is compared.
        """
        slack_ns = int(_UNDERWAY_NS * max(self.rate, 1.0))
        return self.date_ns - slack_ns <= now_ns <= self.date_ns + NS_PER_S + slack_ns


class _Token(Struct):
    access_token: str


async def read_clock(http: aiohttp.ClientSession, url: str) -> ToldClock:
    """Market time in nanoseconds and market seconds per real second.

    Raises aiohttp.ClientError or TimeoutError if no built-in exchange answers there.
    """
    async with http.get(f"{url}/_emu/clock", timeout=_LIMIT, raise_for_status=True) as answer:
        clock = _read(await answer.read(), _Clock)
        try:
            date = parsedate_to_datetime(answer.headers.get("Date", ""))
        except ValueError as error:
            raise aiohttp.ClientPayloadError("an answer without a date") from error
    return ToldClock(clock.now_ns, clock.rate, int(date.timestamp()) * NS_PER_S)


async def new_token(http: aiohttp.ClientSession, url: str) -> str:
    """An access token, as a login would give it.

    Raises aiohttp.ClientError or TimeoutError if no built-in exchange answers there.
    """
    async with http.post(
        f"{url}/_emu/token", json={}, timeout=_LIMIT, raise_for_status=True
    ) as answer:
        return _read(await answer.read(), _Token).access_token


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise aiohttp.ClientPayloadError(f"no answer of a built-in exchange: {error}") from error
