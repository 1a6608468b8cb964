"""Find the trades in a frame of snapshots: what was bought and sold since the update before."""

from ticktick.core import numbers
from ticktick.core.columns import Flags, Ints, Rows
from ticktick.domain.slots import WORD_OF

LAST_PRICE = WORD_OF["last_price"]
LAST_TRADE = WORD_OF["last_trade_ns"]
TOTAL = WORD_OF["volume"]

UNKNOWN = -1
LARGEST_VALUE = 10**13  # price units times shares: a thousand times the largest trades there were


def detect_trades(
    rows: Rows,
    has_volume: Flags,
    words: Ints,
    base_price: Ints,
    base_trade_ns: Ints,
    base_volume: Ints,
    suspect_volume: Ints,
    traded: Flags,
    previous_price: Ints,
    volume_delta: Ints,
) -> int:
    """Compare each touched row with its base, the newest trade known; return the volume falls seen.

    words: int64[capacity, words] of the slot table; all others but `rows` are int64[capacity] or
    uint8[capacity] columns. A row whose
    `base_volume` is UNKNOWN (first update after start or gap) takes its base and has no trade.
    A trade exists iff the cumulative volume rose; without volume, iff the trade time rose or the
    price moved at the same time. Writes, for touched rows only, `traded`, `volume_delta` (>= 0)
    and, where a trade exists, `previous_price` (0: not known).
    A volume that fell within a day is a fall, and so is one that leapt by more than any market
    trades at once: delta 0, and the base moves only when a second update, rising from the fallen
    one and no older than the base's trade, confirms it. On a new day in India volume counts
    from 0.
    """
    falls = 0
    for i in range(rows.shape[0]):
        row = rows[i]
        price = words[row, LAST_PRICE]
        trade_ns = words[row, LAST_TRADE]
        total = words[row, TOTAL]
        traded[row] = 0
        volume_delta[row] = 0
        if base_volume[row] == UNKNOWN:
            base_price[row] = price
            base_trade_ns[row] = trade_ns
            base_volume[row] = total
            suspect_volume[row] = UNKNOWN
            continue
        delta = 0
        if has_volume[row] == 0:
            moved = trade_ns > base_trade_ns[row] or (
                trade_ns == base_trade_ns[row] and price != base_price[row]
            )
        else:
            base = base_volume[row]
            if numbers.ist_day(trade_ns) > numbers.ist_day(base_trade_ns[row]):
                base = 0
            delta = total - base
            suspect = suspect_volume[row]
            largest = LARGEST_VALUE // price if price > 0 else LARGEST_VALUE
            if not 0 <= delta <= largest:
                falls += 1
                in_order = trade_ns >= base_trade_ns[row]
                if in_order and suspect != UNKNOWN and 0 < total - suspect <= largest:
                    delta = total - suspect
                else:
                    if in_order:
                        suspect_volume[row] = total
                    delta = 0
            else:
                suspect_volume[row] = UNKNOWN
            moved = delta > 0
        if not moved or price <= 0:
            continue
        traded[row] = 1
        volume_delta[row] = delta
        previous_price[row] = base_price[row]
        base_price[row] = price
        base_volume[row] = total
        suspect_volume[row] = UNKNOWN
        if trade_ns > base_trade_ns[row]:
            base_trade_ns[row] = trade_ns
    return falls
