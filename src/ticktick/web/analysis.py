"""The routes that tell what candles say: indicators and candlestick patterns."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Protocol

from fastapi import HTTPException

from ticktick.analytics.plain import plain_pattern, plain_reading
from ticktick.domain.analysis import Pattern, Reading
from ticktick.domain.clock import ist_day_number
from ticktick.domain.market import TIMEFRAMES, Candle
from ticktick.web.bodies import IndicatorsAnswer, PatternsAnswer
from ticktick.web.overview import Overview
from ticktick.web.status import watched_rows


class LiveAnalysis(Protocol):
    """What the web reads of the engine's analytics."""

    def reading(self, symbol: str, minutes: int) -> Reading | None:
        """The indicators after the newest settled candle."""
        ...

    def patterns(self, symbol: str, minutes: int) -> Sequence[Pattern]:
        """The newest patterns, oldest first."""
        ...

    def judged(self, pattern: Pattern) -> bool | None:
        """Whether the candle after the pattern confirmed it; None while there is none."""
        ...

    def peek(self, candle: Candle) -> Reading | None:
        """The indicators as if the forming candle ended as it stands."""
        ...


class Analysis:
    """The handlers; what they may assume was checked by the guard before."""

    def __init__(self, overview: Overview, analysis: LiveAnalysis) -> None:
        self._overview = overview
        self._market = overview.market
        self._analysis = analysis

    async def indicators(self, symbol: str) -> IndicatorsAnswer:
        """Every indicator of each timeframe, after the newest settled candle and as it forms.

        Prices in rupees; null is not ready.
        """
        scale = self._scale(symbol)
        settled = [self._analysis.reading(symbol, minutes) for minutes in TIMEFRAMES]
        forming = [self._market.forming(symbol, minutes) for minutes in TIMEFRAMES]
        peeked = [None if candle is None else self._analysis.peek(candle) for candle in forming]
        system = self._overview.system()
        return IndicatorsAnswer(
            mode=system.mode,
            server_time_ms=system.now_ms,
            symbol=symbol,
            readings=[plain_reading(reading, scale) for reading in settled if reading is not None],
            forming=[plain_reading(reading, scale) for reading in peeked if reading is not None],
        )

    async def patterns(self, symbol: str | None = None) -> PatternsAnswer:
        """The patterns of the day on each timeframe, newest first; of all symbols or of one."""
        if symbol is not None:
            self._scale(symbol)
        symbols = [symbol] if symbol is not None else self._watched()
        system = self._overview.system()
        today = ist_day_number(system.now_ms * 1_000_000)
        found = [
            pattern
            for each in symbols
            for minutes in TIMEFRAMES
            for pattern in self._analysis.patterns(each, minutes)
            if ist_day_number(pattern.start_ns) == today
        ]
        found.sort(key=lambda pattern: (-pattern.start_ns, pattern.minutes, pattern.symbol))
        return PatternsAnswer(
            mode=system.mode,
            server_time_ms=system.now_ms,
            patterns=[self._plain(pattern) for pattern in found],
        )

    def _plain(self, pattern: Pattern) -> dict[str, Any]:
        scale = self._scale(pattern.symbol)
        judged = self._analysis.judged(pattern)
        return {"symbol": pattern.symbol, **plain_pattern(pattern, judged, scale)}

    def _watched(self) -> list[str]:
        instruments = self._market.table.instruments
        return [instruments[row].symbol for row in watched_rows(self._market)]

    def _scale(self, symbol: str) -> int:
        table = self._market.table
        row = table.row_of_symbol.get(symbol)
        if row is None:
            sentence = "This symbol is not watched: /api/v1/symbols lists those that are."
            raise HTTPException(HTTPStatus.NOT_FOUND, sentence)
        return table.instruments[row].price_scale
