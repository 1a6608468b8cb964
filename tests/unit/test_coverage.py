"""Coverage: what was seen of an instrument's trades, and which minutes a hole touches."""

from ticktick.domain.clock import NS_PER_MINUTE as MINUTE
from ticktick.market.coverage import Coverage


def missed(coverage: Coverage, first: int = 0, last: int = 20) -> list[int]:
    """The missed minutes, counted from 0."""
    starts = coverage.minutes_missed((first * MINUTE, last * MINUTE))
    return sorted({start // MINUTE for start in starts})


def test_nothing_is_known_before_the_first_moment() -> None:
    coverage = Coverage()
    assert not coverage.is_known(5 * MINUTE)
    coverage.resume(5 * MINUTE)
    assert not coverage.is_known(4 * MINUTE)
    assert coverage.is_known(5 * MINUTE)
    coverage.fill(2 * MINUTE, 4 * MINUTE)
    assert coverage.is_known(2 * MINUTE)


def test_a_pause_leaves_a_hole_in_every_minute_it_touches() -> None:
    coverage = Coverage()
    coverage.resume(0)
    coverage.pause(3 * MINUTE + 1)
    coverage.resume(5 * MINUTE + 1)
    assert missed(coverage) == [3, 4, 5]
    assert coverage.was_missed((3 * MINUTE, 4 * MINUTE))
    assert not coverage.was_missed((2 * MINUTE, 3 * MINUTE))


def test_while_paused_everything_that_follows_is_missed() -> None:
    coverage = Coverage()
    coverage.resume(0)
    coverage.pause(17 * MINUTE)
    assert missed(coverage) == [17, 18, 19]


def test_history_fills_a_hole_from_either_end_or_splits_it() -> None:
    coverage = Coverage()
    coverage.resume(0)
    coverage.pause(2 * MINUTE)
    coverage.resume(10 * MINUTE)
    coverage.fill(0, 3 * MINUTE)
    coverage.fill(9 * MINUTE, 11 * MINUTE)
    assert missed(coverage) == [3, 4, 5, 6, 7, 8]
    coverage.fill(5 * MINUTE, 7 * MINUTE)
    assert missed(coverage) == [3, 4, 7, 8]


def test_history_read_during_a_pause_leaves_what_lies_before_it_a_hole() -> None:
    coverage = Coverage()
    coverage.resume(0)
    coverage.pause(2 * MINUTE)
    coverage.fill(4 * MINUTE, 6 * MINUTE)
    coverage.resume(8 * MINUTE)
    assert missed(coverage) == [2, 3, 6, 7]


def test_before_the_feed_a_hole_lies_between_the_newest_history_and_the_first_frame() -> None:
    coverage = Coverage()
    coverage.fill(10 * MINUTE, 12 * MINUTE)
    coverage.fill(0, 10 * MINUTE)  # deeper history comes later
    coverage.resume(14 * MINUTE)
    assert missed(coverage) == [12, 13]


def test_history_before_the_feed_fills_no_hole_of_the_feed() -> None:
    coverage = Coverage()
    coverage.fill(0, 2 * MINUTE)
    assert not coverage.was_missed((3 * MINUTE, 4 * MINUTE))


def test_of_very_many_losses_the_oldest_become_one_and_none_is_forgotten() -> None:
    coverage = Coverage()
    coverage.resume(0)
    for minute in range(0, 400, 2):
        coverage.pause(minute * MINUTE)
        coverage.resume((minute + 1) * MINUTE)
    found = missed(coverage, 0, 400)
    assert set(range(0, 400, 2)) <= set(found)
    assert found[-63:] == list(range(274, 400, 2))


def test_a_loss_of_no_time_is_no_hole() -> None:
    coverage = Coverage()
    coverage.resume(0)
    coverage.pause(MINUTE)
    coverage.resume(MINUTE)
    assert missed(coverage) == []
