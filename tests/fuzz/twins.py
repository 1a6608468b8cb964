"""The clear and another decoder side by side: of every frame they tell the same."""

import time
from collections.abc import Iterable

from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.domain.instrument import Instrument
from ticktick.engine.ports import Decoded, Decoder
from ticktick.errors import DecodeError
from ticktick.market.table import SlotTable

_NS_PER_MS = 1_000_000


class Twins:
    """Two decoders with a table of their own each.

    Of the latest frame, `slowest_ms` is the longest that one of them took, and `outcome` what it
    came to: `unreadable`, `refused` if no row was written, or `believed`.
    """

    def __init__(self, instruments: Iterable[Instrument], other: Decoder) -> None:
        decoders: list[Decoder] = [ProtobufDecoder(), other]
        listed = list(instruments)
        self._pairs = [(decoder, SlotTable(len(listed))) for decoder in decoders]
        for _, table in self._pairs:
            table.follow(listed)
        self.slowest_ms = 0.0
        self.outcome = ""

    def differences(self, data: bytes, now_ns: int, seq: int) -> list[str]:
        """In what they differ, once both have read the frame. Raises what a decoder must not."""
        self.slowest_ms = 0.0
        told = [self._decoded(*pair, data, now_ns, seq) for pair in self._pairs]
        self.outcome = "unreadable" if told[0] is None else "believed" if told[0][1] else "refused"
        tables = [table.words.tobytes() + table.deep_words.tobytes() for _, table in self._pairs]
        found = []
        if any(one != told[0] for one in told):
            found.append(f"the decoders tell {told}")
        if any(table != tables[0] for table in tables):
            found.append("the decoders write different rows")
        return found

    def _decoded(
        self, decoder: Decoder, table: SlotTable, data: bytes, now_ns: int, seq: int
    ) -> tuple[object, ...] | None:
        began_ns = time.thread_time_ns()
        try:
            decoded = decoder.decode(data, table, now_ns, seq)
        except DecodeError:
            return None
        finally:
            spent_ms = (time.thread_time_ns() - began_ns) / _NS_PER_MS
            self.slowest_ms = max(self.slowest_ms, spent_ms)
        table.accept(decoded.rows)
        return _facts(decoded, len(table))


def _facts(decoded: Decoded, count: int) -> tuple[object, ...]:
    whole = range(count) if decoded.whole is None else decoded.whole.tolist()
    rows = decoded.rows.tolist()
    return (
        decoded.exchange_ns,
        rows,
        sorted(set(rows) & set(whole)),
        decoded.words,
        (decoded.unknown_keys, decoded.refused, decoded.unknown_parts, decoded.off_grid),
        list(decoded.samples),
    )
