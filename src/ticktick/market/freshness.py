"""The freshness of every instrument, as one column."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from ticktick.core.columns import Rows
from ticktick.domain.market import Freshness
from ticktick.market.table import SlotTable

CLASSES: Final = tuple(Freshness)
CODES: Final = {freshness: code for code, freshness in enumerate(CLASSES)}

IS_TIMELY: Final = np.array([word.when_late() is not word for word in CLASSES])
"""By code, whether values of that class may be relied on now: fresh and quiet ones."""


class FreshnessColumn:
    """A class by row of the table; `codes` (uint8[capacity]) are places in the order of CLASSES.

    Whoever needs many rows at once reads the codes, everybody else the classes.
    """

    def __init__(self, table: SlotTable) -> None:
        self._table = table
        self.codes = np.full(table.capacity, CODES[Freshness.UNKNOWN], np.uint8)

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, row: int) -> Freshness:
        return CLASSES[int(self.codes[row])]

    def __setitem__(self, row: int, freshness: Freshness) -> None:
        self.codes[row] = CODES[freshness]

    def __iter__(self) -> Iterator[Freshness]:
        return (CLASSES[code] for code in self.codes[: len(self)].tolist())

    def count(self, freshness: Freshness) -> int:
        """How many rows are of that class."""
        return int(np.count_nonzero(self.codes[: len(self)] == CODES[freshness]))

    def forget(self, rows: Rows) -> None:
        """Know nothing of these rows any more."""
        self.codes[rows] = CODES[Freshness.UNKNOWN]
