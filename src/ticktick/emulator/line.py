"""One socket of the feed: frames out, messages in, and what faults make of both."""

import asyncio
import socket as sockets
import struct
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from aiohttp import WSMsgType, web
from msgspec import Struct

from ticktick.emulator.faults import Fault
from ticktick.emulator.feed import FeedConnection
from ticktick.emulator.mangle import Mangling, Sent

_QUEUE_FULL: Final = 500
_ABRUPT: Final = 1006
_HOLDING: Final = ("ws.freeze", "ws.silence")
_ENDING: Final = ("ws.close", "ws.rst")
_BITS = 8
_NOW: Final = struct.pack("ii", 1, 0)


class _End(Struct, frozen=True):
    """The end of a connection: a close code, or a reset in the middle of a frame."""

    code: int | None
    seed: int = 0


class FeedLine:
    """A client's socket; `active` tells the faults that act on it at the moment."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        link: FeedConnection,
        mangling: Mangling,
        active: Callable[[], Sequence[Fault]],
    ) -> None:
        self.link = link
        self._socket = socket
        self._transport = transport
        self._mangling = mangling
        self._active = active
        self._queue: asyncio.Queue[Sent | _End] = asyncio.Queue()
        self._bits_per_s: float | None = None
        self._frozen = False

    def put(self, frame: bytes) -> None:
        """Send a frame, or what the faults leave of it."""
        faults = self.faults()
        if any(fault.verb in _HOLDING for fault in faults):
            return
        for sent in self._mangling.send(frame, faults):
            self._queue.put_nowait(sent)

    def faults(self) -> list[Fault]:
        """The faults that concern this connection, which may be asked for by a key."""
        return [fault for fault in self._active() if self._is_meant(fault)]

    def attend(self) -> None:
        """Take up faults that have begun and leave those that are over."""
        faults = self.faults()
        for sent in self._mangling.end(faults):
            self._queue.put_nowait(sent)
        verbs = {fault.verb: fault for fault in faults}
        slow = verbs.get("ws.slow")
        self._bits_per_s = None if slow is None else float(slow.args["bps"])
        if ("ws.freeze" in verbs) != self._frozen:
            self._frozen = not self._frozen
            (self._transport.pause_reading if self._frozen else self._transport.resume_reading)()
        for verb in _ENDING:
            if verb in verbs:
                self._end_with(verbs[verb])

    def act(self, fault: Fault) -> None:
        """Do what a fault that acts once asks of this connection."""
        if fault.verb in _ENDING and self._is_meant(fault):
            self._end_with(fault)

    def _end_with(self, fault: Fault) -> None:
        """Close or reset the connection after what has been put so far."""
        code = fault.args["code"] if fault.verb == "ws.close" else None
        self._queue.put_nowait(_End(code, fault.seed))

    def _is_meant(self, fault: Fault) -> bool:
        """A fault of the whole connection is meant for those with a matching key."""
        whole = fault.verb in (*_HOLDING, *_ENDING, "ws.slow")
        return not whole or any(fault.match in key for key in self.link.keys) or not fault.match

    @property
    def is_behind(self) -> bool:
        """Whether the client does not take frames as fast as they come."""
        return self._queue.qsize() > _QUEUE_FULL

    @property
    def is_slowed(self) -> bool:
        """Whether a fault, not the client, is to blame for being behind."""
        return self._bits_per_s is not None

    async def drained(self) -> None:
        """Wait until everything put has been sent."""
        await self._queue.join()

    async def read(self) -> None:
        """Take the client's messages until the socket closes."""
        async for message in self._socket:
            if message.type is WSMsgType.BINARY:
                data = self._mangling.receive(message.data, self.faults())
                snapshot = self.link.on_message(data)
                refusal = self.link.take_refusal()
                if refusal is not None:
                    self._queue.put_nowait(refusal)
                if snapshot is not None:
                    self.put(snapshot)

    async def write(self, idle_ping_s: float, is_open: Callable[[], bool]) -> None:
        """Send what is put, and a ping after `idle_ping_s` without a frame."""
        try:
            while is_open():
                try:
                    async with asyncio.timeout(idle_ping_s):
                        sent = await self._queue.get()
                except TimeoutError:
                    if not self._frozen:
                        await self._socket.ping()
                    continue
                if isinstance(sent, _End):
                    await self._end(sent)
                    return
                await self._send(sent)
                self._queue.task_done()
            await self._socket.close()
        except ConnectionError:  # the client is gone; the reader notices it too
            return
        finally:
            self._abandon()

    async def _send(self, sent: Sent) -> None:
        if isinstance(sent, str):
            await self._socket.send_str(sent)
        else:
            await self._socket.send_bytes(sent)
        if self._bits_per_s is not None:
            await asyncio.sleep(len(sent) * _BITS / self._bits_per_s)

    async def _end(self, end: _End) -> None:
        if end.code is None:
            self._transport.write(_part_of_a_frame(end.seed))
            reset(self._transport)
        elif end.code == _ABRUPT:
            self._transport.close()
        else:
            await self._socket.close(code=end.code)

    def _abandon(self) -> None:
        """Nobody reads any more: let go whoever waits for the queue to be empty."""
        while True:
            try:
                self._queue.task_done()
            except ValueError:
                return


def reset(transport: asyncio.Transport) -> None:
    """End a connection at once with a TCP reset."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, _NOW)
    transport.abort()


def _part_of_a_frame(seed: int) -> bytes:
    """The head of a binary frame of 1000 bytes and a random part of its content."""
    rng = np.random.default_rng([seed])
    return b"\x82\x7e\x03\xe8" + rng.bytes(int(rng.integers(0, 1000)))
