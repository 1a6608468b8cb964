"""The parts that socket messages and REST bodies share.

They are dataclasses, since the encoders of both read those. Times are milliseconds since the Unix
epoch. A value that is not known is null, never 0.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from ticktick.domain.sessions import Phase

Mode: TypeAlias = Literal["DEMO", "VIEW", "PAPER", "LIVE", "REPLAY"]
TokenState: TypeAlias = Literal["valid", "expiring", "expired", "refused", "missing"]
StoreState: TypeAlias = Literal["on", "off", "degraded"]


class Stamp(NamedTuple):
    """What every message and answer carries: the mode, and market time in milliseconds."""

    mode: Mode
    now_ms: int


@dataclass(frozen=True)
class PhaseState:
    """The session phase of one segment; `source` is `feed` or `calendar`."""

    phase: Phase
    source: str


@dataclass(frozen=True)
class FeedState:
    """The link to the broker and how true its data is.

    `reason` is a sentence, `cause` the word under which a loss is counted, empty while the link
    is up; so it is since `since_ms`, null before its first change. `fresh` of `total` symbols are
    fresh. `canary_age_ms` is the age of the freshest index, in market time.
    """

    up: bool
    reason: str
    cause: str
    since_ms: int | None
    fresh: int
    total: int
    canary_age_ms: int | None
    last_frame_ms: int | None


@dataclass(frozen=True)
class TokenStatus:
    """The broker login."""

    state: TokenState
    expires_ms: int | None = None


@dataclass(frozen=True)
class PartState:
    """A part that may be away: Redis, the recording. `text` is a sentence for the user."""

    state: StoreState
    text: str


@dataclass(frozen=True)
class Outage:
    """One time without the link; `until_ms` is null while it lasts."""

    from_ms: int
    until_ms: int | None
    cause: str
    reason: str


@dataclass(frozen=True)
class RepairState:
    """What the gaps of the feed left behind.

    `symbols` wait for the candles of a gap, out of `total` when this repair began. The minutes
    are those still open, and since the start those rebuilt and those the broker has not either.
    """

    symbols: tuple[str, ...]
    total: int
    minutes_open: int | None
    minutes_backfilled: int | None
    minutes_missing: int | None


@dataclass(frozen=True)
class Pulse:
    """How late everything was at one moment, in real milliseconds; null where nothing was measured.

    The feed's lag is from the exchange's stamp to our reading, of what was heard in the second
    before; `ping` and `rest` are round trips, `loop` is how late this program's own tasks ran.
    """

    at_ms: int
    feed_median_ms: float | None
    feed_worst_ms: float | None
    ping_ms: float | None
    rest_ms: float | None
    loop_ms: float | None


@dataclass(frozen=True)
class RejectedSample:
    """A piece of the feed that was refused; `text` says why, with the value."""

    at_ms: int
    reason: str
    text: str


@dataclass(frozen=True)
class Health:
    """How the connection does beyond being up; null where nothing was measured.

    `outages` are the last ones, oldest first. `rest_left` is the share of the tightest window of
    the broker's limits that is left, by class of request, and `rest_waiting` how many wait for
    it. `rejected` counts refused frames and values by reason. `unheard` symbols were asked for
    twice and never told. With `can_take_over` another program seems to have the feed, and only
    the user decides who gets it.
    """

    outages: tuple[Outage, ...]
    next_attempt_s: float | None
    can_take_over: bool
    repair: RepairState
    pulse: Pulse
    clock_offset_ms: float | None
    rest_left: dict[str, float]
    rest_waiting: dict[str, int]
    rejected: dict[str, int]
    rejected_samples: tuple[RejectedSample, ...]
    repeats: int | None
    corrections: int | None
    unheard: tuple[str, ...]
