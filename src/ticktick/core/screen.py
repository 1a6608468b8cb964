"""Judge what a frame claims of each instrument before anything believes it."""

from typing import Final

from ticktick.core import numbers
from ticktick.core.columns import Flags, Ints, Rows
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.slots import DEEP_LEVELS, DEEP_WORD_OF, DEPTH_LEVELS, WORD_OF

# verdicts; the first two are accepted, of the others the first that holds is told
CHANGED, REPEATED, AHEAD, OTHER_DAY, OLDER, TRADE_AHEAD, OUT_OF_BAND, JUMPED = range(8)

# the clock of a good recorder was 6 s behind the trades it recorded
TRADE_AHEAD_LIMIT_NS: Final = 10 * NS_PER_S
JUMP_NS: Final = NS_PER_S
JUMP_WITHOUT_BAND_NS: Final = 60 * NS_PER_S
JUMP_TICKS: Final = 10

EXCHANGE: Final = WORD_OF["exchange_ns"]
LAST_PRICE: Final = WORD_OF["last_price"]
LAST_TRADE: Final = WORD_OF["last_trade_ns"]
CLOSE: Final = WORD_OF["previous_close"]
FIRST_TOLD: Final = LAST_PRICE  # what comes before tells when, not what
DAY: Final = WORD_OF["average_price"]  # the day's average, open, high, low and close
DAY_END: Final = WORD_OF["day_close"] + 1
MINUTE: Final = WORD_OF["minute_start_ns"]
MINUTE_OPEN: Final = WORD_OF["minute_open"]
MINUTE_END: Final = WORD_OF["minute_close"] + 1
BID: Final = WORD_OF["bid_price"]
ASK: Final = WORD_OF["ask_price"]
AUCTION: Final = WORD_OF["auction_price"]  # and the price it refers to
AUCTION_END: Final = WORD_OF["reference_price"] + 1
TOLD_LEVELS: Final = WORD_OF["told_levels"]
USUAL_LEVELS: Final = DEPTH_LEVELS
DEEP_BID: Final = DEEP_WORD_OF["bid_price"]
DEEP_ASK: Final = DEEP_WORD_OF["ask_price"]
BEHIND: Final = DEEP_LEVELS


def screen(
    rows: Rows,
    received_ns: int,
    latest_ns: int,
    incoming: Ints,
    known: Ints,
    incoming_deep: Ints,
    known_deep: Ints,
    continuous: Flags,
    is_option: Flags,
    tick_size: Ints,
    band_low: Ints,
    band_high: Ints,
    suspect_price: Ints,
    suspect_close: Ints,
    verdicts: Flags,
    values: Ints,
) -> None:
    """Write a verdict of each touched row, and the value it was refused for.

    incoming, known: int64[capacity, words], the slot table as words, as the frame tells it and
    as it was believed; `_deep` its levels behind the usual ones.
    `band_low`, `band_high` are the day's price band, 0 where it is not known; then half and
    double the last price stand for it, but not for an option. It bounds the prices of a day that
    has traded, of a minute of that day, and of the book of continuous trading. Where it is not
    known, a price that only contradicts older ones waits for a second tick like a jump.
    `suspect_price` is the last price that jumped and waits for a second tick near it, 0 without
    one. A jump is more than a tenth and more than ten ticks from one update to the next, within
    a second, or within a minute where the band is not known. The previous close is that of a
    whole day: where it leaps within one, `suspect_close` waits for a second tick in the same way.
    A time after `latest_ns` is never believed, so a known one that lies there (the market's clock
    was set back) makes nothing older.
    """
    today = numbers.ist_day(received_ns)
    for i in range(rows.shape[0]):
        row = rows[i]
        at_ns = incoming[row, EXCHANGE]
        trade_ns = incoming[row, LAST_TRADE]
        price = incoming[row, LAST_PRICE]
        before = known[row, LAST_PRICE]
        before_ns = known[row, EXCHANGE]
        day = numbers.ist_day(at_ns)
        values[row] = at_ns
        if at_ns > latest_ns:
            verdicts[row] = AHEAD
            continue
        if day != today:
            verdicts[row] = OTHER_DAY
            continue
        if at_ns < before_ns <= latest_ns:
            verdicts[row] = OLDER
            continue
        if trade_ns > at_ns + TRADE_AHEAD_LIMIT_NS:
            verdicts[row] = TRADE_AHEAD
            values[row] = trade_ns
            continue
        outside = _outside(
            row,
            incoming,
            known,
            incoming_deep,
            known_deep,
            today,
            continuous[row],
            is_option[row],
            band_low[row],
            band_high[row],
        )
        is_contradicted = band_high[row] == 0 and outside < 0
        if outside != 0 and not is_contradicted:
            verdicts[row] = OUT_OF_BAND
            values[row] = abs(outside)
            continue
        limit_ns = JUMP_NS if band_high[row] > 0 else JUMP_WITHOUT_BAND_NS
        has_jumped = at_ns - before_ns <= limit_ns and _jumped(before, price, tick_size[row])
        if (has_jumped or is_contradicted) and _is_alone(row, price, suspect_price):
            verdicts[row] = JUMPED
            values[row] = price
            continue
        close = incoming[row, CLOSE]
        is_same_day = numbers.ist_day(before_ns) == day
        has_leapt = close > 0 and _jumped(known[row, CLOSE], close, tick_size[row])
        if is_same_day and has_leapt and _is_alone(row, close, suspect_close):
            verdicts[row] = JUMPED
            values[row] = close
            continue
        suspect_price[row] = 0
        suspect_close[row] = 0
        is_news = _differs(row, incoming, known, FIRST_TOLD) or (
            incoming[row, TOLD_LEVELS] > USUAL_LEVELS
            and _differs(row, incoming_deep, known_deep, 0)
        )
        verdicts[row] = CHANGED if is_news else REPEATED


