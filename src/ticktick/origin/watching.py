"""The task that looks whether the feed tells the truth by silence, and asks the broker if not."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

import numpy as np

from ticktick.brokers.upstox.quotes import quote_of
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import Quote, QuotesRead
from ticktick.domain.instrument import Instrument, Kind
from ticktick.engine.market_half import MarketHalf
from ticktick.engine.runner import Runner
from ticktick.errors import BrokerError
from ticktick.origin.liveness import Liveness, Seen, Sight

_LOOK_S: Final = 0.5
_FAILED_PAUSE_S: Final = 10.0

_log = logging.getLogger(__name__)


class RatedClock(Protocol):
    """Market time and how many seconds of it pass in a real one."""

    @property
    def rate(self) -> float: ...

    def now_ns(self) -> int:
        """Market time."""
        ...


class Feed(Protocol):
    """The connection, as far as its silence matters."""

    @property
    def open_s(self) -> float | None: ...
    @property
    def cause(self) -> str: ...

    def hang_up(self, cause: str, reason: str) -> None:
        """End the connection and make a new one."""
        ...

    def ask_again(self, keys: Sequence[str]) -> None:
        """Subscribe to keys that the feed seems to have left out."""
        ...


class Watching:
    """Looks twice a second; what the broker answers is an event for the engine too."""

    def __init__(
        self,
        rest: UpstoxRest,
        clock: RatedClock,
        feed: Feed,
        instruments: Callable[[], Sequence[Instrument]],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rest = rest
        self._clock = clock
        self._feed = feed
        self._instruments = instruments
        self._clock_s = clock_s
        self._liveness: Liveness | None = None
        self._again_s = 0.0

    async def run(self, runner: Runner) -> None:
        """Look, for ever."""
        while True:
            await asyncio.sleep(_LOOK_S)
            await self.look(runner)

    async def look(self, runner: Runner) -> None:
        """Ask the broker for quotes if something makes it necessary, and act on the answer."""
        limit_ns = runner.market.quiet_limit_ns
        liveness = self._liveness = self._liveness or Liveness(limit_ns)
        ask = liveness.wish(self._sight(runner))
        if ask is None or self._clock_s() < self._again_s:
            return
        wanted = [one for one in self._instruments() if one.symbol in ask.symbols]
        quotes = await self._quotes(wanted)
        if quotes is None:
            self._again_s = self._clock_s() + _FAILED_PAUSE_S
            return
        await runner.put(QuotesRead(self._clock.now_ns(), tuple(quotes)))
        verdict = liveness.learn(ask, quotes, self._sight(runner))
        if verdict.hang_up:
            self._feed.hang_up("silent", verdict.hang_up)
        left_out = [one.instrument_key for one in wanted if one.symbol in verdict.left_out]
        if left_out:
            self._feed.ask_again(left_out)

    async def _quotes(self, instruments: Sequence[Instrument]) -> list[Quote] | None:
        """What the broker quotes; None if it does not answer."""
        try:
            told = await self._rest.quotes([one.instrument_key for one in instruments])
        except BrokerError as error:
            _log.info("quotes could not be read: %s", error)
            return None
        pairs = ((told.get(one.instrument_key), one) for one in instruments)
        quotes = (quote_of(quote, one) for quote, one in pairs if quote is not None)
        return [quote for quote in quotes if quote is not None]

    def _sight(self, runner: Runner) -> Sight:
        now_ns, rate, open_s = self._clock.now_ns(), self._clock.rate, self._feed.open_s
        return Sight(
            now_ns=now_ns,
            now_s=self._clock_s(),
            rate=rate,
            opened_ns=None if open_s is None else now_ns - round(open_s * rate * NS_PER_S),
            cause=self._feed.cause,
            behind_s=runner.behind_s,
            seen=tuple(_seen(runner.market, self._instruments())),
        )


def _seen(market: MarketHalf, instruments: Sequence[Instrument]) -> Iterator[Seen]:
    """What the engine knows of each instrument."""
    row_of_symbol = market.table.row_of_symbol
    known = [one for one in instruments if one.symbol in row_of_symbol]
    rows = np.array([row_of_symbol[one.symbol] for one in known], np.intp)
    records = market.table.records
    told_ns = np.minimum(records["exchange_ns"][rows], records["received_ns"][rows])
    columns = zip(
        known,
        told_ns.tolist(),
        records["last_trade_ns"][rows].tolist(),
        records["volume"][rows].tolist(),
        records["last_price"][rows].tolist(),
        market.continuous[rows].tolist(),
        strict=True,
    )
    for one, told, traded, volume, price, trades in columns:
        turnover = volume * price // one.price_scale
        yield Seen(one.symbol, told, traded, turnover, bool(trades), one.kind is Kind.INDEX)
