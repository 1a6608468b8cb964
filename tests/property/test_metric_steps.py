"""The steps of the tick metrics do the same compiled and plain, and for ever."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import kernels as k
from tests.market_stage import OPEN, instrument
from tests.metric_stage import ROWS, MetricStage, plainly
from tests.oracles.metrics import S, Told, Update
from tests.property.test_metrics import streams
from ticktick.compiled import missing
from ticktick.core import prints, quotes
from ticktick.domain.metric import METRICS
from ticktick.domain.slots import DEEP, SLOT

TABLE = len(np.zeros(1, SLOT).view(np.int64))
DEEP_TABLE = len(np.zeros(1, DEEP).view(np.int64))
table = st.tuples  # what a step is given, in the order of its arguments


def by_metric() -> st.SearchStrategy[np.ndarray]:
    """Metrics as they were before, float64[metrics, capacity]; prices are above 0."""
    return k.floats(len(METRICS)).map(lambda array: np.ascontiguousarray(np.abs(array.T)) + 0.5)


@given(
    table(
        *(k.rows(), k.flags(), k.ints(k.PRICES), k.ints(range(-1, 12), TABLE)),
        *(k.ints(range(-1, 12), DEEP_TABLE), st.just(quotes.fading_weights()), by_metric()),
    )
)
def test_quotes_are_measured_alike(columns: tuple[object, ...]) -> None:
    k.check_alike(quotes.measure_quotes, columns)


@given(
    table(
        *(k.rows(), k.flags(), k.flags(), k.ints(range(-1, 12)), k.ints(range(1, 12), TABLE)),
        *(k.ints((-1, 0, 1)), by_metric()),
    )
)
def test_prints_are_measured_alike(columns: tuple[object, ...]) -> None:
    k.check_alike(prints.measure_prints, columns)


@settings(max_examples=30)
@given(streams(30), st.lists(st.integers(0, 70), max_size=3))
def test_windows_go_the_same_way_compiled_and_plain(
    updates: list[Update], silences_s: list[int]
) -> None:
    if missing():
        pytest.skip("plain Python serves")
    compiled = MetricStage()
    with plainly():
        plain = MetricStage()
    hear(compiled, updates, silences_s)
    hear(plain, updates, silences_s)
    assert compiled.metrics.values.tobytes() == plain.metrics.values.tobytes()
    for name, column in vars(compiled.windows).items():
        assert column.tobytes() == getattr(plain.windows, name).tobytes(), name


def hear(stage: MetricStage, updates: list[Update], silences_s: list[int]) -> None:
    """A stream, then silences, then trading that ends."""
    stage.take_all(updates)
    now_ns = updates[-1].at_ns
    for silence_s in silences_s:
        now_ns += silence_s * S
        stage.metrics.expire(now_ns)
    stage.continuous[:] = 0
    stage.metrics.requote(ROWS, now_ns)


def walk(count: int) -> list[Update]:
    """A share that trades and quotes four times a second."""
    rng = random.Random(7)
    updates, price, volume = list[Update](), 100_000, 0
    for number in range(count):
        at_ns = OPEN + number * S // 4
        price += rng.choice((-5, 0, 0, 5))
        volume += rng.choice((0, 0, 3, 25))
        book = ([price], [rng.randrange(1, 99)], [price + rng.choice((5, 10))], [50])
        updates.append(Update(at_ns, price + rng.choice((0, 5)), at_ns, volume, *book, price))
    return updates


def test_both_forms_count_what_they_find() -> None:
    compiled = MetricStage()
    with plainly():
        plain = MetricStage()
    updates = walk(600)
    for stage in (compiled, plain):
        stage.take_all(updates)
        stage.take(updates[0]._replace(volume=updates[-1].volume - 1))
    volumes = [update.volume for update in updates]
    trades = sum(later > before for before, later in pairwise(volumes))
    assert compiled.metrics.counters == {"trades": trades, "volume_falls": 1}
    assert plain.metrics.counters == compiled.metrics.counters


@pytest.mark.parametrize(
    "count", [20_000, pytest.param(1_000_000, marks=(pytest.mark.slow, pytest.mark.timeout(600)))]
)
def test_nothing_drifts(count: int) -> None:
    if missing() and count > 20_000:
        pytest.skip("plain Python serves")
    stage, updates = MetricStage(instrument(tick_size=5)), walk(count)
    stage.take_all(updates)
    told = Told(updates[-5_000:], 5)
    ours, expected = stage.values(), told.at(5_000, updates[-1].at_ns)
    del expected["vwap_exact"]
    for name, value in expected.items():
        assert ours[name] == pytest.approx(value, rel=1e-9, abs=1e-9, nan_ok=True), name
    assert not np.isnan([ours["rv"], ours["ofi_60"], ours["vwap"], ours["realised_spread"]]).any()
