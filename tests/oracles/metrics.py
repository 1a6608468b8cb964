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
    total_bid: int = 0
    total_ask: int = 0


def quote_metrics(update: Update, tick_size: int) -> dict[str, float]:
    """Everything one book says; price and quantity of each side as arrays, levels best first."""
    bid, ask = np.array(update.bid_price), np.array(update.ask_price)
    bids = np.where(bid > 0, update.bid_quantity, 0)
    asks = np.where(ask > 0, update.ask_quantity, 0)
    names = ("mid", "spread", "spread_bps", "spread_ticks", "microprice", "imbalance_w")
    found = dict.fromkeys(names, np.nan)
    if bid[0] > 0 and ask[0] > 0 and ask[0] > bid[0]:
        mid = float(np.mean([bid[0], ask[0]]))
        width = float(ask[0] - bid[0])
        near = [np.exp(-0.5 * np.abs(side - mid) / tick_size) for side in (bid, ask)]
        found |= {
            "mid": mid,
            "spread": width,
            "spread_bps": 1e4 * width / mid,
            "spread_ticks": width / tick_size,
            "microprice": _average([bid[0], ask[0]], [asks[0], bids[0]]),
            "imbalance_w": balance(float(near[0] @ bids), float(near[1] @ asks)),
        }
    return found | {
        "imbalance": balance(bids.sum(), asks.sum()),
        "imbalance_1": balance(bids[0], asks[0]),
        "tbq_tsq": balance(update.total_bid, update.total_ask),
    }


def balance(bids: float, asks: float) -> float:
    """(bids - asks) / (bids + asks)."""
    return float((bids - asks) / (bids + asks)) if bids + asks else np.nan


def _average(values: Sequence[float], weights: Sequence[float]) -> float:
    return float(np.average(values, weights=weights)) if sum(weights) else np.nan


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
