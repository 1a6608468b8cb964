"""Candles for the analytics tests: made up by a seed, or read from the recorded data."""

import csv
import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ticktick.domain.clock import NS_PER_MINUTE, ist_day_number, parse_iso_ns
from ticktick.domain.market import Candle

OPEN_NS = parse_iso_ns("2026-11-16T09:15:00+05:30")
DAY_MINUTES = 375


def walk(count: int, seed: int = 1, step: float = 8.0) -> list[Candle]:
    """Minutes of a random walk on the tick grid, 375 a day, Monday to Sunday alike."""
    rng = np.random.default_rng(seed)
    close = np.round(np.cumsum(rng.normal(0, step, count)) + 100_000).astype(int)
    opened = np.concatenate([close[:1], close[:-1]]) + rng.integers(-2, 3, count)
    high = np.maximum(opened, close) + rng.integers(0, 9, count)
    low = np.minimum(opened, close) - rng.integers(0, 9, count)
    volume = rng.integers(0, 500, count)
    rows = zip(*(c.tolist() for c in (opened, high, low, close, volume)), strict=True)
    return [minute(place, *row) for place, row in enumerate(rows)]


def flat(count: int, price: int = 100_000, volume: int = 0) -> list[Candle]:
    """Minutes in which nothing moves, as of a stock locked at its circuit."""
    return [minute(place, price, price, price, price, volume) for place in range(count)]


def minute(place: int, opened: int, high: int, low: int, close: int, volume: int) -> Candle:
    """The minute at a place of the walk."""
    day, of_day = divmod(place, DAY_MINUTES)
    start_ns = OPEN_NS + (day * 24 * 60 + of_day) * NS_PER_MINUTE
    return Candle("ACME", 1, start_ns, opened, high, low, close, volume)


def split(candles: Sequence[Candle], at: int, parts: float) -> list[Candle]:
    """The candles as a split that nobody told of leaves them."""
    return [
        each
        if place < at
        else replace(
            each,
            open=round(each.open / parts),
            high=round(each.high / parts) + 1,
            low=round(each.low / parts) - 1,
            close=round(each.close / parts),
        )
        for place, each in enumerate(candles)
    ]


def kite(path: Path) -> list[Candle]:
    """A file of one-minute candles with rupees, as `Date,open,high,low,close,volume`."""
    with gzip.open(path, "rt") as file:
        return [_kite_candle(path.name.partition(".")[0], row) for row in csv.DictReader(file)]


def _kite_candle(symbol: str, row: dict[str, str]) -> Candle:
    start_ns = parse_iso_ns(row.get("Date") or row["date"])
    first, high, low, last = (
        round(float(row[name]) * 100) for name in ("open", "high", "low", "close")
    )
    return Candle(symbol, 1, start_ns, first, high, low, last, int(float(row["volume"])))


def column(candles: Sequence[Candle], of: Callable[[Candle], int]) -> NDArray[np.float64]:
    """One number of each candle."""
    return np.array([of(candle) for candle in candles], np.float64)


def prices(candles: Sequence[Candle]) -> tuple[NDArray[np.float64], ...]:
    """High, low, close and volume."""
    return (
        column(candles, lambda c: c.high),
        column(candles, lambda c: c.low),
        column(candles, lambda c: c.close),
        column(candles, lambda c: c.volume),
    )


def days(candles: Sequence[Candle]) -> NDArray[np.int64]:
    """The day in India of each candle."""
    return np.array([ist_day_number(candle.start_ns) for candle in candles])
