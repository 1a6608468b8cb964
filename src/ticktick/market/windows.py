"""The newest updates of each instrument, kept as columns of fixed size."""

import numpy as np
from numpy.typing import NDArray

from ticktick.core.columns import NEVER_NS, Rows
from ticktick.core.trade import UNKNOWN

TICKS = 300
TRADES = 2048


class Windows:
    """What the tick metrics look back on; every part restarts after a gap.

    `ticks` is int64[capacity, 300, 5]: exchange_ns, price, volume delta, bid and ask of the last
    300 updates. `trades` is int64[capacity, 2048, 3]: time, price times volume and volume of the
    trades of the VWAP's seconds. `started_ns` is the time of the first update since the last
    restart, NEVER_NS before it. `base_*` is the newest trade known, against which the next
    update is compared.
    """

    def __init__(self, capacity: int) -> None:
        self.base_price = np.zeros(capacity, np.int64)
        self.base_trade_ns = np.zeros(capacity, np.int64)
        self.base_volume = np.full(capacity, UNKNOWN, np.int64)
        self.suspect_volume = np.full(capacity, UNKNOWN, np.int64)
        self.previous_price = np.zeros(capacity, np.int64)
        self.volume_delta = np.zeros(capacity, np.int64)
        self.traded = np.zeros(capacity, np.uint8)
        self.tick_head = np.zeros(capacity, np.int64)
        self.tick_count = np.zeros(capacity, np.int64)
        self.ticks = np.zeros((capacity, TICKS, 5), np.int64)
        self.trade_head = np.zeros(capacity, np.int64)
        self.trade_count = np.zeros(capacity, np.int64)
        self.oldest_ns = np.full(capacity, NEVER_NS, np.int64)
        self.sums = np.zeros((capacity, 2), np.int64)
        self.trades = np.zeros((capacity, TRADES, 3), np.int64)
        self.started_ns = np.full(capacity, NEVER_NS, np.int64)

    def restart(self, rows: Rows) -> None:
        """Forget everything of the rows: what comes next follows a gap."""
        self.base_volume[rows] = UNKNOWN
        self._empty(rows)

    def begin_day(self) -> None:
        """Empty all windows; the volume of the day before tells what the first trade adds."""
        self.base_price.fill(0)
        self._empty(slice(None))

    def forget(self, rows: Rows) -> None:
        """Know nothing of these rows, not even their newest trade."""
        self.base_price[rows] = self.previous_price[rows] = 0
        self.base_trade_ns[rows] = 0
        self.volume_delta[rows] = self.traded[rows] = 0
        self.suspect_volume[rows] = UNKNOWN
        self.restart(rows)

    def _empty(self, rows: Rows | slice) -> None:
        self.tick_head[rows] = self.tick_count[rows] = 0
        self.trade_head[rows] = self.trade_count[rows] = 0
        self.oldest_ns[rows] = self.started_ns[rows] = NEVER_NS
        self.sums[rows] = 0

    def newest(self, row: int) -> NDArray[np.int64]:
        """The kept updates of the row, int64[n, 5], oldest first; a copy."""
        count = int(self.tick_count[row])
        places = (int(self.tick_head[row]) - count + np.arange(count)) % TICKS
        kept: NDArray[np.int64] = self.ticks[row, places]
        return kept
