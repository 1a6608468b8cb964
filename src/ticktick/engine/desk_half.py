"""The half that decides: it hears the market half's facts and owns what is acted upon."""

from collections.abc import Iterable, Sequence

from ticktick.domain.event import CandleChanged, Fact
from ticktick.domain.market import CandleState

_SETTLED = frozenset({CandleState.FINAL, CandleState.BACKFILLED})


class DeskHalf:
    """Hears every fact of the market half and answers with facts of its own.

    Decisions rest on settled candles alone, so those are what it counts: `settled_candles` by
    timeframe in minutes. It has nothing to answer yet.
    """

    def __init__(self) -> None:
        self.settled_candles: dict[int, int] = {}

    def hear(self, facts: Iterable[Fact]) -> Sequence[Fact]:
        """Take the market half's facts of one event; return what the desk adds to them."""
        for fact in facts:
            if isinstance(fact, CandleChanged) and fact.candle.state in _SETTLED:
                minutes = fact.candle.minutes
                self.settled_candles[minutes] = self.settled_candles.get(minutes, 0) + 1
        return ()
