"""Patience: pauses that grow with each attempt in vain, and end with the wish."""

from ticktick.origin.patience import FIRST_PAUSE_S, LONGEST_PAUSE_S, Patience


class Counter:
    """Seconds that the test lets pass."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_each_attempt_doubles_the_pause_up_to_the_longest() -> None:
    clock = Counter()
    patience, pauses = Patience(clock), list[float]()
    assert patience.is_over("A")
    for _ in range(8):
        patience.asked("A")
        began_s = clock.now_s
        while not patience.is_over("A"):
            clock.now_s += 0.5
        pauses.append(clock.now_s - began_s)
    assert pauses[:4] == [FIRST_PAUSE_S * 2**n for n in range(4)]
    assert pauses[-1] == LONGEST_PAUSE_S
    assert patience.is_over("B")


def test_what_is_not_wished_for_any_more_begins_anew_later() -> None:
    clock = Counter()
    patience = Patience(clock)
    for _ in range(5):
        patience.asked("A")
        patience.asked("B")
    patience.keep({"B"})
    assert patience.is_over("A")
    assert not patience.is_over("B")
    patience.forget()
    assert patience.is_over("B")
