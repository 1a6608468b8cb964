"""Puts frames back in order that the network or the sender mixed up."""

import heapq
from itertools import count
from typing import Final, Generic, TypeVar

HOLD_S: Final = 0.25
CALM_S: Final = 60.0

T = TypeVar("T")


class Sorter(Generic[T]):
    """Passes frames on at once while they come in order of their own time.

    A frame older than one that was passed on is the sign of disorder: from then on every frame
    is held for a quarter of a second, so that those on the way can take their place before it,
    until a minute passed in which none came out of order. A frame that comes too late even for
    that is passed on as it is. `disordered` counts the frames that came after a later one.

    `sent_ms` is the frame's own time, `now_s` a clock that never steps back.
    """

    def __init__(self) -> None:
        self._held: list[tuple[int, int, float, T]] = []
        self._order = count()
        self._latest_ms = 0
        self._calm_s = 0.0
        self.disordered = 0

    def take(self, frame: T, sent_ms: int, now_s: float) -> list[T]:
        """The frames to pass on now that this one has come."""
        if sent_ms < self._latest_ms:
            self.disordered += 1
            self._calm_s = now_s + CALM_S
        self._latest_ms = max(self._latest_ms, sent_ms)
        if now_s >= self._calm_s:
            return [*self.flush(), frame]
        heapq.heappush(self._held, (sent_ms, next(self._order), now_s + HOLD_S, frame))
        return self.release(now_s)

    def release(self, now_s: float) -> list[T]:
        """The frames that were held long enough, and those that belong before them."""
        due = [held for held in self._held if now_s >= held[2]]
        if not due:
            return []
        last = max(due)
        ready = []
        while self._held and self._held[0] <= last:
            ready.append(heapq.heappop(self._held)[3])
        return ready

    def due_s(self, now_s: float) -> float | None:
        """Seconds until `release` has something; None while nothing is held."""
        if not self._held:
            return None
        return max(min(held[2] for held in self._held) - now_s, 0.0)

    def flush(self) -> list[T]:
        """Everything held, in order."""
        held, self._held = sorted(self._held), []
        return [frame for _, _, _, frame in held]

    def restart(self) -> None:
        """Know that the next frame begins a new connection."""
        self._latest_ms = 0
