"""How fast market time passes: by a clock with a rate, or as fast as the listeners read."""

import asyncio
from collections.abc import Callable
from typing import Final

from ticktick.domain.clock import NS_PER_S, MarketClock
from ticktick.emulator.exchange import Exchange

_LONGEST_WAIT_S = 0.05
_SHORTEST_WAIT_S = 0.004
_MARKET_PER_WAIT_S = 0.06
_CHUNK_NS: Final = NS_PER_S
_MEASURE_NS: Final = NS_PER_S // 2


class Pace:
    """The market's clock; `rate` None means as fast as possible.

    As fast as possible, the market stands still until somebody subscribes, and the clock shows
    the rate measured last.
    """

    def __init__(self, start_ns: int, rate: float | None, monotonic_ns: Callable[[], int]) -> None:
        self._monotonic_ns = monotonic_ns
        self._flat_out = rate is None
        self._clock = MarketClock(start_ns, 0.0 if rate is None else rate, monotonic_ns)
        self._measured_ns = (start_ns, monotonic_ns())

    @property
    def rate(self) -> float:
        """Market seconds per real second."""
        return self._clock.rate

    def real_ns(self) -> int:
        """Real time on a counter that never steps back."""
        return self._monotonic_ns()

    def now_ns(self, exchange: Exchange) -> int:
        """Market time now."""
        return exchange.now_ns if self._flat_out else self._clock.now_ns()

    def set(self, now_ns: int, rate: float) -> None:
        """Take over a time and a rate; flat out ends with it."""
        self._flat_out = False
        self._clock.set(now_ns, rate)

    def next_target_ns(self, exchange: Exchange) -> int:
        """The moment to which the market runs next: a second of it, or until something happens."""
        now_ns, next_ns = exchange.now_ns, exchange.source.next_ns()
        farthest_ns = max(now_ns + _CHUNK_NS, next_ns or 0)
        if not self._flat_out:
            return min(self._clock.now_ns(), farthest_ns)
        if not exchange.has_listeners:
            return now_ns
        if next_ns is None:
            self.set(now_ns, 1.0)
            return now_ns
        return farthest_ns

    def reached(self, exchange: Exchange) -> None:
        """Measure the rate of a market that runs flat out."""
        if not self._flat_out:
            return
        market_ns, real_ns = self._measured_ns
        passed_ns = self._monotonic_ns() - real_ns
        if passed_ns >= _MEASURE_NS:
            self._clock.set(exchange.now_ns, (exchange.now_ns - market_ns) / passed_ns)
            self._measured_ns = (exchange.now_ns, self._monotonic_ns())

    async def wait(self, exchange: Exchange) -> None:
        """Sleep until a part of a step has passed; flat out, only let others run."""
        if self._flat_out:
            await asyncio.sleep(0.0 if exchange.has_listeners else _LONGEST_WAIT_S)
            return
        if self._clock.now_ns() - exchange.now_ns >= _CHUNK_NS:
            await asyncio.sleep(0.0)  # behind its clock: catch up
            return
        wish_s = _MARKET_PER_WAIT_S / self.rate if self.rate > 0 else _LONGEST_WAIT_S
        await asyncio.sleep(min(max(wish_s, _SHORTEST_WAIT_S), _LONGEST_WAIT_S))
