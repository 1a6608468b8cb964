"""What one browser's chart draws over its candles, kept equal to what the analytics say.

The whole series is made from the stored candles away from the event loop; afterwards each settled
candle is one row, and the first candle that is not settled yet a peek. Whatever else the analytics
tell - they began anew after a correction, or were not there yet - makes the series whole again.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import msgspec

from ticktick.analytics.catalogue import UNITS
from ticktick.domain.analysis import Reading
from ticktick.domain.event import CandleChanged, Fact, IndicatorsRead
from ticktick.domain.instrument import Instrument
from ticktick.domain.market import Candle, CandleState
from ticktick.web.live import LiveAnalysis, unsettled
from ticktick.web.chart import SeriesRow, SeriesUpdate, Studies
from ticktick.web.series import Made, Wish, make, row_of
from ticktick.web.status import LiveMarket

PEEK_EVERY_S: Final = 0.25
_REPAIRED: Final = frozenset({CandleState.BACKFILLED, CandleState.MISSING})

Told = tuple[str, bytes]
"""An envelope's type and data."""


def is_known(studies: Studies) -> bool:
    """Whether every name is one that is published, none twice."""
    return len(set(studies.names)) == len(studies.names) and UNITS.keys() >= set(studies.names)


class Overlays:
    """The sender's side of one chart's overlays.

    `look_at` and `want` say what is wanted, `hear` what settled; where `job` gives work its
    answer is delivered, and `messages` is what to send.
    """

    def __init__(self, market: LiveMarket, analysis: LiveAnalysis) -> None:
        self._market = market
        self._analysis = analysis
        self._wish: Wish | None = None
        self._studies = Studies((), patterns=False)
        self._is_due = False
        self._follows = False
        self._newest = (0, 0)  # start and bars of the reading that was told last
        self._waiting: list[Told] = []
        self._peeked: tuple[Candle | None, int] = (None, 0)
        self._peek_due_s = 0.0

    def look_at(self, symbol: str, minutes: int) -> None:
        """The chart shows this symbol and timeframe, from its beginning."""
        self._begin(Wish(symbol, minutes, self._studies))

    def look_away(self) -> None:
        """The chart shows nothing."""
        self._begin(None)

    def want(self, studies: Studies) -> None:
        """Draw these over the chart from now on."""
        self._studies = studies
        if self._wish is not None:
            self._begin(self._wish._replace(studies=studies))

    def hear(self, facts: Iterable[Fact]) -> None:
        """Take what settled candles say; only the viewed chart's is kept."""
        if self._wish is None or self._is_due:
            return
        for fact in facts:
            match fact:
                case CandleChanged(candle=candle) if self._shows(candle):
                    self._doubt(candle)
                case IndicatorsRead(reading=reading) if self._shows(reading):
                    self._take(reading)

    def job(self) -> Callable[[], Made] | None:
        """How to make the series that is owed; it may run in another thread. None: nothing is."""
        wish = self._wish
        instrument = None if wish is None else self._instrument(wish.symbol)
        if wish is None or not self._is_due or instrument is None:
            return None
        self._is_due = False
        reading = self._analysis.reading(wish.symbol, wish.minutes)
        self._newest = (0, 0) if reading is None else (reading.start_ns, reading.bars)
        patterns = self._analysis.patterns(wish.symbol, wish.minutes)
        candles = tuple(self._market.candles(wish.symbol, wish.minutes))
        return partial(
            make,
            wish,
            candles,
            reading,
            tuple(patterns),
            has_volume=instrument.has_volume,
            volumes=self._analysis.volumes(wish.symbol) if "rvol" in wish.studies.names else None,
        )

    def deliver(self, made: Made) -> None:
        """Take the answer of a job; of one that is not wanted any more nothing is told."""
        if made.wish == self._wish and not self._is_due:
            self._waiting.insert(0, ("series", made.data))
            self._follows = True

    def messages(self, now_s: float) -> list[Told]:
        """What to send now; `now_s` is any steady counter."""
        if not self._follows:
            return []
        told, self._waiting = self._waiting, []
        return told + self._peek(now_s, is_due=bool(told))

    def _shows(self, what: Candle | Reading) -> bool:
        wish = self._wish
        return wish is not None and (what.symbol, what.minutes) == (wish.symbol, wish.minutes)

    def _doubt(self, candle: Candle) -> None:
        """Let the next reading stand for a new history if the candle changed the known one."""
        is_changed = candle.revision > 0 or candle.state in _REPAIRED
        if is_changed and candle.start_ns <= self._newest[0]:
            self._newest = (0, 0)

    def _take(self, reading: Reading) -> None:
        newest_ns, bars = self._newest
        if self._wish is None or reading.start_ns <= newest_ns or reading.bars != bars + 1:
            return self._begin(self._wish)
        self._newest = (reading.start_ns, reading.bars)
        self._waiting.append(self._update(row_of(reading, self._wish.studies.names), None))
        return None

    def _begin(self, wish: Wish | None) -> None:
        self._wish = wish
        self._is_due = wish is not None and bool(wish.studies.names or wish.studies.patterns)
        self._follows = False
        self._waiting = []
        self._peeked = (None, 0)

    def _peek(self, now_s: float, *, is_due: bool) -> list[Told]:
        """The indicators as the next candle forms, when they changed."""
        wish = self._wish
        if wish is None or not wish.studies.names or (now_s < self._peek_due_s and not is_due):
            return []
        candle = unsettled(self._market, wish.symbol, wish.minutes, self._newest[0])
        peeked = (candle, self._newest[1])
        if peeked == self._peeked:
            return []
        self._peeked = peeked
        self._peek_due_s = now_s + PEEK_EVERY_S
        reading = None if candle is None else self._analysis.peek(candle)
        row = None if reading is None else row_of(reading, wish.studies.names)
        return [self._update(None, row)]

    def _update(self, settled: SeriesRow | None, forming: SeriesRow | None) -> Told:
        if self._wish is None:
            raise ValueError("nothing is looked at")
        update = SeriesUpdate(self._wish.symbol, self._wish.minutes, settled, forming)
        return "reading", msgspec.json.encode(update)

    def _instrument(self, symbol: str) -> Instrument | None:
        """The viewed instrument; None once it is followed no more."""
        table = self._market.table
        row = table.row_of_symbol.get(symbol)
        return None if row is None else table.instruments[row]
