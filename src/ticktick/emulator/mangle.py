"""What faults do to the frames of one connection, in both directions; the same for one seed."""

import math
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np
from google.protobuf.message import DecodeError

from ticktick.emulator.faults import Fault
from ticktick.proto.MarketDataFeed_pb2 import LTPC, Feed, FeedResponse, Type

Sent = bytes | str
"""A binary frame or a text frame."""

_KEPT_FRAMES = 20
_MS_PER_DAY = 86_400_000
_OLD_TRADE_MS = 5_000
_MARKET_INFO: Final = b"\x08\x02"
_LIVE_FEED: Final = b"\x08\x01"
_BAD_PRICES: Final = {"zero": 0.0, "nan": math.nan, "inf": math.inf, "1e9": 1e9}


class Workshop:
    """Makes a `Mangling` for every connection and knows what each fault has met before."""

    def __init__(self) -> None:
        self._met: dict[int, int] = {}
        self._kept: dict[int, list[bytes]] = {}

    def mangler(self, fault: Fault) -> "Mangler":
        """The work of a fault on the next connection that it meets."""
        ordinal = self._met.get(fault.number, 0)
        self._met[fault.number] = ordinal + 1
        return Mangler(fault, ordinal, self._kept.setdefault(fault.number, []))


class Mangling:
    """What the active faults, one after the other, do to one connection."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._manglers: dict[int, Mangler] = {}

    def send(self, frame: bytes, faults: Sequence[Fault]) -> list[Sent]:
        """What goes out instead of the frame."""
        sent = self.end(faults)
        passed: list[Sent] = [frame]
        for mangler in self._at_work(faults):
            passed = [out for each in passed for out in mangler.send(each)]
        return sent + passed

    def end(self, faults: Sequence[Fault]) -> list[Sent]:
        """What goes out because a fault is over."""
        over = self._manglers.keys() - {fault.number for fault in faults}
        return [held for number in sorted(over) for held in self._manglers.pop(number).end()]

    def receive(self, data: bytes, faults: Sequence[Fault]) -> bytes:
        """What arrives of a client's message."""
        for mangler in self._at_work(faults):
            data = mangler.receive(data)
        return data

    def _at_work(self, faults: Sequence[Fault]) -> list["Mangler"]:
        for fault in faults:
            if fault.number not in self._manglers:
                self._manglers[fault.number] = self._workshop.mangler(fault)
        return [self._manglers[fault.number] for fault in faults]


