"""Kyle's lambda against numpy.linalg.lstsq, and when it is told at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market_stage import OPEN, LiveStage
from tests.oracles.microstructure import Floats, kyle
from tests.property.test_flags import MID, ROW, show_book
from ticktick.analytics.microstructure.impact import LEAST_BUCKETS, Regression
from ticktick.domain.clock import NS_PER_S


def noisy(count: int, slope: float, noise: float, seed: int) -> tuple[Floats, Floats]:
    """Pairs about a line, some of them unknown."""
    rng = np.random.default_rng(seed)
    bought = rng.normal(0, 5, count).round(2)
    moved = slope * bought + noise * rng.normal(0, 1, count) + 0.1
    moved[rng.uniform(size=count) < 0.1] = np.nan
    return bought, moved


def last_slope(bought: Floats, moved: Floats) -> tuple[float, float]:
    """What the streaming regression says after the last pair."""
    pairs = Regression(1)
    for x, y in zip(bought, moved, strict=True):
        pairs.push(np.array([x]), np.array([y]))
    slopes, errors = pairs.slopes(ROW)
    return float(slopes[0]), float(errors[0])


@given(
    st.integers(50, 420),
    st.sampled_from([-0.5, 0.0, 0.05, 0.5]),
    st.sampled_from([0.1, 1.0, 5.0]),
    st.integers(0, 99),
)
def test_the_slope_and_its_error_are_those_of_lstsq(
    count: int, slope: float, noise: float, seed: int
) -> None:
    pairs = noisy(count, slope, noise, seed)
    np.testing.assert_allclose(last_slope(*pairs), kyle(*pairs), rtol=1e-9)


def test_both_are_told_and_both_are_kept_quiet_in_these_cases() -> None:
    told = [last_slope(*noisy(200, slope, 1.0, seed))[0] for slope in (0, 0.5) for seed in range(9)]
    assert not np.isnan(told[9:]).any()
    assert np.isnan(told[:9]).sum() >= 7


def test_fifty_nine_pairs_are_too_few() -> None:
    bought = np.arange(60.0)
    moved = bought / 2 + np.tile([0.1, -0.1], 30)
    assert np.isnan(last_slope(bought[:59], moved[:59])).all()
    assert last_slope(bought, moved) == pytest.approx(kyle(bought, moved), rel=1e-9)
    assert not np.isnan(last_slope(bought, moved)).any()


def test_where_nothing_was_traded_there_is_no_slope() -> None:
    assert np.isnan(last_slope(np.zeros(80), np.arange(80.0))).all()


class Tape:
    """A stock whose mid follows what is bought, told second by second; remembers the pairs."""

    def __init__(self) -> None:
        self.stage = LiveStage()
        self.second, self.total, self.mid = 0, 1_000, MID
        self.rng = np.random.default_rng(7)
        self.bought: list[float] = []
        self.moved: list[float] = []
        self._signed = 0.0
        self._mid = np.nan

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.second += 1
            at_ns = OPEN + self.second * NS_PER_S
            self.stage.timer(at_ns)  # it sees what came before
            if self.second % 10 == 0:
                self._end_bucket()
            self._trade(at_ns)

    def _trade(self, at_ns: int) -> None:
        side = int(self.rng.choice([-1, 1]))
        size = int(self.rng.integers(1, 50))
        show_book(self.stage, at_ns, 20, 5_000_000, mid=self.mid)
        price = self.mid + 10 * side  # at the ask or at the bid
        self.total += size
        self.stage.frame(at_ns, last_price=price, last_trade_ns=at_ns, volume=self.total)
        self._signed += side * price / 100 * size / 1e5
        self.mid += 5 * side * size // 10
        show_book(self.stage, at_ns, 20, 5_000_000, mid=self.mid)

    def _end_bucket(self) -> None:
        self.bought.append(self._signed)
        self.moved.append(1e4 * (self.mid / self._mid - 1))
        self._signed, self._mid = 0.0, self.mid

    @property
    def told(self) -> list[float]:
        return [self.stage.metric(name) for name in ("kyle_lambda", "kyle_lambda_se")]

    @property
    def expected(self) -> tuple[float, float]:
        return kyle(np.array(self.bought), np.array(self.moved))


def test_the_engine_tells_the_slope_of_its_ten_seconds() -> None:
    tape = Tape()
    tape.run(10 * LEAST_BUCKETS)
    assert np.isnan(tape.told).all()
    tape.run(10)
    np.testing.assert_allclose(tape.told, tape.expected, rtol=1e-9)
    assert not np.isnan(tape.told).any()


def test_a_gap_takes_the_slope_at_once_and_begins_anew() -> None:
    tape = Tape()
    tape.run(700)
    assert not np.isnan(tape.told).any()
    at_ns = OPEN + 700 * NS_PER_S
    tape.stage.link(at_ns, up=False)
    tape.stage.link(at_ns, up=True)
    assert np.isnan(tape.told).all()
    tape.run(500)
    assert np.isnan(tape.told).all()


@settings(max_examples=10)
@given(st.integers(60, 200))
def test_a_slope_does_not_know_the_future(count: int) -> None:
    bought, moved = noisy(300, 0.5, 1.0, 3)
    pairs = Regression(1)
    for place in range(300):
        pairs.push(bought[place : place + 1], moved[place : place + 1])
        if place + 1 == count:
            then = [float(each[0]) for each in pairs.slopes(ROW)]
    np.testing.assert_array_equal(then, last_slope(bought[:count], moved[:count]))
