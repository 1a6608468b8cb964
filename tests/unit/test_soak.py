"""The judge of a long run: what it calls growth, and what it forgives."""

import random

from hypothesis import given
from hypothesis import strategies as st

from tools.soak import BARS, DAY_S, Sample, judge, slope

STILL = (150.0, 24.0, 16.0, 6.0, 60.0)


def run(hours: float, **per_hour: float) -> list[Sample]:
    """Samples every 200 s of the market: noise, a peak, and what grows by so much an hour."""
    chance = random.Random(1)
    samples = []
    for number in range(int(hours * 18)):
        at_s = number * 200.0
        figures = [
            value + per_hour.get(bar.name.replace(" ", "_"), 0.0) * at_s / 3600
            for bar, value in zip(BARS, STILL, strict=True)
        ]
        figures[0] += chance.uniform(-3, 3) + (80 if number == 30 else 0)
        samples.append(Sample(at_s, tuple(figures)))
    return samples


def failed(samples: list[Sample]) -> list[str]:
    return [verdict.name for verdict in judge(samples) if not verdict.good]


def test_noise_and_a_single_peak_are_no_growth() -> None:
    assert failed(run(13.0)) == []


def test_each_leak_is_found() -> None:
    for bar, leak in zip(BARS, (8.0, 1.0, 1.0, 1.0, 20.0), strict=True):
        assert failed(run(13.0, **{bar.name.replace(" ", "_"): leak})) == [bar.name]


def test_memory_may_grow_by_its_bar_in_a_simulated_day() -> None:
    assert failed(run(26.0, memory_MB=0.9 * 20 * 3600 / DAY_S)) == []
    assert failed(run(26.0, memory_MB=1.2 * 20 * 3600 / DAY_S)) == ["memory MB"]


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=30, unique=True), st.floats(-10, 10))
def test_the_slope_of_a_line_is_found_whatever_one_point_does(
    moments: list[int], rise: float
) -> None:
    points = [(float(at), rise * at) for at in sorted(moments)]
    assert abs(slope(points) - rise) < 1e-3
    if len(points) > 4:
        points[0] = (points[0][0], 1e9)
        assert abs(slope(points) - rise) < 1e-3


def test_a_run_of_one_sample_has_no_slope() -> None:
    assert slope([(0.0, 1.0)]) == 0.0
    assert failed([Sample(0.0, STILL)]) == []
