"""Whether the broker tells a symbol's past at another price level than it did."""

from collections.abc import Iterable
from statistics import median
from typing import Final

from ticktick.domain.instrument import Instrument
from ticktick.domain.market import Candle, CandleState

_SETTLED: Final = frozenset({CandleState.FINAL, CandleState.BACKFILLED})
_LEAST_MINUTES: Final = 10
_LEAST_SHARE: Final = 0.9
_LEAST_CHANGE: Final = 0.001
_SPREAD: Final = 0.001


def is_restated(instrument: Instrument, ours: Iterable[Candle], theirs: Iterable[Candle]) -> bool:
    """Whether the same minutes have prices that differ by one factor: a split, bonus or dividend.

    Both are one-minute candles of the instrument. Nine of ten minutes must agree on the factor
    up to a tick and a thousandth, and it must be further from 1 than two ticks and a thousandth;
    corrections of single candles and candles built from ticks never are.
    """
    known = {candle.start_ns: candle.close for candle in ours if candle.state in _SETTLED}
    pairs = [(known[c.start_ns], c.close) for c in theirs if c.start_ns in known]
    if len(pairs) < _LEAST_MINUTES:
        return False
    factor = median(new / old for old, new in pairs)
    level, tick = median(new for _, new in pairs), instrument.tick_size
    if abs(factor - 1.0) * level <= max(2 * tick, _LEAST_CHANGE * level):
        return False
    fitting = [abs(new - old * factor) <= tick + _SPREAD * new for old, new in pairs]
    return sum(fitting) >= _LEAST_SHARE * len(pairs)
