"""Ways to damage a frame: its bytes, its structure, and its values."""

import math
import struct
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from tests.fuzz.wire import (
    BYTES,
    FIXED32,
    FIXED64,
    GROUP,
    VARINT,
    Field,
    encode,
    parse,
    varint,
    walk,
)
from ticktick.proto import MarketDataFeed_pb2 as pb2

DAY_MS = 86_400_000
_INTS: Final = (0, 1, -1, 2**31 - 1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1)
_FACTORS: Final = (-1.0, 0.0, 0.01, 0.5, 0.89, 0.91, 1.09, 1.11, 2.0, 100.0)
_DOUBLES: Final = (
    *(0.0, -0.0, 0.005, 1e-300, 1e9, 1e15, 1e308, -1e9),
    *(math.nan, math.inf, -math.inf, 5e-324),
)
_TEXTS: Final = (b"", b"\xff\xfe", b"\x00", "₹".encode(), b"A" * 5000, b"1d", b"I1", b"NSE_EQ|X")
_SEGMENTS: Final = ("NSE_EQ", "NSE_INDEX", "NSE_FO", "NSE_NEW")


class Fuzz:
    """One frame to damage: the random numbers, other good frames, and the keys asked for."""

    def __init__(
        self, rng: Random, frame: bytes, others: Sequence[bytes], keys: Sequence[str]
    ) -> None:
        self.rng = rng
        self.frame = frame
        self.others = others
        self.keys = keys

    def other(self) -> bytes:
        """Another good frame."""
        return self.rng.choice(self.others)

    def tree(self) -> list[Field]:
        """The frame's fields."""
        return parse(self.frame, pb2.FeedResponse.DESCRIPTOR)

    def message(self) -> pb2.FeedResponse:
        """The frame's values."""
        return pb2.FeedResponse.FromString(self.frame)


Mutation = Callable[[Fuzz], bytes]


def bit_flips(fuzz: Fuzz) -> bytes:
    """Some bits the other way round."""
    damaged = bytearray(fuzz.frame)
    for _ in range(fuzz.rng.choice((1, 1, 2, 4, 16))):
        bit = fuzz.rng.randrange(8 * len(damaged))
        damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def truncation(fuzz: Fuzz) -> bytes:
    """Cut off at the end, or at the beginning."""
    at = fuzz.rng.randrange(len(fuzz.frame))
    return fuzz.frame[:at] if fuzz.rng.random() < 0.8 else fuzz.frame[at:]


def splice(fuzz: Fuzz) -> bytes:
    """The head of one frame and the tail of another."""
    other = fuzz.other()
    return (
        fuzz.frame[: fuzz.rng.randrange(len(fuzz.frame))] + other[fuzz.rng.randrange(len(other)) :]
    )


def insertion(fuzz: Fuzz) -> bytes:
    """Random bytes in the middle."""
    at = fuzz.rng.randrange(len(fuzz.frame) + 1)
    return fuzz.frame[:at] + fuzz.rng.randbytes(fuzz.rng.randint(1, 12)) + fuzz.frame[at:]


def joined(fuzz: Fuzz) -> bytes:
    """Two frames as one: the parser merges them."""
    return fuzz.frame + fuzz.other()


def noise(fuzz: Fuzz) -> bytes:
    """Bytes without any sense, text, or nothing."""
    size = fuzz.rng.choice((0, 1, 8, 100, 4000))
    return fuzz.rng.choice((fuzz.rng.randbytes(size), b'{"status":"failed"}', b""))


def duplication(fuzz: Fuzz) -> bytes:
    """A field twice or more."""
    fields, index, tree = _place(fuzz)
    fields[index:index] = [fields[index]] * fuzz.rng.choice((1, 1, 2, 50))
    return encode(tree)


def loss(fuzz: Fuzz) -> bytes:
    """A field less."""
    fields, index, tree = _place(fuzz)
    del fields[index]
    return encode(tree)


def shuffle(fuzz: Fuzz) -> bytes:
    """Fields in another order."""
    fields, _, tree = _place(fuzz)
    fuzz.rng.shuffle(fields)
    return encode(tree)


