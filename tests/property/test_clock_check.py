"""The judge of a clock: what it must never do, for any honest exchange and any network."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ticktick.domain.clock import NS_PER_MS, NS_PER_S
from ticktick.domain.clock_check import ClockCheck

START_NS = 1_795_149_902 * NS_PER_S + 123_456_789
SPANS = st.integers(0, 20 * NS_PER_S)
LATENCIES = st.integers(0, 3 * NS_PER_S)
STEPS = st.lists(
    st.tuples(st.sampled_from(["answer", "frame"]), SPANS, LATENCIES, LATENCIES), max_size=60
)


class Exchange:
    """An exchange whose time is `ahead_ns` ahead of a clock that runs `pace` of its speed."""

    def __init__(self, ahead_ns: int, pace: float = 1.0) -> None:
        self.now_ns = START_NS
        self.clock_ns = START_NS - ahead_ns
        self.pace = pace
        self.check = ClockCheck()

    @property
    def error_ns(self) -> int:
        """How far the clock is behind."""
        return self.now_ns - self.clock_ns

    def wait(self, span_ns: int) -> None:
        self.now_ns += span_ns
        self.clock_ns += round(span_ns * self.pace)

    def answer(self, there_ns: int, back_ns: int) -> int:
        """Ask, be answered, hear the date; what the judge wants is done."""
        asked_ns = self.clock_ns
        self.wait(there_ns)
        date_ns = self.now_ns // NS_PER_S * NS_PER_S
        self.wait(back_ns)
        return self._set(self.check.dated(asked_ns, self.clock_ns, date_ns))

    def frame(self, late_ns: int) -> int:
        sent_ns = self.now_ns
        self.wait(late_ns)
        return self._set(self.check.framed(sent_ns, self.clock_ns))

    def _set(self, ahead_ns: int) -> int:
        self.clock_ns += ahead_ns
        return ahead_ns

    def happen(self, steps: list[tuple[str, int, int, int]]) -> list[int]:
        """What the clock was set by, step by step."""
        moves = []
        for kind, pause_ns, there_ns, back_ns in steps:
            self.wait(pause_ns)
            moves.append(
                self.answer(there_ns, back_ns) if kind == "answer" else self.frame(there_ns)
            )
        return moves


@given(STEPS)
def test_a_right_clock_is_never_touched_however_late_frames_and_answers_are(
    steps: list[tuple[str, int, int, int]],
) -> None:
    assert set(Exchange(ahead_ns=0).happen(steps)) <= {0}


@given(st.integers(-3_600 * NS_PER_S, 3_600 * NS_PER_S), STEPS)
def test_after_two_answers_a_wrong_clock_is_right_within_their_own_uncertainty(
    ahead_ns: int, steps: list[tuple[str, int, int, int]]
) -> None:
    exchange = Exchange(ahead_ns)
    exchange.answer(20 * NS_PER_MS, 20 * NS_PER_MS)
    exchange.answer(20 * NS_PER_MS, 20 * NS_PER_MS)
    assert abs(exchange.error_ns) <= 1_050 * NS_PER_MS
    exchange.happen(steps)
    assert abs(exchange.error_ns) <= 1_050 * NS_PER_MS


@settings(deadline=None)
@given(
    st.floats(1 - 1 / 60, 1 + 1 / 60),
    st.lists(st.integers(0, 400 * NS_PER_MS), min_size=300, max_size=300),
)
def test_a_clock_that_gains_or_loses_a_second_a_minute_is_held_to_about_a_second(
    pace: float, latencies: list[int]
) -> None:
    exchange = Exchange(ahead_ns=0, pace=pace)
    for number, latency_ns in enumerate(latencies):
        exchange.wait(NS_PER_S)
        exchange.frame(latency_ns)
        if number % 15 == 0:
            exchange.answer(latency_ns // 2, latency_ns // 2)
        assert abs(exchange.error_ns) <= 1_250 * NS_PER_MS


def settled(ahead_ns: int = 0) -> Exchange:
    """An exchange whose time is known."""
    exchange = Exchange(ahead_ns)
    for _ in range(2):
        exchange.answer(10 * NS_PER_MS, 10 * NS_PER_MS)
    return exchange


def test_frames_from_the_future_move_nothing_that_dates_rule_out() -> None:
    exchange = settled()
    for _ in range(20):
        exchange.wait(NS_PER_S)
        assert exchange.check.framed(exchange.now_ns + 86_400 * NS_PER_S, exchange.clock_ns) == 0
    assert abs(exchange.error_ns) == 0


def test_one_mad_frame_among_good_ones_moves_nothing() -> None:
    exchange = settled()
    for number in range(30):
        exchange.wait(NS_PER_S // 2)
        mad_ns = 900 * NS_PER_MS if number % 7 == 3 else 0
        assert exchange.check.framed(exchange.now_ns + mad_ns, exchange.clock_ns + 1) == 0


def test_frames_that_come_from_the_future_lift_a_clock_that_the_dates_leave_open() -> None:
    exchange = settled()
    exchange.clock_ns -= 400 * NS_PER_MS
    exchange.wait(60 * NS_PER_S)
    moved = 0
    for _ in range(6):
        exchange.wait(NS_PER_S // 2)
        moved += exchange.frame(5 * NS_PER_MS)
    assert moved > 0
    assert abs(exchange.error_ns) < 1_000 * NS_PER_MS


def test_a_single_date_that_contradicts_everything_is_not_believed() -> None:
    exchange = settled()
    exchange.wait(NS_PER_S)
    wrong_ns = exchange.now_ns + 7_200 * NS_PER_S
    assert exchange.check.dated(exchange.clock_ns, exchange.clock_ns, wrong_ns) == 0
    assert exchange.check.is_doubtful
    assert exchange.answer(NS_PER_MS, NS_PER_MS) == 0
    assert not exchange.check.is_doubtful


def test_a_date_that_contradicts_everything_counts_when_it_is_said_again() -> None:
    exchange = settled()
    exchange.clock_ns -= 3 * 3_600 * NS_PER_S  # slept, and the counter did not count it
    assert exchange.answer(NS_PER_MS, NS_PER_MS) == 0
    exchange.wait(NS_PER_S)
    assert exchange.answer(NS_PER_MS, NS_PER_MS) > 0
    assert abs(exchange.error_ns) <= NS_PER_S


def test_before_the_first_answer_nothing_is_known_and_frames_move_nothing() -> None:
    exchange = Exchange(ahead_ns=86_400 * NS_PER_S)
    assert exchange.check.width_ns is None
    for _ in range(10):
        exchange.wait(NS_PER_S)
        assert exchange.frame(0) == 0
