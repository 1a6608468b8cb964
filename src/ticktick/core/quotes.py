"""What the book of the touched rows says, once per frame; NaN is "not known"."""

import math

import numpy as np

from ticktick.core import numbers
from ticktick.core.columns import Flags, Floats, Ints, Rows
from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.slots import DEEP_LEVELS, DEEP_WORD_OF, DEPTH_LEVELS, WORD_OF

NAN = float("nan")

# where the slot table's words hold the book
BID = WORD_OF["bid_price"]
BID_QUANTITY = WORD_OF["bid_quantity"]
ASK = WORD_OF["ask_price"]
ASK_QUANTITY = WORD_OF["ask_quantity"]
TOTAL_BID = WORD_OF["total_bid_quantity"]
TOTAL_ASK = WORD_OF["total_ask_quantity"]
TOLD_LEVELS = WORD_OF["told_levels"]
NEAR = DEPTH_LEVELS
# and those of the levels behind the fifth
DEEP_BID = DEEP_WORD_OF["bid_price"]
DEEP_BID_QUANTITY = DEEP_WORD_OF["bid_quantity"]
DEEP_ASK = DEEP_WORD_OF["ask_price"]
DEEP_ASK_QUANTITY = DEEP_WORD_OF["ask_quantity"]
DEEP = DEEP_LEVELS

MID = METRIC_ROW["mid"]
SPREAD = METRIC_ROW["spread"]
SPREAD_BPS = METRIC_ROW["spread_bps"]
SPREAD_TICKS = METRIC_ROW["spread_ticks"]
MICROPRICE = METRIC_ROW["microprice"]
IMBALANCE = METRIC_ROW["imbalance"]
IMBALANCE_1 = METRIC_ROW["imbalance_1"]
IMBALANCE_W = METRIC_ROW["imbalance_w"]
IMBALANCE_30 = METRIC_ROW["imbalance_30"]
TBQ_TSQ = METRIC_ROW["tbq_tsq"]

FADE = 0.5  # by how much a level's weight fades with each tick from the mid
HALVES = 128  # distances of whole and half ticks, as most are, whose weights are kept


def measure_quotes(
    rows: Rows,
    continuous: Flags,
    tick_size: Ints,
    words: Ints,
    deep: Ints,
    weights: Floats,
    values: Floats,
) -> None:
    """Write everything the newest quote and book of each touched row say.

    words, deep: int64[capacity, words] of the slot table and of its levels behind the fifth, best
    first, price 0 = empty level; weights: those of `fading_weights`; values: float64[metrics,
    capacity]. Prices and `tick_size` (0: not known) are price units.
    Mid, spread, microprice and the weighted imbalance need a quote that stands: both sides
    there, not crossed or locked, continuous trading. The other imbalances, in [-1, 1], are sums
    over the levels that hold a price; NaN when both sides are empty.
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        bid = words[row, BID]
        ask = words[row, ASK]
        stands = continuous[row] != 0 and 0 < bid < ask
        if stands:
            _measure_standing(row, bid, ask, tick_size[row], words, weights, values)
        else:
            values[MID, row] = NAN
            values[SPREAD, row] = NAN
            values[SPREAD_BPS, row] = NAN
            values[SPREAD_TICKS, row] = NAN
            values[MICROPRICE, row] = NAN
            values[IMBALANCE_W, row] = NAN
        _measure_book(row, words, deep, values)


def _measure_standing(
    row: int,
    bid: int,
    ask: int,
    tick_size: int,
    words: Ints,
    weights: Floats,
    values: Floats,
) -> None:
    """Write what needs a quote that stands."""
    mid = (bid + ask) / 2.0
    spread = ask - bid
    values[MID, row] = mid
    values[SPREAD, row] = spread
    values[SPREAD_BPS, row] = 1e4 * spread / mid
    bids = words[row, BID_QUANTITY] * 1.0
    asks = words[row, ASK_QUANTITY] * 1.0
    both = bids + asks
    values[MICROPRICE, row] = (bid * asks + ask * bids) / both if both > 0.0 else NAN
    if tick_size <= 0:
        values[SPREAD_TICKS, row] = NAN
        values[IMBALANCE_W, row] = NAN
        return
    tick = tick_size * 1.0
    values[SPREAD_TICKS, row] = spread / tick
    bids = 0.0
    asks = 0.0
    for level in range(NEAR):
        price = words[row, BID + level]
        if price > 0:
            weight = _weight(math.fabs(mid - price) / tick, weights)
            bids += weight * words[row, BID_QUANTITY + level]
        price = words[row, ASK + level]
        if price > 0:
            weight = _weight(math.fabs(price - mid) / tick, weights)
            asks += weight * words[row, ASK_QUANTITY + level]
    values[IMBALANCE_W, row] = _balance(bids, asks)


def _weight(ticks: float, weights: Floats) -> float:
    """The weight of a level that many ticks from the mid."""
    halves = 2.0 * ticks
    if halves < HALVES:
        place = numbers.nearest(halves)
        if place == halves:
            weight: float = weights[place]
            return weight
    return math.exp(-FADE * ticks)


def fading_weights() -> Floats:
    """The weights of the distances of whole and half ticks, float64[HALVES]."""
    return np.array([math.exp(-FADE * (place / 2.0)) for place in range(HALVES)])


def _measure_book(row: int, words: Ints, deep: Ints, values: Floats) -> None:
    """Write the imbalances that need no quote that stands."""
    bids = _quantity(row, BID, BID_QUANTITY, words)
    asks = _quantity(row, ASK, ASK_QUANTITY, words)
    values[IMBALANCE_1, row] = _balance(bids, asks)
    for level in range(1, NEAR):
        bids += _quantity(row, BID + level, BID_QUANTITY + level, words)
        asks += _quantity(row, ASK + level, ASK_QUANTITY + level, words)
    values[IMBALANCE, row] = _balance(bids, asks)
    if words[row, TOLD_LEVELS] > NEAR:
        for level in range(DEEP):
            bids += _quantity(row, DEEP_BID + level, DEEP_BID_QUANTITY + level, deep)
            asks += _quantity(row, DEEP_ASK + level, DEEP_ASK_QUANTITY + level, deep)
        values[IMBALANCE_30, row] = _balance(bids, asks)
    else:
        values[IMBALANCE_30, row] = NAN
    values[TBQ_TSQ, row] = _balance(words[row, TOTAL_BID] * 1.0, words[row, TOTAL_ASK] * 1.0)


def _quantity(row: int, price: int, quantity: int, words: Ints) -> float:
    """The quantity of a level that holds a price; these are columns of the words."""
    return words[row, quantity] * 1.0 if words[row, price] > 0 else 0.0


def _balance(bids: float, asks: float) -> float:
    """Bids minus asks over their sum; NaN when there is neither."""
    both = bids + asks
    return (bids - asks) / both if both > 0.0 else NAN
