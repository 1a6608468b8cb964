"""What waits for the engine: every event in order, bounded, and nothing of it lost."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from ticktick.domain.event import Event, FrameArrived, FramesArrived, TimerFired

INBOX_EVENTS: Final = 1024
INBOX_BYTES: Final = 8 << 20
LATE_NS: Final = 100_000_000
_SWAMPED_BYTES: Final = 8 * INBOX_BYTES


class Inbox:
    """Events for one reader.

    An event waits to get in while the inbox is full. A frame never does, because whoever reads
    the socket must not stop. Where the engine is behind, that is when the oldest frame has
    waited for a tenth of a second, or the frames are too many or too large, all that wait come
    out as one event; of timers between them only the last is left, after them.

    `counter_ns` counts real nanoseconds. `conflated` counts the frames that came out together
    with others.
    """

    def __init__(
        self,
        counter_ns: Callable[[], int],
        most_events: int = INBOX_EVENTS,
        most_bytes: int = INBOX_BYTES,
    ) -> None:
        self._counter_ns = counter_ns
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._queue: deque[tuple[int, Event]] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._waited_ns = 0
        self.conflated = 0

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def age_ns(self) -> int:
        """How long the oldest event has waited; 0 while there is none."""
        return self._counter_ns() - self._queue[0][0] if self._queue else 0

    async def put(self, event: Event) -> None:
        """Append an event; wait while the inbox is full."""
        while len(self._queue) >= self._most_events:
            self._emptied.clear()
            await self._emptied.wait()
        self._append(event)

    def put_frame(self, frame: FrameArrived, spent_ns: int = 0) -> None:
        """Append a frame, full or not; `spent_ns` went by between its reading and here."""
        self._bytes += len(frame.data)
        self._append(frame, spent_ns)

    async def room(self) -> None:
        """Wait while eight times the bound waits: the program stands still, reading is no use."""
        while self._bytes >= _SWAMPED_BYTES:
            self._emptied.clear()
            await self._emptied.wait()

    async def get(self) -> Event:
        """Take the oldest event, with the frames that wait behind it if the engine is behind."""
        while not self._queue:
            self._filled.clear()
            await self._filled.wait()
        self._emptied.set()
        self._waited_ns = self.age_ns
        if isinstance(self._queue[0][1], FrameArrived) and self._is_behind():
            return self._joined()
        _, event = self._queue.popleft()
        if isinstance(event, FrameArrived):
            self._bytes -= len(event.data)
        return event

    def take_wait_ns(self) -> int:
        """How long the event taken last had waited, or the oldest part of it; 0 the next time."""
        waited_ns, self._waited_ns = self._waited_ns, 0
        return waited_ns

    def _append(self, event: Event, spent_ns: int = 0) -> None:
        self._queue.append((self._counter_ns() - spent_ns, event))
        self._filled.set()

    def _is_behind(self) -> bool:
        return (
            self.age_ns >= LATE_NS
            or len(self._queue) >= self._most_events
            or self._bytes >= self._most_bytes
        )

    def _joined(self) -> Event:
        """The frames at the head as one; the last timer among them goes next."""
        frames = list[FrameArrived]()
        timer: tuple[int, Event] | None = None
        while self._queue and isinstance(self._queue[0][1], FrameArrived | TimerFired):
            put_ns, event = self._queue.popleft()
            if isinstance(event, FrameArrived):
                frames.append(event)
            else:
                timer = (put_ns, event)
        if timer is not None:
            self._queue.appendleft(timer)
        self._bytes -= sum(len(frame.data) for frame in frames)
        if len(frames) == 1:
            return frames[0]
        self.conflated += len(frames)
        return FramesArrived(tuple(frames))
