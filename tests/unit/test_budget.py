"""Turns for requests: windows, places, order of urgency and pauses; the test owns the clock."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticktick.brokers.budget import READS, Budget, Priority, Tally, Window

_BROKER = (Window(1.0, 50), Window(60.0, 500), Window(1800.0, 2000))


class Hand:
    """A clock moved by hand, which rings the alarms that became due."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self._alarms: list[tuple[float, Callable[[], None]]] = []

    def __call__(self) -> float:
        return self.now_s

    def alarm(self, seconds: float, ring: Callable[[], None]) -> None:
        self._alarms.append((self.now_s + seconds, ring))

    async def move(self, seconds: float) -> None:
        """Let time pass from alarm to alarm."""
        end_s = self.now_s + seconds
        while due := min((at for at, _ in self._alarms if at <= end_s), default=None):
            self.now_s = max(self.now_s, due)
            rings = [ring for at, ring in self._alarms if at <= due]
            self._alarms = [(at, ring) for at, ring in self._alarms if at > due]
            for ring in rings:
                ring()
            await settled()
        self.now_s = end_s


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def most_within(times_s: Sequence[float], span_s: float) -> int:
    """The largest number of moments in any half-open span, counted the slow way."""
    return max((sum(1 for t in times_s if at <= t < at + span_s) for at in times_s), default=0)


def held_within(windows: Sequence[Window], times_s: Sequence[float]) -> None:
    for window in windows:
        assert most_within(times_s, window.span_s) <= window.most


def impatient(tally: Tally, gaps_s: Sequence[float]) -> list[float]:
    """The moments of requests by somebody who always goes as soon as he may."""
    now_s, taken = 0.0, list[float]()
    for gap_s in gaps_s:
        now_s += gap_s
        now_s += tally.wait_s(now_s)
        tally.take(now_s)
        taken.append(now_s)
    return taken


# binary fractions hold these gaps exactly, and so the edges of the windows
@given(st.lists(st.sampled_from([0.0, 0.015625, 0.25, 2.0, 40.0]), max_size=120))
def test_P24_no_pattern_of_requests_exceeds_any_window(gaps_s: list[float]) -> None:
    windows = (Window(1.0, 3), Window(60.0, 8), Window(1800.0, 20))
    held_within(windows, impatient(Tally(windows), gaps_s))


def test_P24_a_tally_that_knows_one_window_only_breaks_the_others() -> None:
    windows = (Window(1.0, 3), Window(60.0, 8))
    mutant = Tally(windows[:1])
    with pytest.raises(AssertionError):
        held_within(windows, impatient(mutant, [0.0] * 20))


def test_P24_reads_stay_below_what_the_broker_grants() -> None:
    taken = impatient(Tally(READS), [0.0] * 1600)
    held_within(_BROKER, taken)
    assert taken[299] < 15.0  # a full minute's worth may go at twenty a second
    assert taken[-1] > 1800.0


async def waiting(budget: Budget, names: list[str], *asked: Priority) -> list[asyncio.Task[None]]:
    """One task for each wish, which notes its name when its turn comes and leaves at once."""

    async def work(priority: Priority) -> None:
        async with budget.turn(priority):
            names.append(priority.name)

    tasks = [asyncio.create_task(work(priority)) for priority in asked]
    await settled()
    return tasks


async def test_when_requests_wait_then_the_most_urgent_goes_first() -> None:
    hand = Hand()
    budget = Budget((Window(1.0, 1),), clock_s=hand, alarm=hand.alarm)
    names: list[str] = []
    tasks = await waiting(
        budget,
        names,
        Priority.DEEP,
        Priority.DEEP,
        Priority.CONFIRM,
        Priority.REFILL,
        Priority.QUOTES,
        Priority.AUTHORISE,
    )
    assert budget.waiting == 5
    await hand.move(9)
    assert names == ["DEEP", "AUTHORISE", "QUOTES", "REFILL", "CONFIRM", "DEEP"]
    assert budget.waiting == 0
    await asyncio.gather(*tasks)


async def test_when_old_candles_use_up_their_share_then_quotes_still_go() -> None:
    hand = Hand()
    budget = Budget((Window(60.0, 10),), clock_s=hand, alarm=hand.alarm)
    names: list[str] = []
    deep = await waiting(budget, names, *[Priority.DEEP] * 9)
    assert names == ["DEEP"] * 6
    assert budget.left == pytest.approx(0.4)
    urgent = await waiting(budget, names, Priority.QUOTES, Priority.AUTHORISE)
    assert names[6:] == ["QUOTES", "AUTHORISE"]
    await hand.move(61)
    await asyncio.gather(*deep, *urgent)


async def test_F14_when_reads_hang_then_four_are_in_flight_and_one_place_is_for_the_feed() -> None:
    budget = Budget(clock_s=Hand())
    names: list[str] = []
    async with AsyncExitStack() as held:
        for _ in range(3):
            await held.enter_async_context(budget.turn(Priority.DEEP))
        tasks = await waiting(budget, names, Priority.DEEP, Priority.REFILL)
        assert (names, budget.waiting) == ([], 2)
        await held.enter_async_context(budget.turn(Priority.AUTHORISE))
        tasks += await waiting(budget, names, Priority.AUTHORISE)
        assert (names, budget.waiting) == ([], 3)
    await asyncio.gather(*tasks)
    assert names == ["AUTHORISE", "REFILL", "DEEP"]


async def test_F15_after_a_refusal_for_the_rate_nobody_goes_for_a_minute_and_the_queue_shows() -> (
    None
):
    hand = Hand()
    budget = Budget(clock_s=hand, alarm=hand.alarm)
    names: list[str] = []
    budget.pause(5.0)
    tasks = await waiting(budget, names, Priority.AUTHORISE, Priority.DEEP)
    await hand.move(59.9)
    assert (names, budget.waiting, budget.left) == ([], 2, 0.0)
    await hand.move(0.2)
    assert names == ["AUTHORISE", "DEEP"]
    await asyncio.gather(*tasks)


async def test_a_pause_lasts_as_long_as_the_broker_says() -> None:
    hand = Hand()
    budget = Budget(clock_s=hand, alarm=hand.alarm)
    names: list[str] = []
    budget.pause(300.0)
    budget.pause(0.0)
    tasks = await waiting(budget, names, Priority.QUOTES)
    await hand.move(299)
    assert names == []
    await hand.move(2)
    await asyncio.gather(*tasks)


async def test_a_request_that_is_given_up_leaves_the_queue_and_its_place() -> None:
    hand = Hand()
    budget = Budget((Window(1.0, 1),), clock_s=hand, alarm=hand.alarm)
    names: list[str] = []
    tasks = await waiting(budget, names, *[Priority.QUOTES] * 3)
    tasks[1].cancel()
    await settled()
    assert budget.waiting == 1
    await hand.move(2)
    assert names == ["QUOTES", "QUOTES"]
    await asyncio.wait(tasks)


async def test_a_request_given_up_at_the_moment_of_its_turn_gives_it_back() -> None:
    budget = Budget(in_flight=1, clock_s=Hand())
    names: list[str] = []
    held = budget.turn(Priority.QUOTES)
    await held.__aenter__()
    (task,) = await waiting(budget, names, Priority.QUOTES)
    await held.__aexit__(None, None, None)
    task.cancel()
    await asyncio.wait([task])
    (last,) = await waiting(budget, names, Priority.QUOTES)
    await asyncio.wait_for(last, 5)
    assert names == ["QUOTES"]
