"""The array types the hot path speaks: columns in, columns out, one call per frame."""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.int32]
Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.uint8]

NEVER_NS = 9_223_372_036_854_775_807  # later than any moment
NO_ROWS: Final[Rows] = np.empty(0, np.int32)


def union(*rows: Rows) -> Rows:
    """Every row once, in order; each part has no repeats and is in order itself."""
    parts = [part for part in rows if len(part)]
    if len(parts) > 1:
        return np.unique(np.concatenate(parts))
    return parts[0] if parts else NO_ROWS
