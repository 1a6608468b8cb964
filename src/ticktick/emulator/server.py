"""The exchange on one loopback port: HTTP, the feed's sockets, and a market clock of its own.

Under `/_emu/` stand the few things a real exchange does not offer: the market clock, a token
without a login, and the list of trades.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web

from ticktick.emulator.answers import Request, Response
from ticktick.emulator.bench import Bench
from ticktick.emulator.exchange import FEEDER_PATH, Exchange
from ticktick.emulator.feed import FeedConnection
from ticktick.emulator.pace import Pace

_LOOPBACK_NAMES = ("127.0.0.1", "localhost")
_IDLE_PING_S = 5.0
_SEND_LIMIT_S = 10.0
_QUEUE_FULL = 500

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ExchangeServer:
    """Serves one exchange until it is stopped.

    A socket without a frame for `idle_ping_s` real seconds gets a ping.
    """

    def __init__(self, exchange: Exchange, pace: Pace, idle_ping_s: float = _IDLE_PING_S) -> None:
        self._exchange = exchange
        self._pace = pace
        self._idle_ping_s = idle_ping_s
        self._queues: dict[FeedConnection, asyncio.Queue[bytes]] = {}

    def application(self) -> web.Application:
        """The aiohttp application with every route."""
        bench = Bench(self._exchange, self._pace)
        application = web.Application(middlewares=[_only_loopback])
        application.router.add_get(FEEDER_PATH, self._feed)
        application.router.add_route("*", "/_emu/{name}", bench.answer)
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    async def run(self) -> None:
        """Let the market follow its pace for ever."""
        while True:
            target_ns = self._pace.next_target_ns(self._exchange)
            for link, frame in self._exchange.advance(target_ns):
                self._queues[link].put_nowait(frame)
            self._pace.reached(self._exchange)
            await self._pace.wait(self._exchange)
            await self._drained()

    async def _drained(self) -> None:
        """Wait for slow readers; who takes nothing for too long is dropped."""
        for link, queue in list(self._queues.items()):
            try:
                async with asyncio.timeout(_SEND_LIMIT_S):
                    if queue.qsize() > _QUEUE_FULL:
                        await queue.join()
            except TimeoutError:
                self._forget(link)

    async def _answer(self, request: web.Request) -> web.Response:
        answer = self._exchange.handle(
            Request(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.read(),
            )
        )
        return _web_response(answer)

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        link = self._exchange.connect(request.query.get("code", ""))
        if link is None:
            return web.Response(status=403)
        socket = web.WebSocketResponse(timeout=1.0, max_msg_size=1 << 20)
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._queues[link] = queue
        try:
            await socket.prepare(request)
            queue.put_nowait(self._exchange.greeting())
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write(socket, link, queue))
                await self._read(socket, link, queue)
                writer.cancel()
        finally:
            self._forget(link)
        return socket

    async def _read(
        self, socket: web.WebSocketResponse, link: FeedConnection, queue: asyncio.Queue[bytes]
    ) -> None:
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                snapshot = link.on_message(message.data)
                if snapshot is not None:
                    queue.put_nowait(snapshot)

    async def _write(
        self, socket: web.WebSocketResponse, link: FeedConnection, queue: asyncio.Queue[bytes]
    ) -> None:
        try:
            while link in self._queues:
                try:
                    async with asyncio.timeout(self._idle_ping_s):
                        frame = await queue.get()
                except TimeoutError:
                    await socket.ping()
                    continue
                await socket.send_bytes(frame)
                queue.task_done()
            await socket.close()
        finally:
            _abandon(queue)

    def _forget(self, link: FeedConnection) -> None:
        if self._queues.pop(link, None) is not None:
            self._exchange.disconnect(link)


@asynccontextmanager
async def listening(application: web.Application, port: int) -> AsyncIterator[int]:
    """Serve on loopback while the block runs; yields the port, a free one if 0 was asked.

    Raises OSError if the port is taken.
    """
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@web.middleware
async def _only_loopback(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse names that a foreign page could have pointed at this machine."""
    name = request.host.rpartition(":")[0] or request.host
    if name not in _LOOPBACK_NAMES:
        return web.Response(status=403, text="This exchange serves this machine only.")
    return await handler(request)


def _abandon(queue: asyncio.Queue[bytes]) -> None:
    """Nobody reads any more: let go whoever waits for the queue to be empty."""
    while True:
        try:
            queue.task_done()
        except ValueError:
            return


def _web_response(answer: Response) -> web.Response:
    response = web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))
    response.content_type = answer.content_type
    return response
