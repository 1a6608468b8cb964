"""How old a symbol's data may be called: the rules, first match wins."""

from msgspec import Struct

from ticktick.domain.market import Freshness
from ticktick.domain.sessions import Phase


class Link(Struct, frozen=True):
    """The feed's link at one moment of market time.

    `is_healthy`: data still arrives, as the canary, an index that moves all day, proves.
    """

    now_ns: int
    is_up: bool
    is_healthy: bool


class Told(Struct, frozen=True, gc=False):
    """What was told of one symbol.

    `told_ns` is the time of the last packet that held it, 0 if there was none, and `heard`
    whether that came over the present link. `in_gap`: minutes that the feed left out are still to
    be told. `proved_ns` is when a quote last proved that the feed had missed nothing, 0 for
    never; `is_behind`: one proved that it did.
    """

    told_ns: int
    heard: bool
    in_gap: bool = False
    proved_ns: int = 0
    is_behind: bool = False


def judge(
    told: Told, phase: Phase, link: Link, fresh_limit_ns: int, quiet_limit_ns: int
) -> Freshness:
    """The freshness of one symbol.

    In continuous trading a symbol may be quiet for the limit, and as long again after each proof.
    """
    if told.told_ns == 0:
        return Freshness.UNKNOWN
    if not link.is_up or not told.heard:
        return Freshness.STALE
    if told.in_gap:
        return Freshness.GAP
    if phase in {Phase.CLOSED, Phase.HALTED}:
        return Freshness.CLOSED
    if link.now_ns - told.told_ns <= fresh_limit_ns:
        return Freshness.FRESH
    if phase is not Phase.CONTINUOUS:
        return Freshness.QUIET
    is_proved = link.now_ns - max(told.told_ns, told.proved_ns) <= quiet_limit_ns
    is_quiet = link.is_healthy and is_proved and not told.is_behind
    return Freshness.QUIET if is_quiet else Freshness.STALE
