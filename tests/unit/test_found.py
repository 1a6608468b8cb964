"""Patterns kept as numbers come back as they were put in, and take a small part of the memory."""

import gc
import tracemalloc
from collections import deque
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.analytics_stage import split, walk
from ticktick.analytics.bars import bars_of
from ticktick.analytics.found import Found
from ticktick.analytics.history import pattern_history
from ticktick.analytics.patterns import Patterns
from ticktick.analytics.shapes import SHAPES
from ticktick.domain.analysis import Pattern, Record

LIMIT = 200
PRICES = st.none() | st.integers(1, 10**12)
RATES = st.none() | st.floats(0, 1)
PATTERNS = st.builds(
    Pattern,
    st.just("ACME"),
    st.just(5),
    st.integers(0, 2**62),
    st.sampled_from([shape.name for shape in SHAPES]),
    st.sampled_from([-200, -100, 100, 200]),
    st.sampled_from([-1, 0, 1]),
    st.none() | st.booleans(),
    st.none() | st.floats(0, allow_nan=False),
    st.sampled_from([None, "up", "down", "none"]),
    st.none() | st.booleans(),
    PRICES,
    PRICES,
    st.builds(Record, st.integers(0, 10**6), RATES, RATES, RATES, RATES),
    st.integers(0, 9),
)


def check_kept(found: Found, patterns: Sequence[Pattern]) -> None:
    """The newest of the patterns are there, whichever way one asks."""
    newest = list(patterns)[-LIMIT:]
    assert len(found) == len(newest)
    assert list(found) == newest
    assert list(reversed(found)) == newest[::-1]
    assert found[-7:-2] == newest[-7:-2]
    for start_ns in {pattern.start_ns for pattern in patterns[-300:]}:
        assert found.ended(start_ns) == [p for p in newest if p.start_ns == start_ns]


@given(patterns=st.lists(PATTERNS, max_size=5))
def test_any_pattern_comes_back_as_it_was(patterns: list[Pattern]) -> None:
    found = Found("ACME", 5, LIMIT)
    found.extend(patterns)
    assert list(found) == patterns


def test_the_newest_patterns_of_a_walk_and_a_leap_are_kept_in_order() -> None:
    patterns = pattern_history(split(walk(1_200, step=4.0), 900, 2.0))
    assert len(patterns) > 2 * LIMIT
    assert any(pattern.record.rate is not None for pattern in patterns[-LIMIT:])
    found = Found("ACME", 1, LIMIT)
    check_kept(found, [])
    for count, pattern in enumerate(patterns, 1):
        found.append(pattern)
        if count in (1, LIMIT, LIMIT + 1):
            check_kept(found, patterns[:count])
    check_kept(found, patterns)


def test_a_pattern_that_differs_anywhere_is_noticed() -> None:
    patterns = pattern_history(walk(300, step=4.0))[-LIMIT:]
    found = Found("ACME", 1, LIMIT)
    found.extend([*patterns[:-1], replace(patterns[-1], revision=7)])
    with pytest.raises(AssertionError):
        check_kept(found, patterns)


def kept_bytes(kept: Found | deque[Pattern]) -> int:
    """Memory of what is kept of the patterns of two days."""
    patterns, bars = Patterns("ACME", 1), bars_of(walk(700, step=4.0))
    tracemalloc.start()
    try:
        kept.extend(patterns.seed(bars, 0))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_patterns_take_less_than_half_the_memory_of_objects() -> None:
    packed = kept_bytes(Found("ACME", 1, LIMIT))
    assert packed < 120 * LIMIT
    assert packed * 2 < kept_bytes(deque(maxlen=LIMIT))
