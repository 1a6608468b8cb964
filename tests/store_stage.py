"""A stage for tests of the stores: real servers, a small market and facts to write."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS, parse_iso_ns
from ticktick.domain.event import CandleChanged, Fact
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.market import Candle, Freshness
from ticktick.domain.metric import METRIC_ROW, METRICS
from ticktick.domain.slots import DEPTH_LEVELS
from ticktick.engine.ports import Outputs
from ticktick.market.freshness import CODES, FreshnessColumn
from ticktick.market.table import SlotTable
from ticktick.store.embedded import StoreWish, choose
from ticktick.store.link import Link
from ticktick.store.server import EmbeddedServer, Program

OPEN_NS = parse_iso_ns("2026-11-20T09:15:00+05:30")
OPEN_MS = OPEN_NS // NS_PER_MS
PLAIN_KINDS = ("Valkey without time series",)
MODULE_KINDS = ("Valkey with time series", "Redis with time series")
KINDS = (*MODULE_KINDS, *PLAIN_KINDS)


def program(kind: str) -> Program:
    """An installed server program, such as `Valkey with time series`; skip where there is none."""
    for found in choose(StoreWish(folder=Path())).programs:
        if found.title == f"embedded {kind}":
            return found
    pytest.skip(f"no {kind} on this machine")


@contextmanager
def serving(kind: str, folder: Path, memory_mb: int = 64) -> Iterator[EmbeddedServer]:
    """A running server."""
    server = EmbeddedServer(program(kind), folder, memory_mb)
    try:
        yield server
    finally:
        server.stop()


class Asking:
    """Short questions to a server, database by database."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, database: int, *words: str | float) -> Any:
        link = Link(self.url, database)
        try:
            return link.ask(*words)
        finally:
            link.close()


def instrument(symbol: str = "RELIANCE", price_scale: int = 100) -> Instrument:
    key = f"NSE_EQ|{symbol}"
    return Instrument(
        symbol, symbol.title(), "NSE", "NSE_EQ", key, Kind.EQUITY, price_scale=price_scale
    )


def candle(minute: int = 0, close: int = 141_255, symbol: str = "RELIANCE", **more: Any) -> Candle:
    start_ns = OPEN_NS + minute * NS_PER_MINUTE
    fields = {"minutes": 1, "open": close - 5, "high": close + 10, "low": close - 10} | more
    return Candle(symbol=symbol, start_ns=start_ns, close=close, volume=100 + minute, **fields)


class SmallMarket:
    """A market half that the test moves by hand."""

    def __init__(self, symbols: Iterable[str] = ("RELIANCE",), price_scale: int = 100) -> None:
        self.table = SlotTable()
        self.table.add([instrument(symbol, price_scale) for symbol in symbols])
        self.metrics: NDArray[np.float64] = np.full((len(METRICS), self.table.capacity), np.nan)
        self.freshness = FreshnessColumn(self.table)
        self.freshness.codes.fill(CODES[Freshness.FRESH])
        self.warm = np.zeros(self.table.capacity, np.bool_)

    def trade(
        self,
        units: int,
        at_ms: int,
        symbol: str = "RELIANCE",
        facts: Sequence[Fact] = (),
        **metrics: float,
    ) -> Outputs:
        """A trade at that price: what the engine would give out."""
        row = self.table.row_of_symbol[symbol]
        record = self.table.records[row]
        record["last_price"], record["exchange_ns"] = units, at_ms * NS_PER_MS
        record["received_ns"], record["volume"] = (at_ms + 20) * NS_PER_MS, 500
        record["last_trade_ns"] = at_ms * NS_PER_MS
        for name, value in metrics.items():
            self.metrics[METRIC_ROW[name], row] = value
        return Outputs(at_ms * NS_PER_MS, np.array([row], np.int32), facts)

    def book(
        self,
        at_ms: int,
        bids: Sequence[tuple[int, int]],
        asks: Sequence[tuple[int, int]],
        symbol: str = "RELIANCE",
    ) -> Outputs:
        """A book of these levels (price, quantity), best first."""
        row = self.table.row_of_symbol[symbol]
        record = self.table.records[row]
        for side, told in (("bid", bids), ("ask", asks)):
            levels = np.zeros((DEPTH_LEVELS, 2), np.int64)
            levels[: len(told)] = np.array(told, np.int64).reshape(-1, 2)
            record[f"{side}_price"], record[f"{side}_quantity"] = levels.T
        record["exchange_ns"] = at_ms * NS_PER_MS
        return Outputs(at_ms * NS_PER_MS, np.array([row], np.int32), ())


def facts_only(*facts: Fact) -> Outputs:
    return Outputs(OPEN_NS, np.array([], np.int32), facts)


def candles_changed(candles: Iterable[Candle]) -> Outputs:
    return facts_only(*(CandleChanged(one.end_ns, one) for one in candles))


def eventually(claim: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait until the claim holds, or fail with what it was last."""
    deadline = time.monotonic() + within_s
    while not (seen := claim()):
        assert time.monotonic() < deadline, f"still {seen!r} after {within_s} s"
        time.sleep(0.01)
