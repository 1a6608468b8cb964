"""The routes that tell what candles say: indicators and candlestick patterns."""

from http import HTTPStatus
from typing import Any

from fastapi import HTTPException

from ticktick.analytics.plain import plain_pattern, plain_reading
from ticktick.domain.analysis import Pattern
from ticktick.domain.clock import ist_day_number
from ticktick.domain.market import TIMEFRAMES
from ticktick.web.bodies import IndicatorsAnswer, PatternsAnswer
from ticktick.web.live import LiveAnalysis, unsettled
from ticktick.web.news import News
from ticktick.web.overview import Overview
from ticktick.web.status import watched_rows


class Analysis:
    """The handlers; what they may assume was checked by the guard before."""

    def __init__(self, overview: Overview, analysis: LiveAnalysis, news: News) -> None:
        self._overview = overview
        self._market = overview.market
        self._analysis = analysis
        self._news = news

    async def indicators(self, symbol: str) -> IndicatorsAnswer:
        """Every indicator of each timeframe, after the newest settled candle and as it forms.

        Prices in rupees; null is not ready.
        """
        scale = self._scale(symbol)
        settled = [self._analysis.reading(symbol, minutes) for minutes in TIMEFRAMES]
        forming = [
            unsettled(self._market, symbol, reading.minutes, reading.start_ns)
            for reading in settled
            if reading is not None
        ]
        peeked = [None if candle is None else self._analysis.peek(candle) for candle in forming]
        stamp = self._overview.stamp()
        return IndicatorsAnswer(
            mode=stamp.mode,
            server_time_ms=stamp.now_ms,
            symbol=symbol,
            readings=[plain_reading(reading, scale) for reading in settled if reading is not None],
            forming=[plain_reading(reading, scale) for reading in peeked if reading is not None],
        )

    async def patterns(self, symbol: str | None = None) -> PatternsAnswer:
        """The patterns of the day on each timeframe, newest first; of all symbols or of one.

        One whose ground a corrected candle took away stays, `superseded`.
        """
        if symbol is not None:
            self._scale(symbol)
        symbols = [symbol] if symbol is not None else self._watched()
        stamp = self._overview.stamp()
        today = ist_day_number(stamp.now_ms * 1_000_000)
        found = [
            (pattern, superseded)
            for each in symbols
            for minutes in TIMEFRAMES
            for pattern, superseded in self._news.known(each, minutes)
            if ist_day_number(pattern.start_ns) == today
        ]
        found.sort(key=lambda one: (-one[0].start_ns, one[0].minutes, one[0].symbol))
        return PatternsAnswer(
            mode=stamp.mode,
            server_time_ms=stamp.now_ms,
            patterns=[self._plain(*one) for one in found],
        )

    def _plain(self, pattern: Pattern, superseded: bool) -> dict[str, Any]:
        scale = self._scale(pattern.symbol)
        judged = self._analysis.judged(pattern)
        return {
            "symbol": pattern.symbol,
            **plain_pattern(pattern, judged, scale),
            "revision": pattern.revision,
            "superseded": superseded,
        }

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