class Mangler:
    """One fault at work on one connection; `ordinal` counts the connections it has met."""

    def __init__(self, fault: Fault, ordinal: int, kept: list[bytes]) -> None:
        self._fault = fault
        self._rng = np.random.default_rng([fault.seed, ordinal])
        self._share = float(fault.args.get("share", 1.0))
        self._kept = kept
        self._held: list[Sent] = []
        self._replayed = ordinal == 0
        self._dropped: str | None = None
        self._first_volumes: dict[str, int] = {}
        self._act = _ACTS.get(fault.verb)

    def send(self, frame: Sent) -> list[Sent]:
        """What goes out instead of the frame."""
        if self._act is None or isinstance(frame, str) or not self._concerns(frame):
            return [frame]
        if self._share < 1.0 and self._rng.random() >= self._share:
            return [frame]
        try:
            return self._act(self, frame)
        except DecodeError:  # another fault has damaged the frame before
            return [frame]

    def end(self) -> list[Sent]:
        """What was held back when the fault ends."""
        held, self._held = self._held, []
        return held

    def receive(self, data: bytes) -> bytes:
        """What arrives of a client's message."""
        if self._fault.verb != "ws.drop_sub":
            return data
        try:
            message = msgspec.json.decode(data)
            keys = [key for key in message["data"]["instrumentKeys"] if isinstance(key, str)]
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError, KeyError):
            return data
        if message.get("method") != "sub":
            return data
        message["data"]["instrumentKeys"] = [key for key in keys if not self._drops(key, keys)]
        return msgspec.json.encode(message)

    def _drops(self, key: str, keys: Sequence[str]) -> bool:
        if self._fault.match:
            return self._fault.match in key
        if self._dropped is None:
            self._dropped = sorted(keys)[int(self._rng.integers(len(keys)))]
        return key == self._dropped

    def _concerns(self, frame: bytes) -> bool:
        match = self._fault.match.encode()
        return not match or match in frame

    def _flip(self, frame: bytes) -> list[Sent]:
        damaged = bytearray(frame)
        for bit in self._rng.integers(0, 8 * len(frame), self._fault.args["bits"]).tolist():
            damaged[bit // 8] ^= 1 << bit % 8
        return [bytes(damaged)]

    def _cut(self, frame: bytes) -> list[Sent]:
        return [frame[: int(self._rng.integers(len(frame)))]]

    def _noise(self, frame: bytes) -> list[Sent]:
        return [self._rng.bytes(self._fault.args["bytes"])]

    def _text(self, frame: bytes) -> list[Sent]:
        return [str(self._fault.args["text"])]

    def _repeat(self, frame: bytes) -> list[Sent]:
        return [frame] * int(self._fault.args["n"])

    def _shuffle(self, frame: bytes) -> list[Sent]:
        self._held.append(frame)
        if len(self._held) < self._fault.args["n"]:
            return []
        order = self._rng.permutation(len(self._held)).tolist()
        held = self.end()
        return [held[i] for i in order]

    def _replay(self, frame: bytes) -> list[Sent]:
        """Keep the first frames; every later connection gets them again after its snapshot."""
        if frame.startswith(_MARKET_INFO):
            return [frame]
        if self._replayed:
            if len(self._kept) < _KEPT_FRAMES:
                self._kept.append(frame)
            return [frame]
        self._replayed = True
        return [frame, *self._kept]

    def _flurry(self, frame: bytes) -> list[Sent]:
        """Follow a frame with changes of its book alone; the last one is the book as it is."""
        if not frame.startswith(_LIVE_FEED):
            return [frame]
        books = FeedResponse.FromString(frame)
        for feed in books.feeds.values():
            full = feed.fullFeed
            if full.HasField("marketFF"):
                full.marketFF.ClearField("ltpc")
                full.marketFF.ClearField("marketOHLC")
        count = int(self._fault.args["x"]) - 2
        noisy = [self._other_sizes(books) for _ in range(count)]
        return [frame, *noisy, books.SerializeToString(deterministic=True)]

    def _other_sizes(self, books: FeedResponse) -> bytes:
        copy = FeedResponse()
        copy.CopyFrom(books)
        for feed in copy.feeds.values():
            for level in feed.fullFeed.marketFF.marketLevel.bidAskQuote:
                level.bidQ, level.askQ = self._rng.integers(1, 10_000, 2).tolist()
        return copy.SerializeToString(deterministic=True)

    def _spoil(self, frame: bytes) -> list[Sent]:
        response = FeedResponse.FromString(frame)
        if response.type == Type.market_info:
            return [frame]
        kind = str(self._fault.args["kind"])
        for key, feed in response.feeds.items():
            if self._fault.match not in key:
                continue
            if kind == "volume_restart":
                self._restart_volume(key, feed)
            else:
                _spoil(feed, kind)
        return [response.SerializeToString(deterministic=True)]

    def _restart_volume(self, key: str, feed: Feed) -> None:
        """Let the day's volume count from what it was when the fault met the instrument."""
        full = feed.fullFeed
        if full.HasField("marketFF"):
            full.marketFF.vtt -= self._first_volumes.setdefault(key, full.marketFF.vtt)


_ACTS: Final[dict[str, Callable[[Mangler, bytes], list[Sent]]]] = {
    "ws.bitflip": Mangler._flip,
    "ws.truncate": Mangler._cut,
    "ws.random": Mangler._noise,
    "ws.text": Mangler._text,
    "ws.dup": Mangler._repeat,
    "ws.reorder": Mangler._shuffle,
    "ws.replay_old": Mangler._replay,
    "ws.burst": Mangler._flurry,
    "ws.values": Mangler._spoil,
}


def _spoil(feed: Feed, kind: str) -> None:
    """Put a value into a feed that no exchange would send."""
    trade = _trade_of(feed)
    if kind == "negative_volume":
        feed.fullFeed.marketFF.vtt = -max(feed.fullFeed.marketFF.vtt, 1)
    elif trade is not None and kind == "tomorrow":
        trade.ltt += _MS_PER_DAY
    elif trade is not None and kind == "old_trade":
        trade.ltt -= _OLD_TRADE_MS
    elif trade is not None:
        trade.ltp = _BAD_PRICES[kind]


def _trade_of(feed: Feed) -> LTPC | None:
    match feed.WhichOneof("FeedUnion"):
        case "ltpc":
            return feed.ltpc
        case "firstLevelWithGreeks":
            return feed.firstLevelWithGreeks.ltpc
        case "fullFeed" if feed.fullFeed.HasField("indexFF"):
            return feed.fullFeed.indexFF.ltpc
        case "fullFeed":
            return feed.fullFeed.marketFF.ltpc
    return None
