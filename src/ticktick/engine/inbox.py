"""What waits for the engine: every event in order, bounded, and nothing of it lost."""

import asyncio
from collections import deque
from typing import Final, TypeAlias

from ticktick.domain.event import Event, FrameArrived, FramesArrived

INBOX_EVENTS: Final = 1024
INBOX_BYTES: Final = 8 << 20

_Waiting: TypeAlias = Event | list[FrameArrived]


class Inbox:
    """Events for one reader.

    An event waits to get in while the inbox is full. A frame never does, because whoever reads
    the socket must not stop: it joins the frames that wait as the last event, and they come out
    as one. `conflated` counts the frames that came out together with others.
    """

    def __init__(self, most_events: int = INBOX_EVENTS, most_bytes: int = INBOX_BYTES) -> None:
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._queue: deque[_Waiting] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self.conflated = 0

    def __len__(self) -> int:
        return len(self._queue)

    async def put(self, event: Event) -> None:
        """Append an event; wait while the inbox is full."""
        while len(self._queue) >= self._most_events:
            self._emptied.clear()
            await self._emptied.wait()
        self._append(event)

    def put_frame(self, frame: FrameArrived) -> None:
        """Append a frame; where the inbox is full it joins the frame before it."""
        is_full = len(self._queue) >= self._most_events or self._bytes >= self._most_bytes
        self._bytes += len(frame.data)
        last = self._queue[-1] if is_full and self._queue else None
        if isinstance(last, list):
            last.append(frame)
        elif isinstance(last, FrameArrived):
            self._queue[-1] = [last, frame]
        else:
            self._append(frame)

    async def get(self) -> Event:
        """Take the oldest event; wait while there is none."""
        while not self._queue:
            self._filled.clear()
            await self._filled.wait()
        waited = self._queue.popleft()
        self._emptied.set()
        if isinstance(waited, list):
            self._bytes -= sum(len(frame.data) for frame in waited)
            self.conflated += len(waited)
            return FramesArrived(tuple(waited))
        if isinstance(waited, FrameArrived):
            self._bytes -= len(waited.data)
        return waited

    def _append(self, event: Event) -> None:
        self._queue.append(event)
        self._filled.set()
