"""Volume weighted prices of the last minutes, from the updates and from the exchange's average."""

from ticktick.core import numbers
from ticktick.core.columns import NEVER_NS, Flags, Floats, Ints, Rows
from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.slots import WORD_OF

NAN = float("nan")
UNTOLD = -1

EXCHANGE = WORD_OF["exchange_ns"]
LAST_PRICE = WORD_OF["last_price"]
LAST_TRADE = WORD_OF["last_trade_ns"]
AVERAGE = WORD_OF["average_price"]
TOTAL = WORD_OF["volume"]

VWAP = METRIC_ROW["vwap"]
VWAP_EXACT = METRIC_ROW["vwap_exact"]

# columns of the window's state: place of the next trade, trades kept, when the oldest was; their
# price times volume and volume; the day's value and volume as the exchange told them last, its
# value before the window; how many of the trades kept are odd
HEAD, COUNT, OLDEST_NS, VALUE, VOLUME, NOW_VALUE, NOW_VOLUME, THEN_VALUE, ODD = range(9)
STATE_WIDTH = 9
# columns of a kept trade: its time, price times volume, volume, and the day's value after it; the
# volume of an odd one, by which the day's did not rise, as one that fell was believed, is negative
AT, TRADE_VALUE, TRADE_VOLUME, DAY_VALUE = range(4)
TRADE_WIDTH = 4

# averages are told to 0.01 rupees, so each is 0.005 off at most; the result may be 0.2 ticks off
AVERAGE_ERROR = 0.005
LARGEST_ERROR_TICKS = 0.2
LARGEST_VALUE = 2**62


def take_trades(
    rows: Rows,
    now_ns: int,
    window_ns: int,
    started_ns: Ints,
    tick_size: Ints,
    price_scale: Ints,
    traded: Flags,
    volume_delta: Ints,
    words: Ints,
    state: Ints,
    window: Ints,
    values: Floats,
) -> None:
    """Add the trade of each touched row to its window and write the VWAPs of the window.

    `started_ns` is when the row was told first since the last gap, NEVER_NS at that very update.
    state: int64[capacity, STATE_WIDTH]; window: int64[capacity, depth, TRADE_WIDTH]. A trade told
    out of order expires with those told before it. A window that fills up joins trades of the
    same moment (`window_ns * 5 / depth`): the sums stay true, the moment they expire is rounded.
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        if started_ns[row] == NEVER_NS:
            _begin(row, words, state)
        if traded[row] != 0 and volume_delta[row] > 0:
            _push(row, window_ns, volume_delta[row], words, state, window)
        _expire(row, now_ns - window_ns, state, window)
        is_covered = started_ns[row] <= now_ns - window_ns
        _write(row, is_covered, tick_size[row], price_scale[row], state, values)


def expire_trades(
    rows: Rows,
    now_ns: int,
    window_ns: int,
    started_ns: Ints,
    tick_size: Ints,
    price_scale: Ints,
    state: Ints,
    window: Ints,
    values: Floats,
) -> None:
    """Let time pass: drop trades of `window_ns` ago and before; arrays as in `take_trades`."""
    for i in range(rows.shape[0]):
        row = rows[i]
        _expire(row, now_ns - window_ns, state, window)
        is_covered = started_ns[row] <= now_ns - window_ns
        _write(row, is_covered, tick_size[row], price_scale[row], state, values)


def _begin(row: int, words: Ints, state: Ints) -> None:
    """Take the day's value and volume that were told first as those before the window."""
    day = numbers.ist_day(words[row, EXCHANGE])
    is_today = numbers.ist_day(words[row, LAST_TRADE]) == day
    state[row, THEN_VALUE] = _told_value(row, words) if is_today else 0
    state[row, NOW_VALUE] = state[row, THEN_VALUE]
    state[row, NOW_VOLUME] = words[row, TOTAL] if is_today else 0


