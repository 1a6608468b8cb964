"""Where the exchange's market comes from: the model or a recording, behind one shape."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from ticktick.emulator.bars import Bars
from ticktick.emulator.listings import Listing
from ticktick.emulator.model import Ints
from ticktick.proto.MarketDataFeed_pb2 import Feed, Type


class Update(Struct, frozen=True):
    """What changed at one moment, in full mode: absent parts of a feed are unchanged.

    `status` holds segments whose market status the source itself tells. A recorded message
    keeps its `type` and the time it was sent, which may be earlier than it is played.
    """

    at_ns: int
    feeds: Mapping[str, Feed]
    status: Mapping[str, str] | None = None
    type: Type = Type.live_feed
    sent_ns: int | None = None


class Source(Protocol):
    """A market that runs as far as it is told to."""

    @property
    def now_ns(self) -> int:
        """Market time up to which everything has happened."""
        ...

    @property
    def listings(self) -> Sequence[Listing]:
        """Every instrument of the master."""
        ...

    def advance(
        self, to_ns: int, wanted: frozenset[str], deep: frozenset[str] = frozenset()
    ) -> Iterator[Update]:
        """Run to the moment, yielding the changes of the wanted keys in order of time.

        Of keys that are `deep` the book is told with every level there is.
        """
        ...

    def next_ns(self) -> int | None:
        """When something happens next; None if nothing ever does."""
        ...

    def snapshot(self, key: str, deep: bool = False) -> Feed | None:
        """Everything known of one instrument in full mode; None if nothing is."""
        ...

    def open_interest(self, key: str, at_ns: Ints) -> Ints:
        """Contracts outstanding at moments; 0 for what is no derivative."""
        ...

    def price_band(self, listing: Listing, previous_close: int) -> tuple[int, int] | None:
        """The day's lowest and highest price in paise; None where nobody knows them."""
        ...

    def bars(self, key: str) -> Bars:
        """One-minute bars up to now, oldest first; the last one may still be forming."""
        ...

    def day_bars(self, key: str) -> Bars:
        """Daily bars up to now, oldest first, with what no minute holds: auctions, post-close."""
        ...

    def halt(self, halted: bool) -> None:
        """Stop trading from the next whole minute on, or let it go on.

        Raises LookupError if what happens is already written.
        """
        ...

    def replan(self) -> None:
        """Take up changed hours of the running day and of later ones.

        Raises LookupError if what happens is already written.
        """
        ...

    def trades(self, key: str, from_ns: int, to_ns: int) -> list[tuple[int, int, int]]:
        """Trades of today in [from_ns, to_ns) up to now: nanoseconds, paise, shares.

        Raises LookupError if the source has no list of trades.
        """
        ...
