"""The market feed: authorise, connect, subscribe, and pass on raw frames with their time."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from random import Random
from uuid import UUID

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, InvalidURI, WebSocketException

from ticktick.brokers.socket import Dial, LinkDown, LinkUp, Sleep, frames
from ticktick.brokers.upstox.hosts import USER_AGENT
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import Clock
from ticktick.domain.event import FrameArrived, LinkChanged
from ticktick.errors import AuthError, BrokerError, RateLimited

_KEYS_PER_MESSAGE = 500
_LARGEST_FRAME = 4 * 1024 * 1024
_REFUSED_PAUSE_S = 30.0

# together the 15 s within which a dead link is noticed
_PING_EVERY_S = 9.0
_PONG_LIMIT_S = 5.0
_CLOSE_LIMIT_S = 1.0


async def feed_events(
    rest: UpstoxRest,
    keys: Sequence[str],
    clock: Clock,
    rng: Random,
    *,
    mode: str = "full",
    first_seq: int = 1,
    sleep: Sleep = asyncio.sleep,
) -> AsyncGenerator[FrameArrived | LinkChanged, None]:
    """Yield every frame of the feed for the keys, and each change of the link, for ever.

    Close it with `aclosing`. Raises AuthError when the token is refused: only a login helps.
    """
    seq = first_seq
    dial = feed_dial(rest, subscriptions(keys, mode, rng))
    async with aclosing(frames(dial, least_pause_s, rng, sleep)) as items:
        async for item in items:
            now_ns = clock.now_ns()
            match item:
                case LinkUp():
                    yield LinkChanged(now_ns, up=True, reason="data arrived")
                case LinkDown(reason=reason):
                    yield LinkChanged(now_ns, up=False, reason=reason)
                case bytes():
                    yield FrameArrived(now_ns, seq, item)
                    seq += 1


def feed_dial(rest: UpstoxRest, messages: Sequence[bytes]) -> Dial:
    """A dial that fetches a single-use address for every connection and sends the messages."""

    @asynccontextmanager
    async def dial() -> AsyncIterator[AsyncIterator[bytes]]:
        url = await rest.authorise_feed()
        try:
            async with _Direct(
                url,
                user_agent_header=USER_AGENT,
                proxy=None,
                open_timeout=10,
                ping_interval=_PING_EVERY_S,
                ping_timeout=_PONG_LIMIT_S,
                close_timeout=_CLOSE_LIMIT_S,
                max_size=_LARGEST_FRAME,
            ) as socket:
                for message in messages:
                    await socket.send(message)
                yield _frames(socket)
        except InvalidStatus as error:
            raise _refused(error.response.status_code) from error
        except InvalidURI:  # its text would tell the one-time code
            raise BrokerError("the address of the feed cannot be dialled") from None

    return dial


def subscriptions(keys: Sequence[str], mode: str, rng: Random) -> list[bytes]:
    """The binary messages that subscribe to the keys, at most 500 keys each."""
    return [
        msgspec.json.encode(
            {
                "guid": str(UUID(int=rng.getrandbits(128), version=4)),
                "method": "sub",
                "data": {"mode": mode, "instrumentKeys": keys[first : first + _KEYS_PER_MESSAGE]},
            }
        )
        for first in range(0, len(keys), _KEYS_PER_MESSAGE)
    ]


def least_pause_s(error: Exception) -> float | None:
    """Seconds to wait at least before the next attempt; None if only a person can help."""
    match error:
        case AuthError():
            return None
        case RateLimited(retry_after_s=pause_s):
            return pause_s
        case BrokerError(http_status=403):
            return _REFUSED_PAUSE_S
        case BrokerError() | WebSocketException() | OSError() | TimeoutError() | ssl.SSLError():
            return 0.0
        case _:
            return None


class _Direct(connect):
    """A connection that follows no redirect: the address was checked, another one is not."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def _frames(socket: ClientConnection) -> AsyncIterator[bytes]:
    """Frames as bytes; a text frame is no frame of the feed, and the decoder says so."""
    async for frame in socket:
        yield frame if isinstance(frame, bytes) else frame.encode()


def _refused(status: int) -> BrokerError:
    if status == 401:
        return AuthError(
            "the feed refused the token (HTTP 401); run `ticktick login`", http_status=401
        )
    if status == 403:
        return BrokerError(
            "the feed refused the connection (HTTP 403): too many are open, or another program "
            "uses this login; close it",
            http_status=403,
        )
    return BrokerError(f"the feed refused the connection (HTTP {status})", http_status=status)
