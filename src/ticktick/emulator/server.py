"""The exchange on one loopback port: HTTP, the feed's sockets, and a market clock of its own.

Under `/_emu/` stand the few things a real exchange does not offer: the market clock, a token
without a login, the list of trades, and faults on demand.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from email.utils import formatdate

from aiohttp import hdrs, web

from ticktick.domain.clock import NS_PER_S
from ticktick.emulator.answers import Request, Response
from ticktick.emulator.bench import Bench
from ticktick.emulator.exchange import FEEDER_PATH, Exchange
from ticktick.emulator.faults import Fault, Faults
from ticktick.emulator.feed import FeedConnection
from ticktick.emulator.levers import Levers
from ticktick.emulator.line import FeedLine
from ticktick.emulator.mangle import Mangling, Workshop
from ticktick.emulator.pace import Pace
from ticktick.emulator.wreck import wrecked

_LOOPBACK_NAMES = ("127.0.0.1", "localhost")
_IDLE_PING_S = 5.0
_SEND_LIMIT_S = 10.0
_LINE_BYTES = 1 << 16  # 500 instrument keys in one address

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ExchangeServer:
    """Serves one exchange until it is stopped.

    A socket without a frame for `idle_ping_s` real seconds gets a ping.
    """

    def __init__(self, exchange: Exchange, pace: Pace, idle_ping_s: float = _IDLE_PING_S) -> None:
        self._exchange = exchange
        self._pace = pace
        self._idle_ping_s = idle_ping_s
        self._faults = Faults()
        self._levers = Levers(exchange, self._faults)
        self._workshop = Workshop()
        self._lines: dict[FeedConnection, FeedLine] = {}

    def application(self) -> web.Application:
        """The aiohttp application with every route."""
        bench = Bench(
            self._exchange,
            self._pace,
            self._faults,
            self._levers,
            lambda: self.advance(self._exchange.now_ns),
        )
        application = web.Application(middlewares=[_only_loopback, self._wreck])
        application.on_response_prepare.append(self._date)
        application.router.add_get(FEEDER_PATH, self._feed)
        application.router.add_route("*", "/_emu/{name}", bench.answer)
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    async def run(self) -> None:
        """Let the market follow its pace for ever."""
        while True:
            self.advance(self._pace.next_target_ns(self._exchange))
            self._pace.reached(self._exchange)
            await self._pace.wait(self._exchange)
            await self._drained()

    def advance(self, to_ns: int) -> None:
        """Let the market run to the moment, with every fault that begins or ends on the way."""
        while True:
            change_ns = self._faults.next_change_ns(self._exchange.now_ns)
            stop_ns = to_ns if change_ns is None else min(to_ns, change_ns)
            self._put(self._exchange.advance(stop_ns))
            self._attend()
            if stop_ns >= to_ns:
                return

    def _put(self, frames: Iterable[tuple[FeedConnection, bytes]]) -> None:
        for link, frame in frames:
            self._lines[link].put(frame)

    def _attend(self) -> None:
        """Take up the faults that begin at the moment, end those that are over."""
        for fault in self._faults.due(self._exchange.now_ns):
            self._put(self._levers.act(fault))
            for line in self._lines.values():
                line.act(fault)
        self._put(self._levers.hold())
        for line in self._lines.values():
            line.attend()

    async def _drained(self) -> None:
        """Wait for slow readers; who takes nothing for too long is dropped."""
        for link, line in list(self._lines.items()):
            if not line.is_behind:
                continue
            try:
                async with asyncio.timeout(0.0 if line.is_slowed else _SEND_LIMIT_S):
                    await line.drained()
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
                arrived_ns=self._pace.real_ns(),
            )
        )
        return _web_response(answer)

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        link = self._exchange.connect(request.query.get("code", ""))
        transport = request.transport
        if link is None or not isinstance(transport, asyncio.Transport):
            return web.Response(status=403)
        socket = web.WebSocketResponse(timeout=1.0, max_msg_size=1 << 20)
        line = FeedLine(socket, transport, link, Mangling(self._workshop), self._active)
        self._lines[link] = line
        try:
            await socket.prepare(request)
            line.put(self._exchange.greeting())
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(
                    line.write(self._idle_ping_s, lambda: link in self._lines)
                )
                await line.read()
                writer.cancel()
        finally:
            self._forget(link)
        return socket

    async def _date(self, _: web.Request, answer: web.StreamResponse) -> None:
        """Date every answer by the market's clock, as the exchange's own wall clock."""
        seconds = self._pace.now_ns(self._exchange) // NS_PER_S
        answer.headers[hdrs.DATE] = formatdate(seconds, usegmt=True)

    def _active(self) -> list[Fault]:
        return self._faults.active(self._exchange.now_ns, "ws.", "rest.")

    @web.middleware
    async def _wreck(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer as the faults want it; what is under `/_emu/` is never touched."""
        if request.path.startswith("/_emu/"):
            return await handler(request)
        return await wrecked(request, lambda: handler(request), self._active)

    def _forget(self, link: FeedConnection) -> None:
        if self._lines.pop(link, None) is not None:
            self._exchange.disconnect(link)


@asynccontextmanager
async def listening(application: web.Application, port: int) -> AsyncIterator[int]:
    """Serve on loopback while the block runs; yields the port, a free one if 0 was asked.

    Raises OSError if the port is taken.
    """
    runner = web.AppRunner(
        application, access_log=None, shutdown_timeout=0.5, max_line_size=_LINE_BYTES
    )
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


def _web_response(answer: Response) -> web.Response:
    response = web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))
    response.content_type = answer.content_type
    return response
