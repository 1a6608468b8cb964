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


def judge(
    exchange_ns: int,
    received_ns: int,
    heard: bool,
    in_gap: bool,
    phase: Phase,
    link: Link,
    fresh_limit_ns: int,
    quiet_limit_ns: int,
) -> Freshness:
    """The freshness of one symbol.

    `exchange_ns` is the time of the last frame that held it, 0 if there was none, `received_ns`
    when that was read; `heard` says whether it came over the present link, `in_gap` that minutes
    the feed left out are still to be told. A frame that claims to be from the future ages from
    its reading.
    """
    if exchange_ns == 0:
        return Freshness.UNKNOWN
    if not link.is_up or not heard:
        return Freshness.STALE
    if in_gap:
        return Freshness.GAP
    if phase is Phase.CLOSED:
        return Freshness.CLOSED
    age_ns = link.now_ns - min(exchange_ns, received_ns)
    if age_ns <= fresh_limit_ns:
        return Freshness.FRESH
    if phase is not Phase.CONTINUOUS:
        return Freshness.QUIET
    return Freshness.QUIET if link.is_healthy and age_ns <= quiet_limit_ns else Freshness.STALE
