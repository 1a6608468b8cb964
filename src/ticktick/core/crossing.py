"""Where the mean of the last updates crosses the VWAP, with a margin on either side."""

from ticktick.core.columns import Floats, Ints, Rows

NAN = float("nan")

UPDATES = 20
LEAST_TRADES = 30
UNSUMMED = -1
QUIET_NS = 30_000_000_000  # no second crossing is told so soon after one


def find_crossings(
    rows: Rows,
    now_ns: int,
    prices: Ints,
    head: Ints,
    count: Ints,
    trades: Ints,
    tick_size: Ints,
    spread: Floats,
    vwap: Floats,
    side: Ints,
    told_ns: Ints,
    shown: Floats,
    average: Floats,
    last: Ints,
    total: Ints,
    summed: Ints,
    crossed: Rows,
) -> int:
    """Write the side of every touched row and return how many crossed.

    prices: int64[capacity, depth], the last updates, `head` the place of the next one and `count`
    how many are kept; the depth is a multiple of UPDATES. `trades` are those within the VWAP. The
    mean of the last 20 prices is above (1) or below (-1) the VWAP once it is so by half a tick or
    a quarter of the spread, whichever is more, and stays so until it is as far on the other side;
    0 before the first time. `side` keeps it; `shown` is NaN where one of the three is not known
    now. `crossed` gets the rows that changed sides with at least 30 trades in the VWAP and none
    told for 30 s (`told_ns`, 0: none yet), `average` the mean, `total` the sum behind it and
    `last` (int64[capacity, UPDATES]) its prices, by place, when the place of the next update was
    `summed` (UNSUMMED: there is none); they stand closer together than those of all updates.
    Prices are in price units.
    """
    found = 0
    for i in range(rows.shape[0]):
        row = rows[i]
        margin = max(tick_size[row] / 2.0, spread[row] / 4.0)
        # a spread or a VWAP that is not known is no number, and equal to nothing
        is_known = spread[row] == spread[row] and vwap[row] == vwap[row]
        if not is_known or count[row] < UPDATES:
            shown[row] = NAN
            summed[row] = UNSUMMED  # the places may have gone round when it is known again
            continue
        if summed[row] != head[row]:
            total[row] = _sum(row, head[row], summed[row], total[row], last, prices)
            summed[row] = head[row]
        average[row] = total[row] / float(UPDATES)
        distance = average[row] - vwap[row]
        before = side[row]
        after = before
        if distance >= margin:
            after = 1
        elif distance <= -margin:
            after = -1
        side[row] = after
        shown[row] = float(after)
        is_flip = before != 0 and after != before
        is_quiet = told_ns[row] == 0 or now_ns - told_ns[row] >= QUIET_NS
        if is_flip and is_quiet and trades[row] >= LEAST_TRADES:
            told_ns[row] = now_ns
            crossed[found] = row
            found += 1
    return found


def _sum(row: int, head: int, before: int, total: int, last: Ints, prices: Ints) -> int:
    """The sum of the last prices, from the one of the update before where that is known."""
    depth = prices.shape[1]
    newest = head - 1 if head > 0 else depth - 1
    if before == newest:
        left = newest % UPDATES
        moved: int = total + prices[row, newest] - last[row, left]
        last[row, left] = prices[row, newest]
        return moved
    place = head
    summed = 0
    for _ in range(UPDATES):
        place = place - 1 if place > 0 else depth - 1
        last[row, place % UPDATES] = prices[row, place]
        summed += prices[row, place]
    return summed


class CrossingSearch:
    """Finds crossings in columns that it was given once, named and shaped as in the step."""

    def __init__(
        self,
        prices: Ints,
        head: Ints,
        count: Ints,
        trades: Ints,
        tick_size: Ints,
        spread: Floats,
        vwap: Floats,
        side: Ints,
        told_ns: Ints,
        shown: Floats,
        average: Floats,
        last: Ints,
        total: Ints,
        summed: Ints,
        crossed: Rows,
    ) -> None:
        self._prices = prices
        self._head = head
        self._count = count
        self._trades = trades
        self._tick_size = tick_size
        self._spread = spread
        self._vwap = vwap
        self._side = side
        self._told_ns = told_ns
        self._shown = shown
        self._average = average
        self._last = last
        self._total = total
        self._summed = summed
        self._crossed = crossed

    def find(self, rows: Rows, now_ns: int) -> int:
        """Write the side of every touched row and return how many crossed."""
        return find_crossings(
            rows,
            now_ns,
            self._prices,
            self._head,
            self._count,
            self._trades,
            self._tick_size,
            self._spread,
            self._vwap,
            self._side,
            self._told_ns,
            self._shown,
            self._average,
            self._last,
            self._total,
            self._summed,
            self._crossed,
        )
