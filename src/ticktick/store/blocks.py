"""The byte layout of a recording: checked blocks after a magic word, nothing about events.

A file is MAGIC, then blocks. A block is a head of 13 bytes (kind u8, count u32, length u32,
crc32 u32, little-endian) and `length` bytes; the checksum covers kind, count, length and
bytes. `count` is the number of events inside. A file that was cut or damaged anywhere is
readable up to the block before.
"""

import zlib
from collections.abc import Iterator
from struct import Struct as Layout
from typing import BinaryIO, Final

from msgspec import Struct

MAGIC: Final = b"TTREC\r\n\x1a"
KIND_HEADER: Final = 0x48
KIND_EVENTS: Final = 0x45
KIND_END: Final = 0x5A
MOST_BYTES: Final = 256 << 20

_FACTS = Layout("<BII")
_CRC = Layout("<I")
_HEAD_BYTES = _FACTS.size + _CRC.size


class Damaged(Exception):
    """A block that was cut off or changed."""


class Block(Struct, frozen=True, gc=False):
    """One checked block, still packed."""

    kind: int
    count: int
    payload: bytes

    @property
    def size(self) -> int:
        """Bytes it takes in the file."""
        return _HEAD_BYTES + len(self.payload)


def pack(block: Block) -> bytes:
    """The bytes of the block in the file."""
    facts = _FACTS.pack(block.kind, block.count, len(block.payload))
    return facts + _CRC.pack(_checksum(facts, block.payload)) + block.payload


def read_blocks(file: BinaryIO) -> Iterator[Block]:
    """Yield blocks until the file ends; the file stands at the first of them.

    Raises Damaged at the first block that is not whole.
    """
    while head := file.read(_HEAD_BYTES):
        if len(head) < _HEAD_BYTES:
            raise Damaged("cut off")
        facts = head[: _FACTS.size]
        kind, count, length = _FACTS.unpack(facts)
        payload = file.read(length) if length <= MOST_BYTES else b""
        if len(payload) < length or _CRC.unpack_from(head, _FACTS.size)[0] != _checksum(
            facts, payload
        ):
            raise Damaged("cut off or changed")
        yield Block(kind, count, payload)


def compress(data: bytes) -> bytes:
    """Pack a block's content."""
    return zlib.compress(data, 3)


def expand(data: bytes) -> bytes:
    """Unpack a block's content. Raises Damaged if it is no such content or too big."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(data, MOST_BYTES)
    except zlib.error as error:
        raise Damaged("not packed as a recording is") from error
    if not unpacker.eof:
        raise Damaged("bigger than a recording's block can be")
    return content


def _checksum(facts: bytes, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(facts))
