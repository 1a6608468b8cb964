"""What was heard of the feed: every message with its time, and how each connection went."""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct, field

from ticktick.proto.MarketDataFeed_pb2 import Feed, FeedResponse, MarketFullFeed


class Message(NamedTuple):
    """A frame and when it came: real seconds, and market time."""

    at_s: float
    at_ns: int
    frame: FeedResponse
    size: int


class Connection(Struct):
    """How one connection went; `status` is the answer of a refused handshake, 0 if it opened.

    `pings_s` are the moments (real seconds) at which the server sent a ping, `closed` its close
    code if it hung up, `texts` the text frames it sent, `unreadable` counts frames that are none.
    """

    status: int = 0
    opened_s: float = 0.0
    ended_s: float = 0.0
    compressed: bool = False
    pong_ms: float | None = None
    closed: int | None = None
    pings_s: list[float] = []
    texts: list[str] = []
    unreadable: int = 0


class Heard(Struct):
    """A whole listening, from `from_ns` until `until_ns`.

    `main` is the connection that listened, `idle` asked for nothing, `third` was one more than a
    plain account may have, `again` used an address twice, `aged` used one that was `code_age_s`
    old. `asked_keys` were asked for in the mode `full`; what came is in `messages`, what came of
    each later step in a list of its own.
    """

    asked_keys: tuple[str, ...]
    address_names: tuple[str, ...]
    address_scheme: str
    main: Connection = field(default_factory=Connection)
    idle: Connection = field(default_factory=Connection)
    third: Connection = field(default_factory=Connection)
    again: Connection = field(default_factory=Connection)
    aged: Connection = field(default_factory=Connection)
    messages: list[Message] = []
    in_ltpc: list[Message] = []
    in_deep: list[Message] = []
    in_greeks: list[Message] = []
    after_unsub: list[Message] = []
    unknown_texts: list[str] = []
    unknown_closed: bool = False
    code_age_s: float = 0.0
    from_ns: int = 0
    until_ns: int = 0

    def packets(self) -> Iterator[tuple[Message, str, Feed]]:
        """Every packet of the first subscription, with its message and key, in order."""
        return packets(self.messages)


def packets(messages: list[Message]) -> Iterator[tuple[Message, str, Feed]]:
    """Every packet of the messages, with its message and key, in order."""
    for message in messages:
        for key, feed in message.frame.feeds.items():
            yield message, key, feed


def market_packets(messages: list[Message]) -> Iterator[tuple[Message, str, MarketFullFeed]]:
    """The packets that are full ones of something traded."""
    for message, key, feed in packets(messages):
        if feed.fullFeed.HasField("marketFF"):
            yield message, key, feed.fullFeed.marketFF