def graft(fuzz: Fuzz) -> bytes:
    """A field replaced by one of another frame, from another place."""
    fields, index, tree = _place(fuzz)
    donors = list(walk(parse(fuzz.other(), pb2.FeedResponse.DESCRIPTOR)))
    donor, place = fuzz.rng.choice(donors)
    grafted = Field(fields[index].number, donor[place].wire, donor[place].value)
    fields[index] = grafted if fuzz.rng.random() < 0.5 else donor[place]
    return encode(tree)


def overflow(fuzz: Fuzz) -> bytes:
    """A number or a length longer than any number can be."""
    fields, index, tree = _place(fuzz)
    fields[index].padding = fuzz.rng.choice((1, 5, 9, 10, 11, 64))
    return encode(tree)


def wrong_kind(fuzz: Fuzz) -> bytes:
    """A field told in another wire type, or under another number."""
    fields, index, tree = _place(fuzz)
    field = fields[index]
    if fuzz.rng.random() < 0.5:
        field.number = fuzz.rng.choice((1, 2, 3, 7, 16, 99, 2**20, 2**29 - 1))
    else:
        field.wire = fuzz.rng.choice((VARINT, FIXED64, BYTES, GROUP, 4, FIXED32, 6, 7))
        field.value = fuzz.rng.choice((fuzz.rng.getrandbits(64), fuzz.rng.randbytes(8)))
    return encode(tree)


def wrong_length(fuzz: Fuzz) -> bytes:
    """A length that is not that of the content."""
    fields, index, tree = _place(fuzz, BYTES)
    field = fields[index]
    content = encode(field.value) if isinstance(field.value, list) else field.value
    true = len(content) if isinstance(content, bytes) else 0
    field.length = fuzz.rng.choice(
        (0, max(true - 1, 0), true + 1, 2 * true, 2**31 - 1, 2**32, 2**63, 2**64 - 1)
    )
    return encode(tree)


def depth(fuzz: Fuzz) -> bytes:
    """Messages in messages in messages, known or unknown."""
    fields, index, tree = _place(fuzz)
    levels = fuzz.rng.choice((5, 90, 101, 1000, 20_000))
    if fuzz.rng.random() < 0.5:
        opened, closed = varint(99 << 3 | GROUP), varint(99 << 3 | 4)
        return encode(tree) + opened * levels + closed * levels
    inner: bytes = fields[index].encoded()
    for _ in range(min(levels, 1000)):
        inner = varint(fields[index].number << 3 | BYTES) + varint(len(inner)) + inner
    fields[index] = Field(fields[index].number, BYTES, inner)
    return encode(tree)


def odd_value(fuzz: Fuzz) -> bytes:
    """Any field with the oddest value of its wire type."""
    fields, index, tree = _place(fuzz)
    field = fields[index]
    if field.wire == VARINT:
        field.value = fuzz.rng.choice(_INTS)
    elif field.wire == FIXED64:
        field.value = int.from_bytes(_double(fuzz.rng.choice(_DOUBLES)), "little")
    elif not isinstance(field.value, list):
        field.value = fuzz.rng.choice(_TEXTS)
    return encode(tree)


def crowd(fuzz: Fuzz) -> bytes:
    """Very many instruments, known or not, or one of them very many times."""
    message = fuzz.message()
    count = fuzz.rng.choice((10, 10, 100, 100, 1000, 5000))
    for number in range(count):
        message.feeds[f"NSE_EQ|X{number}"].ltpc.ltp = 1.0
    repeated = Field(2, BYTES, [Field(1, BYTES, fuzz.rng.choice(fuzz.keys).encode())])
    return _bytes(message) + repeated.encoded() * fuzz.rng.choice((0, count))


def huge(fuzz: Fuzz) -> bytes:
    """As large as a frame may be."""
    if fuzz.rng.random() < 0.97:
        return fuzz.frame + Field(99, BYTES, bytes(fuzz.rng.choice((10_000, 100_000)))).encoded()
    filler = Field(2, BYTES, [Field(1, BYTES, b"X")]).encoded()
    return fuzz.frame + fuzz.rng.choice((filler, b"\x00", b"\xff")) * (
        (4 << 20) // len(filler) - len(fuzz.frame)
    )


