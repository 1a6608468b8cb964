"""Copies of what the engine changed, on their way to Redis."""

from typing import Final

import numpy as np

from ticktick.domain.clock import NS_PER_MS
from ticktick.engine.ports import Outputs
from ticktick.store.keys import MANY_SYMBOLS
from ticktick.store.market_view import MarketView
from ticktick.store.spool import Rows

LATE_MS: Final = 1_000
_MS_PER_S: Final = 1_000


class Copies:
    """Copies touched rows and gives each its time, unique and rising within its series.

    `late_rows` counts those told so late that they have no place there.
    """

    def __init__(self, market: MarketView) -> None:
        self.late_rows = 0
        self._market = market
        self._newest_ms = np.zeros(market.table.capacity, np.int64)

    def take(self, outputs: Outputs, taken_s: float) -> Rows | None:
        """The touched rows as they are, None if there are none."""
        touched, table = outputs.touched, self._market.table
        if not len(touched):
            return None
        records = table.records[touched]
        told_ms = records["exchange_ns"] // NS_PER_MS
        newest_ms = self._newest_ms[touched]
        usable = (told_ms > 0) & (told_ms >= newest_ms - LATE_MS)
        at_ms = np.where(usable, np.maximum(told_ms, newest_ms + 1), 0)
        self._newest_ms[touched] = np.maximum(newest_ms, at_ms)
        self.late_rows += int(np.count_nonzero(~usable & (told_ms > 0)))
        many = len(table) > MANY_SYMBOLS
        return Rows(
            taken_s=taken_s,
            at_ms=at_ms,
            full=(at_ms // _MS_PER_S > newest_ms // _MS_PER_S) | (not many),
            instruments=[table.instruments[row] for row in touched.tolist()],
            freshness=self._market.freshness.codes[touched],
            warm=self._market.warm[touched],
            records=records,
            metrics=self._market.metrics[:, touched],
        )
