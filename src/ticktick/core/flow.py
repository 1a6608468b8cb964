"""Order-flow imbalance of the touched rows: what buyers and sellers did to the best quote."""

import math

from ticktick.core.columns import NEVER_NS, Flags, Floats, Ints, Rows
from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.slots import WORD_OF

NAN = float("nan")

EXCHANGE = WORD_OF["exchange_ns"]
BID = WORD_OF["bid_price"]
BID_QUANTITY = WORD_OF["bid_quantity"]
ASK = WORD_OF["ask_price"]
ASK_QUANTITY = WORD_OF["ask_quantity"]

MID = METRIC_ROW["mid"]
OFI = METRIC_ROW["ofi_10"]  # the first; those of the longer windows follow
SPANS = 3
SECONDS = (10, 30, 60)

# columns of the state: the last quote that stood, since when quotes are followed (NEVER_NS: not),
# place of the next change, when time alone changes something; then of each span: changes kept
# (joined ones are one), their flow, bid plus ask quantity, and how many there were
LAST_BID, LAST_BIDS, LAST_ASK, LAST_ASKS, SINCE_NS, HEAD, DUE_NS = range(7)
COUNT = 7
NET = 10
DEPTH = 13
CHANGES = 16
STATE_WIDTH = 19
# columns of a kept change: its time, flow, bid plus ask quantity, how many were joined in it
AT, CHANGE_NET, CHANGE_DEPTH, JOINED = range(4)
CHANGE_WIDTH = 4


def take_flow(
    rows: Rows,
    now_ns: int,
    continuous: Flags,
    spans_ns: Ints,
    words: Ints,
    state: Ints,
    window: Ints,
    values: Floats,
) -> None:
    """Add the change of each touched row's best quote and write the imbalances of all spans.

    A change against the last quote that stood counts by Cont, Kukanov and Stoikov (2014): what
    is added to the bid or taken from the ask is positive. Nothing is followed outside continuous
    trading. spans_ns: int64[SPANS], rising; state: int64[capacity, STATE_WIDTH]; window:
    int64[capacity, depth, CHANGE_WIDTH], which joins changes of the same moment where room runs
    out. NaN where no quote stands, where a span is not covered yet, or without any change in it.
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        if not math.isnan(values[MID, row]):
            if state[row, SINCE_NS] == NEVER_NS:
                state[row, SINCE_NS] = now_ns
            else:
                _compare(row, spans_ns[SPANS - 1], words, state, window)
            state[row, LAST_BID] = words[row, BID]
            state[row, LAST_BIDS] = words[row, BID_QUANTITY]
            state[row, LAST_ASK] = words[row, ASK]
            state[row, LAST_ASKS] = words[row, ASK_QUANTITY]
        elif continuous[row] == 0:
            _forget(row, state)
        _expire(row, now_ns, spans_ns, state, window, values)


def expire_flow(
    rows: Rows, now_ns: int, spans_ns: Ints, state: Ints, window: Ints, values: Floats
) -> None:
    """Let time pass; arrays as in `take_flow`."""
    for i in range(rows.shape[0]):
        _expire(rows[i], now_ns, spans_ns, state, window, values)


def _forget(row: int, state: Ints) -> None:
    """Follow nothing: what comes next follows a gap."""
    for column in range(STATE_WIDTH):
        state[row, column] = 0
    state[row, SINCE_NS] = NEVER_NS
    state[row, DUE_NS] = NEVER_NS


def _compare(row: int, span_ns: int, words: Ints, state: Ints, window: Ints) -> None:
    """Keep what changed since the last quote, if anything did."""
    bid = words[row, BID]
    bids = words[row, BID_QUANTITY]
    ask = words[row, ASK]
    asks = words[row, ASK_QUANTITY]
    bid_before = state[row, LAST_BID]
    ask_before = state[row, LAST_ASK]
    net = 0
    if bid >= bid_before:
        net += bids
    if bid <= bid_before:
        net -= state[row, LAST_BIDS]
    if ask <= ask_before:
        net -= asks
    if ask >= ask_before:
        net += state[row, LAST_ASKS]
    is_same = bid == bid_before and ask == ask_before
    if not is_same or bids != state[row, LAST_BIDS] or asks != state[row, LAST_ASKS]:
        _push(row, words[row, EXCHANGE], net, bids + asks, span_ns, state, window)


def _push(
    row: int, at_ns: int, net: int, depth: int, span_ns: int, state: Ints, window: Ints
) -> None:
    """Keep a change, joined to the one before it where room runs out."""
    room = window.shape[1]
    place = state[row, HEAD]
    newest = place - 1 if place > 0 else room - 1
    is_joined = False
    if state[row, COUNT + SPANS - 1] > room * 3 // 4:
        moment_ns = span_ns * 5 // room
        is_joined = at_ns // moment_ns <= window[row, newest, AT] // moment_ns
    if is_joined:
        window[row, newest, CHANGE_NET] += net
        window[row, newest, CHANGE_DEPTH] += depth
        window[row, newest, JOINED] += 1
        if at_ns > window[row, newest, AT]:
            window[row, newest, AT] = at_ns
    else:
        window[row, place, AT] = at_ns
        window[row, place, CHANGE_NET] = net
        window[row, place, CHANGE_DEPTH] = depth
        window[row, place, JOINED] = 1
        state[row, HEAD] = place + 1 if place + 1 < room else 0
    for span in range(SPANS):
        if not is_joined:
            state[row, COUNT + span] += 1
        state[row, NET + span] += net
        state[row, DEPTH + span] += depth
        state[row, CHANGES + span] += 1


def _expire(
    row: int, now_ns: int, spans_ns: Ints, state: Ints, window: Ints, values: Floats
) -> None:
    """Drop from each span what is older and write the imbalance of what is left."""
    room = window.shape[1]
    stands = not math.isnan(values[MID, row])
    since_ns = state[row, SINCE_NS]
    due_ns = NEVER_NS
    for span in range(SPANS):
        after_ns = now_ns - spans_ns[span]
        place = state[row, HEAD] - state[row, COUNT + span]
        if place < 0:
            place += room
        while state[row, COUNT + span] > 0 and window[row, place, AT] <= after_ns:
            state[row, NET + span] -= window[row, place, CHANGE_NET]
            state[row, DEPTH + span] -= window[row, place, CHANGE_DEPTH]
            state[row, CHANGES + span] -= window[row, place, JOINED]
            state[row, COUNT + span] -= 1
            place = place + 1 if place + 1 < room else 0
        if state[row, COUNT + span] > 0:
            due_ns = min(due_ns, window[row, place, AT] + spans_ns[span])
        if after_ns < since_ns < NEVER_NS:
            due_ns = min(due_ns, since_ns + spans_ns[span])
        depth = state[row, DEPTH + span]
        if stands and since_ns <= after_ns and depth > 0:
            mean_depth = depth / (2.0 * state[row, CHANGES + span])
            values[OFI + span, row] = state[row, NET + span] / mean_depth
        else:
            values[OFI + span, row] = NAN
    state[row, DUE_NS] = due_ns