def new_words(fuzz: Fuzz) -> bytes:
    """Fields, words and numbers that the schema does not know."""
    message = fuzz.message()
    for segment in _SEGMENTS:
        value: Any = fuzz.rng.choice((0, 1, 2, 3, 4, 5, 9, -1))
        message.marketInfo.segmentStatus[segment] = value
    told = message.marketInfo.casMarketStatus["NSE_EQ"]
    told.status, told.updatedTime = fuzz.rng.choice(("CTS_CLOSE", "NEW_WORD", "")), -5
    kind: Any = fuzz.rng.choice((0, 1, 2, 3, 1000))
    message.type = kind
    return _bytes(message) + Field(200, VARINT, 7).encoded()


def other_time(fuzz: Fuzz) -> bytes:
    """A frame, or its trades and bars, of another moment."""
    message = fuzz.message()
    shift = fuzz.rng.choice(
        (1, -1, 500, 1999, 2001, 3000, -3000, 60_000, -60_000, 3_600_000, DAY_MS, -DAY_MS)
    )
    what = fuzz.rng.choice(("frame", "trade", "bar", "all", "extreme"))
    if what == "extreme":
        message.currentTs = fuzz.rng.choice((0, 1, -1, 2**62, 2**63 - 1, -(2**63)))
    if what in ("frame", "all"):
        message.currentTs += shift
    for feed in _feeds(message):
        trade = _trade(feed)
        if what in ("trade", "all") and trade is not None:
            trade.ltt += shift
        for bar in feed.fullFeed.marketFF.marketOHLC.ohlc if what in ("bar", "all") else ():
            bar.ts += shift
    return _bytes(message)


def other_price(fuzz: Fuzz) -> bytes:
    """A believable frame with one price that is not."""
    message = fuzz.message()
    feed = _some_feed(fuzz, message)
    if feed is None:
        return odd_value(fuzz)
    trade, full = _trade(feed), feed.fullFeed.marketFF
    places: list[tuple[Any, str]] = []
    if trade is not None:
        places += [(trade, "ltp"), (trade, "ltp"), (trade, "cp")]
    if feed.fullFeed.HasField("marketFF"):
        places.append((full, "atp"))
        places += [
            (level, side) for level in full.marketLevel.bidAskQuote for side in ("bidP", "askP")
        ]
        bars = full.marketOHLC.ohlc
        places += [(bar, name) for bar in bars for name in ("open", "high", "low", "close")]
    if places:
        holder, name = fuzz.rng.choice(places)
        setattr(holder, name, _other_double(fuzz.rng, getattr(holder, name)))
    return _bytes(message)


