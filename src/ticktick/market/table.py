"""The slot table: one NumPy record per instrument, found by the broker's key of the day."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ticktick.core.columns import Ints, Rows
from ticktick.core.kernels import copy_rows
from ticktick.domain.clock import IST_OFFSET_NS, NS_PER_DAY
from ticktick.domain.instrument import Instrument
from ticktick.domain.slots import AUCTION_COLUMNS, DEEP, SLOT

CAPACITY: Final = 512


class SlotTable:
    """Newest known state of each instrument, as columns.

    `records` is SLOT[capacity]; the row of an instrument never changes while the program runs,
    even if it is not followed for a while. `followed` are the rows of the present list, in its
    order; `row_of_key` and `row_of_symbol` know no others. Frames that were on the way may still
    tell the `left_keys`.
    A decoder writes `incoming`, of the same shape; what the screen believes of it gets into
    `records`, which everything else reads. Between frames both are equal. `words` and
    `incoming_words` are the same memory as int64[capacity, words]. `deep`, DEEP[capacity], holds
    the levels behind the fifth in the same way. `has_volume` (bool[capacity]) says for whom the
    exchange counts volume, `tick_sizes` (int64[capacity]) are in price units. `revision` rises
    with every change of the keys or of what stands behind them.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.records = np.zeros(capacity, SLOT)
        self.incoming = np.zeros(capacity, SLOT)
        self.deep = np.zeros(capacity, DEEP)
        self.incoming_deep = np.zeros(capacity, DEEP)
        self.words: Ints = self.records.view(np.int64).reshape(capacity, -1)
        self.incoming_words: Ints = self.incoming.view(np.int64).reshape(capacity, -1)
        self.has_volume = np.zeros(capacity, np.bool_)
        self.deep_words: Ints = self.deep.view(np.int64).reshape(capacity, -1)
        self.incoming_deep_words: Ints = self.incoming_deep.view(np.int64).reshape(capacity, -1)
        self.tick_sizes: Ints = np.zeros(capacity, np.int64)
        self.instruments: list[Instrument] = []
        self.followed: list[int] = []
        self.row_of_key: dict[str, int] = {}
        self.left_keys: set[str] = set()
        self.row_of_symbol: dict[str, int] = {}
        self.revision = 0
        self._rows: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.instruments)

    @property
    def capacity(self) -> int:
        """Rows there is room for."""
        return len(self.records)

    def add(self, instruments: Iterable[Instrument]) -> NDArray[np.int32]:
        """Follow these too; return their rows.

        Raises ValueError when the table is full.
        """
        rows = [self._row(instrument) for instrument in instruments]
        self.followed += [row for row in rows if row not in self.followed]
        return np.array(rows, np.int32)

    def follow(self, instruments: Iterable[Instrument]) -> Rows:
        """Follow these and nothing else; return the rows that are no longer followed.

        Raises ValueError when the table is full.
        """
        before = self.followed
        self.followed = [self._row(instrument) for instrument in instruments]
        gone = sorted({*before} - {*self.followed})
        for row in gone:
            del self.row_of_symbol[self.instruments[row].symbol]
            self._leave_key(row)
        return np.array(gone, np.int32)

    def known(self, symbol: str) -> Instrument | None:
        """What stands behind a symbol that is followed, or stood there when it was."""
        row = self._rows.get(symbol)
        return None if row is None else self.instruments[row]

    def scale(self, symbol: str) -> int:
        """Price units to the rupee of a symbol that is followed, or was.

        Raises KeyError for any other.
        """
        return self.instruments[self._rows[symbol]].price_scale

    def forget(self, rows: Rows) -> None:
        """Know nothing of these rows any more."""
        self.empty_incoming(rows)
        self.words[rows] = 0
        self.deep_words[rows] = 0

    def forget_auctions(self, rows: Rows) -> None:
        """Know nothing of auctions of these rows: what was told was of one that is over."""
        for name in AUCTION_COLUMNS:
            self.records[name][rows] = 0
            self.incoming[name][rows] = 0

    def empty_incoming(self, rows: Rows) -> None:
        """Let the rows have been told nothing."""
        self.incoming_words[rows] = 0
        self.incoming_deep_words[rows] = 0

    def accept(self, rows: Rows) -> None:
        """Believe what the rows were told."""
        copy_rows(rows, self.incoming_words, self.words, self.incoming_deep_words, self.deep_words)

    def restore(self, rows: Rows) -> None:
        """Forget what the rows were told."""
        copy_rows(rows, self.words, self.incoming_words, self.deep_words, self.incoming_deep_words)

    def traded_today(self, rows: Rows) -> NDArray[np.bool_]:
        """Whether the last trade of the rows was on the day on which they were told last.

        Where it was not, prices and volume of the day are those of another day.
        """
        told_ns, traded_ns = (self.records[name][rows] for name in ("exchange_ns", "last_trade_ns"))
        days = [(moments + IST_OFFSET_NS) // NS_PER_DAY for moments in (told_ns, traded_ns)]
        same: NDArray[np.bool_] = days[0] == days[1]
        return same

    def price_scales(self) -> NDArray[np.float64]:
        """Price units to the rupee of each instrument in row order."""
        return np.array([i.price_scale for i in self.instruments], np.float64)

    def _row(self, instrument: Instrument) -> int:
        row = self._rows.get(instrument.symbol)
        if row is None:
            row = len(self.instruments)
            if row == self.capacity:
                raise ValueError(f"no room for {instrument.symbol}: {row} instruments are the most")
            self.instruments.append(instrument)
            self._rows[instrument.symbol] = row
        self._leave_key(row)
        self.instruments[row] = instrument
        self.has_volume[row] = instrument.has_volume
        self.tick_sizes[row] = instrument.tick_size
        self.row_of_symbol[instrument.symbol] = row
        self.row_of_key[instrument.instrument_key] = row
        self.left_keys.discard(instrument.instrument_key)
        self.revision += 1
        return row

    def _leave_key(self, row: int) -> None:
        """Let the row's key stand for nothing, unless another row has it by now."""
        key = self.instruments[row].instrument_key
        self.revision += 1
        if self.row_of_key.get(key) == row:
            del self.row_of_key[key]
            self.left_keys.add(key)
