"""What was bought and what was sold, as one running sum of each row."""

from ticktick.core.columns import Flags, Floats, Ints, Rows
from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.slots import WORD_OF

LAST_PRICE = WORD_OF["last_price"]
TRADE_SIGN = METRIC_ROW["trade_sign"]


def add_signed_values(
    rows: Rows, traded: Flags, volume_delta: Ints, words: Ints, values: Floats, signed: Ints
) -> None:
    """Add the value of each touched row's trade where it was bought, take it away where sold.

    words: int64[capacity, words]; values: float64[metrics, capacity], of which the trade's sign
    is measured already; signed: int64[capacity], price units times shares. A trade that nobody
    can tell apart counts for neither side.
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        if traded[row] == 0:
            continue
        value = words[row, LAST_PRICE] * volume_delta[row]
        if values[TRADE_SIGN, row] > 0:
            signed[row] += value
        elif values[TRADE_SIGN, row] < 0:
            signed[row] -= value
