"""Binary column blocks: the newest state of many instruments in one message.

Little-endian: header (kind, version, columns, rows, seq, 0, ts_ms), the row numbers, zero padding
to a multiple of 8, then each column in the order of `COLUMNS`. A value that is not known is NaN
in f8 and f4 columns and `MISSING` in i4 columns.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.market import Freshness
from ticktick.domain.metric import METRIC_ROW
from ticktick.market.table import SlotTable
from ticktick.web.messages import ColumnSpec

BLOCK_KIND: Final = 1
BLOCK_VERSION: Final = 1
MISSING: Final = -(2**31)

_HEADER: Final = np.dtype(
    [
        ("kind", "u1"),
        ("version", "u1"),
        ("columns", "<u2"),
        ("rows", "<u4"),
        ("seq", "<u4"),
        ("reserved", "<u4"),
        ("ts_ms", "<f8"),
    ]
)
HEADER_BYTES: Final = _HEADER.itemsize

FRESHNESS_CODES: Final = {freshness: code for code, freshness in enumerate(Freshness)}

COLUMNS: Final = (
    ColumnSpec("exchange_ms", "ms", "f8"),
    ColumnSpec("volume", "shares", "f8"),
    ColumnSpec("mid", "price", "f8"),
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
    ColumnSpec("imbalance", "ratio", "f4"),
    ColumnSpec("tick_return", "fraction", "f4"),
    ColumnSpec("vwap_distance", "fraction", "f4"),
)

Rows: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float64]


class Columns(Struct, frozen=True):
    """The engine's live state as the blocks read it.

    `metrics` is float64[len(METRICS), capacity]; `freshness` is a class per row.
    """

    table: SlotTable
    metrics: Floats
    freshness: Sequence[Freshness]


def encode_block(state: Columns, rows: Rows, seq: int, ts_ms: float) -> bytes:
    """The block of these rows; all rows make a full block, touched ones a delta."""
    values = column_values(state, rows)
    header = np.array(
        [(BLOCK_KIND, BLOCK_VERSION, len(COLUMNS), len(rows), seq & 0xFFFFFFFF, 0, ts_ms)], _HEADER
    )
    parts = [header.tobytes(), rows.astype("<i4").tobytes(), bytes(-len(rows) * 4 % 8)]
    parts += [_wire(values[column.name], column.dtype).tobytes() for column in COLUMNS]
    return b"".join(parts)


def column_values(state: Columns, rows: Rows) -> dict[str, Floats]:
    """Every column of these rows as float64 in price units, NaN where not known."""
    records = state.table.records[rows]
    values = {name: read(records) for name, read in _FROM_RECORDS.items()}
    values |= {name: state.metrics[index, rows] for name, index in METRIC_ROW.items()}
    touched = rows.tolist()
    codes = [FRESHNESS_CODES[state.freshness[row]] for row in touched]
    values["freshness"] = np.array(codes, np.float64)
    counted = [state.table.instruments[row].has_volume for row in touched]
    values["volume"][np.logical_not(counted)] = np.nan
    return values


def _wire(values: Floats, dtype: str) -> NDArray[np.generic]:
    if dtype != "i4":
        return values.astype(f"<{dtype}")
    whole = np.rint(values)
    known = np.abs(whole) < 2**31  # False for NaN too
    return np.where(known, whole, MISSING).astype("<i4")


def _told(field: str) -> Callable[[NDArray[np.void]], Floats]:
    def read(records: NDArray[np.void]) -> Floats:
        values = records[field].astype(np.float64)
        values[values == 0] = np.nan
        return values

    return read


def _best(field: str) -> Callable[[NDArray[np.void]], Floats]:
    def read(records: NDArray[np.void]) -> Floats:
        values = records[field][:, 0].astype(np.float64)
        values[values == 0] = np.nan
        return values

    return read


def _exchange_ms(records: NDArray[np.void]) -> Floats:
    return _told("exchange_ns")(records) // NS_PER_MS


def _volume(records: NDArray[np.void]) -> Floats:
    volume = records["volume"].astype(np.float64)
    volume[records["exchange_ns"] == 0] = np.nan
    return volume


_FROM_RECORDS: Final[dict[str, Callable[[NDArray[np.void]], Floats]]] = {
    "exchange_ms": _exchange_ms,
    "volume": _volume,
    "last_price": _told("last_price"),
    "previous_close": _told("previous_close"),
    "bid": _best("bid_price"),
    "ask": _best("ask_price"),
    "day_high": _told("day_high"),
    "day_low": _told("day_low"),
}
