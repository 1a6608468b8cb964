"""What a frame says at first sight: when it was sent, and of which instruments it tells."""

from collections.abc import Iterable

import msgspec
from google.protobuf.message import DecodeError as ParseError
from msgspec import Struct

from ticktick.brokers.upstox import skim
from ticktick.compiled import part
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse

LARGEST_FRAME = 4 << 20
_COMPILED = part("ticktick.brokers.upstox._skim")
_sent_ms = skim.sent_ms if _COMPILED is None else _COMPILED.sent_ms
_LONGEST_REFUSAL = 200


class Glance(Struct, frozen=True):
    """The feed's own time of a frame in milliseconds, and the keys of its instruments."""

    sent_ms: int
    keys: Iterable[str]


def glance(frame: bytes) -> Glance | None:
    """The first sight of a frame; None if it is none, or larger than any frame can be."""
    if len(frame) > LARGEST_FRAME:
        return None
    try:
        parsed = FeedResponse.FromString(frame)
    except ParseError:
        return None
    return Glance(parsed.currentTs, list(parsed.feeds)) if parsed.currentTs > 0 else None


def sent_ms(frame: bytes) -> int:
    """When a frame was sent, by its outermost fields; NOT_SEEN where only a glance can tell."""
    told: int = _sent_ms(frame)
    return told


class _Failure(Struct):
    error: str


def refusal_of(frame: bytes) -> str:
    """What the feed says in a text frame that refuses a request; empty for any other frame."""
    if not frame.startswith(b"{"):
        return ""
    try:
        return msgspec.json.decode(frame, type=_Failure).error[:_LONGEST_REFUSAL]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
