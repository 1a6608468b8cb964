"""Fold trades into forming one-minute candles and notice the broker's own finished ones."""

from ticktick.core.columns import Flags, Ints, Rows
from ticktick.domain.clock import NS_PER_MINUTE

# columns of a candle as integers; START 0 means there is none
START, OPEN, HIGH, LOW, CLOSE, VOLUME, INTEREST = range(7)
WIDTH = 7


def fold(
    rows: Rows,
    traded: Flags,
    volume_delta: Ints,
    last_price: Ints,
    last_trade_ns: Ints,
    open_interest: Ints,
    opens_ns: Ints,
    closes_ns: Ints,
    frontier_ns: Ints,
    forming: Ints,
    closed_rows: Rows,
    closed: Ints,
) -> tuple[int, int]:
    """Add the trade of each touched row to its forming candle, by the trade's own time.

    opens_ns, closes_ns: int64[capacity, stretches] of today's continuous trading, [open, close);
    trades outside make no candle. `frontier_ns`: minutes that start before it are closed.
    forming: int64[capacity, WIDTH]. A trade of a later minute moves the forming candle to
    `closed` (int64[>= len(rows), WIDTH]) with its row in `closed_rows`.
    Returns (candles closed, trades too late for their minute).
    """
    done = 0
    late = 0
    for i in range(rows.shape[0]):
        row = rows[i]
        if traded[row] == 0:
            continue
        trade_ns = last_trade_ns[row]
        inside = False
        for stretch in range(opens_ns.shape[1]):
            if opens_ns[row, stretch] <= trade_ns < closes_ns[row, stretch]:
                inside = True
        if not inside:
            continue
        minute = trade_ns // NS_PER_MINUTE * NS_PER_MINUTE
        if minute < frontier_ns[row]:
            late += 1
            continue
        price = last_price[row]
        if forming[row, START] != minute:
            if forming[row, START] != 0:
                closed_rows[done] = row
                for column in range(WIDTH):
                    closed[done, column] = forming[row, column]
                done += 1
            frontier_ns[row] = minute
            forming[row, START] = minute
            forming[row, OPEN] = price
            forming[row, HIGH] = price
            forming[row, LOW] = price
            forming[row, VOLUME] = 0
        if price > forming[row, HIGH]:
            forming[row, HIGH] = price
        if price < forming[row, LOW]:
            forming[row, LOW] = price
        forming[row, CLOSE] = price
        forming[row, VOLUME] += volume_delta[row]
        forming[row, INTEREST] = open_interest[row]
    return done, late


def changed_minutes(
    rows: Rows,
    known_ns: Ints,
    start_ns: Ints,
    open_price: Ints,
    high: Ints,
    low: Ints,
    close: Ints,
    volume: Ints,
    seen: Ints,
    news: Rows,
) -> int:
    """Put the touched rows whose broker's minute is new or changed into `news`; return how many.

    seen: int64[capacity, 6], the minute last reported. `known_ns[row]` is the newest exchange time
    known; a minute that ends after it is still running and is not reported.
    """
    found = 0
    for i in range(rows.shape[0]):
        row = rows[i]
        start = start_ns[row]
        if start == 0 or start + NS_PER_MINUTE > known_ns[row]:
            continue
        if (
            seen[row, START] == start
            and seen[row, OPEN] == open_price[row]
            and seen[row, HIGH] == high[row]
            and seen[row, LOW] == low[row]
            and seen[row, CLOSE] == close[row]
            and seen[row, VOLUME] == volume[row]
        ):
            continue
        seen[row, START] = start
        seen[row, OPEN] = open_price[row]
        seen[row, HIGH] = high[row]
        seen[row, LOW] = low[row]
        seen[row, CLOSE] = close[row]
        seen[row, VOLUME] = volume[row]
        news[found] = row
        found += 1
    return found
