"""What the slot table tells of each row, as columns of numbers; NaN is "not known"."""

from ticktick.core.columns import Flags, Floats, Ints, Rows
from ticktick.domain.clock import IST_OFFSET_NS, NS_PER_DAY, NS_PER_MS
from ticktick.domain.slots import WORD_OF

NAN = float("nan")
EXCHANGE = WORD_OF["exchange_ns"]
RECEIVED = WORD_OF["received_ns"]
SEQ = WORD_OF["seq"]
TRADED = WORD_OF["last_trade_ns"]
VOLUME = WORD_OF["volume"]
LAST_PRICE = WORD_OF["last_price"]
PREVIOUS_CLOSE = WORD_OF["previous_close"]
BID = WORD_OF["bid_price"]
ASK = WORD_OF["ask_price"]
DAY_HIGH = WORD_OF["day_high"]
DAY_LOW = WORD_OF["day_low"]

# the rows of what `tell` writes
TOLD = (
    *("exchange_ms", "received_ms", "last_trade_ms", "seq", "volume"),
    *("last_price", "previous_close", "bid", "ask", "day_high", "day_low"),
    *("freshness", "warm"),
)


def tell(
    rows: Rows, words: Ints, codes: Flags, warm: Flags, has_volume: Flags, out: Floats
) -> None:
    """Write every column of TOLD of the rows to `out`, float64[len(TOLD), len(rows)].

    words: int64[capacity, words] of the slot table, where 0 means "not told yet"; `codes`, `warm`
    and `has_volume` are uint8[capacity]. High, low and volume are the day's: where the last trade
    was on another day than the row was told, they are not known, but for a volume of 0.
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        exchange_ns = words[row, EXCHANGE]
        traded_ns = words[row, TRADED]
        day = (exchange_ns + IST_OFFSET_NS) // NS_PER_DAY
        is_today = (traded_ns + IST_OFFSET_NS) // NS_PER_DAY == day
        volume = words[row, VOLUME]
        out[0, i] = _known(exchange_ns // NS_PER_MS)
        out[1, i] = _known(words[row, RECEIVED] // NS_PER_MS)
        out[2, i] = _known(traded_ns // NS_PER_MS)
        out[3, i] = words[row, SEQ] if words[row, RECEIVED] > 0 else NAN
        out[4, i] = NAN
        if has_volume[row] != 0 and exchange_ns >= NS_PER_MS and (is_today or volume == 0):
            out[4, i] = volume
        out[5, i] = _known(words[row, LAST_PRICE])
        out[6, i] = _known(words[row, PREVIOUS_CLOSE])
        out[7, i] = _known(words[row, BID])
        out[8, i] = _known(words[row, ASK])
        out[9, i] = _known(words[row, DAY_HIGH]) if is_today else NAN
        out[10, i] = _known(words[row, DAY_LOW]) if is_today else NAN
        out[11, i] = codes[row]
        out[12, i] = warm[row]


def _known(value: int) -> float:
    """The value as a number, NaN for 0."""
    return value * 1.0 if value != 0 else NAN
