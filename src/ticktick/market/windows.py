"""The newest updates of each instrument, kept as columns of fixed size."""

import numpy as np
from numpy.typing import NDArray

from ticktick.core import flow, moments, vwap
from ticktick.core.columns import NEVER_NS, Rows, apart
from ticktick.core.ticks import TICK_WIDTH
from ticktick.core.trade import UNKNOWN

TICKS = 300
TRADES = 2048
CHANGES = 512
WAITING_TRADES = 256


class Windows:
    """What the tick metrics look back on; every part restarts after a gap.

    `ticks` is int64[capacity, 300, TICK_WIDTH]: the last 300 updates in the order of
    TICK_COLUMNS. `started_ns` is the time of the first update since the last restart, NEVER_NS
    before it. `base_*` is the newest trade known, against which the next update is compared;
    `direction` is that of the last change of price, `signed` the value bought less that sold.
    The others belong to the steps that keep
    them: `day` and `trades` to the VWAPs, `flow` and `changes` to the order-flow imbalance,
    `moments`, `mids`, `squares` and `waiting` to volatility and realised spread.
    """

    def __init__(self, capacity: int) -> None:
        self.base_price = np.zeros(capacity, np.int64)
        self.base_trade_ns = np.zeros(capacity, np.int64)
        self.base_volume = np.full(capacity, UNKNOWN, np.int64)
        self.suspect_volume = np.full(capacity, UNKNOWN, np.int64)
        self.previous_price = np.zeros(capacity, np.int64)
        self.volume_delta = np.zeros(capacity, np.int64)
        self.traded = np.zeros(capacity, np.uint8)
        self.direction = np.zeros(capacity, np.int64)
        self.signed = np.zeros(capacity, np.int64)
        self.started_ns = np.full(capacity, NEVER_NS, np.int64)
        self.tick_head = np.zeros(capacity, np.int64)
        self.tick_count = np.zeros(capacity, np.int64)
        self.ticks = apart(capacity, TICKS, TICK_WIDTH)
        self.day = np.zeros((capacity, vwap.STATE_WIDTH), np.int64)
        self.trades = apart(capacity, TRADES, vwap.TRADE_WIDTH)
        self.flow = np.zeros((capacity, flow.STATE_WIDTH), np.int64)
        self.changes = apart(capacity, CHANGES, flow.CHANGE_WIDTH)
        self.moments = np.zeros((capacity, moments.STATE_WIDTH), np.int64)
        self.mids = np.zeros((capacity, moments.MIDS_WIDTH))
        self.squares = np.zeros((capacity, moments.RETURNS))
        self.waiting = apart(capacity, WAITING_TRADES, moments.TRADE_WIDTH)
        self._empty(slice(None))

    def restart(self, rows: Rows) -> None:
        """Forget everything of the rows: what comes next follows a gap."""
        self.base_volume[rows] = UNKNOWN
        self._empty(rows)

    def restart_quotes(self, rows: Rows | slice) -> None:
        """Forget how the quotes of the rows moved; their trades are known without a gap."""
        for state in (self.flow, self.moments, self.mids):
            state[rows] = 0
        self.flow[rows, flow.SINCE_NS] = self.flow[rows, flow.DUE_NS] = NEVER_NS
        self.moments[rows, moments.NEXT_NS] = self.moments[rows, moments.DUE_NS] = NEVER_NS

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
        self.restart_quotes(rows)
        self.tick_head[rows] = self.tick_count[rows] = 0
        self.direction[rows] = self.signed[rows] = 0
        self.started_ns[rows] = NEVER_NS
        self.day[rows] = 0
        self.day[rows, vwap.OLDEST_NS] = NEVER_NS

    def newest(self, row: int) -> NDArray[np.int64]:
        """The kept updates of the row, int64[n, TICK_WIDTH], oldest first; a copy."""
        count = int(self.tick_count[row])
        places = (int(self.tick_head[row]) - count + np.arange(count)) % TICKS
        kept: NDArray[np.int64] = self.ticks[row, places]
        return kept
