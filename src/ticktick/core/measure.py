"""Tick metrics of the touched rows, once per frame; NaN is "not known"."""

import math

from ticktick.core.columns import NEVER_NS, Flags, Floats, Ints, Rows
from ticktick.domain.clock import IST_OFFSET_NS, NS_PER_DAY

NAN = math.nan


def measure_trades(
    rows: Rows,
    has_volume: Flags,
    traded: Flags,
    last_price: Ints,
    previous_price: Ints,
    average_price: Ints,
    exchange_ns: Ints,
    last_trade_ns: Ints,
    tick_return: Floats,
    vwap_session: Floats,
    vwap_distance: Floats,
) -> None:
    """Write return of the latest trade and the day's VWAP of every touched row.

    `tick_return` (fraction) changes only where a trade happened; NaN if the trade before it is
    not known. `average_price` 0 means the exchange told none; one of a day without a trade is
    that of another day.
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        price = last_price[row]
        if traded[row]:
            before = previous_price[row]
            tick_return[row] = price / before - 1.0 if before > 0 else NAN
        average = average_price[row]
        day = (exchange_ns[row] + IST_OFFSET_NS) // NS_PER_DAY
        is_today = (last_trade_ns[row] + IST_OFFSET_NS) // NS_PER_DAY == day
        if has_volume[row] and is_today and average > 0:
            vwap_session[row] = average
            vwap_distance[row] = price / average - 1.0 if price > 0 else NAN
        else:
            vwap_session[row] = NAN
            vwap_distance[row] = NAN


def push_ticks(
    rows: Rows,
    exchange_ns: Ints,
    last_price: Ints,
    volume_delta: Ints,
    bid_price: Ints,
    ask_price: Ints,
    head: Ints,
    count: Ints,
    started_ns: Ints,
    window: Ints,
) -> None:
    """Append each touched row's update to its window; the oldest leaves when it is full.

    window: int64[capacity, depth, 5] of exchange_ns, price, volume delta, bid, ask.
    `head` is the place of the next update, `count` how many are kept, `started_ns` the time of
    the first one since the window was emptied.
    """
    depth = window.shape[1]
    for i in range(rows.shape[0]):
        row = rows[i]
        place = head[row]
        if count[row] == 0:
            started_ns[row] = exchange_ns[row]
        window[row, place, 0] = exchange_ns[row]
        window[row, place, 1] = last_price[row]
        window[row, place, 2] = volume_delta[row]
        window[row, place, 3] = bid_price[row, 0]
        window[row, place, 4] = ask_price[row, 0]
        head[row] = (place + 1) % depth
        if count[row] < depth:
            count[row] += 1


def push_trades(
    rows: Rows,
    traded: Flags,
    exchange_ns: Ints,
    last_price: Ints,
    volume_delta: Ints,
    head: Ints,
    count: Ints,
    oldest_ns: Ints,
    sums: Ints,
    window: Ints,
) -> None:
    """Append each touched row's trade to its time window and add it to the window's sums.

    window: int64[capacity, depth, 3] of time, price times volume, volume; sums:
    int64[capacity, 2] of the last two. A trade told out of order expires with those told before
    it. A full window joins the new trade to its newest one, so the sums stay true and only the
    moment it expires is rounded up.
    """
    depth = window.shape[1]
    for i in range(rows.shape[0]):
        row = rows[i]
        volume = volume_delta[row]
        if traded[row] == 0 or volume == 0:
            continue
        at_ns = exchange_ns[row]
        value = last_price[row] * volume
        if count[row] == depth:
            newest = (head[row] - 1) % depth
            if at_ns > window[row, newest, 0]:
                window[row, newest, 0] = at_ns
            window[row, newest, 1] += value
            window[row, newest, 2] += volume
        else:
            place = head[row]
            window[row, place, 0] = at_ns
            window[row, place, 1] = value
            window[row, place, 2] = volume
            head[row] = (place + 1) % depth
            if count[row] == 0:
                oldest_ns[row] = at_ns
            count[row] += 1
        sums[row, 0] += value
        sums[row, 1] += volume


def measure_vwap(
    rows: Rows,
    after_ns: int,
    head: Ints,
    count: Ints,
    oldest_ns: Ints,
    sums: Ints,
    window: Ints,
    vwap: Floats,
) -> None:
    """Drop trades at or before `after_ns` and write the VWAP of those left, NaN if there are none.

    Arrays as in `push_trades`; vwap in price units.
    """
    depth = window.shape[1]
    for i in range(rows.shape[0]):
        row = rows[i]
        while count[row] > 0 and oldest_ns[row] <= after_ns:
            place = (head[row] - count[row]) % depth
            sums[row, 0] -= window[row, place, 1]
            sums[row, 1] -= window[row, place, 2]
            count[row] -= 1
            oldest_ns[row] = window[row, (place + 1) % depth, 0] if count[row] > 0 else NEVER_NS
        vwap[row] = sums[row, 0] / sums[row, 1] if sums[row, 1] > 0 else NAN
