"""When a lost feed is dialled again: pauses, ten attempts in a minute, and who has the feed."""

from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticktick.brokers.reconnect import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    Attempts,
    Ending,
    backoff,
    taken_sentence,
)

SHORT = Ending("closed", "closed by the server", lived_s=0.3)
LONG = Ending("closed", "closed by the server", lived_s=600.0)
FULL = Ending("refused", "HTTP 403", least_s=30.0, no_room=True)
FAILED = Ending("closed", "no route to host")


class Hasty(Random):
    """Chance at its worst: every pause is as short as it can be."""

    def uniform(self, a: float, b: float) -> float:
        return a


class Patient(Random):
    """Chance that shows the bounds: every pause is as long as it can be."""

    def uniform(self, a: float, b: float) -> float:
        return b


def attempts_within(minute_s: float, attempts: Attempts, ending: Ending) -> int:
    """How often somebody dials who waits no longer than he must, and takes over at once."""
    now_s, count = 0.0, 0
    while now_s < minute_s:
        attempts.begin(now_s)
        count += 1
        pause_s = attempts.end(ending)
        if pause_s is None:
            attempts.forgive()
        now_s += pause_s or 0.0
        now_s += attempts.forced_s(now_s)
    return count


@pytest.mark.parametrize("ending", [SHORT, LONG, FULL, FAILED])
def test_P05_no_server_sees_more_than_ten_attempts_in_a_minute(ending: Ending) -> None:
    assert attempts_within(60.0, Attempts(Hasty()), ending) <= 10
    assert attempts_within(600.0, Attempts(Hasty()), ending) <= 64


def test_P05_attempts_without_end_never_have_to_wait_longer_than_ten_seconds() -> None:
    attempts, now_s = Attempts(Hasty()), 0.0
    for _ in range(100):
        attempts.begin(now_s)
        forced_s = attempts.forced_s(now_s)
        assert forced_s <= 10.0
        now_s += forced_s


def test_P05_attempts_that_are_not_counted_are_too_many() -> None:
    mutant = Attempts(Hasty(), spacing_s=0.1)
    with pytest.raises(AssertionError):
        assert attempts_within(60.0, mutant, SHORT) <= 10


def test_P05_pauses_double_to_thirty_seconds_and_start_over_only_after_data() -> None:
    attempts = Attempts(Patient())
    assert [attempts.end(LONG) for _ in range(8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    attempts.data_came()
    assert attempts.end(LONG) == 0.5


def test_P05_a_refused_handshake_pauses_half_a_minute() -> None:
    assert Attempts(Hasty()).end(FULL) == 30.0


@pytest.mark.parametrize("ending", [SHORT, FULL])
def test_F52_three_in_a_row_mean_another_program(ending: Ending) -> None:
    attempts = Attempts(Hasty())
    verdicts = [attempts.end(ending) is None for _ in range(3)]
    assert verdicts == [False, False, True]
    assert "take over" in taken_sentence(ending)
    attempts.forgive()
    assert attempts.end(ending) is not None


@pytest.mark.parametrize("other", [LONG, FAILED, Ending("silent", "", lived_s=3.0, by_us=True)])
@pytest.mark.parametrize("ending", [SHORT, FULL])
def test_F52_what_comes_between_ends_the_row(ending: Ending, other: Ending) -> None:
    attempts = Attempts(Hasty())
    row = [ending, ending, other, ending, ending]
    assert all(attempts.end(one) is not None for one in row)


@given(st.integers(0, 2**32))
def test_every_pause_lies_between_nothing_and_its_doubling_bound(seed: int) -> None:
    bounds_s = [min(FIRST_PAUSE_S * 2**n, LONGEST_PAUSE_S) for n in range(12)]
    for pause_s, bound_s in zip(islice(backoff(Random(seed)), 12), bounds_s, strict=True):
        assert 0.0 <= pause_s <= bound_s
