"""The market's clock of a run with a real broker, kept right by what the broker itself tells."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeAlias

from ticktick.brokers.upstox.rest import Answered
from ticktick.domain.clock import NS_PER_MS, MarketClock
from ticktick.domain.clock_check import ClockCheck
from ticktick.domain.health import CLOCK_WARNING_MS, ORDER_CLOCK_LIMIT_MS
from ticktick.errors import AuthError, BrokerError

Ask: TypeAlias = Callable[[], Awaitable[object]]
Note: TypeAlias = Callable[[str, str], Awaitable[None]]
Sleep: TypeAlias = Callable[[float], Awaitable[None]]

_LOOK_S: Final = 1.0
_ASK_S: Final = 15.0
_REFUSED_S: Final = 60.0
_ASKED_AT_START: Final = 3
_CALM_MS: Final = 1_000.0


class Timekeeper(Protocol):
    """Keeps `clock` in the exchange's time.

    `offset_ms` is how far ahead of the exchange's the clock is that was at hand, None until that
    is known; it is not part of what `clock` says.
    """

    clock: MarketClock

    @property
    def offset_ms(self) -> float | None: ...

    def answered(self, answer: Answered) -> None:
        """Hear when an answer of the broker came, and its own time."""
        ...

    def framed(self, sent_ns: int, received_ns: int) -> None:
        """Hear a frame's own time and, by `clock`, when it was read."""
        ...

    async def look(self) -> None:
        """Have the clock right at this moment, as far as one look can tell."""
        ...

    async def run(self, note: Note) -> None:
        """Keep it right for ever; `note` takes level and text of what the user must know."""
        ...


class BrokerTime:
    """The broker's time, from this computer's clock at the start and the broker's words since.

    This computer's clock is read once: it may be wrong and it may be set, so from then on a
    counter carries the time, which also counts while the computer sleeps. `counter_ns` is that
    of the answers; `ask` makes the broker answer when nothing else did for a while.
    """

    def __init__(
        self,
        host_ns: Callable[[], int],
        counter_ns: Callable[[], int],
        ask: Ask,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.clock = MarketClock(host_ns(), 1.0, counter_ns)
        self._host_ns = host_ns
        self._counter_ns = counter_ns
        self._ask = ask
        self._sleep = sleep
        self._check = ClockCheck()
        self._asked_s = 0.0
        self._warning = OffsetWarning("this computer's clock")

    @property
    def offset_ms(self) -> float | None:
        """How far this computer's clock is ahead of the exchange's."""
        if self._check.width_ns is None:
            return None
        return (self._host_ns() - self.clock.now_ns()) / NS_PER_MS

    def answered(self, answer: Answered) -> None:
        """Hear an answer of the broker."""
        if answer.date_ns is None:
            return
        since_ns = self._counter_ns() - self.clock.now_ns()
        asked_ns, answered_ns = answer.asked_ns - since_ns, answer.answered_ns - since_ns
        self.clock.set_ahead(self._check.dated(asked_ns, answered_ns, answer.date_ns))
        self._asked_s = 0.0

    def framed(self, sent_ns: int, received_ns: int) -> None:
        """Hear a frame of the feed."""
        self.clock.set_ahead(self._check.framed(sent_ns, received_ns))

    async def look(self) -> None:
        """Ask until what the broker says about its time is clear."""
        for _ in range(_ASKED_AT_START):
            if self._check.width_ns is not None and not self._check.is_doubtful:
                return
            await self._ask_once()

    async def run(self, note: Note) -> None:
        """Ask the broker where nothing else did, and warn of a wrong clock."""
        while True:
            await self._sleep(_LOOK_S)
            self._asked_s += _LOOK_S
            if self._check.is_doubtful or self._asked_s >= _ASK_S:
                await self._ask_once()
            for level, text in self._warning.news(self.offset_ms):
                await note(level, text)

    async def _ask_once(self) -> None:
        self._asked_s = 0.0
        try:
            await self._ask()
        except AuthError:  # its answer was heard too, but nobody likes to be asked in vain
            self._asked_s = _ASK_S - _REFUSED_S
        except BrokerError:
            return


class OffsetWarning:
    """Says once when a clock is off by more than 2 s, once when by more than 30 s, and when not."""

    def __init__(self, whose: str) -> None:
        self._whose = whose
        self._told_ms = 0.0

    def news(self, offset_ms: float | None) -> list[tuple[str, str]]:
        """Level and text of what is new."""
        if offset_ms is None:
            return []
        off_ms = abs(offset_ms)
        if self._told_ms and off_ms < _CALM_MS:
            self._told_ms = 0.0
            return [("info", f"{self._whose} is right again")]
        limits_ms = (CLOCK_WARNING_MS, ORDER_CLOCK_LIMIT_MS)
        passed_ms = max((limit for limit in limits_ms if off_ms > limit), default=0.0)
        if passed_ms <= self._told_ms:
            return []
        self._told_ms = passed_ms
        side = "ahead of" if offset_ms > 0 else "behind"
        sentence = f"{self._whose} is {off_ms / 1000:.1f} s {side} the exchange's; every age shown "
        sentence += "is free of that, but set the clock"
        if passed_ms < ORDER_CLOCK_LIMIT_MS:
            return [("warning", sentence)]
        return [("error", f"{sentence}: above {ORDER_CLOCK_LIMIT_MS / 1000:.0f} s no order leaves")]


def boot_ns() -> int:
    """A count of real nanoseconds that goes on while this computer sleeps."""
    return time.monotonic_ns() if _SLEEPLESS is None else time.clock_gettime_ns(_SLEEPLESS)


# Windows has neither name; there the plain counter goes on
_SLEEPLESS: int | None = getattr(
    time, "CLOCK_MONOTONIC" if sys.platform == "darwin" else "CLOCK_BOOTTIME", None
)
