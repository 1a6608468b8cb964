"""Start codes, sessions and socket codes: single use, bounded life, never guessed."""

from itertools import count

import pytest

from tests.web_stage import MORNING_NS
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S, parse_iso_ns
from ticktick.web.sessions import Sessions, TooManyTries, next_end_ns


class Clock:
    def __init__(self) -> None:
        self.now_ns = MORNING_NS

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    tokens = count()
    return Sessions("cli", clock, lambda: f"token {next(tokens)}")


def test_a_start_code_opens_one_session(sessions: Sessions) -> None:
    code = sessions.new_start_code()
    session = sessions.open(code)
    assert session is not None
    assert sessions.find(session.id) is session
    assert sessions.open(code) is None


def test_a_start_code_dies_after_ten_minutes(sessions: Sessions, clock: Clock) -> None:
    early, late = sessions.new_start_code(), sessions.new_start_code()
    clock.now_ns += 10 * NS_PER_MINUTE - 1
    assert sessions.open(early) is not None
    clock.now_ns += 1
    assert sessions.open(late) is None


def test_five_wrong_codes_close_the_door_for_a_minute(sessions: Sessions, clock: Clock) -> None:
    right = sessions.new_start_code()
    for _ in range(5):
        assert sessions.open("guess") is None
    with pytest.raises(TooManyTries):
        sessions.open(right)
    clock.now_ns += NS_PER_MINUTE
    assert sessions.open(right) is not None


def test_each_session_has_ids_of_its_own(sessions: Sessions) -> None:
    first, second = (sessions.open(sessions.new_start_code()) for _ in range(2))
    assert first is not None
    assert second is not None
    assert len({first.id, first.csrf, second.id, second.csrf}) == 4


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-11-20T10:00:00+05:30", "2026-11-21T03:30:00+05:30"),
        ("2026-11-21T03:29:59+05:30", "2026-11-21T03:30:00+05:30"),
        ("2026-11-21T03:30:00+05:30", "2026-11-22T03:30:00+05:30"),
        ("2026-11-20T23:00:00+00:00", "2026-11-22T03:30:00+05:30"),
    ],
)
def test_every_session_ends_at_half_past_three_in_india(now: str, end: str) -> None:
    assert next_end_ns(parse_iso_ns(now)) == parse_iso_ns(end)


def test_an_ended_session_is_not_found(sessions: Sessions, clock: Clock) -> None:
    session = sessions.open(sessions.new_start_code())
    assert session is not None
    assert sessions.seconds_left(session) == 17 * 3600 + 1800
    clock.now_ns = session.ends_ns - 1
    assert sessions.find(session.id) is session
    clock.now_ns = session.ends_ns
    assert sessions.find(session.id) is None
    assert not sessions.is_open(session)


def test_a_socket_code_works_once_for_its_session_for_30_seconds(
    sessions: Sessions, clock: Clock
) -> None:
    mine, other = (sessions.open(sessions.new_start_code()) for _ in range(2))
    assert mine is not None
    assert other is not None
    assert not sessions.take_socket_code(sessions.new_socket_code(mine), other)
    code = sessions.new_socket_code(mine)
    clock.now_ns += 30 * NS_PER_S - 1
    assert sessions.take_socket_code(code, mine)
    assert not sessions.take_socket_code(code, mine)
    code = sessions.new_socket_code(mine)
    clock.now_ns += 30 * NS_PER_S
    assert not sessions.take_socket_code(code, mine)


def test_a_session_may_ask_a_hundred_times_a_second(sessions: Sessions, clock: Clock) -> None:
    session = sessions.open(sessions.new_start_code())
    assert session is not None
    assert [sessions.admits(session) for _ in range(101)] == [True] * 100 + [False]
    clock.now_ns += NS_PER_S
    assert sessions.admits(session)


def test_codes_are_unguessable_by_default() -> None:
    sessions = Sessions("cli", lambda: MORNING_NS)
    codes = {sessions.new_start_code() for _ in range(100)}
    assert len(codes) == 100
    assert min(map(len, codes)) >= 22  # 128 bit in base 64


def test_only_the_exact_token_is_the_command_line(sessions: Sessions) -> None:
    assert sessions.is_cli("cli")
    assert not sessions.is_cli("")
    assert not sessions.is_cli("clí")


def test_a_session_does_not_show_its_secrets(sessions: Sessions) -> None:
    session = sessions.open(sessions.new_start_code())
    assert repr(session) == "Session(***)"
