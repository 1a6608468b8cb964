"""The latest row of every symbol as its hash in Redis, packed from columns."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ticktick.compiled import part
from ticktick.core.columns import Floats, Ints
from ticktick.domain.clock import IST_OFFSET_NS, NS_PER_DAY, NS_PER_MS
from ticktick.domain.market import Freshness
from ticktick.domain.metric import METRICS
from ticktick.domain.slots import DEPTH_LEVELS
from ticktick.market.freshness import CLASSES, CODES
from ticktick.store import resp
from ticktick.store.columns import whole_numbers
from ticktick.store.keys import tick_latest
from ticktick.store.spool import Rows

ROWS_AT_ONCE: Final = 16
_PRICES: Final = ("last_price", "previous_close")
_OF_THE_DAY: Final = ("day_open", "day_high", "day_low")
_TIMES: Final = ("exchange", "received", "last_trade")
_SIDES: Final = ("bid", "ask")
_UNITS: Final = {"price": resp.UNITS, "word": resp.WORD, "claim": resp.WHOLE}
_WHEN_LATE: Final = np.array([CODES[word.when_late()] for word in CLASSES], np.uint8)
_COMPILED: Final = part("ticktick.store._resp")
_write_hashes: Final = resp.write_hashes if _COMPILED is None else _COMPILED.write_hashes


class Field(Struct, frozen=True):
    """One field of the hash: its name, how it is written, and the words it may be."""

    name: str
    kind: int
    words: Sequence[str] = ()


def _fields() -> list[Field]:
    found = [Field("freshness", resp.WORD, CLASSES)]
    found += [Field(name, resp.UNITS) for name in (*_PRICES, *_OF_THE_DAY)]
    for side in _SIDES:
        found += [Field(f"{side}_{level + 1}", resp.UNITS) for level in range(DEPTH_LEVELS)]
        found += [
            Field(f"{side}_quantity_{level + 1}", resp.WHOLE) for level in range(DEPTH_LEVELS)
        ]
        found += [Field(side, resp.UNITS), Field(f"{side}_quantity", resp.WHOLE)]
    found += [Field(name, resp.WHOLE) for name in ("volume", "seq", "warm")]
    found += [Field(f"{name}_ms", resp.WHOLE) for name in _TIMES]
    found += [
        Field(metric.name, _UNITS.get(metric.unit, resp.NUMBER), metric.words) for metric in METRICS
    ]
    return found


FIELDS: Final = tuple(_fields())


class Packed(Struct):
    """The commands that write a symbol's hash, and how many replies they have.

    `freshness` is the engine's word, `told` the one in the commands; None without a row.
    """

    commands: bytes = b""
    replies: int = 0
    freshness: Freshness | None = None
    told: Freshness | None = None


def packed_rows(batches: Iterable[Rows], *, is_late: bool) -> dict[str, Packed]:
    """By its key the newest row of every symbol in the batches, oldest first.

    With `is_late` no row is told as timely.
    """
    found: dict[str, Packed] = {}
    for rows in reversed(list(batches)):
        keys = [tick_latest(instrument.symbol) for instrument in rows.instruments]
        news = [place for place, key in enumerate(keys) if key not in found]
        if news:
            found |= _pack(rows, np.array(news), [keys[place] for place in news], is_late)
    return found


def known_values(rows: Rows) -> Floats:
    """The hash as columns: float64[len(FIELDS), rows], prices in price units, NaN = not known."""
    records = rows.records
    is_today = _day(records["exchange_ns"]) == _day(records["last_trade_ns"])
    columns = [rows.freshness.astype(np.float64)]
    columns += [_told(records[name]) for name in _PRICES]
    columns += [np.where(is_today, _told(records[name]), np.nan) for name in _OF_THE_DAY]
    for side in _SIDES:
        prices = _told(records[f"{side}_price"]).T
        quantities = np.where(np.isnan(prices), np.nan, records[f"{side}_quantity"].T)
        columns += [*prices, *quantities, prices[0], quantities[0]]
    has_volume = np.array([instrument.has_volume for instrument in rows.instruments], np.bool_)
    counted = has_volume & (is_today | (records["volume"] == 0))
    columns += [np.where(counted, records["volume"], np.nan)]
    columns += [records["seq"].astype(np.float64), rows.warm.astype(np.float64)]
    columns += [_told(records[f"{name}_ns"] // NS_PER_MS) for name in _TIMES]
    return np.vstack([*columns, rows.metrics])


def _pack(
    rows: Rows, places: NDArray[np.int64], keys: Sequence[str], is_late: bool
) -> dict[str, Packed]:
    values = known_values(rows)[:, places]
    codes = rows.freshness[places]
    told = _WHEN_LATE[codes] if is_late else codes
    values[0] = told
    scales = np.array([rows.instruments[place].price_scale for place in places], np.int64)
    wholes = whole_numbers(values)
    commands = [
        command
        for begin in range(0, len(keys), ROWS_AT_ONCE)
        for command in _commands(values, wholes, scales, keys, begin)
    ]
    replies = np.where(np.isnan(values).any(axis=0), 2, 1).tolist()
    words = ((CLASSES[code], CLASSES[late]) for code, late in zip(codes, told, strict=True))
    made = zip(keys, commands, replies, words, strict=True)
    return {key: Packed(command, count, *pair) for key, command, count, pair in made}


def _commands(
    values: Floats, wholes: Ints, scales: Ints, keys: Sequence[str], begin: int
) -> list[bytes]:
    """Those of some rows, which are packed in one go: nobody else has the interpreter meanwhile."""
    some = slice(begin, begin + ROWS_AT_ONCE)
    bulk, key_ends = _bulk(keys[some])
    count = len(key_ends)
    room = len(bulk) * 2 + count * (len(_NAMES) + len(FIELDS) * resp.NUMBER_BYTES + 64)
    out, ends = np.empty(room, np.uint8), np.empty(count, np.int64)
    _write_hashes(
        values[:, some],
        wholes[:, some],
        _KINDS,
        scales[some],
        _NAMES,
        _NAME_ENDS,
        _WORDS,
        _WORD_ENDS,
        _FIRST_WORDS,
        bulk,
        key_ends,
        out,
        ends,
    )
    cuts = zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)
    return [out[begin:end].tobytes() for begin, end in cuts]


def _told(values: NDArray[np.int64]) -> Floats:
    """In the table 0 means that it was not told yet."""
    return np.where(values == 0, np.nan, values)


def _day(moments_ns: Ints) -> Ints:
    days: Ints = (moments_ns + IST_OFFSET_NS) // NS_PER_DAY
    return days


def _bulk(words: Sequence[str]) -> tuple[NDArray[np.uint8], Ints]:
    """The words as bulk strings one after the other, and where each ends."""
    made = [b"$%d\r\n%b\r\n" % (len(word), word) for word in (each.encode() for each in words)]
    return np.frombuffer(b"".join(made), np.uint8), np.cumsum([len(each) for each in made])


_NAMES, _NAME_ENDS = _bulk([field.name for field in FIELDS])
_KINDS: Final = np.array([field.kind for field in FIELDS], np.uint8)
_WORDS, _WORD_ENDS = _bulk([str(word) for field in FIELDS for word in field.words])
_FIRST_WORDS: Final = np.cumsum([0, *(len(field.words) for field in FIELDS[:-1])])
