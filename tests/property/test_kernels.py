"""The steps of the hot path do the same compiled and plain, whatever stands in the columns."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import kernels as k
from ticktick.compiled import PARTS, missing
from ticktick.core import age, copy, crossing, fold, screen, signed, trade
from ticktick.core.columns import Flags, Floats, Ints, Rows
from ticktick.domain.metric import METRICS
from ticktick.domain.slots import DEEP, SLOT, WORD_OF

LEVELS = 2
table = st.tuples  # what a step is given, in the order of its arguments


@st.composite
def trades(draw: st.DrawFn) -> Ints:
    """The slot table as words: what was told and traded, and when."""
    words: Ints = draw(k.words(k.PRICES, SLOT))
    for name in ("exchange_ns", "received_ns", "last_trade_ns", "minute_start_ns"):
        words[:, WORD_OF[name]] = draw(k.ints(k.TIMES))
    return words


@given(
    table(
        *(k.rows(), k.flags(), trades(), k.ints(k.PRICES)),
        *(k.ints(k.TIMES), k.ints(k.PRICES), k.ints(k.PRICES)),
        *(k.flags(), k.ints(k.PRICES), k.ints(k.PRICES)),
    )
)
def test_trades_are_detected_alike(columns: tuple[object, ...]) -> None:
    k.check_alike(trade.detect_trades, columns)


@given(
    table(
        *(k.rows(), k.flags(), k.ints(k.PRICES), trades()),
        *(k.ints(k.TIMES, 2), k.ints(k.TIMES, 2), k.ints(k.TIMES), k.ints(k.TIMES, fold.WIDTH)),
    )
)
def test_trades_are_folded_alike(columns: tuple[object, ...]) -> None:
    closed = (np.zeros(6, np.int32), np.zeros((6, fold.WIDTH), np.int64))
    k.check_alike(fold.fold, (*columns, *closed))


@given(table(k.rows(), trades(), k.ints(k.TIMES, fold.WIDTH - 1)))
def test_minutes_of_the_broker_are_noticed_alike(columns: tuple[object, ...]) -> None:
    k.check_alike(fold.changed_minutes, (*columns, np.zeros(6, np.int32)))


@given(
    table(
        *(k.rows(), *(st.sampled_from(k.TIMES[:8]) for _ in range(2)), st.booleans()),
        *(st.just(5 * 10**9), trades()),
        *(k.flags(), k.ints(k.TIMES), k.flags(), k.flags()),
        *(k.ints(k.TIMES), k.ints(k.TIMES), k.ints(k.TIMES), k.ints(k.PRICES), k.flags()),
    )
)
def test_freshness_is_judged_alike(columns: tuple[object, ...]) -> None:
    k.check_alike(age.age, (*columns, np.zeros(6, np.int32)))


@st.composite
def tables(draw: st.DrawFn) -> tuple[Ints, Ints, Ints, Ints]:
    """What a frame tells and what was known, as usual as the screen wants it now and then."""
    incoming, known = (draw(k.words(k.NEAR_PRICES, SLOT)) for _ in range(2))
    deep, known_deep = (draw(k.words(k.NEAR_PRICES, DEEP)) for _ in range(2))
    if draw(st.booleans()):  # little of it is new
        known[:], known_deep[:] = incoming, deep
        known[:, draw(st.integers(0, known.shape[1] - 1))] += 1
        known_deep[:, draw(st.integers(0, deep.shape[1] - 1))] += draw(st.integers(0, 1))
    for words in (incoming, known):
        for name in ("exchange_ns", "last_trade_ns", "minute_start_ns"):
            words[:, WORD_OF[name]] = draw(k.ints(k.TIMES[:10]))
        words[:, WORD_OF["told_levels"]] = draw(k.ints((0, 5, 30, k.LEAST)))
    return incoming, known, deep, known_deep


@given(
    *(k.rows(), tables(), k.flags(), k.flags(), st.sampled_from([0, 10**12])),
    st.tuples(*(k.ints(k.NEAR_PRICES) for _ in range(5))),
)
@settings(max_examples=300)
def test_packets_are_judged_alike(
    rows: Rows,
    words: tuple[Ints, ...],
    continuous: Flags,
    is_option: Flags,
    later_ns: int,
    columns: tuple[Ints, ...],
) -> None:
    received_ns = k.NOON_NS + later_ns
    told = (received_ns, received_ns + 10**10, *words, continuous, is_option, *columns)
    verdicts = (np.zeros(k.CAPACITY, np.uint8), np.zeros(k.CAPACITY, np.int64))
    k.check_alike(screen.screen, (rows, *told, *verdicts))


@given(k.rows(), tables())
def test_records_are_copied_alike(rows: Rows, words: tuple[Ints, ...]) -> None:
    k.check_alike(copy.copy_rows, (rows, *words))


@given(
    table(
        *(k.rows(), st.sampled_from(k.TIMES[:8]), k.ints(k.PRICES, 2 * crossing.UPDATES)),
        *(k.ints(range(2 * crossing.UPDATES)), k.ints((0, 19, 20)), k.ints((0, 29, 30))),
        *(k.ints(k.PRICES), k.floats(), k.floats(), k.ints((-1, 0, 1)), k.ints(k.TIMES)),
        *(k.floats(), k.floats(), k.ints(k.PRICES, crossing.UPDATES), k.ints(k.PRICES)),
        k.ints(range(-1, 2 * crossing.UPDATES)),
    )
)
def test_crossings_are_found_alike(columns: tuple[object, ...]) -> None:
    k.check_alike(crossing.find_crossings, (*columns, np.zeros(6, np.int32)))


@given(
    *(k.rows(), k.flags(), k.ints(k.PRICES), k.words(k.PRICES, SLOT)),
    *(k.floats(len(METRICS)), k.ints(k.PRICES)),
)
def test_values_are_signed_alike(
    rows: Rows, traded: Flags, delta: Ints, words: Ints, values: Floats, sums: Ints
) -> None:
    columns = (rows, traded, delta, words, np.ascontiguousarray(values.T), sums)
    k.check_alike(signed.add_signed_values, columns)


def test_two_forms_that_differ_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    if missing():
        pytest.skip("plain Python serves")
    monkeypatch.setattr(trade, "UNKNOWN", -3)  # of the plain form only
    first = np.full(k.CAPACITY, -1)  # the first update of each
    columns = [np.arange(k.CAPACITY, dtype=np.int32), np.ones(k.CAPACITY, np.uint8)]
    columns += [np.full((k.CAPACITY, SLOT.itemsize // 8), -1), *(first.copy() for _ in range(4))]
    columns += [columns[1], first, first]
    with pytest.raises(AssertionError):
        k.check_alike(trade.detect_trades, columns)


def asked(settings: dict[str, str], question: str) -> str:
    """What a Python with these settings answers."""
    command = [sys.executable, "-c", question]
    environment = {**os.environ, "TICKTICK_PURE": "", "TICKTICK_REQUIRE_EXT": "", **settings}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def test_plain_python_serves_where_it_is_asked_for() -> None:
    question = "from ticktick.core import kernels; print(kernels.Gauge.__module__)"
    assert asked({"TICKTICK_PURE": "1"}, question) == "ticktick.core.measure"
    assert asked({"TICKTICK_PURE": "1"}, "from ticktick.compiled import *; print(missing())") == (
        repr(list(PARTS))
    )


def test_a_part_that_must_be_there_and_is_not_is_an_error() -> None:
    question = "from ticktick.compiled import part; print(part('ticktick.core._nothing'))"
    assert asked({}, question) == "None"
    assert asked({"TICKTICK_REQUIRE_EXT": "1"}, question) == (
        "ModuleNotFoundError: No module named 'ticktick.core._nothing'"
    )
