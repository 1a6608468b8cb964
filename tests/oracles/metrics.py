"""Tick metrics by NumPy from the whole list of updates, each time anew."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Update(NamedTuple):
    """What the feed told of one instrument at one moment; sizes of the book best level first."""

    at_ns: int
    price: int
    trade_ns: int
    volume: int
    bid_price: Sequence[int]
    bid_quantity: Sequence[int]
    ask_price: Sequence[int]
    ask_quantity: Sequence[int]
    average_price: int = 0


def mid_and_spread(update: Update) -> tuple[float, float]:
    """Middle and width of a standing quote."""
    bid, ask = update.bid_price[0], update.ask_price[0]
    stands = bid > 0 and ask > 0 and ask > bid
    return (float(np.mean([bid, ask])), float(ask - bid)) if stands else (np.nan, np.nan)


def imbalance(update: Update) -> float:
    """(bids - asks) / (bids + asks) over the levels that hold a price."""
    bids = np.dot(np.array(update.bid_price) > 0, update.bid_quantity)
    asks = np.dot(np.array(update.ask_price) > 0, update.ask_quantity)
    return float((bids - asks) / (bids + asks)) if bids + asks else np.nan


def volume_deltas(updates: Sequence[Update]) -> NDArray[np.int64]:
    """Shares traded with each update; volume never falls here, and the first update is the base."""
    return np.diff([u.volume for u in updates], prepend=updates[0].volume)


def vwap(updates: Sequence[Update], now_ns: int, window_ns: int) -> float:
    """sum(p*dv)/sum(dv) over updates in (now - window, now]."""
    times = np.array([u.at_ns for u in updates])
    inside = (times > now_ns - window_ns) & (times <= now_ns)
    deltas = volume_deltas(updates)[inside]
    prices = np.array([u.price for u in updates])[inside]
    return float(np.average(prices, weights=deltas)) if deltas.sum() else np.nan


def tick_return(updates: Sequence[Update]) -> float:
    """The latest trade against the one before it; the base counts as a trade."""
    deltas = volume_deltas(updates)
    prices = [u.price for u, delta in zip(updates, deltas, strict=True) if delta > 0]
    return _last_change([updates[0].price, *prices])


def _last_change(prices: Sequence[int]) -> float:
    return prices[-1] / prices[-2] - 1.0 if len(prices) > 1 else np.nan
