"""Whose turn it is: news first, but what was put off is never put off for ever."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.web_stage import Stage
from ticktick.domain.event import Event, FrameArrived, NoteTaken, TimerFired, WorkGoesOn
from ticktick.engine.turns import EVENTS_BEFORE_WORK, Turns
from ticktick.web.hub import share_of_turn

NEWS = (FrameArrived(1, 1, b""), NoteTaken(1, "info", "a"))
TIME = (TimerFired(1), WorkGoesOn(1))


@given(st.lists(st.sampled_from([*NEWS, *TIME]), max_size=60))
def test_work_goes_on_with_time_and_with_every_tenth_piece_of_news_in_a_row(
    events: list[Event],
) -> None:
    turns, put_off = Turns(), 0
    for event in events:
        may = turns.may_work(event)
        put_off = 0 if may else put_off + 1
        assert may or event in NEWS
        assert put_off < EVENTS_BEFORE_WORK


def test_of_many_frames_in_a_row_the_tenth_does_the_work() -> None:
    turns = Turns()
    assert [turns.may_work(NEWS[0]) for _ in range(20)] == [*[False] * 9, True] * 2


@given(st.integers(2, 32))
def test_browsers_are_told_at_moments_that_are_far_apart(count: int) -> None:
    moments = sorted(share_of_turn(place) for place in range(count))
    gaps = [later - earlier for earlier, later in pairwise([*moments, moments[0] + 1.0])]
    assert all(0.0 <= moment < 1.0 for moment in moments)
    assert min(gaps) > 0.5 / count


def test_who_leaves_makes_room_for_the_next_browser() -> None:
    hub = Stage().hub
    first, second = hub.join(), hub.join()
    hub.leave(first)
    assert hub.join().place == first.place
    assert second.place != first.place
