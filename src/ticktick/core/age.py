"""Judge how old what is known of each instrument may be called."""

from ticktick.core.columns import Flags, Ints, Rows
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.slots import WORD_OF

EXCHANGE = WORD_OF["exchange_ns"]
RECEIVED = WORD_OF["received_ns"]
LAST_TRADE = WORD_OF["last_trade_ns"]

# places in the order of domain.market.Freshness
UNKNOWN, STALE, GAP, CLOSED, FRESH, QUIET = range(6)

# a trade that is this old and that the feed did not tell shows that the feed is behind
BEHIND_NS = 2 * NS_PER_S


def age(
    rows: Rows,
    now_ns: int,
    life_ns: int,
    link_up: bool,
    fresh_ns: int,
    words: Ints,
    heard: Flags,
    gap_until_ns: Ints,
    continuous: Flags,
    closed: Flags,
    began_ns: Ints,
    proved_ns: Ints,
    newer_trade_ns: Ints,
    quiet_ns: Ints,
    codes: Flags,
    changed: Rows,
) -> int:
    """Write the freshness of each touched row, first rule that holds; return how many changed.

    words: int64[capacity, words] of the slot table. `life_ns` is when the feed last proved that it
    lives. Columns by row: `heard`, whether it was
    told over the present link; `gap_until_ns`, up to when minutes that the feed left out are
    still to be told, 0 for none; `continuous` and `closed`, what its market does, and `began_ns`
    since when it trades; `proved_ns`, when a quote last proved that the feed had missed nothing;
    `newer_trade_ns`, the newest trade that a quote told and the feed did not, 0 for none;
    `quiet_ns`, how long it may be quiet in continuous trading, and as long again after each proof.
    The rows that changed are written to `changed`, int32[>= len(rows)].
    """
    found = 0
    for i in range(rows.shape[0]):
        row = rows[i]
        # a packet that claims to be from the future ages from its reading
        told_ns = min(words[row, EXCHANGE], words[row, RECEIVED])
        if told_ns == 0:
            code = UNKNOWN
        elif not link_up or not heard[row]:
            code = STALE
        elif gap_until_ns[row] > 0:
            code = GAP
        elif closed[row]:
            code = CLOSED
        elif now_ns - told_ns <= fresh_ns:
            code = FRESH
        elif not continuous[row]:
            code = QUIET
        else:
            began = began_ns[row]  # nothing was traded right before it
            newest_ns = max(told_ns, proved_ns[row], began)
            is_healthy = now_ns - max(life_ns, began) <= fresh_ns
            is_proved = now_ns - newest_ns <= quiet_ns[row]
            missed_ns = newer_trade_ns[row]
            is_behind = missed_ns > words[row, LAST_TRADE] and now_ns - missed_ns > BEHIND_NS
            code = QUIET if is_healthy and is_proved and not is_behind else STALE
        if codes[row] != code:
            codes[row] = code
            changed[found] = row
            found += 1
    return found


class Ageing:
    """Judges ages on columns that it was given once, named and shaped as in `age`."""

    def __init__(
        self,
        fresh_ns: int,
        words: Ints,
        heard: Flags,
        gap_until_ns: Ints,
        continuous: Flags,
        closed: Flags,
        began_ns: Ints,
        proved_ns: Ints,
        newer_trade_ns: Ints,
        quiet_ns: Ints,
        codes: Flags,
        changed: Rows,
    ) -> None:
        self._fresh_ns = fresh_ns
        self._words = words
        self._heard = heard
        self._gap_until_ns = gap_until_ns
        self._continuous = continuous
        self._closed = closed
        self._began_ns = began_ns
        self._proved_ns = proved_ns
        self._newer_trade_ns = newer_trade_ns
        self._quiet_ns = quiet_ns
        self._codes = codes
        self._changed = changed

    def judge(self, rows: Rows, now_ns: int, life_ns: int, link_up: bool) -> int:
        """Write the freshness of each touched row; return how many changed."""
        return age(
            rows,
            now_ns,
            life_ns,
            link_up,
            self._fresh_ns,
            self._words,
            self._heard,
            self._gap_until_ns,
            self._continuous,
            self._closed,
            self._began_ns,
            self._proved_ns,
            self._newer_trade_ns,
            self._quiet_ns,
            self._codes,
            self._changed,
        )
