"""A connection that is half open is noticed within fifteen seconds, one that lives never ends."""

import pytest

from ticktick.brokers.upstox.pulse import Beat, Pulse

LOOKS_PER_S = 4


class Deaf(Pulse):
    """A mutant that forgets that it waits for a pong."""

    def beat(self, now_s: float) -> Beat:
        self.heard()
        return super().beat(now_s)


def dead_after_s(pulse: Pulse, last_life_s: float) -> float | None:
    """When the other side is given up that answers pings until that moment."""
    for look in range(60 * LOOKS_PER_S):
        now_s = look / LOOKS_PER_S
        beat = pulse.beat(now_s)
        if beat is Beat.HANG_UP:
            return now_s
        if beat is Beat.PING and now_s < last_life_s:
            pulse.heard()
    return None


def notices(pulse: Pulse, last_life_s: float) -> None:
    found_s = dead_after_s(pulse, last_life_s)
    assert found_s is not None
    assert found_s - last_life_s <= 15.0


@pytest.mark.parametrize("last_life_s", [0.0, 3.1, 8.9, 9.1, 17.9, 18.0, 30.0])
def test_P02_a_half_open_connection_is_dead_within_fifteen_seconds(last_life_s: float) -> None:
    notices(Pulse(0.0), last_life_s)


def test_P02_who_forgets_the_ping_notices_nothing() -> None:
    with pytest.raises(AssertionError):
        notices(Deaf(0.0), 3.1)


def test_P02_any_frame_counts_as_life_although_no_pong_comes() -> None:
    pulse = Pulse(0.0)
    for look in range(120):
        pulse.heard()
        assert pulse.beat(float(look)) is not Beat.HANG_UP


def test_P02_pings_go_on_while_frames_arrive_so_that_the_round_trip_is_known() -> None:
    pulse = Pulse(0.0)
    beats = []
    for look in range(40):
        pulse.heard()
        beats.append(pulse.beat(float(look)))
    assert beats.count(Beat.PING) == 4
