"""Coverage: of which time everything is known, and what a watched feed left out."""

from ticktick.domain.clock import NS_PER_MINUTE as MINUTE
from ticktick.market.coverage import Coverage, minutes_of


def lost(coverage: Coverage, first: int = 0, last: int = 20) -> list[int]:
    """The lost minutes, counted from 0, of a session of twenty."""
    spans = coverage.lost((first * MINUTE, last * MINUTE))
    return [start // MINUTE for start in minutes_of(spans, [(0, 20 * MINUTE)])]


def minute(number: int) -> tuple[int, int]:
    """The span of a minute counted from 0."""
    return number * MINUTE, (number + 1) * MINUTE


def test_nothing_is_known_or_lost_before_the_first_moment() -> None:
    coverage = Coverage()
    assert not coverage.is_known(minute(5))
    assert lost(coverage) == []
    coverage.resume(5 * MINUTE)
    assert coverage.is_watching
    assert not coverage.is_known(minute(4))
    assert coverage.is_known(minute(5))
    assert lost(coverage) == []
    coverage.fill(2 * MINUTE, 4 * MINUTE)
    assert coverage.is_known((2 * MINUTE, 4 * MINUTE))
    assert not coverage.is_known((2 * MINUTE, 5 * MINUTE))


def test_a_minute_that_was_seen_in_part_is_not_known() -> None:
    coverage = Coverage()
    coverage.resume(5 * MINUTE + 1)
    assert not coverage.is_known(minute(5))
    assert coverage.is_known(minute(6))


def test_a_pause_leaves_a_hole_in_every_minute_it_touches() -> None:
    coverage = Coverage()
    coverage.resume(0)
    coverage.pause(3 * MINUTE + 1)
    assert not coverage.is_watching
    coverage.resume(5 * MINUTE + 1)
    assert lost(coverage) == [3, 4, 5]
    assert coverage.is_lost(minute(3))
    assert not coverage.is_lost(minute(2))


def test_while_paused_everything_that_follows_is_lost() -> None:
    coverage = Coverage()
    coverage.resume(0)
    coverage.pause(17 * MINUTE)
    assert lost(coverage) == [17, 18, 19]


def test_history_fills_a_hole_from_either_end_or_splits_it() -> None:
    coverage = Coverage()
    coverage.resume(0)
    coverage.pause(2 * MINUTE)
    coverage.resume(10 * MINUTE)
    coverage.fill(0, 3 * MINUTE)
    coverage.fill(9 * MINUTE, 11 * MINUTE)
    assert lost(coverage) == [3, 4, 5, 6, 7, 8]
    coverage.fill(5 * MINUTE, 7 * MINUTE)
    assert lost(coverage) == [3, 4, 7, 8]
    assert coverage.is_known((5 * MINUTE, 7 * MINUTE))


def test_history_read_during_a_pause_leaves_what_lies_before_and_after_it_lost() -> None:
    coverage = Coverage()
    coverage.resume(0)
    coverage.pause(2 * MINUTE)
    coverage.fill(4 * MINUTE, 6 * MINUTE)
    coverage.resume(8 * MINUTE)
    assert lost(coverage) == [2, 3, 6, 7]


def test_what_lies_between_history_and_the_first_frame_is_unknown_but_not_lost() -> None:
    coverage = Coverage()
    coverage.fill(10 * MINUTE, 12 * MINUTE)
    coverage.fill(0, 10 * MINUTE)  # deeper history comes later
    coverage.resume(14 * MINUTE)
    assert coverage.is_known((0, 12 * MINUTE))
    assert list(coverage.unknown((0, 20 * MINUTE))) == [(12 * MINUTE, 14 * MINUTE)]
    assert lost(coverage) == []


def test_of_very_many_spans_the_oldest_are_forgotten_never_believed() -> None:
    coverage = Coverage()
    coverage.resume(0)
    for number in range(0, 400, 2):
        coverage.pause((number + 1) * MINUTE)
        coverage.resume((number + 2) * MINUTE)
    assert not coverage.is_known(minute(0))
    assert coverage.is_known(minute(398))
    assert not coverage.is_known(minute(399))


def test_a_loss_of_no_time_is_no_hole() -> None:
    coverage = Coverage()
    coverage.resume(0)
    coverage.pause(MINUTE)
    coverage.resume(MINUTE)
    assert lost(coverage) == []
    coverage.fill(7 * MINUTE, 3 * MINUTE)
    assert lost(coverage) == []


def test_only_minutes_of_trading_count() -> None:
    spans = [(0, 3 * MINUTE), (5 * MINUTE + 1, 9 * MINUTE)]
    trading = [(2 * MINUTE, 6 * MINUTE), (8 * MINUTE, 8 * MINUTE + 1)]
    found = minutes_of(iter(spans), trading)
    assert [start // MINUTE for start in found] == [2, 5, 8]
