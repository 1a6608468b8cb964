"""Frames in order of their own time, held only while they come out of order."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ticktick.brokers.sorter import CALM_S, HOLD_S, Sorter


def play(sorter: Sorter[int], arrivals: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """When each frame was passed on; looked at whenever something is due."""
    passed: list[tuple[float, int]] = []
    for at_s, sent_ms in arrivals:
        while (due_s := sorter.due_s(0.0)) is not None and due_s <= at_s:
            passed += [(due_s, frame) for frame in sorter.release(due_s)]
        passed += [(at_s, frame) for frame in sorter.take(sent_ms, sent_ms, at_s)]
    while (due_s := sorter.due_s(0.0)) is not None:
        passed += [(due_s, frame) for frame in sorter.release(due_s)]
    return passed


def test_F06_frames_in_order_are_passed_on_at_once() -> None:
    arrivals = [(n / 4, 1000 + n) for n in range(100)]
    sorter = Sorter[int]()
    assert play(sorter, arrivals) == arrivals
    assert sorter.disordered == 0


def test_F06_after_the_first_disorder_frames_take_their_place() -> None:
    sorter = Sorter[int]()
    arrivals = [(0.0, 10), (0.1, 30), (0.15, 20), (1.0, 50), (1.05, 40), (1.1, 60)]
    assert [sent for _, sent in play(sorter, arrivals)] == [10, 30, 20, 40, 50, 60]
    assert sorter.disordered == 2


def test_F06_a_minute_of_order_ends_the_holding() -> None:
    sorter = Sorter[int]()
    play(sorter, [(0.0, 30), (0.1, 20)])
    calm_s = 0.1 + CALM_S
    arrivals = [(calm_s - 1.0, 40), (calm_s + 1.0, 50), (calm_s + 1.1, 60)]
    assert play(sorter, arrivals) == [(calm_s - 1.0 + HOLD_S, 40), *arrivals[1:]]


def test_F06_what_is_held_when_calm_returns_goes_first() -> None:
    sorter = Sorter[int]()
    sorter.take(30, 30, 0.0)
    sorter.take(20, 20, 0.1)
    assert sorter.take(40, 40, CALM_S) == [20]
    assert sorter.take(50, 50, 0.1 + CALM_S) == [40, 50]


def test_a_new_connection_may_begin_with_an_older_time() -> None:
    sorter = Sorter[int]()
    sorter.take(30, 30, 0.0)
    sorter.restart()
    assert sorter.take(20, 20, 0.1) == [20]
    assert sorter.disordered == 0


@given(st.integers(0, 2**32), st.floats(0.0, 0.2))
def test_F06_delays_within_the_holding_time_leave_no_disorder(seed: int, spread_s: float) -> None:
    rng = Random(seed)
    sent = [(1000 + 100 * n, n) for n in range(40)]
    arrivals = sorted((n / 20 + rng.uniform(0.0, spread_s), at_ms) for at_ms, n in sent)
    sorter = Sorter[int]()
    sorter.take(1, 1, -1.0)
    sorter.take(0, 0, -1.0)  # from here on frames are held
    passed = [frame for _, frame in play(sorter, arrivals)]
    assert passed == [0, *sorted(passed[1:])]


@given(st.lists(st.tuples(st.floats(0.0, 3.0), st.integers(1, 50)), max_size=40))
def test_F06_none_is_lost_and_none_waits_longer_than_the_holding_time(
    steps: list[tuple[float, int]],
) -> None:
    at_s, arrivals = 0.0, []
    for number, (gap_s, sent_ms) in enumerate(steps):
        at_s += gap_s
        arrivals.append((at_s, sent_ms * 100 + number))  # every frame has a time of its own
    passed = {frame: at_s for at_s, frame in play(Sorter[int](), arrivals)}
    assert sorted(passed) == sorted(sent_ms for _, sent_ms in arrivals)
    for came_s, sent_ms in arrivals:
        assert passed[sent_ms] <= came_s + HOLD_S + 1e-9
