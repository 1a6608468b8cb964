"""Protobuf's wire format as a tree that can be bent: every field with its number and kind."""

from collections.abc import Iterator
from typing import Any

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = range(6)
_MASK = (1 << 64) - 1


class Field:
    """One field; of a message the value is the list of its fields.

    `padding` is how many needless bytes a varint or a length gets, `length` a length that is told
    instead of the true one.
    """

    def __init__(self, number: int, wire: int, value: "int | bytes | list[Field]") -> None:
        self.number = number
        self.wire = wire
        self.value = value
        self.padding = 0
        self.length: int | None = None

    def encoded(self) -> bytes:
        """Its bytes, whether or not they make sense."""
        tag = varint(self.number << 3 | self.wire)
        if isinstance(self.value, list):
            return tag + self._with_length(encode(self.value))
        if isinstance(self.value, bytes):
            return tag + (self._with_length(self.value) if self.wire == BYTES else self.value)
        if self.wire == FIXED64:
            return tag + (self.value & _MASK).to_bytes(8, "little")
        if self.wire == FIXED32:
            return tag + (self.value & 0xFFFFFFFF).to_bytes(4, "little")
        return tag + varint(self.value & _MASK, self.padding)

    def _with_length(self, content: bytes) -> bytes:
        length = len(content) if self.length is None else self.length
        return varint(length, self.padding) + content


def varint(value: int, padding: int = 0) -> bytes:
    """A number in groups of seven bits; `padding` bytes more than it needs."""
    groups = []
    while True:
        groups.append(value & 0x7F)
        value >>= 7
        if not value:
            break
    groups += [0] * padding
    return bytes(group | 0x80 for group in groups[:-1]) + bytes(groups[-1:])


def encode(fields: list[Field]) -> bytes:
    """The bytes of a message."""
    return b"".join(field.encoded() for field in fields)


def parse(data: bytes, descriptor: Any) -> list[Field]:
    """The tree of a good message of this kind."""
    fields, at = [], 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        known = descriptor.fields_by_number.get(number)
        if wire == VARINT:
            value, at = _varint(data, at)
            fields.append(Field(number, wire, value))
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
            fields.append(Field(number, wire, int.from_bytes(data[at : at + size], "little")))
            at += size
        else:
            size, at = _varint(data, at)
            content = data[at : at + size]
            at += size
            inner = None if known is None else known.message_type
            fields.append(Field(number, wire, content if inner is None else parse(content, inner)))
    return fields


def walk(fields: list[Field]) -> Iterator[tuple[list[Field], int]]:
    """Every field of a tree, as the list it stands in and its place there."""
    for index, field in enumerate(fields):
        yield fields, index
        if isinstance(field.value, list):
            yield from walk(field.value)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
