"""Candles by pandas: an independent resample of every trade, anchored at the session's open."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd


class Trade(NamedTuple):
    """One execution: nanoseconds, price units, shares."""

    at_ns: int
    price: int
    size: int


class Ohlcv(NamedTuple):
    """The numbers of one candle."""

    start_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int


def resample(trades: Sequence[Trade], minutes: int, open_ns: int, close_ns: int) -> list[Ohlcv]:
    """Candles of the trades inside [open, close), by start; none where nothing traded."""
    frame = pd.DataFrame(
        {"price": [t.price for t in trades], "size": [t.size for t in trades]},
        index=pd.to_datetime([t.at_ns for t in trades]),
    )
    first, last = pd.Timestamp(open_ns), pd.Timestamp(close_ns)
    frame = frame[(frame.index >= first) & (frame.index < last)]
    if frame.empty:
        return []
    bins = frame.resample(f"{minutes}min", origin=first, label="left", closed="left")
    joined = bins["price"].ohlc().join(bins["size"].sum().rename("volume")).dropna()
    return [
        Ohlcv(int(pd.Timestamp(start).value), *(int(value) for value in row))
        for start, row in zip(joined.index, joined.to_numpy(), strict=True)
    ]
