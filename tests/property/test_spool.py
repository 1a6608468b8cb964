"""Laws of the spool: bounded, in order, the oldest rows go first and candles never."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.store_stage import candle
from ticktick.domain.market import Candle
from ticktick.domain.metric import METRICS
from ticktick.domain.slots import SLOT
from ticktick.store.spool import Batch, Rows, Spool

POINTS = len(METRICS) + 1
MOST_ROWS = 4

STEP = st.one_of(
    st.just("row"),
    st.tuples(st.just("candle"), st.integers(0, 5)),
    st.just("take"),
    st.just("done"),
    st.just("fail"),
)


def row(number: int) -> Rows:
    """One row, numbered by its time."""
    return Rows(
        taken_s=0.0,
        at_ms=np.array([number]),
        full=np.array([True]),
        instruments=[],
        freshness=np.empty(0, np.uint8),
        warm=np.array([False]),
        records=np.zeros(1, SLOT),
        metrics=np.zeros((len(METRICS), 1)),
    )


def numbers(batch: Batch) -> list[int]:
    return [int(rows.at_ms[0]) for rows in batch.rows]


@example(["row", "row", "row", "row", "take", "row"])
@given(st.lists(STEP, max_size=60))
def test_whatever_fails_rows_stay_in_order_and_each_candle_keeps_its_newest_revision(
    steps: list[str | tuple[str, int]],
) -> None:
    spool = Spool(most_points=MOST_ROWS * POINTS)
    added = 0
    revision = 0
    newest: dict[int, Candle] = {}
    written_rows: list[int] = []
    written_candles: dict[int, Candle] = {}
    batch: Batch | None = None
    for step in [*steps, "fail", "take", "done"]:
        match step:
            case "row":
                spool.add(row(added), [], {})
                added += 1
            case ("candle", int() as minute):
                revision += 1
                newest[minute] = candle(minute, revision=revision)
                spool.add(None, [newest[minute]], {})
            case "take" if batch is None:
                batch = spool.take(most_candles=100)
            case "done" if batch is not None:
                spool.done(batch)
                written_rows += numbers(batch)
                written_candles |= {c.start_ns: c for c in batch.candles.values()}
                batch = None
            case "fail" if batch is not None:
                spool.give_back(batch)
                batch = None
        waiting = spool.waiting_points - (0 if batch is None else len(batch.rows) * POINTS)
        assert waiting <= MOST_ROWS * POINTS
    assert written_rows == sorted(set(written_rows))
    assert len(written_rows) + spool.dropped_points // POINTS == added
    assert written_rows[-1:] == ([added - 1] if added else [])
    assert written_candles == {c.start_ns: c for c in newest.values()}
    assert (spool.waiting_points, spool.waiting_candles) == (0, 0)


@given(st.integers(1, 200), st.integers(1, 20))
def test_P18_the_megabytes_that_wait_are_bounded_and_what_is_dropped_is_counted(
    rows: int, most_rows: int
) -> None:
    spool = Spool(most_bytes=most_rows * row(0).bytes)
    for number in range(rows):
        spool.add(row(number), [candle(number)], {})
    batch = spool.take(most_candles=1_000)
    assert numbers(batch) == list(range(rows))[-most_rows:]
    assert spool.dropped_points == max(rows - most_rows, 0) * POINTS
    assert len(batch.candles) == rows


def test_P18_metrics_that_go_into_no_series_take_none_of_the_bound() -> None:
    sparse = [replace(row(number), full=np.array([False])) for number in range(60)]
    spool = Spool(most_points=60)
    for rows in sparse:
        spool.add(rows, [], {})
    assert (spool.waiting_points, spool.dropped_points) == (60, 0)
    spool.add(row(60), [], {})
    assert spool.dropped_points == 1 + len(METRICS)
