"""The feed of a run: read without stopping, kept alive, subscribed, and told when it breaks."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from random import Random
from typing import Final

from ticktick.brokers.reconnect import Attempts
from ticktick.brokers.socket import Link, LinkDown, LinkUp, Wait, wait_for
from ticktick.brokers.sorter import Sorter
from ticktick.brokers.upstox.feed import FeedWire, explain, feed_dial
from ticktick.brokers.upstox.keys import Subscriptions
from ticktick.brokers.upstox.peek import LARGEST_FRAME, glance, refusal_of, sent_ms
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import NS_PER_S, Clock
from ticktick.domain.event import FrameArrived, LinkChanged, NoteTaken
from ticktick.domain.instrument import Instrument
from ticktick.engine.runner import Runner
from ticktick.errors import ConfigError
from ticktick.login import Login

_LOOK_S: Final = 0.25
_SOON_MS: Final = 60_000
_DAMAGED_FRAMES: Final = 3
_DAMAGED_WITHIN_S: Final = 10.0
_MOST_REFUSALS: Final = 10


class Feeding:
    """Passes the feed's frames on and tells each change of the link.

    `instruments` are those to follow; `on_return` is called at each return of a lost link.
    `clock_s` counts seconds and never steps back.
    """

    def __init__(
        self,
        rest: UpstoxRest,
        login: Login,
        clock: Clock,
        instruments: Callable[[], Sequence[Instrument]],
        on_return: Callable[[], None],
        *,
        rng: Random | None = None,
        clock_s: Callable[[], float] = time.monotonic,
        wait: Wait = wait_for,
    ) -> None:
        chance = rng or Random()  # noqa: S311
        self._login = login
        self._clock = clock
        self._clock_s = clock_s
        self._instruments = instruments
        self._on_return = on_return
        self._subscriptions = Subscriptions(_keys(instruments()), chance)
        self._open = feed_dial(rest, self._greeting, clock_s)
        self._link = Link(
            self._dial, explain, _is_data, Attempts(chance), clock_s=clock_s, wait=wait
        )
        self._sorter = Sorter[FrameArrived]()
        self._release_planned = False
        self._damaged = deque[float](maxlen=_DAMAGED_FRAMES)
        self._named = set[str]()
        self._refusals: dict[str, bool] = {}
        self._dialled = ""
        self._was_down = False
        self._next_seq = 1
        self._last_ms = 0  # the time of the last frame that told one
        self.cause = ""
        self.data_s: float | None = None

    @property
    def open_s(self) -> float | None:
        """How long the present connection has been open; None without one."""
        return self._link.open_s

    @property
    def ping_ms(self) -> float | None:
        """The last round trip of a ping on the present connection."""
        return None if self._link.wire is None else self._link.wire.ping_ms

    @property
    def next_attempt_s(self) -> float | None:
        """Seconds until the next attempt to connect; None if none is planned."""
        return self._link.next_attempt_s

    @property
    def can_take_over(self) -> bool:
        """Whether the link waits for the user because another program seems to have the feed."""
        return self._link.stopped == "taken"

    @property
    def unheard(self) -> tuple[str, ...]:
        """The symbols that were asked for twice and not told."""
        keys = set(self._subscriptions.unheard(self._clock_s()))
        return tuple(i.symbol for i in self._instruments() if i.instrument_key in keys)

    def change_keys(self, keys: Sequence[str]) -> None:
        """Follow these instruments from now on; the open connection is told within a moment.

        Raises ConfigError if they are more than the feed tells.
        """
        self._subscriptions.wish(keys)

    def ask_again(self, keys: Sequence[str]) -> None:
        """Subscribe anew to these instruments, of which the feed left something out."""
        self._subscriptions.doubt(keys)

    def hang_up(self, cause: str, reason: str) -> None:
        """End the connection and make a new one; `cause` is one of LINK_CAUSES."""
        self._link.hang_up(cause, reason)

    def reconnect(self) -> str:
        """Make a new connection because the user wants one; the sentence says what happens.

        Raises ConfigError where that is of no use.
        """
        if self._link.stopped == "taken":
            raise ConfigError("another program seems to have the feed; take over instead")
        if self._link.stopped:
            raise ConfigError(self._login.trouble(self._clock.now_ns()) or "the login is renewed")
        self._link.hang_up("asked", "a new connection was asked for")
        self._link.hurry()
        return "the connection to the feed is made anew"

    def take_over(self) -> str:
        """Connect although another program seems to have the feed.

        Raises ConfigError if none has.
        """
        if not self.can_take_over:
            raise ConfigError("no other program has the feed; there is nothing to take over")
        self._link.go_on()
        return "taking the feed over; the other program may lose it"

    async def run(self, runner: Runner) -> None:
        """Pass on the feed, for ever."""
        async with aclosing(self._link.items()) as items:
            async for item in items:
                match item:
                    case LinkUp():
                        await self._went_up(runner)
                    case LinkDown():
                        await self._went_down(item, runner)
                    case bytes():
                        self._take(item, runner)
                        await runner.room()

    async def attend(self, runner: Runner) -> None:
        """Look after the connection four times a second, for ever."""
        while True:
            await asyncio.sleep(_LOOK_S)
            await self.look(runner)

    async def look(self, runner: Runner) -> None:
        """See whether the login holds, the other side lives and every symbol is told."""
        self._check_login()
        wire = self._link.wire
        if wire is None:
            return
        if not await wire.beat():
            self.hang_up("closed", "the feed sent neither a frame nor a pong for too long")
        messages = self._subscriptions.messages(self._clock_s())
        if messages:
            await wire.send(messages)
        await self._name_unheard(runner)
        await self._tell_refusals(runner)

    def _dial(self) -> AbstractAsyncContextManager[FeedWire]:
        self._dialled = self._login.token
        return self._open()

    def _greeting(self) -> list[bytes]:
        """The first messages of a new connection, which knows of nothing yet."""
        self._subscriptions.restart()
        self._refusals.clear()
        return self._subscriptions.messages(self._clock_s())

    async def _went_up(self, runner: Runner) -> None:
        self._sorter.restart()
        self.cause, self.data_s = "", None
        if self._was_down:
            self._on_return()
        await runner.put(LinkChanged(self._clock.now_ns(), up=True, reason="data arrived"))

    async def _went_down(self, down: LinkDown, runner: Runner) -> None:
        now_ns, reason = self._clock.now_ns(), down.reason
        self._pass_on(self._sorter.flush(), runner)
        self._was_down, self.cause = True, down.cause
        if down.cause == "login":
            if not self._login.trouble(now_ns):
                self._login.refuse(self._dialled)
            reason = self._login.trouble(now_ns) or reason
        await runner.put(LinkChanged(now_ns, up=False, reason=reason, cause=down.cause))

    def _take(self, data: bytes, runner: Runner) -> None:
        """Pass a frame on, now or in its place."""
        now_s = self._clock_s()
        if len(data) > LARGEST_FRAME:  # nobody keeps or parses what cannot be a frame
            data = b""
        frame = FrameArrived(self._clock.now_ns(), self._next_seq, data)
        self._next_seq += 1
        told_ms = sent_ms(data)
        if 0 <= told_ms - self._last_ms < _SOON_MS:  # else it may be damage that tells a time
            self._sort_in(frame, told_ms, now_s, runner)
            # planned after the engine's turn: what else a frame tells is no reason to wait for it
            asyncio.get_running_loop().call_soon(self._examine, data, now_s)
        elif told_ms := self._examine(data, now_s):
            self._sort_in(frame, told_ms, now_s, runner)
        else:
            runner.put_frame(frame)

    def _sort_in(self, frame: FrameArrived, sent_ms: int, now_s: float, runner: Runner) -> None:
        """Pass on what is in its place by now; the frame was read then."""
        self._last_ms = sent_ms
        passed = self._sorter.take(frame, sent_ms, now_s)
        spent_ns = int((self._clock_s() - now_s) * NS_PER_S)
        self._pass_on(passed, runner, spent_ns)
        self._plan_release(runner)

    def _examine(self, data: bytes, now_s: float) -> int:
        """See what a frame read then says of the feed; when it was sent, 0 if it is none."""
        seen = glance(data)
        if seen is None:
            self._note_damage(now_s)
            refusal = refusal_of(data)
            if refusal and len(self._refusals) < _MOST_REFUSALS:
                self._refusals.setdefault(refusal, False)
            return 0
        if seen.keys:
            self.data_s = now_s
        if self._subscriptions.is_waiting:
            self._subscriptions.confirm(seen.keys)
        return seen.sent_ms

    def _plan_release(self, runner: Runner) -> None:
        """Pass on what is held as soon as it was held long enough; one timer is enough."""
        due_s = self._sorter.due_s(self._clock_s())
        if due_s is not None and not self._release_planned:
            self._release_planned = True
            asyncio.get_running_loop().call_later(due_s, self._release, runner)

    def _release(self, runner: Runner) -> None:
        self._release_planned = False
        self._pass_on(self._sorter.release(self._clock_s()), runner)
        self._plan_release(runner)

    def _pass_on(self, frames: Sequence[FrameArrived], runner: Runner, spent_ns: int = 0) -> None:
        for frame in frames:
            runner.put_frame(frame, spent_ns)

    def _note_damage(self, now_s: float) -> None:
        self._damaged.append(now_s)
        if len(self._damaged) == _DAMAGED_FRAMES and now_s - self._damaged[0] < _DAMAGED_WITHIN_S:
            self._damaged.clear()
            self.hang_up("damaged", "three frames within ten seconds could not be read")

    def _check_login(self) -> None:
        """Stop when the token is of no use, go on when there is another one."""
        trouble = self._login.trouble(self._clock.now_ns())
        if trouble:
            if self.cause != "login":
                self._link.hang_up("login", trouble)
                self._link.hurry()
        elif self._link.stopped == "login":
            self._link.go_on()
        elif self._link.wire is not None and self._dialled != self._login.token:
            self._link.hang_up("asked", "the feed is opened anew with a new login")

    async def _tell_refusals(self, runner: Runner) -> None:
        """Tell once on each connection what the feed itself says against a request."""
        for refusal, is_told in list(self._refusals.items()):
            if not is_told:
                self._refusals[refusal] = True
                text = f"the feed refused a request: {refusal}"
                await runner.put(NoteTaken(self._clock.now_ns(), "warning", text))

    async def _name_unheard(self, runner: Runner) -> None:
        """Tell once of each symbol that the feed does not tell."""
        unheard = set(self.unheard)
        for symbol in sorted(unheard - self._named):
            text = f"{symbol} was asked for twice, but the feed does not tell it"
            await runner.put(NoteTaken(self._clock.now_ns(), "warning", text))
        self._named = unheard


def _keys(instruments: Sequence[Instrument]) -> list[str]:
    return [instrument.instrument_key for instrument in instruments]


def _is_data(frame: bytes) -> bool:
    """Whether a frame tells of an instrument: only that proves that the feed works."""
    seen = glance(frame)
    return seen is not None and bool(seen.keys)
