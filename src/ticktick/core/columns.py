"""The array types the hot path speaks: columns in, columns out, one call per frame."""

import math
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.int32]
Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Narrow: TypeAlias = NDArray[np.float32]
Flags: TypeAlias = NDArray[np.uint8]

NEVER_NS = 9_223_372_036_854_775_807  # later than any moment
NO_ROWS: Final[Rows] = np.empty(0, np.int32)
_LINE_WORDS: Final = 8  # of 64 bits in a line of the processor's cache


def union(*rows: Rows) -> Rows:
    """Every row once, in order; each part has no repeats and is in order itself."""
    parts = [part for part in rows if len(part)]
    if len(parts) > 1:
        return np.unique(np.concatenate(parts))
    return parts[0] if parts else NO_ROWS


def apart(count: int, *shape: int) -> Ints:
    """Zeros, int64[count, *shape], the first axis an odd number of cache lines apart.

    Places that are used together, as the next free one of every row, would share a small part of
    the cache at distances of powers of two, and drive each other out of it.
    """
    words = math.prod(shape)
    lines = -(-words // _LINE_WORDS) | 1
    whole = np.zeros((count, lines * _LINE_WORDS), np.int64)
    return whole[:, :words].reshape(count, *shape)
