"""What the latest trade of the touched rows says, once per frame; NaN is "not known"."""

import math

from ticktick.core import numbers
from ticktick.core.columns import Flags, Floats, Ints, Rows
from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.slots import WORD_OF

NAN = float("nan")

EXCHANGE = WORD_OF["exchange_ns"]
LAST_PRICE = WORD_OF["last_price"]
LAST_TRADE = WORD_OF["last_trade_ns"]
AVERAGE = WORD_OF["average_price"]
BID = WORD_OF["bid_price"]
ASK = WORD_OF["ask_price"]

MID = METRIC_ROW["mid"]
TICK_RETURN = METRIC_ROW["tick_return"]
LOG_RETURN = METRIC_ROW["log_return"]
TRADE_SIGN = METRIC_ROW["trade_sign"]
EFFECTIVE_SPREAD = METRIC_ROW["effective_spread"]
VWAP_SESSION = METRIC_ROW["vwap_session"]
VWAP_DISTANCE = METRIC_ROW["vwap_distance"]


def measure_prints(
    rows: Rows,
    has_volume: Flags,
    traded: Flags,
    previous_price: Ints,
    words: Ints,
    direction: Ints,
    values: Floats,
) -> None:
    """Write what the latest trade of each touched row says, and the day's VWAP.

    Returns, sign and effective spread change only where a trade happened; `previous_price` 0
    means that the trade before is not known. `direction` is that of the last change of price
    (1, -1, 0 without one). An average price of 0 was not told; one of a day without a trade is
    that of another day. words: int64[capacity, words]; values: float64[metrics, capacity], of
    which the mid is measured already.
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        price = words[row, LAST_PRICE]
        if traded[row] != 0:
            _measure_return(row, price, previous_price[row], direction, values)
            if has_volume[row] != 0:
                _measure_side(row, price, direction[row], words, values)
        average = words[row, AVERAGE]
        day = numbers.ist_day(words[row, EXCHANGE])
        is_today = numbers.ist_day(words[row, LAST_TRADE]) == day
        if has_volume[row] != 0 and is_today and average > 0:
            values[VWAP_SESSION, row] = average
            values[VWAP_DISTANCE, row] = price / average - 1.0 if price > 0 else NAN
        else:
            values[VWAP_SESSION, row] = NAN
            values[VWAP_DISTANCE, row] = NAN


def _measure_return(row: int, price: int, before: int, direction: Ints, values: Floats) -> None:
    """Write the change against the trade before, and remember where it went."""
    if before <= 0:
        values[TICK_RETURN, row] = NAN
        values[LOG_RETURN, row] = NAN
        return
    ratio = price / before
    values[TICK_RETURN, row] = ratio - 1.0
    values[LOG_RETURN, row] = math.log(ratio)
    if price > before:
        direction[row] = 1
    elif price < before:
        direction[row] = -1


def _measure_side(row: int, price: int, direction: int, words: Ints, values: Floats) -> None:
    """Write who began the trade, by the quote or else by the direction, and what it cost him."""
    mid = values[MID, row]
    stands = not math.isnan(mid)
    sign = direction
    if stands and price >= words[row, ASK]:
        sign = 1
    elif stands and price <= words[row, BID]:
        sign = -1
    values[TRADE_SIGN, row] = sign
    values[EFFECTIVE_SPREAD, row] = 2e4 * sign * (price - mid) / mid if sign != 0 else NAN
