"""Frames of many instruments without building a message: what changes is stamped into the bytes.

A frame is made once by protobuf; prices, times and volumes are then written over it where they
stand. They keep their width: a double has eight bytes, and a whole number stays within the range
whose varints are as long as the one the frame was made with.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ticktick.proto.MarketDataFeed_pb2 import Feed, FeedResponse

_LIVE: Final = b"\x08\x01"
_TIME_TAG: Final = b"\x18"
_TIME_MS: Final = 1_500_000_000_123  # six bytes, as every millisecond of the next 80 years


class Values(NamedTuple):
    """What an instrument's feed is made with, rupees and whole numbers, and later tells anew."""

    doubles: Sequence[float]
    wholes: Sequence[int]


class Stamped:
    """A frame with the same instruments again and again.

    `make(row, values)` builds the feed of an instrument: with so many `doubles`, and with whole
    numbers as long as `wholes`; each of them stands in one place.
    """

    def __init__(
        self,
        keys: Sequence[str],
        make: Callable[[int, Values], Feed],
        doubles: int,
        wholes: Sequence[int],
    ) -> None:
        # numbers that nothing else in a message equals
        marks = Values(
            [1e6 + 0.125 * n for n in range(doubles)], [w + 11 + n for n, w in enumerate(wholes)]
        )
        parts = [_entry(key, make(row, marks)) for row, key in enumerate(keys)]
        begins = np.cumsum([len(_LIVE), *map(len, parts[:-1])])
        body = _LIVE + b"".join(parts) + _TIME_TAG + varint(_TIME_MS)
        self._bytes: NDArray[np.uint8] = np.frombuffer(bytearray(body), np.uint8)
        packed = [struct.pack("<d", double) for double in marks.doubles]
        self._doubles = np.stack([_places(parts, begins, mark) for mark in packed], axis=1)
        self._wholes = [_places(parts, begins, varint(mark)) for mark in marks.wholes]

    def frame(
        self, at_ms: int, doubles: NDArray[np.float64], wholes: Sequence[NDArray[np.int64]]
    ) -> bytes:
        """The frame of the moment.

        doubles: float64[instruments, doubles]; wholes: int64[instruments] of each whole number.
        Raises ValueError if one of these has another length than the first had.
        """
        numbers = np.ascontiguousarray(doubles, "<f8")
        self._bytes[self._doubles] = numbers.view(np.uint8).reshape(self._doubles.shape)
        for places, values in zip(self._wholes, wholes, strict=True):
            self._bytes[places] = _varints(values, places.shape[1])
        self._bytes[-len(varint(at_ms)) :] = np.frombuffer(varint(at_ms), np.uint8)
        return self._bytes.tobytes()

    def feed(self, key: str) -> Feed:
        """What the frame told of an instrument last."""
        return FeedResponse.FromString(self._bytes.tobytes()).feeds[key]


def varint(number: int) -> bytes:
    """A whole number as protobuf writes it."""
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*made, number])


def fits(values: NDArray[np.int64], width: int) -> bool:
    """Whether all the numbers take so many bytes."""
    return bool(values.min() >= 1 << 7 * (width - 1) and values.max() < 1 << 7 * width)


def _varints(values: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """The numbers as uint8[n, width]."""
    if not fits(values, width):
        raise ValueError(f"not all of {values.min()} to {values.max()} take {width} bytes")
    groups = values[:, None] >> (7 * np.arange(width)) & 0x7F
    groups[:, :-1] |= 0x80
    return groups.astype(np.uint8)


def _places(parts: Sequence[bytes], begins: NDArray[np.int64], mark: bytes) -> NDArray[np.int64]:
    """Where each byte of the mark stands in the frame: int64[instruments, bytes]."""
    places = begins + np.array([part.index(mark) for part in parts])
    found: NDArray[np.int64] = places[:, None] + np.arange(len(mark))
    return found


def _entry(key: str, feed: Feed) -> bytes:
    message = FeedResponse()
    message.feeds[key].CopyFrom(feed)
    return message.SerializeToString(deterministic=True)
