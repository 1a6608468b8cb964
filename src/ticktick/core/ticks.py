"""The last updates of each row, from which its numbers can be computed again."""

import math

from ticktick.core.columns import NEVER_NS, Floats, Ints, Rows
from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.slots import WORD_OF

EXCHANGE = WORD_OF["exchange_ns"]
LAST_TRADE = WORD_OF["last_trade_ns"]
LAST_PRICE = WORD_OF["last_price"]
TOTAL = WORD_OF["volume"]
AVERAGE = WORD_OF["average_price"]
BID = WORD_OF["bid_price"]
BID_QUANTITY = WORD_OF["bid_quantity"]
ASK = WORD_OF["ask_price"]
ASK_QUANTITY = WORD_OF["ask_quantity"]
NEAR = 5  # levels of the sums

MID = METRIC_ROW["mid"]

# columns of an update; the volume is the day's, `is_quote` whether bid and ask were a quote that
# stood
TICK_COLUMNS = (
    *("exchange_ns", "last_trade_ns", "last_price", "volume", "volume_delta", "average_price"),
    *("bid", "bid_quantity", "ask", "ask_quantity", "bid_quantity_5", "ask_quantity_5", "is_quote"),
)
TICK_WIDTH = 13


def push_ticks(
    rows: Rows,
    volume_delta: Ints,
    words: Ints,
    values: Floats,
    head: Ints,
    count: Ints,
    started_ns: Ints,
    window: Ints,
) -> None:
    """Append each touched row's update to its window; the oldest leaves when it is full.

    window: int64[capacity, depth, TICK_WIDTH] in the order of TICK_COLUMNS. `head` is the place
    of the next update, `count` how many are kept, `started_ns` the time of the first one since
    the window was emptied, NEVER_NS before it.
    """
    depth = window.shape[1]
    for i in range(rows.shape[0]):
        row = rows[i]
        place = head[row]
        if started_ns[row] == NEVER_NS:
            started_ns[row] = words[row, EXCHANGE]
        window[row, place, 0] = words[row, EXCHANGE]
        window[row, place, 1] = words[row, LAST_TRADE]
        window[row, place, 2] = words[row, LAST_PRICE]
        window[row, place, 3] = words[row, TOTAL]
        window[row, place, 4] = volume_delta[row]
        window[row, place, 5] = words[row, AVERAGE]
        window[row, place, 6] = words[row, BID]
        window[row, place, 7] = words[row, BID_QUANTITY]
        window[row, place, 8] = words[row, ASK]
        window[row, place, 9] = words[row, ASK_QUANTITY]
        window[row, place, 10] = _sum(row, BID, BID_QUANTITY, words)
        window[row, place, 11] = _sum(row, ASK, ASK_QUANTITY, words)
        window[row, place, 12] = 0 if math.isnan(values[MID, row]) else 1
        head[row] = place + 1 if place + 1 < depth else 0
        if count[row] < depth:
            count[row] += 1


def _sum(row: int, price: int, quantity: int, words: Ints) -> int:
    """Quantity of the near levels that hold a price; these are columns of the words."""
    total = 0
    for level in range(NEAR):
        if words[row, price + level] > 0:
            total += words[row, quantity + level]
    return total
