"""A byte stream that comes back: dial, read, and on any loss dial again, for ever."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import TypeAlias

from msgspec import Struct

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0

Dial: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncIterable[bytes]]]
Sleep: TypeAlias = Callable[[float], Awaitable[None]]


class LinkUp(Struct, frozen=True):
    """The first data of a connection is here; it follows."""


class LinkDown(Struct, frozen=True):
    """The connection is gone, or none was made; frames may be missing from here on."""

    reason: str


async def frames(
    dial: Dial,
    least_pause_s: Callable[[Exception], float | None],
    rng: Random,
    sleep: Sleep = asyncio.sleep,
) -> AsyncGenerator[bytes | LinkUp | LinkDown, None]:
    """Yield frames for ever, LinkUp before the first and LinkDown after the last of a connection.

    `dial` opens one connection. `least_pause_s` says how long to wait at least after an error,
    None if trying again is of no use.
    Raises, after a LinkDown, the first error that is of no use to try again after.
    """
    pauses = backoff(rng)
    while True:
        reason, healthy, least_s = "closed by the server", False, 0.0
        try:
            async with dial() as socket:
                async for frame in socket:
                    if not healthy:
                        healthy = True
                        yield LinkUp()
                    yield frame
        except Exception as error:
            reason = str(error) or type(error).__name__
            least = least_pause_s(error)
            if least is None:
                yield LinkDown(reason)
                raise
            least_s = least
        if healthy:  # only data proves the link works; an open port does not
            pauses = backoff(rng)
        yield LinkDown(reason)
        await sleep(max(least_s, next(pauses)))


def backoff(rng: Random) -> Iterator[float]:
    """Yield seconds to wait before each attempt: random up to a bound that doubles to 30 s."""
    bound_s = FIRST_PAUSE_S
    while True:
        yield rng.uniform(0.0, bound_s)
        bound_s = min(2.0 * bound_s, LONGEST_PAUSE_S)
