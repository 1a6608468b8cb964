"""A stage for what a run watches: a broker of files, a list, and an engine with its events."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from tests.upstox_stage import listening
from ticktick.app import new_engine
from ticktick.brokers.budget import Budget
from ticktick.brokers.upstox.files import InstrumentFiles
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.master import Masters
from ticktick.domain.event import Event
from ticktick.domain.watchlist import WatchlistEntry
from ticktick.engine.ports import EngineSettings
from ticktick.engine.runner import Runner
from ticktick.origin.day_list import DayList
from ticktick.origin.watchlist import RunWatchlist, Watchlist

CANARY = "NSE_INDEX|Nifty 50"
_FOLDER = "/market-quote/instruments/exchange"


def listing(symbol: str, isin: str = "", name: str = "", **more: Any) -> dict[str, Any]:
    """One line of the master: a share, or whatever `more` makes of it."""
    segment = more.get("segment", "NSE_EQ")
    return {
        "segment": segment,
        "exchange": "NSE",
        "instrument_type": "EQ",
        "instrument_key": f"{segment}|{isin or symbol}",
        "trading_symbol": symbol,
        "name": name or f"{symbol} LTD",
        "tick_size": 5.0,
        "lot_size": 1,
    } | more


NIFTY = listing("NIFTY", "Nifty 50", "Nifty 50", segment="NSE_INDEX", instrument_type="INDEX")


class Files:
    """The broker's instrument files, as the test wants them at the moment."""

    def __init__(self, *records: dict[str, Any]) -> None:
        self.master: Sequence[dict[str, Any]] | bytes | int = (*records, NIFTY)
        self.suspended: Sequence[dict[str, Any]] | None = None
        self.asked: list[str] = []

    def lists(self, *records: dict[str, Any]) -> None:
        """Serve another master from now on."""
        self.master = (*records, NIFTY)

    async def answer(self, request: web.Request) -> web.Response:
        """Serve the file that is asked for."""
        self.asked.append(request.path)
        if request.path == f"{_FOLDER}/NSE.json.gz":
            return _file(self.master)
        if request.path == f"{_FOLDER}/suspended-instrument.json.gz" and self.suspended:
            return _file(self.suspended)
        return web.Response(status=404)


class Events:
    """An event log that remembers."""

    def __init__(self) -> None:
        self.all: list[Event] = []

    def write(self, event: Event) -> None:
        """Keep the event."""
        self.all.append(event)


class DirectRunner(Runner):
    """A runner without an inbox: an event has happened when `put` returns."""

    async def put(self, event: Event) -> None:
        """Let the event happen."""
        self.process(event)


def new_runner() -> tuple[Runner, Events]:
    """A runner of the program's own engine, and its events."""
    events = Events()
    return DirectRunner(new_engine(EngineSettings()), events, [], lambda: 0), events


def entry(symbol: str, isin: str = "") -> WatchlistEntry:
    """A line of the list."""
    return WatchlistEntry(f"{symbol.title()} Ltd", f"NSE_EQ|{isin or symbol}", symbol)


@asynccontextmanager
async def watching(
    files: Files, folder: Path, *entries: WatchlistEntry, kept: Watchlist | None = None
) -> AsyncIterator[DayList]:
    """A watch on the broker of files, not opened yet."""
    async with (
        asyncio.timeout(60),
        listening(files.answer) as port,
        aiohttp.ClientSession() as http,
    ):
        source = InstrumentFiles(http, Hosts.loopback(f"http://127.0.0.1:{port}"), Budget())
        source.is_loopback = False
        yield DayList(Masters(source, folder), kept or RunWatchlist(entries), CANARY)


def _file(content: Sequence[dict[str, Any]] | bytes | int) -> web.Response:
    if isinstance(content, int):
        return web.Response(status=content)
    body = content if isinstance(content, bytes) else gzip.compress(json.dumps(content).encode())
    return web.Response(body=body)
