"""How late the event loop runs its tasks, and whether the whole program stood still."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from ticktick.domain.clock import NS_PER_MS
from ticktick.engine.distribution import Distribution

ALARM_MS: Final = 250.0
STOPPED_MS: Final = 5_000.0
_LAG_MS: Final = (1, 2, 5, 10, 20, 50, 100, 250, 500, 1_000, 2_500, 5_000)
_BEAT_S: Final = 0.1
_RECENT_BEATS: Final = 10
_NOTE_EVERY_BEATS: Final = 600


class LoopLag:
    """Sleeps a tenth of a second again and again and sees how much longer it took.

    A blocked loop delays every price, so above 250 ms the user is told, once a minute at most.
    From 5 s on it was not the loop: the computer slept, or somebody stopped the program; that is
    told to `stopped`, in seconds. `counter_ns` counts real nanoseconds, during sleep too.
    """

    def __init__(
        self,
        counter_ns: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]],
        stopped: Callable[[float], None],
    ) -> None:
        self.lags_ms = Distribution(_LAG_MS)
        self._counter_ns = counter_ns
        self._sleep = sleep
        self._stopped = stopped
        self._recent_ms = deque[float](maxlen=_RECENT_BEATS)
        self._beats_to_note = 0
        self._untold_ms = 0.0

    @property
    def recent_ms(self) -> float | None:
        """The worst lag of the last second; None before the first beat."""
        return max(self._recent_ms, default=None)

    async def run(self, note: Callable[[str, str], Awaitable[None]]) -> None:
        """Measure for ever; `note` takes level and text of what the user must know."""
        while True:
            began_ns = self._counter_ns()
            await self._sleep(_BEAT_S)
            late_ms = (self._counter_ns() - began_ns) / NS_PER_MS - _BEAT_S * 1000
            if late_ms >= STOPPED_MS:
                self._stopped(late_ms / 1000)
                continue
            self._count(max(late_ms, 0.0))
            if self._untold_ms and self._beats_to_note <= 0:
                worst_ms, self._untold_ms = self._untold_ms, 0.0
                self._beats_to_note = _NOTE_EVERY_BEATS
                await note("warning", _sentence(worst_ms))

    def _count(self, late_ms: float) -> None:
        self.lags_ms.add(late_ms)
        self._recent_ms.append(late_ms)
        self._beats_to_note -= 1
        if late_ms > ALARM_MS:
            self._untold_ms = max(late_ms, self._untold_ms)


def _sentence(worst_ms: float) -> str:
    return (
        f"Tick-Tick stood still for {worst_ms:.0f} ms: what was shown then was as late; the "
        "computer is too busy, or a part of the program is too slow"
    )
