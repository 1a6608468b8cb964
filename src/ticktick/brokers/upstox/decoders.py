"""Which decoder a run gets: the compiled one where it was built, else the clear one."""

import numpy as np

from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.domain.clock import NS_PER_MS
from ticktick.engine.ports import Decoded, Decoder
from ticktick.market.table import SlotTable

try:
    from ticktick.brokers.upstox.scan import Scanner
except ImportError:  # not built: no compiler, or not wanted
    IS_COMPILED = False
else:
    IS_COMPILED = True


class CompiledDecoder:
    """Reads usual frames from the wire at once; the clear decoder judges every other.

    Both tell the same of the same frame, so a recording of one is replayed by the other.
    """

    name = ProtobufDecoder.name

    def __init__(self) -> None:
        self._clear = ProtobufDecoder()
        self._scanner: Scanner | None = None
        self._table: SlotTable | None = None
        self._revision = -1

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Write the frame's instruments into the table's `incoming`.

        Raises DecodeError if the bytes are not a frame, or one without a time.
        """
        scanner = self._scanner_of(table)
        if not scanner.scan(data, received_ns, seq):
            return self._clear.decode(data, table, received_ns, seq)
        rows, whole = scanner.take_rows()
        return Decoded(scanner.sent_ms * NS_PER_MS, rows, whole)

    def _scanner_of(self, table: SlotTable) -> "Scanner":
        """The scanner of the table's present keys."""
        if self._scanner is None or self._table is not table or self._revision != table.revision:
            scales = np.ones(table.capacity)
            scales[: len(table)] = table.price_scales()
            keys = [key.encode() for key in table.row_of_key]
            rows = list(table.row_of_key.values())
            self._scanner = Scanner(table.incoming_words, table.words, keys, rows, scales)
            self._table, self._revision = table, table.revision
        return self._scanner


def new_decoder(*, wants_compiled: bool) -> Decoder:
    """The decoder of a run: compiled, if that is wanted and was built."""
    return CompiledDecoder() if wants_compiled and IS_COMPILED else ProtobufDecoder()
