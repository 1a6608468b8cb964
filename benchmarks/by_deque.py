"""The tick metrics as one would write them by hand: deques and running sums, a tick at a time.

Definitions as in docs/reference/tick-metrics.md; shares nothing with the program. Prices are in
whichever unit the ticks tell them, `price_scale` of it to the rupee.
"""

import math
from collections import deque
from typing import NamedTuple

S = 1_000_000_000
NAN = math.nan


class Tick(NamedTuple):
    """One update of an instrument that trades continuously; five levels a side."""

    at_ns: int
    price: float
    volume: int
    average: float
    bids: tuple[tuple[float, int], ...]
    asks: tuple[tuple[float, int], ...]
    total_bid: float
    total_ask: float


class Flow:
    """Order-flow imbalance of one span."""

    def __init__(self, span_ns: int) -> None:
        self.span_ns = span_ns
        self.kept: deque[tuple[int, int, int]] = deque()
        self.net = self.depth = 0

    def add(self, at_ns: int, net: int, depth: int) -> None:
        self.kept.append((at_ns, net, depth))
        self.net += net
        self.depth += depth

    def value(self, now_ns: int, since_ns: int | None) -> float:
        kept = self.kept
        while kept and kept[0][0] <= now_ns - self.span_ns:
            _, net, depth = kept.popleft()
            self.net -= net
            self.depth -= depth
        if since_ns is None or since_ns > now_ns - self.span_ns or not self.depth:
            return NAN
        return self.net / (self.depth / (2 * len(kept)))


