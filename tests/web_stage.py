"""A stage for tests of the web: a small market with behaviour, a clock, and a real server."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from fastapi import FastAPI
from msgspec import Struct, to_builtins
from msgspec.json import decode, encode
from msgspec.structs import replace
from multidict import CIMultiDict
from numpy.typing import NDArray
from starlette.routing import BaseRoute
from websockets.asyncio.client import ClientConnection, connect
from yarl import URL

from tests.alert_stage import rule
from ticktick.alerting.rules_file import RulesFile, with_changed, with_new, without
from ticktick.analytics.board import AnalyticsBoard
from ticktick.core.columns import NO_ROWS
from ticktick.core.ticks import TICK_WIDTH
from ticktick.domain.alert import Rule
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS, parse_iso_ns
from ticktick.domain.event import Fact, RulesRead
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.market import Candle, Freshness
from ticktick.domain.metric import METRIC_ROW, METRICS
from ticktick.domain.sessions import Phase
from ticktick.domain.slots import DEPTH_LEVELS
from ticktick.engine.alerts.board import AlertBoard
from ticktick.engine.ports import Outputs
from ticktick.errors import BrokerError, ConfigError
from ticktick.market.freshness import FreshnessColumn
from ticktick.market.rejections import Rejections
from ticktick.market.table import SlotTable
from ticktick.web.alert_parts import ServicesState
from ticktick.web.alerts import Alerts
from ticktick.web.analysis import Analysis
from ticktick.web.blocks import COLUMNS, Columns, Press
from ticktick.web.changes import Changes
from ticktick.web.hub import Hub
from ticktick.web.listening import listen
from ticktick.web.news import KINDS
from ticktick.web.overview import Overview
from ticktick.web.parts import PartState, Stamp, TokenStatus
from ticktick.web.routes import Routes, router
from ticktick.web.server import create_app
from ticktick.web.serving import serve
from ticktick.web.sessions import Sessions
from ticktick.web.status import LiveMarket, SystemStatus
from ticktick.web.steering import Found, SearchResult, Wanted

MORNING_NS = parse_iso_ns("2026-11-20T10:00:00+05:30")
CLI_TOKEN = "the-token-of-server-json"


def instrument(symbol: str, kind: Kind = Kind.EQUITY, price_scale: int = 100) -> Instrument:
    segment = "NSE_INDEX" if kind is Kind.INDEX else "NSE_EQ"
    key = f"{segment}|{symbol}"
    return Instrument(symbol, symbol.title(), "NSE", segment, key, kind, price_scale=price_scale)


def candle(
    symbol: str = "RELIANCE", minute: int = 0, close: int = 140_000, minutes: int = 1, **more: Any
) -> Candle:
    start_ns = MORNING_NS + minute * NS_PER_MINUTE
    return Candle(symbol, minutes, start_ns, close, close, close, close, 10, **more)


class SmallMarket:
    """A market half that the test moves by hand."""

    def __init__(self, symbols: Sequence[Instrument], capacity: int = 16) -> None:
        self.table = SlotTable(capacity)
        self.table.add(symbols)
        self.metrics = np.full((len(METRICS), capacity), np.nan)
        self.freshness = FreshnessColumn(self.table)
        self.warm = np.zeros(capacity, np.bool_)
        self.row_phases = [Phase.CONTINUOUS] * capacity
        self.extras: set[str] = set()
        self.phases = {"NSE_EQ": Phase.CONTINUOUS}
        self.phase_sources = {"NSE_EQ": "feed"}
        self.link_up = True
        self.link_reason = "connected"
        self.last_frame_ns = 0
        self.rejections = Rejections()
        self.counters = {"frames": 0}
        self.closed: dict[tuple[str, int], list[Candle]] = {}
        self.running: dict[tuple[str, int], Candle] = {}
        self.windows: dict[str, NDArray[np.int64]] = {}

    def window(self, symbol: str) -> NDArray[np.int64]:
        return self.windows.get(symbol, np.zeros((0, TICK_WIDTH), np.int64))

    def forming(self, symbol: str, minutes: int) -> Candle | None:
        return self.running.get((symbol, minutes))

    def candles(self, symbol: str, minutes: int) -> Sequence[Candle]:
        return self.closed.get((symbol, minutes), [])

    def trade(self, symbol: str, price: int, at_ns: int = MORNING_NS) -> Outputs:
        """A trade at that price with a book one tick around it."""
        row = self.table.row_of_symbol[symbol]
        record = self.table.records[row]
        record["exchange_ns"] = record["last_trade_ns"] = self.last_frame_ns = at_ns
        record["last_price"], record["volume"] = price, record["volume"] + 10
        record["bid_price"][0], record["ask_price"][0] = price - 5, price + 5
        self.metrics[METRIC_ROW["mid"], row] = price
        self.metrics[METRIC_ROW["spread"], row] = 10
        self.metrics[METRIC_ROW["imbalance"], row] = 0.25
        self.freshness[row] = Freshness.FRESH
        self.counters["frames"] += 1
        return outputs(self.table.row_of_symbol[symbol])

    def book(
        self,
        symbol: str,
        bids: Sequence[tuple[int, int]],
        asks: Sequence[tuple[int, int]],
        totals: tuple[int, int] = (0, 0),
    ) -> Outputs:
        """A book of these levels (price, quantity), best first, and its total quantities."""
        row = self.table.row_of_symbol[symbol]
        record = self.table.records[row]
        for side, told in (("bid", bids), ("ask", asks)):
            levels = np.zeros((DEPTH_LEVELS, 2), np.int64)
            levels[: len(told)] = np.array(told, np.int64).reshape(-1, 2)
            record[f"{side}_price"], record[f"{side}_quantity"] = levels.T
        record["total_bid_quantity"], record["total_ask_quantity"] = totals
        return outputs(row)


def outputs(*rows: int, facts: Sequence[Fact] = ()) -> Outputs:
    return Outputs(MORNING_NS, np.array(rows, np.int32), facts)


class KeptAlerts:
    """Rules in memory, held by a real board; there is one from the start."""

    services = ServicesState("off", "nothing is sent from here")

    def __init__(self, market: SmallMarket) -> None:
        self.board = AlertBoard(market)
        self.snoozed: dict[int, int] = {}
        self.file = RulesFile()
        self._keep(with_new(self.file, rule(symbol="RELIANCE"))[0])

    @property
    def troubles(self) -> Sequence[str]:
        return self.file.troubles

    async def add(self, wish: Rule) -> Rule:
        file, new = with_new(self.file, wish)
        self._keep(file)
        return new

    async def change(self, rule: Rule) -> Rule:
        self._keep(with_changed(self.file, rule))
        return rule

    async def remove(self, rule_id: int) -> Rule:
        file, gone = without(self.file, rule_id)
        self._keep(file)
        return gone

    async def mute(self, rule_id: int, *, muted: bool) -> Rule:
        return await self.change(replace(self.file.rule(rule_id), muted=muted))

    async def snooze(self, rule_id: int, minutes: int) -> Rule:
        self.snoozed[rule_id] = minutes
        return self.file.rule(rule_id)

    def _keep(self, file: RulesFile) -> None:
        self.file = file
        event = RulesRead(MORNING_NS, file.rules)
        self.board.hear(event, MORNING_NS, NO_ROWS, [])


class ListSteering:
    """A list that the test reads; what is asked twice, or is not on it, is refused."""

    def __init__(self, *symbols: str) -> None:
        self.symbols = list(symbols)
        self.link: list[str] = []
        self.broker_answers = True

    async def add_symbol(
        self, what: str, name: str | None = None, before: str | None = None
    ) -> str:
        if what in self.symbols:
            raise ConfigError(f"{what} is already watched")
        place = len(self.symbols) if before is None else self.symbols.index(before)
        self.symbols.insert(place, what)
        return f"{name or what} is watched now."

    async def remove_symbol(self, what: str) -> str:
        if what not in self.symbols:
            raise ConfigError(f"{what} is not watched")
        self.symbols.remove(what)
        return f"{what} is no longer watched."

    async def search(self, wanted: Wanted) -> SearchResult:
        if not self.broker_answers:
            raise BrokerError("cannot reach the broker; check the connection")
        kind = "call" if wanted.derivatives else "equity"
        one = Found(wanted.text, "Infosys", "NSE_EQ|1", "NSE", kind, 1, False)
        return SearchResult([replace(one, expiry=wanted.expiry, strike=wanted.strike)], 7)

    async def reconnect(self) -> str:
        self.link.append("reconnect")
        return "Connecting anew."

    async def take_over(self) -> str:
        self.link.append("take over")
        return "Taking the feed over."


class Stage:
    """Market, clock and web parts wired as the program wires them."""

    def __init__(self, market: SmallMarket | None = None, slow_limit_s: float = 10.0) -> None:
        tokens = count()
        self.market = market or SmallMarket(
            [instrument("RELIANCE"), instrument("M&M"), instrument("INDIA VIX", Kind.INDEX, 10_000)]
        )
        self.steering = ListSteering("RELIANCE")
        self.analysis = AnalyticsBoard(self.market.candles, lambda _: True, lines_at_once=100)
        self.now_ns = MORNING_NS
        self.overview = Overview(self.market, self.system, self.stamp, "0.1.0")
        self.hub = Hub(self.overview, self.analysis, time.monotonic, slow_limit_s=slow_limit_s)
        self.rules = KeptAlerts(self.market)
        self.alerts = Alerts(self.hub, self.rules.board, self.rules)
        self.sessions = Sessions(
            CLI_TOKEN, lambda: self.now_ns, lambda: f"token-{next(tokens):030d}"
        )

    def routes(self) -> Sequence[BaseRoute]:
        """Every route of the server."""
        analysis = Analysis(self.overview, self.analysis, self.hub.news)
        return router(
            Routes(self.hub, self.sessions), Changes(self.steering), analysis, self.alerts
        ).routes

    def stamp(self) -> Stamp:
        return Stamp("DEMO", self.now_ns // NS_PER_MS)

    def system(self) -> SystemStatus:
        return SystemStatus(
            mode="DEMO",
            now_ms=self.now_ns // NS_PER_MS,
            rate=1.0,
            token=TokenStatus("valid"),
            store=PartState("off", "history off"),
            recording=PartState("on", "recording"),
            counters={"reconnects": 2},
        )


class Answer(Struct, frozen=True):
    """One HTTP answer, read to its end."""

    status: int
    headers: CIMultiDict[str]
    body: bytes

    def json(self) -> Any:
        return decode(self.body)


class Site:
    """A running server and one browser-like client of it."""

    def __init__(self, stage: Stage, app: FastAPI, port: int, http: aiohttp.ClientSession) -> None:
        self.stage = stage
        self.app = app
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._http = http
        self.cookie = ""
        self.csrf = ""

    async def ask(self, method: str, path: str, body: Any = None, **headers: str | None) -> Answer:
        """Ask as the page would; a header set to None is left out. `_` stands for `-`."""
        sent = self._page_headers(method) | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        data = body if isinstance(body, bytes) else None if body is None else encode(body)
        async with self._http.request(
            method,
            URL(self.url + path, encoded=True),
            data=data,
            headers={name: value for name, value in sent.items() if value is not None},
            skip_auto_headers=("Content-Type", "User-Agent"),
            allow_redirects=False,
        ) as answer:
            return Answer(answer.status, CIMultiDict(answer.headers), await answer.read())

    async def log_in(self) -> None:
        """Open a session with a fresh start code."""
        code = self.stage.sessions.new_start_code()
        answer = await self.ask("POST", "/api/v1/session", {"code": code})
        self.csrf = answer.json()["csrf"]
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]

    async def socket_code(self) -> str:
        answer = await self.ask("POST", "/api/v1/socket-code", {})
        return str(answer.json()["code"])

    async def dial(
        self, headers: Mapping[str, str | None] | None = None, receive_bytes: int = 0
    ) -> ClientConnection:
        """Open the socket as the page would, without its first message.

        `receive_bytes` is the size of the client's buffer, 0 for the system's own choice.
        """
        plain = socket.socket()
        if receive_bytes:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", self.port))
        sent = {"Origin": self.url, "Cookie": self.cookie, **(headers or {})}
        return await connect(
            f"ws://127.0.0.1:{self.port}/ws",
            additional_headers={name: value for name, value in sent.items() if value is not None},
            compression=None,
            sock=plain,
        )

    async def stream(self, receive_bytes: int = 0) -> ClientConnection:
        """Open the socket and prove ourselves."""
        code = await self.socket_code()
        stream = await self.dial(receive_bytes=receive_bytes)
        await stream.send(encode({"code": code}).decode())
        return stream

    def _page_headers(self, method: str) -> dict[str, str | None]:
        page: dict[str, str | None] = {"Cookie": self.cookie or None}
        if method not in ("GET", "HEAD"):
            page |= {
                "Origin": self.url,
                "Sec-Fetch-Site": "same-origin",
                "Content-Type": "application/json",
                "X-Ticktick-Csrf": self.csrf or None,
            }
        return page


@asynccontextmanager
async def running(
    stage: Stage, page: Path | None = None, figures: Callable[[], bytes] = bytes
) -> AsyncIterator[Site]:
    """Serve the stage on a free loopback port for the length of the block."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    app = create_app(
        stage.hub, stage.sessions, stage.steering, stage.analysis, stage.alerts, port, page, figures
    )
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
        server = tasks.create_task(serve(app, listener))
        yield Site(stage, app, port, http)
        server.cancel()


