"""The live stream to the browsers: takes the engine's outputs, sends each browser its share.

A browser that reads slowly is told less often; one that does not read is closed with 1013. No
browser delays another or the engine.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import count
from typing import Final, assert_never

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from ticktick.core.columns import NO_ROWS
from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import (
    AlertCleared,
    AlertRaised,
    AlertRulesChanged,
    CandleChanged,
    Fact,
    FeedChanged,
    FreshnessChanged,
    IndicatorsRead,
    Noticed,
    PatternFound,
    PatternJudged,
    PatternSuperseded,
    PhaseChanged,
    QuarterEnded,
    VwapCrossed,
    WatchlistChanged,
)
from ticktick.domain.market import TIMEFRAMES
from ticktick.engine.ports import Outputs
from ticktick.web.alert_diary import AlertDiary
from ticktick.web.live import LiveAnalysis
from ticktick.web.blocks import Columns, Press
from ticktick.web.chart import Studies
from ticktick.web.client import Client, Lines, Message, Queued
from ticktick.web.messages import Data, FeedUpdate, FreshnessUpdate, PhaseUpdate, View
from ticktick.web.news import KINDS, News
from ticktick.web.overlays import is_known
from ticktick.web.overview import Overview, notice

SEND_EVERY_S: Final = 0.05
SLOW_LIMIT_S: Final = 10.0
_CLOSE_LIMIT_S: Final = 1.0

TRY_AGAIN_LATER: Final = 1013
SESSION_ENDED: Final = 1008

_WISH: Final = msgspec.json.Decoder(View | Studies)
_COUNTERS: Final = (
    "client_turns_total",
    "client_conflated_total",
    "client_ignored_total",
    "client_closed_slow_total",
)


class Hub:
    """A sink of the engine's outputs and the sender of every browser's stream."""

    def __init__(
        self,
        overview: Overview,
        analysis: LiveAnalysis,
        monotonic_s: Callable[[], float],
        slow_limit_s: float = SLOW_LIMIT_S,
    ) -> None:
        self.overview = overview
        self.alerts = AlertDiary()
        self._analysis = analysis
        self.news = News(overview.market, analysis)
        self._monotonic_s = monotonic_s
        self._slow_limit_s = slow_limit_s
        self._clients: set[Client] = set()
        market = overview.market
        self._press = Press(
            Columns(market.table, market.metrics, market.freshness, market.warm)
        )
        overview.counters.update(dict.fromkeys(_COUNTERS, 0))

    def take(self, outputs: Outputs) -> None:
        """Share what changed with every browser; never waits."""
        facts = outputs.facts
        self._press.turn()
        self.overview.remember(outputs, self._monotonic_s())
        queued = [fact for fact in map(_queued, facts) if fact is not None]
        queued += [_fact(KINDS[type(told)], told) for told in self.news.take(outputs.at_ns, facts)]
        queued += [_fact(kind, data) for kind, data in self.alerts.take(facts, self._now_ns(facts))]
        lines = _by_line(facts)
        urgent = any(isinstance(fact, FeedChanged | PhaseChanged) for fact in facts)
        is_relisted = any(isinstance(fact, WatchlistChanged) for fact in facts)
        for client in self._clients:
            conflated = client.take(outputs.touched, queued, lines)
            self.overview.counters["client_conflated_total"] += conflated
            if urgent:
                client.hurry_status()
            if is_relisted:
                client.look_again()

    def _now_ns(self, facts: Sequence[Fact]) -> int:
        """Market time if alerts must be dated; of a replay they are past in any case."""
        if not any(isinstance(fact, AlertRaised) for fact in facts):
            return 0
        stamp = self.overview.stamp()
        return 0 if stamp.mode == "REPLAY" else stamp.now_ms * NS_PER_MS

    def tell(self, kind: str, data: Data) -> None:
        """Tell every browser something that no event brought."""
        for client in self._clients:
            client.take(NO_ROWS, [_fact(kind, data)], {})

    def join(self) -> Client:
        """A further browser, which is owed everything."""
        taken = {client.place for client in self._clients}
        place = next(place for place in count() if place not in taken)
        client = Client(self.overview, self._analysis, self.news, self._press, place)
        self._clients.add(client)
        self.overview.clients = len(self._clients)
        return client

    def leave(self, client: Client) -> None:
        """The browser is gone."""
        self._clients.discard(client)
        self.overview.clients = len(self._clients)

    async def serve(self, socket: WebSocket, may_stay: Callable[[], bool]) -> None:
        """Stream to an accepted socket until the browser leaves, lags or `may_stay` says no."""
        client = self.join()
        try:
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read(socket, client))
                writing = tasks.create_task(self._write(socket, client, may_stay))
                await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
                reading.cancel()
                writing.cancel()
        finally:
            self.leave(client)

    async def _read(self, socket: WebSocket, client: Client) -> None:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            match self._wish(message.get("text")):
                case View() as view:
                    client.look_at(view)
                case Studies() as studies:
                    client.overlays.want(studies)
                case None:
                    self.overview.counters["client_ignored_total"] += 1

    async def _write(self, socket: WebSocket, client: Client, may_stay: Callable[[], bool]) -> None:
        with suppress(WebSocketDisconnect):
            while may_stay():
                if client.is_behind or not await self._send(socket, client):
                    self.overview.counters["client_closed_slow_total"] += 1
                    await _close(socket, TRY_AGAIN_LATER)
                    return
                job = client.overlays.job()
                if job is None:
                    # each at a moment of its own, so that no frame waits behind all of them
                    since_s = self._monotonic_s() - SEND_EVERY_S * share_of_turn(client.place)
                    await asyncio.sleep(SEND_EVERY_S - since_s % SEND_EVERY_S)
                else:
                    client.overlays.deliver(await asyncio.to_thread(job))
            await _close(socket, SESSION_ENDED)

    async def _send(self, socket: WebSocket, client: Client) -> bool:
        """Whether the browser took everything that was due within the limit."""
        try:
            async with asyncio.timeout(self._slow_limit_s):
                for message in client.batch(self._monotonic_s()):
                    await _send_message(socket, message)
                self.overview.counters["client_turns_total"] += 1
        except TimeoutError:
            return False
        return True

    def _wish(self, text: str | None) -> View | Studies | None:
        """What a browser asks of its chart, or None if it says anything else."""
        if text is None:
            return None
        try:
            wish = _WISH.decode(text)
        except msgspec.DecodeError:
            return None
        if isinstance(wish, Studies):
            return wish if is_known(wish) else None
        known = wish.symbol in self.overview.market.table.row_of_symbol
        return wish if known and wish.minutes in TIMEFRAMES else None


def share_of_turn(place: int) -> float:
    """When in the time between two sendings it is this place's turn: 0 to 1, far from the others.

    The first places halve the time, the next ones the halves, and so on.
    """
    share, part = 0.0, 0.5
    while place:
        share += part * (place & 1)
        place, part = place >> 1, part / 2
    return share


def _by_line(facts: Iterable[Fact]) -> Lines:
    """What candles and readings say, by symbol and timeframe: who looks at one takes its own."""
    lines: Lines = {}
    for fact in facts:
        match fact:
            case CandleChanged(candle=of) | IndicatorsRead(reading=of):
                lines.setdefault((of.symbol, of.minutes), []).append(fact)
            case _:
                pass
    return lines


def _queued(fact: Fact) -> Queued | None:
    """The wire form of a fact every browser is told as it is.

    A candle goes only to who looks at it; what candles say, and the closes, come by the news.
    """
    match fact:
        case FreshnessChanged():
            return _fact("freshness", FreshnessUpdate(fact.symbol, fact.freshness))
        case PhaseChanged():
            return _fact("phase", PhaseUpdate(fact.segment, fact.phase, fact.source))
        case FeedChanged():
            return _fact("feed", FeedUpdate(fact.up, fact.reason, fact.cause))
        case Noticed() | AlertRaised():
            return _fact("notice", notice(fact))
        case (
            CandleChanged()
            | WatchlistChanged()
            | IndicatorsRead()
            | PatternFound()
            | PatternJudged()
            | PatternSuperseded()
            | AlertCleared()
            | AlertRulesChanged()
            | VwapCrossed()
            | QuarterEnded()
        ):
            return None
        case _:
            assert_never(fact)


def _fact(kind: str, data: Data) -> Queued:
    return Queued(kind, msgspec.json.encode(data))


async def _send_message(socket: WebSocket, message: Message) -> None:
    if isinstance(message, bytes):
        await socket.send_bytes(message)
    else:
        await socket.send_text(message)


async def _close(socket: WebSocket, code: int) -> None:
    """Say why and go; a browser that does not listen is left without a word."""
    with suppress(TimeoutError, WebSocketDisconnect):
        async with asyncio.timeout(_CLOSE_LIMIT_S):
            await socket.close(code)
