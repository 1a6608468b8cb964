"""The task that keeps the feed running and its token valid."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from random import Random

from ticktick.brokers.upstox.feed import feed_events
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import Clock
from ticktick.domain.event import FrameArrived, LinkChanged, NoteTaken
from ticktick.engine.runner import Runner
from ticktick.errors import AuthError
from ticktick.login import Login

_RENEW_PAUSE_S = 1.0


class Feeding:
    """Passes the feed's events on; `on_return` is called at each return of a lost link."""

    def __init__(
        self,
        rest: UpstoxRest,
        login: Login,
        clock: Clock,
        keys: Callable[[], Sequence[str]],
        on_return: Callable[[], None],
    ) -> None:
        self._rest = rest
        self._login = login
        self._clock = clock
        self._keys = keys
        self._on_return = on_return
        self._was_down = False
        self._next_seq = 1

    async def run(self, runner: Runner) -> None:
        """Pass on the feed; a refused token that nobody can renew here ends it, and is told."""
        while True:
            try:
                await runner.take_from(self._events())
            except AuthError as error:
                if not await self._login.renew():
                    await runner.put(NoteTaken(self._clock.now_ns(), "error", str(error)))
                    return
                await asyncio.sleep(_RENEW_PAUSE_S)

    async def _events(self) -> AsyncGenerator[FrameArrived | LinkChanged]:
        feed = feed_events(
            self._rest,
            self._keys(),
            self._clock,
            Random(),  # noqa: S311
            first_seq=self._next_seq,
        )
        async with aclosing(feed) as events:
            async for event in events:
                if isinstance(event, FrameArrived):
                    self._next_seq = event.seq + 1
                else:
                    if event.up and self._was_down:
                        self._on_return()
                    self._was_down = not event.up
                yield event