def read_block(columns: Sequence[dict[str, str]], block: bytes) -> dict[str, NDArray[Any]]:
    """A block as the page reads it, written from the protocol's description alone."""
    kind, version, count_, rows = struct.unpack_from("<BBHI", block, 0)
    seq, _, ts_ms = struct.unpack_from("<IId", block, 8)
    at = 24
    read: dict[str, NDArray[Any]] = {"row": np.frombuffer(block, "<i4", rows, at)}
    read["head"] = np.array([kind, version, count_, seq, ts_ms])
    at = (at + 4 * rows + 7) // 8 * 8
    for column in columns:
        values = np.frombuffer(block, f"<{column['dtype']}", rows, at)
        read[column["name"]] = values
        at += values.nbytes
    if at != len(block):
        raise ValueError(f"the block has {len(block)} bytes, its columns end at {at}")
    return read


class Browser:
    """Holds what a page would: rows, candles, overlays and depth of its chart, every number.

    `news` are the messages about what candles say, in order.
    """

    def __init__(self, hub: Hub) -> None:
        self.client = hub.join()
        self.rows: dict[int, dict[str, float]] = {}
        self.candles: dict[int, list[Any]] = {}
        self.depth: dict[str, Any] = {}
        self.series: dict[str, Any] = {}
        self.overlays: dict[int, list[Any]] = {}
        self.forming: list[Any] | None = None
        self.seqs: list[int] = []
        self.news: list[dict[str, Any]] = []

    def read(self, now_s: float = 0.0) -> list[dict[str, Any]]:
        """Take the next batch as the page does; return its text messages but the news."""
        texts: list[dict[str, Any]] = []
        job = self.client.overlays.job()
        if job is not None:
            self.client.overlays.deliver(job())
        for message in self.client.batch(now_s):
            if isinstance(message, bytes):
                self.seqs.append(_apply(message, self.rows))
                continue
            text = decode(message)
            self.seqs.append(text["seq"])
            (self.news if text["type"] in KINDS.values() else texts).append(text)
            self._chart(text["type"], text["data"])
        return texts

    def _chart(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "candles":
            self.candles = {row[0]: row for row in data["candles"]}
        elif kind in ("candle", "forming"):
            self.candles[data["candle"][0]] = data["candle"]
        elif kind == "series":
            self.series, self.forming = data, None
            self.overlays = {row[0]: row for row in data["rows"]}
        elif kind == "reading":
            self.forming = data["forming"]
            if data["settled"] is not None:
                self.overlays[data["settled"][0]] = data["settled"]
        elif kind == "depth":
            self.depth = data


def table_rows(market: LiveMarket) -> dict[int, dict[str, float]]:
    """What a page must hold that missed nothing: one full block of the market as it is."""
    rows: dict[int, dict[str, float]] = {}
    every = np.arange(len(market.table), dtype=np.int32)
    state = Columns(market.table, market.metrics, market.freshness, market.warm)
    _apply(Press(state).block(every, 0, 0), rows)
    return rows


def slot_depth(market: LiveMarket, symbol: str) -> dict[str, Any]:
    """The depth a page must show, read from the slot record alone."""
    row = market.table.row_of_symbol[symbol]
    record = market.table.records[row]
    shown: dict[str, Any] = {"symbol": symbol}
    for side in ("bid", "ask"):
        told = record[f"{side}_price"] > 0
        levels = np.stack([record[f"{side}_price"], record[f"{side}_quantity"]], 1)
        shown[f"{side}s"] = levels[told].tolist()
        total = record[f"total_{side}_quantity"]
        shown[f"total_{side}_quantity"] = int(total) if total > 0 else None
    shown["has_thirty"] = bool(record["told_levels"] > 5)
    for name in ("imbalance_1", "imbalance", "imbalance_w"):
        value = float(market.metrics[METRIC_ROW[name], row])
        shown[name] = None if value != value else value
    shown["auction"] = None
    return shown


def _apply(block: bytes, rows: dict[int, dict[str, float]]) -> int:
    read = read_block(to_builtins(COLUMNS), block)
    head = read.pop("head")
    for at, row in enumerate(read["row"].tolist()):
        rows[row] = {name: values[at].item() for name, values in read.items()}
    return int(head[3])
