"""What goes into the engine and what comes out: every kind of event and fact.

An event is recorded as it is; replaying the events in order gives the same facts and metrics,
byte for byte. `at_ns` is market time.
"""

from typing import TypeAlias

from msgspec import Struct

from ticktick.domain.instrument import Instrument
from ticktick.domain.market import Candle, Freshness
from ticktick.domain.sessions import Phase


class FrameArrived(Struct, frozen=True, tag="frame", gc=False):
    """A raw frame of the feed, as read from the socket."""

    received_ns: int
    seq: int
    data: bytes


class LinkChanged(Struct, frozen=True, tag="link"):
    """The feed's socket came up or went away."""

    at_ns: int
    up: bool
    reason: str


class TimerFired(Struct, frozen=True, tag="timer", gc=False):
    """Market time moved on; nothing else happened."""

    at_ns: int


class InstrumentsResolved(Struct, frozen=True, tag="instruments"):
    """The watchlist against the day's instrument master; comes before the first frame.

    `canary` is the symbol whose silence means a silent feed; `extras` are symbols that are
    followed but not on the user's list. `notes` are sentences for the user: what was repaired,
    what was not found.
    """

    at_ns: int
    instruments: tuple[Instrument, ...]
    canary: str | None = None
    extras: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class HistoryRead(Struct, frozen=True, tag="history"):
    """Final one-minute candles of one symbol from the broker, oldest first."""

    at_ns: int
    symbol: str
    candles: tuple[Candle, ...]


class NoteTaken(Struct, frozen=True, tag="note"):
    """Something outside the engine that the user must read; it comes out as Noticed."""

    at_ns: int
    level: str
    text: str


Event: TypeAlias = (
    FrameArrived | LinkChanged | TimerFired | InstrumentsResolved | HistoryRead | NoteTaken
)


class CandleChanged(Struct, frozen=True, tag="candle"):
    """A candle closed, became final or was corrected. Every one counts."""

    at_ns: int
    candle: Candle


class FreshnessChanged(Struct, frozen=True, tag="freshness"):
    """A symbol's data became older or newer by a class."""

    at_ns: int
    symbol: str
    freshness: Freshness


class PhaseChanged(Struct, frozen=True, tag="phase"):
    """A segment's session phase changed; `source` is `feed` or `calendar`."""

    at_ns: int
    segment: str
    phase: Phase
    source: str


class FeedChanged(Struct, frozen=True, tag="feed"):
    """The link to the feed came up or went away."""

    at_ns: int
    up: bool
    reason: str


class Noticed(Struct, frozen=True, tag="notice"):
    """A sentence for the log line; `level` is `info`, `warning` or `error`."""

    at_ns: int
    level: str
    text: str


Fact: TypeAlias = CandleChanged | FreshnessChanged | PhaseChanged | FeedChanged | Noticed
