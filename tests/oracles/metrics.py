"""Tick metrics by NumPy from the whole list of updates, each time anew, by their definitions.

The list begins after a gap, in continuous trading. Prices are price units, times nanoseconds.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

S = 1_000_000_000
DAY_S = 86_400
INDIA_S = 19_800
SPANS_S = {"ofi_10": 10, "ofi": 30, "ofi_60": 60}
QUOTE = ("mid", "spread", "spread_bps", "spread_ticks", "microprice", "imbalance_w")
LATE_S = 2  # what is told of a moment is here by then


class Update(NamedTuple):
    """What the feed told of one instrument at one moment; the book best level first."""

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
    """Everything one book says; levels best first."""
    bid, ask = np.array(update.bid_price[:5]), np.array(update.ask_price[:5])
    bids = np.where(bid > 0, update.bid_quantity[:5], 0)
    asks = np.where(ask > 0, update.ask_quantity[:5], 0)
    found = dict.fromkeys(QUOTE, np.nan)
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
        "imbalance_30": _deep_balance(update),
        "tbq_tsq": balance(update.total_bid, update.total_ask),
    }


def _deep_balance(update: Update) -> float:
    """Over all levels, where there are more than five."""
    if max(len(update.bid_price), len(update.ask_price)) <= 5:
        return np.nan
    bids = np.array(update.bid_quantity)[np.array(update.bid_price) > 0].sum()
    return balance(bids, np.array(update.ask_quantity)[np.array(update.ask_price) > 0].sum())


def balance(bids: float, asks: float) -> float:
    """(bids - asks) / (bids + asks)."""
    return float((bids - asks) / (bids + asks)) if bids + asks else np.nan


class Told:
    """A list of updates as columns; `at` looks at the first of them as of one moment."""

    def __init__(self, updates: Sequence[Update], tick_size: int, price_scale: int = 100) -> None:
        self.updates = updates
        self.tick_size = tick_size
        self.price_scale = price_scale
        self.times = np.array([u.at_ns for u in updates])
        self.prices = np.array([u.price for u in updates])
        self.volumes = np.maximum.accumulate([u.volume for u in updates])
        self.deltas = np.diff(self.volumes, prepend=self.volumes[0])
        self.averages = np.array([u.average_price for u in updates])
        best = [
            (u.bid_price[0], u.bid_quantity[0], u.ask_price[0], u.ask_quantity[0]) for u in updates
        ]
        self.bid, self.bids, self.ask, self.asks = np.array(best).T
        self.stands = (self.bid > 0) & (self.ask > 0) & (self.ask > self.bid)
        self.mids = np.where(self.stands, (self.bid + self.ask) / 2, np.nan)

    def at(self, count: int, now_ns: int) -> dict[str, float]:
        """Every metric after the first `count` updates, as of the moment."""
        newest = self.updates[count - 1]
        found = quote_metrics(newest, self.tick_size) | self._last_trade(count)
        found["vwap"] = self._vwap(count, now_ns, 300 * S)
        found["vwap_exact"] = self._vwap_exact(count, now_ns, 300 * S)
        is_today = _day(newest.trade_ns) == _day(newest.at_ns) and newest.average_price > 0
        found["vwap_session"] = float(newest.average_price) if is_today else np.nan
        found["vwap_distance"] = newest.price / found["vwap_session"] - 1.0
        for name, seconds in SPANS_S.items():
            found[name] = self._ofi(count, now_ns, seconds * S)
        passed_ns = max(newest.at_ns, now_ns - LATE_S * S)
        found["rv"] = self._rv(count, passed_ns)
        found["realised_spread"] = self._realised(count, passed_ns)
        if not self.stands[count - 1]:
            found |= dict.fromkeys((*SPANS_S, "rv"), np.nan)
        return found

    def _vwap(self, count: int, now_ns: int, span_ns: int) -> float:
        inside = self._inside(count, now_ns, span_ns)
        return _average(self.prices[inside], self.deltas[inside])

    def _inside(self, count: int, now_ns: int, span_ns: int) -> slice:
        """The updates in (now - span, now]."""
        return slice(int(np.searchsorted(self.times[:count], now_ns - span_ns, "right")), count)

    def _vwap_exact(self, count: int, now_ns: int, span_ns: int) -> float:
        before = self._inside(count, now_ns, span_ns).start - 1
        if before < 0:
            return np.nan
        then, now = self._trade_until(before), self._trade_until(count - 1)
        bought = int(self.volumes[now] - self.volumes[then])
        both = int(self.volumes[now] + self.volumes[then])
        tick = self.tick_size / self.price_scale
        if bought <= 0 or 0.005 * both / bought > 0.2 * tick:
            return np.nan
        if min(self.averages[now], self.averages[then]) <= 0:
            return np.nan
        value = [int(self.averages[i]) * int(self.volumes[i]) for i in (now, then)]
        return (value[0] - value[1]) / bought

    def _trade_until(self, index: int) -> int:
        """The update of the last trade up to this one, or the first of all."""
        traded = np.flatnonzero(self.deltas[: index + 1] > 0)
        return int(traded[-1]) if len(traded) else 0

    @cached_property
    def signs(self) -> NDArray[np.int64]:
        """Of every update with a trade: quote rule, else the last change of price; else 0."""
        traded = np.flatnonzero(self.deltas > 0)
        path = np.concatenate([self.prices[:1], self.prices[traded]])
        ways = np.sign(np.diff(path))
        filled = np.maximum.accumulate(np.where(ways != 0, np.arange(len(ways)), -1))
        by_tick = np.where(filled >= 0, ways[filled], 0)
        price, stands = self.prices[traded], self.stands[traded]
        signs = np.where(stands & (price <= self.bid[traded]), -1, by_tick)
        found = np.zeros(len(self.prices), np.int64)
        found[traded] = np.where(stands & (price >= self.ask[traded]), 1, signs)
        return found

    def _last_trade(self, count: int) -> dict[str, float]:
        traded = np.flatnonzero(self.deltas[:count] > 0)
        names = ("tick_return", "log_return", "trade_sign", "effective_spread")
        if not len(traded):
            return dict.fromkeys(names, np.nan)
        last = traded[-1]
        before = self.prices[traded[-2]] if len(traded) > 1 else self.prices[0]
        ratio = self.prices[last] / before
        return dict(
            zip(
                names,
                (ratio - 1, np.log(ratio), self.signs[last], self._cost(last, self.mids[last])),
                strict=True,
            )
        )

    def _cost(self, trade: int, mid: float) -> float:
        sign = self.signs[trade]
        if sign == 0:
            return np.nan
        return float(1e4 * 2 * sign * (self.prices[trade] - mid) / self.mids[trade])

    def _realised(self, count: int, passed_ns: int) -> float:
        """Of the newest trade whose thirty seconds are over, among those whose side is known."""
        known = (self.deltas[:count] > 0) & (self.signs[:count] != 0) & self.stands[:count]
        over = np.flatnonzero(known & (self.times[:count] + 30 * S < passed_ns))
        if not len(over):
            return np.nan
        later_ns = self.times[over[-1]] + 30 * S
        then = int(np.searchsorted(self.times[:count], later_ns, "right")) - 1
        return self._cost(int(over[-1]), float(self.mids[then]))

    def _rv(self, count: int, passed_ns: int) -> float:
        standing = np.flatnonzero(self.stands[:count])
        if not len(standing):
            return np.nan
        times, mids = self.times[standing], self.mids[standing]
        moments = np.arange(-(-times[0] // (5 * S)) * 5 * S, passed_ns, 5 * S)[-61:]
        if len(moments) < 61:
            return np.nan
        read = mids[np.searchsorted(times, moments, "right") - 1]
        returns = np.diff(np.log(read))
        return float(1e4 * np.sqrt(np.sum(returns**2)) * np.sqrt(60 / 300))

    @cached_property
    def flow(self) -> tuple[NDArray[Any], ...]:
        """Place, flow and depth of every change of a standing quote; which was the first."""
        standing = np.flatnonzero(self.stands)
        b, qb, a, qa = (c[self.stands] for c in (self.bid, self.bids, self.ask, self.asks))
        e = (b[1:] >= b[:-1]) * qb[1:] - (b[1:] <= b[:-1]) * qb[:-1]
        e = e - (a[1:] <= a[:-1]) * qa[1:] + (a[1:] >= a[:-1]) * qa[:-1]
        book = np.stack([b, qb, a, qa])
        changed = (book[:, 1:] != book[:, :-1]).any(axis=0)
        return standing[1:][changed], e[changed], ((qb + qa) / 2)[1:][changed], standing[:1]

    def _ofi(self, count: int, now_ns: int, span_ns: int) -> float:
        place, flow, depth, first = self.flow
        inside = (self.times[place] > now_ns - span_ns) & (place < count)
        if not len(first) or self.times[first[0]] > now_ns - span_ns or not depth[inside].sum():
            return np.nan
        return float(flow[inside].sum() / depth[inside].mean())


def _day(at_ns: int) -> int:
    return (at_ns // S + INDIA_S) // DAY_S


def _average(values: Any, weights: Any) -> float:
    return float(np.average(values, weights=weights)) if np.sum(weights) else np.nan
