from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.int32]
Words: TypeAlias = tuple[dict[str, int], dict[str, str], dict[str, str]]

class Scanner:
    sent_ms: int
    unknown_parts: int
    off_grid: int
    def __init__(
        self,
        incoming: NDArray[np.int64],
        known: NDArray[np.int64],
        incoming_deep: NDArray[np.int64],
        known_deep: NDArray[np.int64],
        keys: Sequence[bytes],
        rows: Sequence[int],
        scales: NDArray[np.float64],
    ) -> None: ...
    def scan(
        self, data: bytes, received_ns: int, seq: int
    ) -> tuple[Rows, Rows, Words | None] | None: ...
