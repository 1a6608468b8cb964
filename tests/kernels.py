"""Both forms of a step of the hot path, plain and compiled, on the same columns."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from ticktick.compiled import part
from ticktick.core.columns import Flags, Floats, Ints, Rows

CAPACITY = 4
LEAST, MOST = -(2**63), 2**63 - 1
NOON_NS = 1_795_152_600_000_000_000  # a whole minute of a trading day in India
_NS_PER_MINUTE = 60_000_000_000
_NS_PER_DAY = 1440 * _NS_PER_MINUTE

# values that columns are filled with; one byte of what hypothesis draws chooses one of them
Pool = Sequence[float]
PRICES: Pool = (*range(-2, 12), 100_000, 10**13, LEAST, MOST)
TIMES: Pool = (
    *(NOON_NS + half * _NS_PER_MINUTE // 2 for half in range(-3, 4)),
    *(0, NOON_NS - _NS_PER_DAY, NOON_NS + _NS_PER_DAY, LEAST, MOST),
)
NEAR_PRICES: Pool = (0, *range(95, 112), 0, 94, 85, 60, 200, -1)
NUMBERS: Pool = (0.0, -0.0, 1.0, -1.5, 1e-300, 1e300, math.inf, -math.inf, math.nan, 0.1, 1e17)


def rows() -> st.SearchStrategy[Rows]:
    """Touched rows in any order, some of them twice."""
    drawn = st.lists(st.integers(0, CAPACITY - 1), max_size=6)
    return drawn.map(lambda numbers: np.array(numbers, np.int32))


def flags() -> st.SearchStrategy[Flags]:
    """A column of yes and no."""
    return _filled((0, 1), (CAPACITY,)).map(lambda array: array.astype(np.uint8))


def ints(pool: Pool, *shape: int) -> st.SearchStrategy[Ints]:
    """A column of numbers, or one of `shape` in every row, with other memory between them."""
    whole = _filled(pool, (CAPACITY, *shape, 2))
    return whole.map(lambda array: array.astype(np.int64)[..., 0])


def words(pool: Pool, record: np.dtype[np.void]) -> st.SearchStrategy[Ints]:
    """A table of such records as words."""
    whole = _filled(pool, (CAPACITY, record.itemsize // 8))
    return whole.map(lambda array: array.astype(np.int64))


def floats(*shape: int) -> st.SearchStrategy[Floats]:
    """A column of numbers that may be none, or one of `shape` in every row."""
    return _filled(NUMBERS, (CAPACITY, *shape)).map(lambda array: array.astype(np.float64))


def _filled(pool: Pool, shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    size, values = math.prod(shape), np.array(pool, object)
    drawn = st.binary(min_size=size, max_size=size)
    return drawn.map(
        lambda choice: values[np.frombuffer(choice, np.uint8) % len(pool)].reshape(shape)
    )


def check_alike(plain: Callable[..., object], arguments: Sequence[Any]) -> None:
    """Both forms return the same and leave the same, bit for bit, in every column."""
    package, _, name = plain.__module__.rpartition(".")
    compiled = part(f"{package}._{name}")
    if compiled is None:
        pytest.skip("plain Python serves")
    assert _left(getattr(compiled, plain.__name__), arguments) == _left(plain, arguments)


def _left(step: Callable[..., object], arguments: Sequence[Any]) -> tuple[object, list[object]]:
    own = [each.copy() if isinstance(each, np.ndarray) else each for each in arguments]
    with np.errstate(all="ignore"):  # too large a number wraps around in both
        result = step(*own)
    return result, [each.tobytes() if isinstance(each, np.ndarray) else each for each in own]
