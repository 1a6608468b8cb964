"""What needs the mid at a moment that has passed: realised volatility and realised spread."""

import math

from ticktick.core.columns import NEVER_NS, Flags, Floats, Ints, Rows
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.slots import WORD_OF

NAN = float("nan")

EXCHANGE = WORD_OF["exchange_ns"]
LAST_PRICE = WORD_OF["last_price"]
BID = WORD_OF["bid_price"]
ASK = WORD_OF["ask_price"]

MID = METRIC_ROW["mid"]
TRADE_SIGN = METRIC_ROW["trade_sign"]
RV = METRIC_ROW["rv"]
REALISED_SPREAD = METRIC_ROW["realised_spread"]

STEP_NS = 5 * NS_PER_S
RETURNS = 60
# basis points of the root of a sum over 300 s, per square root of a minute
SCALE = 1e4 * math.sqrt(60.0 / 300.0)
LATER_NS = 30 * NS_PER_S

# columns of the state: the next moment at which the mid is read (NEVER_NS: none), returns kept,
# place of the next trade, trades that wait, when time alone changes something
NEXT_NS, COUNT, TRADE_HEAD, WAITING, DUE_NS = range(5)
STATE_WIDTH = 5
# columns of the mids: the last one that stood, the one read at the last moment (0: none), and
# the sum of the squared returns
LAST_MID, READ_MID, SQUARES = range(3)
MIDS_WIDTH = 3
# columns of a trade that waits: its time, sign, price, bid plus ask
AT, SIGN, PRICE, BOTH = range(4)
TRADE_WIDTH = 4


def settle_before(
    rows: Rows,
    words: Ints,
    state: Ints,
    mids: Floats,
    squares: Floats,
    trades: Ints,
    values: Floats,
) -> None:
    """Settle the moments before each touched row's update, by the mid that stood until then.

    state: int64[capacity, STATE_WIDTH]; mids: float64[capacity, MIDS_WIDTH]; squares:
    float64[capacity, RETURNS] of log returns; trades: int64[capacity, room, TRADE_WIDTH].
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        _settle(row, words[row, EXCHANGE], state, mids, squares, trades, values)


def settle_until(
    rows: Rows,
    until_ns: int,
    state: Ints,
    mids: Floats,
    squares: Floats,
    trades: Ints,
    values: Floats,
) -> None:
    """Let time pass: settle the moments before `until_ns`; arrays as in `settle_before`."""
    for i in range(rows.shape[0]):
        row = rows[i]
        _settle(row, until_ns, state, mids, squares, trades, values)
        _write(row, state, mids, trades, values)


def note_mids(
    rows: Rows,
    now_ns: int,
    continuous: Flags,
    traded: Flags,
    words: Ints,
    state: Ints,
    mids: Floats,
    trades: Ints,
    values: Floats,
) -> None:
    """Note the mid of each touched row, and its trade until the mid of 30 s later is known.

    A trade that finds no room is left out. Nothing is read outside continuous trading. Arrays
    as in `settle_before`; writes the realised volatility, NaN until all its returns are known and
    where no quote stands.
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        mid = values[MID, row]
        if not math.isnan(mid):
            mids[row, LAST_MID] = mid
            if state[row, NEXT_NS] == NEVER_NS:
                state[row, NEXT_NS] = (now_ns + STEP_NS - 1) // STEP_NS * STEP_NS
            if traded[row] != 0:
                _wait(row, words, state, trades, values)
        elif continuous[row] == 0:
            state[row, NEXT_NS] = NEVER_NS
            state[row, COUNT] = 0
            mids[row, READ_MID] = 0.0
        _write(row, state, mids, trades, values)


def _wait(row: int, words: Ints, state: Ints, trades: Ints, values: Floats) -> None:
    """Keep a trade whose side is known."""
    sign = values[TRADE_SIGN, row]
    room = trades.shape[1]
    if state[row, WAITING] == room or math.isnan(sign) or sign == 0.0:
        return
    place = state[row, TRADE_HEAD]
    trades[row, place, AT] = words[row, EXCHANGE]
    trades[row, place, SIGN] = 1 if sign > 0.0 else -1
    trades[row, place, PRICE] = words[row, LAST_PRICE]
    trades[row, place, BOTH] = words[row, BID] + words[row, ASK]
    state[row, TRADE_HEAD] = place + 1 if place + 1 < room else 0
    state[row, WAITING] += 1


def _settle(
    row: int,
    until_ns: int,
    state: Ints,
    mids: Floats,
    squares: Floats,
    trades: Ints,
    values: Floats,
) -> None:
    """Settle what is due before `until_ns`."""
    room = trades.shape[1]
    while state[row, WAITING] > 0:
        place = state[row, TRADE_HEAD] - state[row, WAITING]
        if place < 0:
            place += room
        if trades[row, place, AT] + LATER_NS >= until_ns:
            break
        mid = trades[row, place, BOTH] / 2.0
        cost = trades[row, place, SIGN] * (trades[row, place, PRICE] - values[MID, row])
        values[REALISED_SPREAD, row] = 2e4 * cost / mid
        state[row, WAITING] -= 1
    if state[row, NEXT_NS] < until_ns:
        _read(row, until_ns, state, mids, squares)


def _read(row: int, until_ns: int, state: Ints, mids: Floats, squares: Floats) -> None:
    """Read the mid at each moment passed: at all but the first of them nothing had changed."""
    moments = (until_ns - 1 - state[row, NEXT_NS]) // STEP_NS + 1
    first = state[row, NEXT_NS] // STEP_NS
    mid = mids[row, LAST_MID]
    if mids[row, READ_MID] > 0.0:
        change = math.log(mid / mids[row, READ_MID])
        _keep(row, first, change * change, state, squares)
    for later in range(1, min(moments, RETURNS + 1)):
        _keep(row, first + later, 0.0, state, squares)
    mids[row, READ_MID] = mid
    state[row, NEXT_NS] += moments * STEP_NS
    total = 0.0
    for place in range(RETURNS):
        total += squares[row, place]
    mids[row, SQUARES] = total


def _keep(row: int, moment: int, square: float, state: Ints, squares: Floats) -> None:
    """Keep the squared return of a moment in the place of the one 300 s before."""
    squares[row, moment % RETURNS] = square
    if state[row, COUNT] < RETURNS:
        state[row, COUNT] += 1


def _write(row: int, state: Ints, mids: Floats, trades: Ints, values: Floats) -> None:
    """Write the realised volatility and when the next moment is due."""
    is_known = state[row, COUNT] == RETURNS and not math.isnan(values[MID, row])
    values[RV, row] = SCALE * math.sqrt(mids[row, SQUARES]) if is_known else NAN
    due_ns = state[row, NEXT_NS]
    if state[row, WAITING] > 0:
        room = trades.shape[1]
        place = state[row, TRADE_HEAD] - state[row, WAITING]
        if place < 0:
            place += room
        due_ns = min(due_ns, trades[row, place, AT] + LATER_NS)
    state[row, DUE_NS] = due_ns