def _outside(
    row: int,
    incoming: Ints,
    known: Ints,
    incoming_deep: Ints,
    known_deep: Ints,
    day: int,
    continuous: int,
    is_option: int,
    low: int,
    high: int,
) -> int:
    """A price of the row that its band does not hold, 0 if there is none.

    Negative if all such prices were known already: then the packet is contradicted, but by what
    it left out.
    """
    if high == 0 and is_option == 0:
        low = incoming[row, LAST_PRICE] // 2
        high = incoming[row, LAST_PRICE] * 2
    if high == 0:
        return 0
    found = 0
    has_traded = numbers.ist_day(incoming[row, LAST_TRADE]) == day
    if has_traded:
        found = _beyond(row, incoming, known, LAST_PRICE, LAST_PRICE + 1, low, high, found)
        found = _beyond(row, incoming, known, DAY, DAY_END, low, high, found)
    if found <= 0 and numbers.ist_day(incoming[row, MINUTE]) == day:
        found = _beyond(row, incoming, known, MINUTE_OPEN, MINUTE_END, low, high, found)
    if has_traded or continuous:
        found = _beyond(row, incoming, known, BID, BID + USUAL_LEVELS, low, high, found)
        found = _beyond(row, incoming, known, ASK, ASK + USUAL_LEVELS, low, high, found)
        found = _beyond(row, incoming, known, AUCTION, AUCTION_END, low, high, found)
        if incoming[row, TOLD_LEVELS] > USUAL_LEVELS:
            bid_end, ask_end = DEEP_BID + BEHIND, DEEP_ASK + BEHIND
            found = _beyond(row, incoming_deep, known_deep, DEEP_BID, bid_end, low, high, found)
            found = _beyond(row, incoming_deep, known_deep, DEEP_ASK, ask_end, low, high, found)
    return found


def _beyond(
    row: int, incoming: Ints, known: Ints, begin: int, end: int, low: int, high: int, found: int
) -> int:
    """What was found before if it is told anew, else a price of these columns that lies outside.

    Positive if it is told anew, negative if it is an older one.
    """
    if found > 0:
        return found
    for column in range(begin, end):
        told: int = incoming[row, column]
        if told != 0 and not low <= told <= high:
            if told != known[row, column]:
                return told
            found = -told
    return found


def _differs(row: int, incoming: Ints, known: Ints, begin: int) -> bool:
    """Whether a word of the row is another one than before, from `begin` on."""
    for column in range(begin, incoming.shape[1]):
        if incoming[row, column] != known[row, column]:
            return True
    return False


def _is_alone(row: int, price: int, suspects: Ints) -> bool:
    """Whether no other price near it was suspected just before; from now on it is."""
    suspect = suspects[row]
    suspects[row] = price
    return suspect == 0 or _jumped(suspect, price, 0)


def _jumped(before: int, price: int, tick_size: int) -> bool:
    """Whether the price moved by more than a tenth and by more than ten ticks."""
    distance = price - before if price > before else before - price
    return before > 0 and distance * 10 > before and distance > JUMP_TICKS * tick_size
