"""What the last closed minutes say of volatility and of the price of trading."""

import math
from collections.abc import Sequence
from itertools import islice, pairwise
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
    used = bars[-BARS:]
    if len(used) < LEAST_BARS:
        return math.nan
    squares = (math.log(bar.high / bar.low) ** 2 for bar in used)
    return math.sqrt(math.fsum(squares) / len(used) / _FOUR_LN2)


def garman_klass(bars: Sequence[Candle]) -> float:
    """Volatility of a bar from range and body of the last 30, as a fraction; NaN below 20 bars.

    Flat bars give 0. Source: Garman and Klass 1980.
    """
    used = bars[-BARS:]
    if len(used) < LEAST_BARS:
        return math.nan
    terms = (
        0.5 * math.log(bar.high / bar.low) ** 2
        - _TWO_LN2_LESS_1 * math.log(bar.close / bar.open) ** 2
        for bar in used
    )
    return math.sqrt(math.fsum(terms) / len(used))


def amihud(bars: Sequence[Candle], price_scale: int) -> float:
    """How much the price gives way: mean of the return's size per crore rupees traded.

    Of the last 30 bars, each against the close before it, those without value are left out; NaN
    if fewer than 20 remain. A bar's value is its volume at the mean of high, low and close.
    Source: Amihud 2002.
    """
    ratios = [
        abs(bar.close / before.close - 1) / _crore(bar, price_scale)
        for before, bar in islice(pairwise(bars), max(0, len(bars) - 1 - BARS), None)
        if bar.volume > 0
    ]
    return math.fsum(ratios) / len(ratios) if len(ratios) >= LEAST_BARS else math.nan


def _crore(bar: Candle, price_scale: int) -> float:
    price = (bar.high + bar.low + bar.close) / 3 / price_scale
    return price * bar.volume / RUPEES_PER_CRORE