class DequeMetrics:
    """All metrics of one instrument."""

    def __init__(self, tick_size: float, price_scale: int = 100) -> None:
        self.tick_size = tick_size
        self.price_scale = price_scale
        self.window: deque[Tick] = deque(maxlen=300)
        self.started_ns: int | None = None
        self.base_price: float = 0
        self.base_volume = self.direction = 0
        self.trades: deque[tuple[int, float, int, tuple[float, int]]] = deque()
        self.value: float = 0
        self.traded = 0
        self.now: tuple[float, int] = (0, 0)
        self.then: tuple[float, int] = (0, 0)
        self.quote: tuple[float, int, float, int] | None = None
        self.since_ns: int | None = None
        self.flows = {"ofi_10": Flow(10 * S), "ofi": Flow(30 * S), "ofi_60": Flow(60 * S)}
        self.next_ns = 0
        self.last_mid = self.read_mid = 0.0
        self.squares: deque[float] = deque(maxlen=60)
        self.waiting: deque[tuple[int, int, float, float]] = deque()
        self.mid = NAN
        self.values: dict[str, float] = {}

    def update(self, tick: Tick) -> dict[str, float]:
        """Take one update; every metric after it."""
        values = self.values
        self.settle(tick.at_ns, values)
        self.book(tick, values)
        self.trade(tick, values)
        self.follow(tick, values)
        self.window.append(tick)
        return values

    def book(self, tick: Tick, values: dict[str, float]) -> None:
        (bid, bids), (ask, asks) = tick.bids[0], tick.asks[0]
        stands = 0 < bid < ask
        mid = self.mid = (bid + ask) / 2 if stands else NAN
        spread = ask - bid if stands else NAN
        values["mid"] = mid
        values["spread"] = spread
        values["spread_bps"] = 1e4 * spread / mid
        values["spread_ticks"] = spread / self.tick_size
        both = bids + asks
        values["microprice"] = (bid * asks + ask * bids) / both if stands and both else NAN
        near_bids = sum(
            math.exp(-0.5 * abs(mid - p) / self.tick_size) * q for p, q in tick.bids if p
        )
        near_asks = sum(
            math.exp(-0.5 * abs(p - mid) / self.tick_size) * q for p, q in tick.asks if p
        )
        values["imbalance_w"] = balance(near_bids, near_asks)
        values["imbalance_1"] = balance(bids if bid else 0, asks if ask else 0)
        values["imbalance"] = balance(
            sum(q for p, q in tick.bids if p), sum(q for p, q in tick.asks if p)
        )
        values["imbalance_30"] = NAN
        values["tbq_tsq"] = balance(tick.total_bid, tick.total_ask)

    def trade(self, tick: Tick, values: dict[str, float]) -> None:
        if self.started_ns is None:
            self.started_ns = tick.at_ns
            self.base_price, self.base_volume = tick.price, tick.volume
            self.now = self.then = (tick.average * tick.volume, tick.volume)
        bought = tick.volume - self.base_volume
        if bought > 0:
            self.print(tick, bought, values)
        after_ns = tick.at_ns - 300 * S
        while self.trades and self.trades[0][0] <= after_ns:
            _, value, volume, self.then = self.trades.popleft()
            self.value -= value
            self.traded -= volume
        values["vwap"] = self.value / self.traded if self.traded else NAN
        values["vwap_exact"] = self.exact() if self.started_ns <= after_ns else NAN
        values["vwap_session"] = tick.average or NAN
        values["vwap_distance"] = tick.price / tick.average - 1 if tick.average else NAN

    def print(self, tick: Tick, bought: int, values: dict[str, float]) -> None:
        before, self.base_price, self.base_volume = self.base_price, tick.price, tick.volume
        if tick.price != before:
            self.direction = 1 if tick.price > before else -1
        values["tick_return"] = tick.price / before - 1
        values["log_return"] = math.log(tick.price / before)
        sign, stands = self.direction, not math.isnan(self.mid)
        if stands and tick.price >= tick.asks[0][0]:
            sign = 1
        elif stands and tick.price <= tick.bids[0][0]:
            sign = -1
        values["trade_sign"] = sign
        cost = 2e4 * sign * (tick.price - self.mid) / self.mid
        values["effective_spread"] = cost if sign else NAN
        if sign and stands:
            self.waiting.append((tick.at_ns, sign, tick.price, self.mid))
        self.now = tick.average * tick.volume, tick.volume
        self.trades.append((tick.at_ns, tick.price * bought, bought, self.now))
        self.value += tick.price * bought
        self.traded += bought

    def exact(self) -> float:
        volume = self.now[1] - self.then[1]
        if not volume:
            return NAN
        error = 0.005 * self.price_scale * (self.now[1] + self.then[1]) / volume
        return (self.now[0] - self.then[0]) / volume if error <= 0.2 * self.tick_size else NAN

    def follow(self, tick: Tick, values: dict[str, float]) -> None:
        stands = not math.isnan(self.mid)
        if stands:
            (bid, bids), (ask, asks) = tick.bids[0], tick.asks[0]
            quote = bid, bids, ask, asks
            if self.quote is None:
                self.since_ns = tick.at_ns
                self.next_ns = -(-tick.at_ns // (5 * S)) * 5 * S
            elif quote != self.quote:
                b, qb, a, qa = self.quote
                net = (bid >= b) * bids - (bid <= b) * qb - (ask <= a) * asks + (ask >= a) * qa
                for flow in self.flows.values():
                    flow.add(tick.at_ns, net, bids + asks)
            self.quote, self.last_mid = quote, self.mid
        for name, flow in self.flows.items():
            value = flow.value(tick.at_ns, self.since_ns)
            values[name] = value if stands else NAN
        total = sum(self.squares) if stands and len(self.squares) == 60 else NAN
        values["rv"] = 1e4 * math.sqrt(total) * math.sqrt(60 / 300)

    def settle(self, until_ns: int, values: dict[str, float]) -> None:
        while self.waiting and self.waiting[0][0] + 30 * S < until_ns:
            _, sign, price, mid = self.waiting.popleft()
            values["realised_spread"] = 2e4 * sign * (price - self.mid) / mid
        while self.next_ns and self.next_ns < until_ns:
            if self.read_mid:
                self.squares.append(math.log(self.last_mid / self.read_mid) ** 2)
            self.read_mid = self.last_mid
            self.next_ns += 5 * S


def balance(bids: float, asks: float) -> float:
    """Bids minus asks over their sum."""
    return (bids - asks) / (bids + asks) if bids + asks else NAN
