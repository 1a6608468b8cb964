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

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.metric import METRIC_ROW
from ticktick.market.freshness import FreshnessColumn
from ticktick.market.table import SlotTable
from ticktick.web.messages import ColumnSpec

BLOCK_KIND: Final = 1
BLOCK_VERSION: Final = 1
MISSING: Final = -(2**31)

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

_OF_THE_DAY: Final = ("day_high", "day_low")
_TOLD_PRICES: Final = ("last_price", "previous_close", *_OF_THE_DAY)

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
        self._state = state
        self._made: dict[bytes, bytes] = {}

    def turn(self) -> None:
        """Forget what was made of the state before."""
        self._made.clear()

    def block(self, rows: Rows, seq: int, ts_ms: float) -> bytes:
        """As `encode_block`."""
        name = rows.tobytes()
        body = self._made.get(name)
        if body is None:
            body = self._made[name] = _body(self._state, rows)
        return _header(len(rows), seq, ts_ms) + body


def encode_block(state: Columns, rows: Rows, seq: int, ts_ms: float) -> bytes:
    """The block of these rows; all rows make a full block, touched ones a delta."""
    return _header(len(rows), seq, ts_ms) + _body(state, rows)


def _header(count: int, seq: int, ts_ms: float) -> bytes:
    head = (BLOCK_KIND, BLOCK_VERSION, len(COLUMNS), count, seq & 0xFFFFFFFF, 0, ts_ms)
    return _HEADER.pack(*head)


def _body(state: Columns, rows: Rows) -> bytes:
    values = column_values(state, rows)
    parts = [rows.astype("<i4").tobytes(), bytes(-len(rows) * 4 % 8)]
    parts += [_wire(values[column.name], column.dtype).tobytes() for column in COLUMNS]
    return b"".join(parts)


def column_values(state: Columns, rows: Rows) -> dict[str, Floats]:
    """Every column of these rows, and when they were read, as float64, NaN where not known.

    Prices are in price units.
    """
    records = state.table.records
    values = {name: _told(records[name][rows]) for name in _TOLD_PRICES}
    values["bid"] = _told(records["bid_price"][rows, 0])
    values["ask"] = _told(records["ask_price"][rows, 0])
    values["exchange_ms"] = _told(records["exchange_ns"][rows] // NS_PER_MS)
    values["received_ms"] = _told(records["received_ns"][rows] // NS_PER_MS)
    values["seq"] = np.where(records["received_ns"][rows] > 0, records["seq"][rows], np.nan)
    values["last_trade_ms"] = _told(records["last_trade_ns"][rows] // NS_PER_MS)
    values["warm"] = state.warm[rows].astype(np.float64)
    is_today = state.table.traded_today(rows)
    counted = state.table.has_volume[rows] & (values["exchange_ms"] > 0) & (is_today | (records["volume"][rows] == 0))
    values["volume"] = np.where(counted, records["volume"][rows], np.nan)
    for name in _OF_THE_DAY:
        values[name][~is_today] = np.nan
    values |= {name: state.metrics[index, rows] for name, index in METRIC_ROW.items()}
    values["freshness"] = state.freshness.codes[rows].astype(np.float64)
    return values


def _wire(values: Floats, dtype: str) -> NDArray[np.generic]:
    if dtype != "i4":
        return values.astype(f"<{dtype}")
    whole = np.rint(values)
    known = np.abs(whole) < 2**31  # False for NaN too
    return np.where(known, whole, MISSING).astype("<i4")


def _told(values: NDArray[np.int64]) -> Floats:
    """In the table 0 means that it was not told yet."""
    return np.where(values == 0, np.nan, values)
