"""Binary column blocks: the newest state of many instruments in one message.

Little-endian: header (kind, version, columns, rows, seq, 0, ts_ms), the row numbers, zero padding
to a multiple of 8, then each column in the order of `COLUMNS`. A value that is not known is NaN
in f8 and f4 columns and `MISSING` in i4 columns.
"""

from struct import Struct as Layout
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ticktick.compiled import part
from ticktick.core.columns import apart
from ticktick.domain.metric import METRICS
from ticktick.market.freshness import FreshnessColumn
from ticktick.market.table import SlotTable
from ticktick.web import told
from ticktick.web.messages import ColumnSpec

BLOCK_KIND: Final = 1
BLOCK_VERSION: Final = 1
MISSING: Final = told.MISSING

_HEADER: Final = Layout("<BBHIIId")
HEADER_BYTES: Final = _HEADER.size

COLUMNS: Final = (
    ColumnSpec("exchange_ms", "ms", "f8"),
    ColumnSpec("received_ms", "ms", "f8"),
    ColumnSpec("last_trade_ms", "ms", "f8"),
    ColumnSpec("seq", "index", "f8"),
    ColumnSpec("volume", "shares", "f8"),
    ColumnSpec("mid", "price", "f8"),
    ColumnSpec("microprice", "price", "f8"),
    ColumnSpec("vwap", "price", "f8"),
    ColumnSpec("vwap_session", "price", "f8"),
    ColumnSpec("last_price", "price", "i4"),
    ColumnSpec("previous_close", "price", "i4"),
    ColumnSpec("bid", "price", "i4"),
    ColumnSpec("ask", "price", "i4"),
    ColumnSpec("day_high", "price", "i4"),
    ColumnSpec("day_low", "price", "i4"),
    ColumnSpec("spread", "price", "i4"),
    ColumnSpec("freshness", "index", "i4"),
    ColumnSpec("warm", "index", "i4"),
    ColumnSpec("trade_sign", "index", "i4"),
    ColumnSpec("liquidity", "index", "i4"),
    ColumnSpec("liquidity_baseline", "index", "i4"),
    ColumnSpec("volatility", "index", "i4"),
    ColumnSpec("volatility_baseline", "index", "i4"),
    ColumnSpec("spread_bps", "bps", "f4"),
    ColumnSpec("spread_ticks", "ticks", "f4"),
    ColumnSpec("imbalance", "ratio", "f4"),
    ColumnSpec("imbalance_1", "ratio", "f4"),
    ColumnSpec("ofi", "ratio", "f4"),
    ColumnSpec("rv", "bps", "f4"),
    ColumnSpec("tick_return", "fraction", "f4"),
    ColumnSpec("vwap_distance", "fraction", "f4"),
)

_COMPILED: Final = part("ticktick.web._told")
_tell: Final = told.tell if _COMPILED is None else _COMPILED.tell
_Plate: Final = told.Plate if _COMPILED is None else _COMPILED.Plate

Rows: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float64]


class Columns(Struct, frozen=True):
    """The engine's live state as the blocks read it.

    `metrics` is float64[len(METRICS), capacity]; `warm` (bool[capacity]) says whose time
    windows are full.
    """

    table: SlotTable
    metrics: Floats
    freshness: FreshnessColumn
    warm: NDArray[np.bool_]


class Press:
    """Makes blocks, each once for all browsers that are owed the same rows at the same moment.

    `turn` whenever the state may have changed.
    """

    def __init__(self, state: Columns) -> None:
        capacity = state.table.capacity
        self._made: dict[bytes, memoryview] = {}
        row_bytes = 4 + sum(int(each.dtype[1]) for each in COLUMNS)
        self._sheet = np.zeros((HEADER_BYTES + capacity * row_bytes) // 8 + 1, np.float64)
        self._bytes = self._sheet.view(np.uint8).data
        printed = self._sheet[HEADER_BYTES // 8 :]
        self._plate = _Plate(
            state.table.words,
            state.freshness.codes,
            state.warm.view(np.uint8),
            state.table.has_volume.view(np.uint8),
            state.metrics,
            np.array(_ORDER, np.int32),
            _count("f8"),
            _count("i4"),
            printed,
            printed.view(np.int32),
            printed.view(np.float32),
            apart(len(told.TOLD), capacity).view(np.float64),
        )

    def turn(self) -> None:
        """Forget what was made of the state before."""
        self._made.clear()

    def block(self, rows: Rows, seq: int, ts_ms: float) -> bytes:
        """The block of these rows; all rows make a full block, touched ones a delta."""
        name = rows.tobytes()
        head = (BLOCK_KIND, BLOCK_VERSION, len(COLUMNS), len(rows), seq & 0xFFFFFFFF, 0, ts_ms)
        body = self._made.get(name)
        if body is not None:
            return b"".join((_HEADER.pack(*head), body))
        _HEADER.pack_into(self._bytes, 0, *head)
        block = self._bytes[: HEADER_BYTES + self._plate.print(rows)].tobytes()
        self._made[name] = memoryview(block)[HEADER_BYTES:]
        return block


def column_values(state: Columns, rows: Rows) -> dict[str, Floats]:
    """Every column of these rows, and when they were read, as float64, NaN where not known.

    Prices are in price units.
    """
    return dict(zip(_NAMES, _matrix(state, rows), strict=True))


def _matrix(state: Columns, rows: Rows) -> Floats:
    """float64[len(_NAMES), len(rows)]."""
    values = np.empty((len(_NAMES), len(rows)))
    table = state.table
    _tell(
        rows,
        table.words,
        state.freshness.codes,
        state.warm.view(np.uint8),
        table.has_volume.view(np.uint8),
        values[: len(told.TOLD)],
    )
    values[len(told.TOLD) :] = state.metrics[:, rows]
    return values


def _count(dtype: str) -> int:
    return sum(column.dtype == dtype for column in COLUMNS)


_NAMES: Final = (*told.TOLD, *(metric.name for metric in METRICS))
_ORDER: Final = [_NAMES.index(column.name) for column in COLUMNS]
