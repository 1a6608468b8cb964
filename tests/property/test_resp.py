"""Hashes and samples packed from columns are, byte for byte, what redis-py makes of the same."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hiredis import pack_command
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ticktick.compiled import part
from ticktick.store import resp
from ticktick.store.columns import SAMPLES_AT_ONCE, PointColumns, SeriesWords, whole_numbers
from ticktick.store.keys import Family

WORDS = ("fresh", "stale", "unknown", "TIEF", "HÖHE")
NAMES = ("last_price", "volume", "x", "liquidity")
KINDS = (resp.UNITS, resp.WHOLE, resp.NUMBER, resp.WORD)
SCALES = (1, 10, 100, 1000, 10_000, 3, 64)

units = st.one_of(
    st.integers(-(10**9), 10**16).map(float),
    st.integers(-(10**7), 10**9).map(lambda half: half / 2),
    st.sampled_from([0.0, 0.5, 100.0, 99999.0, 1e15, 1e15 - 1, 123456789012345.0, 1e300]),
)
numbers = st.floats(allow_nan=False)
nothing = st.just(math.nan)
Row = tuple[float, float, float, float]
ROW: st.SearchStrategy[Row] = st.tuples(
    units | nothing,
    st.integers(-(10**15), 10**15).map(float) | nothing,
    numbers | nothing,
    st.integers(0, len(WORDS) - 1).map(float),
)

Step = Callable[..., None]


def bulk(words: tuple[str, ...]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    made = [b"$%d\r\n%b\r\n" % (len(word.encode()), word.encode()) for word in words]
    return np.frombuffer(b"".join(made), np.uint8), np.cumsum([len(each) for each in made])


def packed(step: Step, rows: list[Row], scales: list[int]) -> list[bytes]:
    values = np.array(rows).T
    limit = resp.MOST_EXACT
    wholes = np.where(np.isnan(values), 0, np.clip(values, -limit, limit)).astype(np.int64)
    keys = tuple(f"tick:S{n}" for n in range(len(rows)))
    out, ends = np.empty(4096 * len(rows), np.uint8), np.empty(len(rows), np.int64)
    columns = (values, wholes, np.array(KINDS, np.uint8), np.array(scales, np.int64))
    first = np.zeros(len(NAMES), np.int64)
    step(*columns, *bulk(NAMES), *bulk(WORDS), first, *bulk(keys), out, ends)
    cuts = [0, *ends.tolist()]
    return [out[a:b].tobytes() for a, b in pairwise(cuts)]


def told(row: Row, scale: int, number: int) -> bytes:
    """The commands as redis-py packs them."""
    texts = [_units(row[0], scale), _whole(row[1]), repr(row[2]), WORDS[int(row[3])]]
    known = [n for n, value in enumerate(row) if not math.isnan(value)]
    absent = [NAMES[n] for n, value in enumerate(row) if math.isnan(value)]
    key = f"tick:S{number}"
    fields = [word for n in known for word in (NAMES[n], texts[n])]
    gone = _packed("HDEL", key, *absent) if absent else b""
    return gone + _packed("HSET", key, *fields)


def _packed(*words: str) -> bytes:
    pack: Any = pack_command
    return bytes(pack(words))


def _units(value: float, scale: int) -> str:
    is_short = scale == 1 and abs(value) < resp.MOST_EXACT and value == int(value)
    return _whole(value) if is_short else repr(value / scale)


def _whole(value: float) -> str:
    return "" if math.isnan(value) else str(int(value))


def steps() -> list[Step]:
    compiled = part("ticktick.store._resp")
    return [resp.write_hashes, *([] if compiled is None else [compiled.write_hashes])]


@given(st.lists(st.tuples(ROW, st.sampled_from(SCALES)), min_size=1, max_size=4))
def test_hashes_are_packed_as_redis_py_packs_them(
    drawn: list[tuple[Row, int]],
) -> None:
    rows, scales = [row for row, _ in drawn], [scale for _, scale in drawn]
    expected = [told(row, scale, n) for n, (row, scale) in enumerate(drawn)]
    for step in steps():
        assert packed(step, rows, scales) == expected


def test_a_wrong_digit_is_noticed() -> None:
    rows: list[Row] = [(141_255.0, 1.0, 0.5, 0.0)]
    assert packed(resp.write_hashes, rows, [100]) == [told(rows[0], 100, 0)]
    with pytest.raises(AssertionError):
        assert packed(resp.write_hashes, rows, [10]) == [told(rows[0], 100, 0)]


SAMPLED: st.SearchStrategy[list[float]] = st.tuples(units | nothing, numbers | nothing).map(list)


@given(st.lists(st.tuples(SAMPLED, st.sampled_from(SCALES), st.integers(1, 10**13)), max_size=5))
def test_samples_are_packed_as_redis_py_packs_them(
    drawn: list[tuple[list[float], int, int]],
) -> None:
    keys = tuple(f"symbol:S{n}:{name}" for n in range(5) for name in ("last_price", "x"))
    order = np.arange(len(drawn))[::-1]
    values = np.array([row for row, _, _ in drawn]).reshape(-1, 2).T
    scales = np.array([scale for _, scale, _ in drawn], np.int64)
    times = np.array([at_ms for _, _, at_ms in drawn], np.int64)
    kinds = np.array([resp.UNITS, resp.NUMBER], np.uint8)
    expected = []
    for (row, scale, at_ms), place in zip(drawn, order.tolist(), strict=True):
        texts = [_units(row[0], scale), repr(row[1])]
        known = [n for n, value in enumerate(row) if not math.isnan(value)]
        words = [word for n in known for word in (keys[2 * place + n], str(at_ms), texts[n])]
        expected.append(_packed(*words).partition(b"\r\n")[2] if words else b"")
    for step in sampling_steps():
        out, ends = np.empty(4096 * 5, np.uint8), np.zeros(len(drawn), np.int64)
        columns = (values, whole_numbers(values), kinds, scales, times, order)
        step(*columns, *bulk(keys), out, ends)
        cuts = [0, *ends.tolist()]
        assert [out[a:b].tobytes() for a, b in pairwise(cuts)] == expected


def sampling_steps() -> list[Step]:
    compiled = part("ticktick.store._resp")
    return [resp.write_samples, *([] if compiled is None else [compiled.write_samples])]


@given(st.lists(st.integers(0, 3), max_size=4 * SAMPLES_AT_ONCE))
def test_every_known_sample_is_in_one_command_and_none_is_too_long(known: list[int]) -> None:
    columns = sampled(known)
    words = SeriesWords()
    words.add([columns.family_of(n) for n in words.unknown(columns)])
    counts = []
    samples = []
    for command in words.commands(columns):
        told = command.decode().split("\r\n")[2:-1:2]
        assert told[0] == "TS.MADD"
        assert command == _packed(*told)
        samples += list(zip(told[1::3], told[2::3], told[3::3], strict=True))
        counts.append(len(told) // 3)
    assert all(0 < count <= SAMPLES_AT_ONCE + 2 for count in counts)
    assert samples == [
        (f"symbol:S{n % 3}:{field}", str(n + 1), repr(n + field / 2))
        for n, count in enumerate(known)
        for field in range(count)
    ]


def sampled(known: list[int]) -> PointColumns:
    """Points of three symbols, of which the first so many of three fields are known."""
    values = np.array([[n + field / 2 for n in range(len(known))] for field in range(3)])
    values[np.arange(3)[:, None] >= np.array(known, np.int64)] = np.nan
    return PointColumns(
        keys=[f"symbol:S{n % 3}" for n in range(len(known))],
        at_ms=np.arange(1, len(known) + 1),
        values=values,
        kinds=np.full(3, resp.NUMBER, np.uint8),
        scales=np.ones(len(known), np.int64),
        family_of=lambda n: family(f"symbol:S{n % 3}"),
    )


def family(key: str) -> Family:
    keys = {str(field): f"{key}:{field}" for field in range(3)}
    return Family(key, keys, whose=(), units={}, retention_ms={}, daily=False)
