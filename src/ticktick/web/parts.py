"""The parts that socket messages and REST bodies share.

They are dataclasses, since the encoders of both read those. Times are milliseconds since the Unix
epoch. A value that is not known is null, never 0.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ticktick.domain.sessions import Phase

Mode: TypeAlias = Literal["DEMO", "VIEW", "PAPER", "LIVE", "REPLAY"]
TokenState: TypeAlias = Literal["valid", "expiring", "expired", "missing"]
StoreState: TypeAlias = Literal["on", "off", "degraded"]


@dataclass(frozen=True)
class PhaseState:
    """The session phase of one segment; `source` is `feed` or `calendar`."""

    phase: Phase
    source: str


@dataclass(frozen=True)
class FeedState:
    """The link to the broker and how true its data is.

    `fresh` of `total` symbols are fresh or quiet. `canary_age_ms` is the age of the freshest
    index, in market time.
    """

    up: bool
    reason: str
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
