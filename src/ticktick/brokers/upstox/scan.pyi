from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

class Scanner:
    n_touched: int
    n_whole: int
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
    def scan(self, data: bytes, received_ns: int, seq: int) -> bool: ...
    def take_rows(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]: ...
    def take_words(
        self, data: bytes
    ) -> tuple[dict[str, int], dict[str, str], dict[str, str]] | None: ...
