"""A byte stream that comes back: dial, read, and on any loss dial again, one at a time."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Generic, Protocol, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from ticktick.brokers.reconnect import Attempts, Ending, taken_sentence


class Wire(Protocol):
    """One open connection."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def cut(self) -> None:
        """End it at once; whoever reads comes to the end."""
        ...


W = TypeVar("W", bound=Wire)
Dial: TypeAlias = Callable[[], AbstractAsyncContextManager[W]]
Wait: TypeAlias = Callable[[asyncio.Event, float], Awaitable[None]]
"""Waits until the event, but no longer than that many seconds."""


class LinkUp(Struct, frozen=True):
    """The first frame of a connection is here; it follows."""


class LinkDown(Struct, frozen=True):
    """The connection is gone, or none was made; frames may be missing from here on.

    `cause` is one of LINK_CAUSES, `reason` a sentence.
    """

    reason: str
    cause: str


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event, but no longer than that many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class Link(Generic[W]):
    """The only owner of a connection: one at a time, made anew after every loss.

    `explain` says how an attempt ended that failed with an error, None if no attempt can help;
    `is_data` knows a frame that proves the link. Where only a login or a decision of the user
    helps, the link stands still (`stopped` is the cause, else empty) until `go_on`.
    """

    def __init__(
        self,
        dial: Dial[W],
        explain: Callable[[Exception], Ending | None],
        is_data: Callable[[bytes], bool],
        attempts: Attempts,
        *,
        clock_s: Callable[[], float] = time.monotonic,
        wait: Wait = wait_for,
    ) -> None:
        self._dial = dial
        self._explain = explain
        self._is_data = is_data
        self._attempts = attempts
        self._clock_s = clock_s
        self._wait = wait
        self._wish: LinkDown | None = None
        self._go = asyncio.Event()
        self._next_s: float | None = None
        self._opened_s = 0.0
        self.wire: W | None = None
        self.stopped = ""

    @property
    def next_attempt_s(self) -> float | None:
        """Seconds until the next attempt; None if none is planned."""
        return None if self._next_s is None else max(self._next_s - self._clock_s(), 0.0)

    @property
    def open_s(self) -> float | None:
        """How long the present connection has been open; None without one."""
        return None if self.wire is None else self._clock_s() - self._opened_s

    def hang_up(self, cause: str, reason: str) -> None:
        """End the present connection, if there is one; the next one is made as after any loss."""
        if self.wire is not None:
            self._wish = LinkDown(reason, cause)
            self.wire.cut()

    def hurry(self) -> None:
        """Let the next attempt follow at once, unless the link stands still."""
        if not self.stopped:
            self._go.set()

    def go_on(self) -> None:
        """Dial again, whatever made the link stand still."""
        self._attempts.forgive()
        self.stopped = ""
        self._go.set()

    async def items(self) -> AsyncGenerator[bytes | LinkUp | LinkDown, None]:
        """Yield frames for ever, LinkUp before the first and LinkDown after the last of each.

        Raises, after a LinkDown, an error that no other attempt can help against.
        """
        while True:
            ending = Ending("closed", "closed by the server")
            self._attempts.begin(self._clock_s())
            try:
                async with self._dial() as self.wire:
                    self._opened_s = self._clock_s()
                    is_up = is_proven = False
                    async for frame in self.wire:
                        if not is_up:
                            is_up = True
                            yield LinkUp()
                        if not is_proven and self._is_data(frame):
                            is_proven = True
                            self._attempts.data_came()
                        yield frame
            except Exception as error:
                explained = self._explain(error)
                if explained is None:
                    yield LinkDown(str(error) or type(error).__name__, "closed")
                    raise
                ending = explained
            finally:
                lived_s, self.wire = self.open_s, None
            ending = self._ending(ending, lived_s)
            pause_s = self._attempts.end(ending)
            self._go.clear()
            yield self._down(ending, pause_s)
            await self._pause(pause_s or 0.0)

    def _ending(self, ending: Ending, lived_s: float | None) -> Ending:
        """The ending with the life of its connection; our own wish, if we hung up."""
        wish, self._wish = self._wish, None
        if wish is None:
            return replace(ending, lived_s=lived_s)
        return Ending(wish.cause, wish.reason, lived_s=lived_s, by_us=True)

    def _down(self, ending: Ending, pause_s: float | None) -> LinkDown:
        """What the loss means; from here on the link may stand still."""
        if ending.cause == "login":
            self.stopped = "login"
        elif pause_s is None:
            self.stopped = "taken"
            return LinkDown(taken_sentence(ending), "taken")
        else:
            self._next_s = self._clock_s() + pause_s
        return LinkDown(ending.reason, ending.cause)

    async def _pause(self, seconds: float) -> None:
        """Wait out the pause, or until somebody is in a hurry; never skip the forced part."""
        if self.stopped:
            await self._go.wait()
        else:
            await self._wait(self._go, seconds)
        forced_s = self._attempts.forced_s(self._clock_s())
        if forced_s > 0.0:
            self._next_s = self._clock_s() + forced_s
            await self._wait(asyncio.Event(), forced_s)
        self._next_s = None
