"""Where the exchange's market comes from: the model or a recording, behind one shape."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from ticktick.emulator.bars import Bars
from ticktick.emulator.listings import Listing
from ticktick.proto.MarketDataFeed_pb2 import Feed


class Update(Struct, frozen=True):
    """What changed at one moment, in full mode: absent parts of a feed are unchanged.

    `status` holds segments whose market status the source itself tells.
    """

    at_ns: int
    feeds: Mapping[str, Feed]
    status: Mapping[str, str] | None = None


class Source(Protocol):
    """A market that runs as far as it is told to."""

    now_ns: int

    @property
    def listings(self) -> Sequence[Listing]:
        """Every instrument of the master."""
        ...

    def advance(self, to_ns: int, wanted: frozenset[str]) -> Iterator[Update]:
        """Run to the moment, yielding the changes of the wanted keys in order of time."""
        ...

    def next_ns(self) -> int | None:
        """When something happens next; None if nothing ever does."""
        ...

    def snapshot(self, key: str) -> Feed | None:
        """Everything known of one instrument in full mode; None if nothing is."""
        ...

    def bars(self, key: str) -> Bars:
        """One-minute bars up to now, oldest first; the last one may still be forming."""
        ...

    def trades(self, key: str, from_ns: int, to_ns: int) -> list[tuple[int, int, int]]:
        """Trades of today in [from_ns, to_ns) up to now: nanoseconds, paise, shares.

        Raises LookupError if the source has no list of trades.
        """
        ...
