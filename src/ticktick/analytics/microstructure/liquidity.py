"""The liquidity flag: spread and depth against fixed limits, and against what is usual."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ticktick.analytics.microstructure.ground import Ground
from ticktick.analytics.microstructure.ladder import HYSTERESIS, Ladder, Levels
from ticktick.core.columns import Floats, Rows
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.market import Liquidity

SILENT_NS: Final = 10 * NS_PER_S
NO_QUOTE: Final = list(Liquidity).index(Liquidity.NO_QUOTE)

# times the usual spread, basis points, times the order's value
_THIN: Final = (2.0, 10.0, 5.0)
_ILLIQUID: Final = (4.0, 25.0, 2.0)


def level_of(
    spread_bps: Floats, usual_bps: Floats, depth: Floats, order_value: float, ease: float
) -> Levels:
    """The worst of the rules: 0 liquid, 1 thin, 2 illiquid.

    spread_bps, usual_bps (NaN: not known, its rules are silent): basis points; depth: value of
    the smaller side of the book, in the unit of `order_value`. With an `ease` of 0.2 a level is
    left only where the limit is cleared by a fifth; 0 are the limits themselves.
    """
    level = np.zeros(len(spread_bps), np.int64)
    for usual_times, most_bps, order_times in (_THIN, _ILLIQUID):
        is_wide = spread_bps > most_bps * (1 - ease)
        is_wider = spread_bps > usual_times * usual_bps * (1 - ease)
        is_shallow = depth < order_times * order_value * (1 + ease)
        level += is_wide | is_wider | is_shallow
    return level


class LiquidityFlag:
    """Judges rows that trade over a healthy link for an order of so many rupees."""

    def __init__(self, ground: Ground, order_value_rupees: int) -> None:
        self._ground = ground
        self._order_value = float(order_value_rupees)
        self._ladder = Ladder(ground.table.capacity)

    def forget(self, rows: Rows) -> None:
        """Begin anew after a gap."""
        self._ladder.forget(rows)

    def judge(self, rows: Rows, usual_bps: Floats, now_ns: int) -> Floats:
        """The codes of the rows; NaN where a quote just went and the dwell is not over.

        usual_bps: what is usual by now, one per row of `rows`, NaN = not known.
        """
        if not len(rows):
            return np.empty(0)
        spread_bps = self._ground.column("spread_bps")[rows]
        told = spread_bps, usual_bps, self._depth_rupees(rows), self._order_value
        is_gone = np.isnan(spread_bps) | self._is_silent(rows, now_ns)
        least = np.where(is_gone, NO_QUOTE, level_of(*told, 0.0))
        most = np.where(is_gone, NO_QUOTE, level_of(*told, HYSTERESIS))
        level = self._ladder.settle(rows, least, least, most, now_ns)
        # nobody may call a book liquid that is not there
        return np.where(is_gone & (level != NO_QUOTE), np.nan, level.astype(np.float64))

    def _is_silent(self, rows: Rows, now_ns: int) -> NDArray[np.bool_]:
        told_ns = np.maximum(self._ground.watch.last_ns[rows], self._ground.phases.began_ns[rows])
        silent: NDArray[np.bool_] = now_ns - told_ns > SILENT_NS
        return silent

    def _depth_rupees(self, rows: Rows) -> Floats:
        slots = self._ground.table.records
        sides = [
            (slots[f"{side}_price"][rows] * slots[f"{side}_quantity"][rows]).sum(axis=1)
            for side in ("bid", "ask")
        ]
        rupees: Floats = np.minimum(*sides) / self._ground.table.price_scales()[rows]
        return rupees
