"""What the web reads of the engine's analytics."""

from typing import Final, Protocol

from ticktick.analytics.volumes import SessionVolumes
from ticktick.domain.analysis import Reading
from ticktick.domain.market import Candle, CandleState
from ticktick.web.news import LivePatterns
from ticktick.web.status import LiveMarket

SETTLED: Final = frozenset({CandleState.FINAL, CandleState.BACKFILLED})


class LiveAnalysis(LivePatterns, Protocol):
    """What the web reads of the engine's analytics."""

    def volumes(self, symbol: str) -> SessionVolumes | None:
        """What the symbol trades by a time of day, as it is now; None where nothing is known."""
        ...

    def peek(self, candle: Candle) -> Reading | None:
        """The indicators as if the forming candle ended as it stands."""
        ...


def unsettled(market: LiveMarket, symbol: str, minutes: int, read_ns: int) -> Candle | None:
    """The candle after the one that was read last; None where one in between was not read.

    Before the running candle comes a closed one that nobody checked yet: a value of the running
    one would leave it out.
    """
    first = market.forming(symbol, minutes)
    for candle in reversed(market.candles(symbol, minutes)):
        if candle.state in SETTLED:
            return first if candle.start_ns == read_ns else None
        if candle.state is CandleState.PROVISIONAL:
            first = candle
    return None