def _push(row: int, window_ns: int, volume: int, words: Ints, state: Ints, window: Ints) -> None:
    """Keep the newest trade, joined to the one before it where room runs out."""
    depth = window.shape[1]
    at_ns = words[row, EXCHANGE]
    value = words[row, LAST_PRICE] * volume
    kept = volume  # of the record
    is_odd = words[row, TOTAL] - state[row, NOW_VOLUME] != volume
    state[row, NOW_VALUE] = _told_value(row, words)
    state[row, NOW_VOLUME] = words[row, TOTAL]
    place = state[row, HEAD]
    newest = place - 1 if place > 0 else depth - 1
    is_joined = False
    if state[row, COUNT] > depth * 3 // 4:
        moment_ns = window_ns * 5 // depth
        is_joined = at_ns // moment_ns <= window[row, newest, AT] // moment_ns
    if is_joined:
        place = newest
        window[row, place, TRADE_VALUE] += value
        if window[row, place, TRADE_VOLUME] < 0:
            is_odd = True
            state[row, ODD] -= 1
        kept += abs(window[row, place, TRADE_VOLUME])
        if at_ns > window[row, place, AT]:
            window[row, place, AT] = at_ns
    else:
        window[row, place, AT] = at_ns
        window[row, place, TRADE_VALUE] = value
        state[row, HEAD] = place + 1 if place + 1 < depth else 0
        if state[row, COUNT] == 0:
            state[row, OLDEST_NS] = at_ns
        state[row, COUNT] += 1
    if is_odd:
        state[row, ODD] += 1
        kept = -kept
    window[row, place, TRADE_VOLUME] = kept
    window[row, place, DAY_VALUE] = state[row, NOW_VALUE]
    state[row, VALUE] += value
    state[row, VOLUME] += volume


def _expire(row: int, after_ns: int, state: Ints, window: Ints) -> None:
    """Drop trades at or before `after_ns`; the last of them told the day's value until then."""
    depth = window.shape[1]
    while state[row, COUNT] > 0 and state[row, OLDEST_NS] <= after_ns:
        place = state[row, HEAD] - state[row, COUNT]
        if place < 0:
            place += depth
        state[row, VALUE] -= window[row, place, TRADE_VALUE]
        if window[row, place, TRADE_VOLUME] < 0:
            state[row, ODD] -= 1
        state[row, VOLUME] -= abs(window[row, place, TRADE_VOLUME])
        state[row, THEN_VALUE] = window[row, place, DAY_VALUE]
        state[row, COUNT] -= 1
        oldest = place + 1 if place + 1 < depth else 0
        state[row, OLDEST_NS] = window[row, oldest, AT] if state[row, COUNT] > 0 else NEVER_NS


def _write(
    row: int, is_covered: bool, tick_size: int, price_scale: int, state: Ints, values: Floats
) -> None:
    """Write the VWAP of the trades kept, and the exchange's own where it is precise enough."""
    volume = state[row, VOLUME]
    values[VWAP, row] = state[row, VALUE] / volume if volume > 0 else NAN
    values[VWAP_EXACT, row] = NAN
    is_told = state[row, NOW_VALUE] != UNTOLD and state[row, THEN_VALUE] != UNTOLD
    if is_covered and is_told and volume > 0 and state[row, ODD] == 0:
        then_and_now = 2 * state[row, NOW_VOLUME] - volume
        error = AVERAGE_ERROR * price_scale * then_and_now / volume
        if error <= LARGEST_ERROR_TICKS * tick_size:
            values[VWAP_EXACT, row] = (state[row, NOW_VALUE] - state[row, THEN_VALUE]) / volume


def _told_value(row: int, words: Ints) -> int:
    """The day's value by average and volume, price units times shares; UNTOLD if it is not."""
    average = words[row, AVERAGE]
    volume = words[row, TOTAL]
    if volume == 0:
        return 0
    if average <= 0 or volume > LARGEST_VALUE // average:
        return UNTOLD
    value: int = average * volume
    return value
