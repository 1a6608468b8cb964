"""Turns for requests: below the broker's limits, few at a time, the urgent ones first."""

import asyncio
import heapq
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from enum import IntEnum
from itertools import count
from typing import Final, TypeAlias

from msgspec import Struct

LEAST_PAUSE_S: Final = 60.0
MOST_IN_FLIGHT: Final = 4


class Priority(IntEnum):
    """Who goes first when requests wait, most urgent first."""

    AUTHORISE = 0
    QUOTES = 1
    REFILL = 2
    CONFIRM = 3
    DEEP = 4


class Window(Struct, frozen=True):
    """At most `most` requests within any `span_s` seconds."""

    span_s: float
    most: int


READS: Final = (Window(1.0, 20), Window(60.0, 300), Window(1800.0, 1500))
"""Below the 50, 500 and 2000 that the broker grants."""

# the share of every window that a priority may fill; the rest is kept for the more urgent ones
_SHARES: Final = {
    Priority.AUTHORISE: 1.0,
    Priority.QUOTES: 0.95,
    Priority.REFILL: 0.9,
    Priority.CONFIRM: 0.8,
    Priority.DEEP: 0.6,
}
_URGENT: Final = Priority.QUOTES

Alarm: TypeAlias = Callable[[float, Callable[[], None]], object]
"""Calls back after that many seconds; the caller does not wait."""


class Tally:
    """The requests of the last half hour against several windows at once.

    Times are seconds of one clock that never steps back.
    """

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = windows
        self._taken = deque[float](maxlen=max(window.most for window in windows))

    def wait_s(self, now_s: float, share: float = 1.0) -> float:
        """How long until one more request fits into that share of every window; 0 is now."""
        waits = [0.0]
        for window in self._windows:
            most = max(int(window.most * share), 1)
            if len(self._taken) >= most:
                waits.append(self._taken[-most] + window.span_s - now_s)
        return max(waits)

    def take(self, now_s: float) -> None:
        """Count a request."""
        self._taken.append(now_s)

    def left(self, now_s: float) -> float:
        """The share of the tightest window that is still free."""
        return min(self._left(window, now_s) for window in self._windows)

    def _left(self, window: Window, now_s: float) -> float:
        used = sum(1 for taken_s in self._taken if taken_s > now_s - window.span_s)
        return 1.0 - used / window.most


class Budget:
    """The turns of one class of requests.

    At most `in_flight` are under way; the last place is kept for the urgent ones, so that a
    slow read of old candles never holds up the feed. `clock_s` counts seconds and never steps
    back.
    """

    def __init__(
        self,
        windows: Sequence[Window] = READS,
        in_flight: int = MOST_IN_FLIGHT,
        clock_s: Callable[[], float] = time.monotonic,
        alarm: Alarm | None = None,
    ) -> None:
        self._tally = Tally(windows)
        self._places = in_flight
        self._clock_s = clock_s
        self._alarm = alarm
        self._order = count()
        self._queue: list[tuple[Priority, int, asyncio.Future[None]]] = []
        self._under_way = 0
        self._paused_until_s = 0.0
        self._alarm_at_s: float | None = None

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return sum(1 for _, _, turn in self._queue if not turn.done())

    @property
    def left(self) -> float:
        """The share of the tightest window that is still free; 0 during a pause."""
        now_s = self._clock_s()
        return 0.0 if now_s < self._paused_until_s else self._tally.left(now_s)

    @asynccontextmanager
    async def turn(self, priority: Priority) -> AsyncIterator[None]:
        """Wait for a turn and hold it while the block runs."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (priority, next(self._order), turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # admitted and cancelled at the same moment
                self._leave()
            raise
        try:
            yield
        finally:
            self._leave()

    def pause(self, seconds: float) -> None:
        """Let nobody in for that long, a minute at least: the broker said that it is too much."""
        until_s = self._clock_s() + max(seconds, LEAST_PAUSE_S)
        self._paused_until_s = max(self._paused_until_s, until_s)

    def _leave(self) -> None:
        self._under_way -= 1
        self._admit()

    def _admit(self) -> None:
        """Let in, in order of urgency, whoever may go now; set an alarm for the next one."""
        while self._queue:
            priority, _, turn = self._queue[0]
            if turn.done():
                heapq.heappop(self._queue)
                continue
            if self._under_way >= self._places - (priority > _URGENT):
                return  # whoever leaves calls again
            now_s = self._clock_s()
            wait_s = max(self._paused_until_s - now_s, self._tally.wait_s(now_s, _SHARES[priority]))
            if wait_s > 0.0:
                self._ring_in(now_s, wait_s)
                return
            heapq.heappop(self._queue)
            self._tally.take(now_s)
            self._under_way += 1
            turn.set_result(None)

    def _ring_in(self, now_s: float, wait_s: float) -> None:
        at_s = now_s + wait_s
        if self._alarm_at_s is not None and self._alarm_at_s <= at_s:
            return
        self._alarm_at_s = at_s
        alarm = self._alarm or asyncio.get_running_loop().call_later
        alarm(wait_s, self._rang)

    def _rang(self) -> None:
        self._alarm_at_s = None
        self._admit()
