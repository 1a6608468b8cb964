"""Fold trades into forming one-minute candles and notice the broker's own finished ones."""

from ticktick.core.columns import Flags, Ints, Rows
from ticktick.domain.clock import NS_PER_MINUTE
from ticktick.domain.slots import WORD_OF

EXCHANGE = WORD_OF["exchange_ns"]
LAST_PRICE = WORD_OF["last_price"]
LAST_TRADE = WORD_OF["last_trade_ns"]
OPEN_INTEREST = WORD_OF["open_interest"]
MINUTE = WORD_OF["minute_start_ns"]  # then open, high, low, close and volume, as below

# columns of a candle as integers; START 0 means there is none
START, OPEN, HIGH, LOW, CLOSE, VOLUME, INTEREST = range(7)
WIDTH = 7


def fold(
    rows: Rows,
    traded: Flags,
    volume_delta: Ints,
    words: Ints,
    opens_ns: Ints,
    closes_ns: Ints,
    frontier_ns: Ints,
    forming: Ints,
    closed_rows: Rows,
    closed: Ints,
) -> tuple[int, int]:
    """Add the trade of each touched row to its forming candle, by the trade's own time.

    words: int64[capacity, words] of the slot table.
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
        trade_ns = words[row, LAST_TRADE]
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
        price = words[row, LAST_PRICE]
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
        forming[row, INTEREST] = words[row, OPEN_INTEREST]
    return done, late


def changed_minutes(rows: Rows, words: Ints, seen: Ints, news: Rows) -> int:
    """Put the touched rows whose broker's minute is new or changed into `news`; return how many.

    words: int64[capacity, words] of the slot table; seen: int64[capacity, 6], the minute last
    reported. A minute that ends after the newest exchange time of its row is still running and is
    not reported.
    """
    found = 0
    for i in range(rows.shape[0]):
        row = rows[i]
        start = words[row, MINUTE]
        known_ns = max(words[row, EXCHANGE], words[row, LAST_TRADE])
        if start == 0 or start + NS_PER_MINUTE > known_ns:
            continue
        differs = False
        for column in range(START, INTEREST):
            if seen[row, column] != words[row, MINUTE + column]:
                seen[row, column] = words[row, MINUTE + column]
                differs = True
        if differs:
            news[found] = row
            found += 1
    return found


class Folding:
    """Folds frames into columns that it was given once, named and shaped as in `fold`.

    `seen` and `news` are those of `changed_minutes`.
    """

    def __init__(
        self,
        traded: Flags,
        volume_delta: Ints,
        words: Ints,
        opens_ns: Ints,
        closes_ns: Ints,
        frontier_ns: Ints,
        forming: Ints,
        closed_rows: Rows,
        closed: Ints,
        seen: Ints,
        news: Rows,
    ) -> None:
        self._traded = traded
        self._volume_delta = volume_delta
        self._words = words
        self._opens_ns = opens_ns
        self._closes_ns = closes_ns
        self._frontier_ns = frontier_ns
        self._forming = forming
        self._closed_rows = closed_rows
        self._closed = closed
        self._seen = seen
        self._news = news

    def fold(self, rows: Rows) -> tuple[int, int]:
        """Add the trades of the rows; candles closed, and trades too late for their minute."""
        return fold(
            rows,
            self._traded,
            self._volume_delta,
            self._words,
            self._opens_ns,
            self._closes_ns,
            self._frontier_ns,
            self._forming,
            self._closed_rows,
            self._closed,
        )

    def notice(self, rows: Rows) -> int:
        """How many of the rows have a minute of the broker that is news."""
        return changed_minutes(rows, self._words, self._seen, self._news)
