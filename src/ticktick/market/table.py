"""The slot table: one NumPy record per instrument, found by the broker's key of the day."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ticktick.core.columns import Ints, Rows
from ticktick.domain.instrument import Instrument
from ticktick.domain.slots import SLOT

CAPACITY: Final = 512


class SlotTable:
    """Newest known state of each instrument, as columns.

    `records` is SLOT[capacity]; the row of an instrument never changes while the program runs.
    A decoder writes `incoming`, of the same shape; what the screen believes of it gets into
    `records`, which everything else reads. Between frames both are equal. `words` and
    `incoming_words` are the same memory as int64[capacity, words].
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.records = np.zeros(capacity, SLOT)
        self.incoming = np.zeros(capacity, SLOT)
        self.words: Ints = self.records.view(np.int64).reshape(capacity, -1)
        self.incoming_words: Ints = self.incoming.view(np.int64).reshape(capacity, -1)
        self.instruments: list[Instrument] = []
        self.row_of_key: dict[str, int] = {}
        self.row_of_symbol: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.instruments)

    @property
    def capacity(self) -> int:
        """Rows there is room for."""
        return len(self.records)

    def add(self, instruments: Iterable[Instrument]) -> NDArray[np.int32]:
        """Give each new instrument a row; return the rows of all of them.

        Raises ValueError when the table is full.
        """
        return np.array([self._row(instrument) for instrument in instruments], np.int32)

    def accept(self, rows: Rows) -> None:
        """Believe what the rows were told."""
        self.words[rows] = self.incoming_words[rows]

    def restore(self, rows: Rows) -> None:
        """Forget what the rows were told."""
        self.incoming_words[rows] = self.words[rows]

    def price_scales(self) -> NDArray[np.float64]:
        """Price units to the rupee of each instrument in row order."""
        return np.array([i.price_scale for i in self.instruments], np.float64)

    def _row(self, instrument: Instrument) -> int:
        row = self.row_of_symbol.get(instrument.symbol)
        if row is None:
            row = len(self.instruments)
            if row == self.capacity:
                raise ValueError(f"no room for {instrument.symbol}: {row} instruments are the most")
            self.instruments.append(instrument)
            self.row_of_symbol[instrument.symbol] = row
        self.instruments[row] = instrument
        self.row_of_key[instrument.instrument_key] = row
        return row
