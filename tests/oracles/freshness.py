"""The rules of freshness, one instrument at a time, as the promise states them."""

from typing import NamedTuple

from ticktick.domain.clock import NS_PER_S
from ticktick.domain.market import Freshness
from ticktick.domain.sessions import Phase


class Told(NamedTuple):
    """What is known of one instrument, and what holds for all of them, nanoseconds."""

    now_ns: int
    life_ns: int
    link_up: bool
    exchange_ns: int
    received_ns: int
    last_trade_ns: int
    heard: bool
    gap_until_ns: int
    phase: Phase
    began_ns: int
    proved_ns: int
    newer_trade_ns: int


def freshness(told: Told, fresh_ns: int, quiet_ns: int) -> Freshness:
    """The first rule that holds."""
    told_ns = min(told.exchange_ns, told.received_ns)
    age_ns = told.now_ns - told_ns
    proof_ns = max(told_ns, told.proved_ns, told.began_ns)
    is_alive = told.now_ns - max(told.life_ns, told.began_ns) <= fresh_ns
    missed_ns = told.newer_trade_ns if told.newer_trade_ns > told.last_trade_ns else None
    misses = missed_ns is not None and told.now_ns - missed_ns > 2 * NS_PER_S
    rules = (
        (told_ns == 0, Freshness.UNKNOWN),
        (not told.link_up, Freshness.STALE),
        (not told.heard, Freshness.STALE),
        (told.gap_until_ns != 0, Freshness.GAP),
        (told.phase in (Phase.CLOSED, Phase.HALTED), Freshness.CLOSED),
        (age_ns <= fresh_ns, Freshness.FRESH),
        (told.phase is not Phase.CONTINUOUS, Freshness.QUIET),
        (is_alive and not misses and told.now_ns - proof_ns <= quiet_ns, Freshness.QUIET),
        (True, Freshness.STALE),
    )
    return next(word for holds, word in rules if holds)
