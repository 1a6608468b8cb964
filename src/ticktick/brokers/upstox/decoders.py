"""Which decoder a run gets: the compiled one where it was built, else the clear one."""

from typing import TYPE_CHECKING, Final

import numpy as np

from ticktick.brokers.upstox.decode import ProtobufDecoder, market_words
from ticktick.compiled import part
from ticktick.domain.clock import NS_PER_MS
from ticktick.engine.ports import Decoded, Decoder
from ticktick.market.table import SlotTable

if TYPE_CHECKING:
    from ticktick.brokers.upstox.scan import Scanner

_SCAN: Final = part("ticktick.brokers.upstox.scan")


class CompiledDecoder:
    """Reads usual frames from the wire at once; the clear decoder judges every other.

    Both tell the same of the same frame, so a recording of one is replayed by the other.
    """

    name = ProtobufDecoder.name

    def __init__(self, scanner: "type[Scanner]") -> None:
        self._new_scanner = scanner
        self._clear = ProtobufDecoder()
        self._scanner: Scanner
        self._table: SlotTable | None = None
        self._revision = -1

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Write the frame's instruments into the table's `incoming`.

        Raises DecodeError if the bytes are not a frame, or one without a time.
        """
        if self._table is not table or self._revision != table.revision:
            self._scanner = self._scanner_of(table)
            self._table, self._revision = table, table.revision
        scanner = self._scanner
        told = scanner.scan(data, received_ns, seq)
        if told is None:
            return self._clear.decode(data, table, received_ns, seq)
        rows, whole, words = told
        return Decoded(
            scanner.sent_ms * NS_PER_MS,
            rows,
            whole,
            None if words is None else market_words(*words),
            0,
            0,
            scanner.unknown_parts,
            scanner.off_grid,
        )

    def _scanner_of(self, table: SlotTable) -> "Scanner":
        """A scanner of the table's present keys."""
        scales = np.ones(table.capacity)
        scales[: len(table)] = table.price_scales()
        keys = [key.encode() for key in table.row_of_key]
        return self._new_scanner(
            table.incoming_words,
            table.words,
            table.incoming_deep_words,
            table.deep_words,
            keys,
            list(table.row_of_key.values()),
            scales,
        )


def new_decoder() -> Decoder:
    """The decoder of a run."""
    return ProtobufDecoder() if _SCAN is None else CompiledDecoder(_SCAN.Scanner)
