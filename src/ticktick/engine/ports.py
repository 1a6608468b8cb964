"""What the engine and its surroundings ask of each other."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from msgspec import Struct

from ticktick.core.columns import Rows
from ticktick.domain.event import Event, Fact
from ticktick.domain.sessions import Phase
from ticktick.market.table import SlotTable

# the rows that one event touched, and the facts it made, in a fixed order
Change: TypeAlias = tuple[Rows, list[Fact]]


class EngineSettings(Struct, frozen=True):
    """What the engine's outputs depend on besides events; kept in every recording's header.

    `ahead_limit_s`: a frame whose own time lies further ahead of the market's clock is not
    believed; the clock of a market that runs fast is known less exactly. `silence_limit_s`: a feed
    that tells nothing for longer in continuous trading leaves a hole. `order_value_rupees`: the
    order for which liquidity is judged.
    """

    vwap_window_s: int = 300
    fresh_limit_s: int = 5
    quiet_limit_s: int = 60
    quiet_derivative_limit_s: int = 60
    confirm_limit_s: int = 5
    close_grace_s: int = 2
    ahead_limit_s: int = 2
    silence_limit_s: int = 5
    order_value_rupees: int = 100_000


class MarketWords(Struct, frozen=True, gc=False):
    """What one frame said of the market's state; a word its schema does not list is UNKNOWN.

    By segment: `phases` of all its instruments, `auctions` of those that close by auction,
    `pre_opens` of the pre-open session.
    """

    phases: Mapping[str, Phase]
    auctions: Mapping[str, Phase] = {}
    pre_opens: Mapping[str, Phase] = {}

    @property
    def unlisted(self) -> int:
        """How many words the schema does not list."""
        told = (*self.phases.values(), *self.auctions.values(), *self.pre_opens.values())
        return told.count(Phase.UNKNOWN)


class Decoded(Struct, frozen=True, gc=False):
    """What one frame said, beyond the rows it wrote.

    `exchange_ns` is the feed's own time of the frame. `rows` are the touched rows, without
    repeats; `whole` those of them whose packet told the last trade, None for all. `words` are the
    market's state where the frame told it. `unknown_keys`, `refused`, `unknown_parts` and
    `off_grid` count instruments nobody asked for, values that cannot be a market's, fields that
    the schema does not know, and prices between two whole price units, which are rounded.
    `samples` are one or two of what was left out: why (`unknown` or `impossible`), of which
    instrument or key, with which value.
    """

    exchange_ns: int
    rows: Rows
    whole: Rows | None = None
    words: MarketWords | None = None
    unknown_keys: int = 0
    refused: int = 0
    unknown_parts: int = 0
    off_grid: int = 0
    samples: Sequence[tuple[str, str, str]] = ()


class Decoder(Protocol):
    """Turns one raw frame into rows of the slot table."""

    name: str

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Write the frame's instruments into the table's `incoming`.

        Raises DecodeError if the bytes are not a frame; the table is unchanged then.
        """
        ...


class Stopwatch(Protocol):
    """Is told where an event is on its way; the engine itself reads no clock."""

    def lap(self, stage: str) -> None:
        """A part of this stage ends now."""
        ...


class NoStopwatch:
    """Measures nothing: a replay's stopwatch, or a test's."""

    def lap(self, stage: str) -> None:
        """Do nothing."""


class Outputs(Struct, frozen=True):
    """What one event changed: touched rows (latest wins) and facts (every one counts)."""

    at_ns: int
    touched: Rows
    facts: Sequence[Fact]


class Sink(Protocol):
    """A consumer of outputs: the dashboard hub, the Redis writer, the output log.

    It is called in the engine's loop, copies what it needs and returns at once.
    """

    def take(self, outputs: Outputs) -> None:
        """Copy what changed; never wait, never raise for its own troubles."""
        ...


class EventLog(Protocol):
    """Keeps every event in order: the recorder."""

    def write(self, event: Event) -> None:
        """Append one event; never wait for the disk."""
        ...
