"""Asking the built-in exchange for what a real one does not tell: its clock and a token."""

from typing import TypeVar

import aiohttp
import msgspec
from msgspec import Struct

T = TypeVar("T")

_LIMIT = aiohttp.ClientTimeout(total=5)


class _Clock(Struct):
    now_ns: int
    rate: float


class _Token(Struct):
    access_token: str


async def read_clock(http: aiohttp.ClientSession, url: str) -> tuple[int, float]:
    """Market time in nanoseconds and market seconds per real second.

    Raises aiohttp.ClientError or TimeoutError if no built-in exchange answers there.
    """
    async with http.get(f"{url}/_emu/clock", timeout=_LIMIT, raise_for_status=True) as answer:
        clock = _read(await answer.read(), _Clock)
    return clock.now_ns, clock.rate


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
