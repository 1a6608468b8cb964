"""The supervisor of long tasks: what fails unexpectedly is logged, counted and started again.

A task that fails too often is degraded: it is tried again once a minute, and everybody is told.
A vital one, without which old values would look like new ones, ends the program instead.
"""

import asyncio
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct

from ticktick.errors import TaskError, TickTickError

RESTARTS: Final = 5
RESTART_WINDOW_S: Final = 60.0
_PAUSE_S: Final = 1.0
_DEGRADED_PAUSE_S: Final = 60.0
_NEWS_KEPT: Final = 100

_log = logging.getLogger(__name__)


class Work(Struct, frozen=True):
    """A task for the length of the run; `start` begins it, again after every failure.

    One that `can_wait` begins when everything that cannot wait is ready.
    """

    name: str
    start: Callable[[], Awaitable[None]]
    is_vital: bool = False
    can_wait: bool = False


class News(Struct, frozen=True):
    """A sentence about a task for the user; `level` is `warning` or `error`."""

    level: str
    text: str


class Supervisor:
    """Runs tasks and starts them again after an unexpected error.

    `restarts` counts by name. `clock` is a monotonic count of seconds. A sixth error within a
    minute makes a task degraded until it has run for a whole minute.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.restarts: Counter[str] = Counter()
        self._clock = clock
        self._sleep = sleep
        self._degraded: set[str] = set()
        self._failures: defaultdict[str, list[float]] = defaultdict(list)
        self._running_since_s: dict[str, float] = {}
        self._news: deque[News] = deque(maxlen=_NEWS_KEPT)

    @property
    def degraded(self) -> frozenset[str]:
        """The tasks that failed too often and have not run for a whole minute since."""
        return frozenset(name for name in self._degraded if not self._lasts(name))

    def guard(self, name: str) -> "Guard":
        """A guard for the thread of that name."""

        def failed() -> None:
            self._count(name)
            self._running_since_s[name] = self._clock()  # it goes on at once

        return Guard(name, failed)

    def take_news(self) -> list[News]:
        """What the user must be told since the last call."""
        news = list(self._news)
        self._news.clear()
        return news

    async def run(self, work: Work) -> None:
        """Run a task until it ends by itself.

        Errors of the tree in errors.py are meant for the caller and pass. Raises TaskError
        where a vital task fails too often.
        """
        while True:
            self._running_since_s[work.name] = self._clock()
            try:
                await work.start()
            except TickTickError:
                raise
            except Exception as error:
                if _is_ending():
                    raise
                failures = self._count(work.name)
                _log.exception("%s failed, %d time(s) within a minute", work.name, failures)
                if work.is_vital and failures > RESTARTS:
                    raise TaskError(
                        f"{work.name} failed {failures} times within a minute and nothing shown "
                        "could be trusted any more; logs/error.log tells why"
                    ) from error
                await self._sleep(self._pause_s(work))
            else:
                return

    def _lasts(self, name: str) -> bool:
        since_s = self._running_since_s.get(name)
        return since_s is not None and self._clock() - since_s >= RESTART_WINDOW_S

    def _count(self, name: str) -> int:
        """Count a failure; return how many there were within the last minute."""
        now_s = self._clock()
        recent = [at_s for at_s in self._failures[name] if now_s - at_s < RESTART_WINDOW_S]
        self._failures[name] = [*recent, now_s]
        self.restarts[name] += 1
        if self._lasts(name):
            self._degraded.discard(name)
        self._running_since_s.pop(name, None)
        if name not in self._degraded:
            self._note(name, len(recent) + 1)
        return len(recent) + 1

    def _note(self, name: str, failures: int) -> None:
        if failures > RESTARTS:
            self._degraded.add(name)
            text = f"{name} fails again and again: it is tried once a minute, logs tell why"
            self._news.append(News("error", text))
        elif failures == 1:
            text = f"{name} failed and was started again, logs/error.log tells why"
            self._news.append(News("warning", text))

    def _pause_s(self, work: Work) -> float:
        if work.is_vital:  # everybody waits for it
            return 0.0
        return _DEGRADED_PAUSE_S if work.name in self._degraded else _PAUSE_S


class Guard:
    """Keeps a thread alive: what fails unexpectedly is logged and told to `failed`."""

    def __init__(self, name: str, failed: Callable[[], None] = lambda: None) -> None:
        self._name = name
        self._failed = failed

    def attempt(self, action: Callable[[], None]) -> bool:
        """Do it; whether it went well."""
        try:
            action()
        except Exception:  # noqa: BLE001  this is the supervisor
            _log.exception("%s failed", self._name)
            self._failed()
            return False
        return True


def _is_ending() -> bool:
    """Whether the running task was told to end: what fails on the way is not started again."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