def other_quantity(fuzz: Fuzz) -> bytes:
    """A believable frame with one quantity that is not."""
    message = fuzz.message()
    feed = _some_feed(fuzz, message)
    if feed is None:
        return odd_value(fuzz)
    trade, full = _trade(feed), feed.fullFeed.marketFF
    places: list[tuple[Any, str]] = [(trade, "ltq")] if trade is not None else []
    if feed.fullFeed.HasField("marketFF"):
        places += [(full, name) for name in ("vtt", "vtt", "oi", "tbq", "tsq", "iv")]
        places += [
            (level, side) for level in full.marketLevel.bidAskQuote for side in ("bidQ", "askQ")
        ]
        places += [(bar, "vol") for bar in full.marketOHLC.ohlc]
    if places:
        holder, name = fuzz.rng.choice(places)
        value = getattr(holder, name)
        others: tuple[Any, ...] = (-1, 0, -value, value // 2, 2**53, 2**62)
        if isinstance(value, float):
            others = (-1.0, 0.0, -value, 1e18, *_DOUBLES)
        setattr(holder, name, fuzz.rng.choice(others))
    return _bytes(message)


def sudden_price(fuzz: Fuzz) -> bytes:
    """Every price of one instrument moved together: plausible but for its suddenness."""
    message = fuzz.message()
    feed = _some_feed(fuzz, message)
    if feed is None:
        return odd_value(fuzz)
    factor = fuzz.rng.choice((0.5, 0.85, 0.89, 0.95, 1.05, 1.11, 1.15, 2.0))
    trade = _trade(feed)
    if trade is not None:
        trade.ltp = round(trade.ltp * factor, 2)
    for level in feed.fullFeed.marketFF.marketLevel.bidAskQuote:
        level.bidP, level.askP = round(level.bidP * factor, 2), round(level.askP * factor, 2)
    return _bytes(message)


def swapped_keys(fuzz: Fuzz) -> bytes:
    """What belongs to one instrument told under the key of another."""
    message, told = pb2.FeedResponse(), fuzz.message()
    message.CopyFrom(told)
    message.ClearField("feeds")
    names = sorted(told.feeds)
    others = fuzz.rng.sample([*fuzz.keys, "NSE_EQ|NOBODY"], min(len(names), len(fuzz.keys)))
    for name, other in zip(names, others, strict=False):
        message.feeds[other].CopyFrom(told.feeds[name])
    return _bytes(message)


def old_frame(fuzz: Fuzz) -> bytes:
    """A good frame of another moment as it is."""
    return fuzz.other()


def repeat(fuzz: Fuzz) -> bytes:
    """The frame itself, once more."""
    return fuzz.frame


def missing_parts(fuzz: Fuzz) -> bytes:
    """Packets that leave out parts, or are of another mode."""
    message = fuzz.message()
    for feed in _feeds(message):
        full = feed.fullFeed.marketFF
        for name in ("ltpc", "marketLevel", "marketOHLC", "optionGreeks", "vtt", "atp"):
            if feed.fullFeed.HasField("marketFF") and fuzz.rng.random() < 0.4:
                full.ClearField(name)
        if fuzz.rng.random() < 0.2:
            trade = pb2.LTPC()
            trade.CopyFrom(full.ltpc)
            feed.ltpc.CopyFrom(trade)
        elif fuzz.rng.random() < 0.1:
            feed.firstLevelWithGreeks.vtt = 5
        elif fuzz.rng.random() < 0.1:
            feed.fullFeed.indexFF.ltpc.ltp = full.ltpc.ltp
    return _bytes(message)


MUTATIONS: Final[tuple[Mutation, ...]] = (
    *(bit_flips, truncation, splice, insertion, joined, noise),
    *(duplication, loss, shuffle, graft, overflow, wrong_kind, wrong_length, depth),
    *(odd_value, crowd, huge, new_words, missing_parts),
    *(other_time, other_price, other_price, other_quantity, sudden_price),
    *(swapped_keys, old_frame, repeat),
)


def mutated(fuzz: Fuzz) -> tuple[str, bytes]:
    """A damaged frame and the name of what was done to it; now and then two things at once."""
    first = fuzz.rng.choice(MUTATIONS)
    data = first(fuzz)
    name = first.__name__
    if data and fuzz.rng.random() < 0.1:
        second = fuzz.rng.choice((bit_flips, truncation, insertion, splice))
        data = second(Fuzz(fuzz.rng, data, fuzz.others, fuzz.keys))
    return name, data


def _place(fuzz: Fuzz, wire: int | None = None) -> tuple[list[Field], int, list[Field]]:
    """Some field of the tree: the list it stands in, its place, and the tree."""
    tree = fuzz.tree()
    places = [(fields, i) for fields, i in walk(tree) if wire is None or fields[i].wire == wire]
    fields, index = fuzz.rng.choice(places or list(walk(tree)))
    return fields, index, tree


def _some_feed(fuzz: Fuzz, message: pb2.FeedResponse) -> pb2.Feed | None:
    names = sorted(message.feeds)
    return message.feeds[fuzz.rng.choice(names)] if names else None


def _bytes(message: pb2.FeedResponse) -> bytes:
    """The same bytes in every run: a map has no order of its own."""
    return message.SerializeToString(deterministic=True)


def _feeds(message: pb2.FeedResponse) -> list[pb2.Feed]:
    return [message.feeds[name] for name in sorted(message.feeds)]


def _trade(feed: pb2.Feed) -> pb2.LTPC | None:
    if feed.HasField("ltpc"):
        return feed.ltpc
    if feed.fullFeed.HasField("indexFF"):
        return feed.fullFeed.indexFF.ltpc
    return feed.fullFeed.marketFF.ltpc if feed.fullFeed.marketFF.HasField("ltpc") else None


def _other_double(rng: Random, value: float) -> float:
    return rng.choice((*_DOUBLES, *(value * factor for factor in _FACTORS)))


def _double(value: float) -> bytes:
    return struct.pack("<d", value)
