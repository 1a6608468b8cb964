"""What the last closed minutes say of volatility and of the price of trading."""

import math
from collections.abc import Sequence
from math import fsum, nan
from typing import Final

from ticktick.domain.clock import IST_OFFSET_NS, NS_PER_DAY, ist_day_number
from ticktick.domain.market import Candle, CandleState

BARS: Final = 30
LEAST_BARS: Final = 20
RUPEES_PER_CRORE: Final = 10_000_000

_SETTLED: Final = frozenset({CandleState.FINAL, CandleState.BACKFILLED})
_FOUR_LN2: Final = 4 * math.log(2)
_TWO_LN2_LESS_1: Final = 2 * math.log(2) - 1


def last_bars(minutes: Sequence[Candle], after_ns: int, now_ns: int) -> list[Candle]:
    """The newest settled minutes of this day up to 31, oldest first, none before a gap.

    minutes: closed candles of one symbol, oldest first; `after_ns`: when trades were last lost.
    Minutes that are not settled yet do not count where they are the newest, else end the span.
    """
    found: list[Candle] = []
    first_ns = max(after_ns, ist_day_number(now_ns) * NS_PER_DAY - IST_OFFSET_NS)
    for minute in reversed(minutes):
        if len(found) > BARS or minute.start_ns < first_ns:
            break
        if minute.state in _SETTLED:
            found.append(minute)
        elif found or minute.state is CandleState.MISSING:
            break
    return found[::-1]


def parkinson(bars: Sequence[Candle]) -> float:
    """Volatility of a bar from the ranges of the last 30, as a fraction; NaN below 20 bars.

    Flat bars give 0. Source: Parkinson 1980.
    """
    first = max(0, len(bars) - BARS)
    count = len(bars) - first
    if count < LEAST_BARS:
        return nan
    squares = []
    for place in range(first, len(bars)):
        spread = _spread(bars[place])
        squares.append(spread * spread)
    return math.sqrt(fsum(squares) / count / _FOUR_LN2)


def garman_klass(bars: Sequence[Candle]) -> float:
    """Volatility of a bar from range and body of the last 30, as a fraction; NaN below 20 bars.

    Flat bars give 0. Source: Garman and Klass 1980.
    """
    first = max(0, len(bars) - BARS)
    count = len(bars) - first
    if count < LEAST_BARS:
        return nan
    terms = []
    for place in range(first, len(bars)):
        spread, body = _spread(bars[place]), _body(bars[place])
        terms.append(0.5 * spread * spread - _TWO_LN2_LESS_1 * body * body)
    return math.sqrt(fsum(terms) / count)


def amihud(bars: Sequence[Candle], price_scale: int) -> float:
    """How much the price gives way: mean of the return's size per crore rupees traded.

    Of the last 30 bars, each against the close before it, those without value are left out; NaN
    if fewer than 20 remain. A bar's value is its volume at the mean of high, low and close.
    Source: Amihud 2002.
    """
    ratios = []
    for place in range(max(1, len(bars) - BARS), len(bars)):
        bar, before = bars[place], bars[place - 1].close
        volume, close = bar.volume, bar.close
        if volume > 0:
            price = (bar.high + bar.low + close) / 3 / price_scale
            crore = price * volume / RUPEES_PER_CRORE
            ratios.append(abs(close / before - 1) / crore)
    return fsum(ratios) / len(ratios) if len(ratios) >= LEAST_BARS else nan


def _spread(bar: Candle) -> float:
    high, low = bar.high, bar.low
    return math.log(high / low)


def _body(bar: Candle) -> float:
    opened, close = bar.open, bar.close
    return math.log(close / opened)
