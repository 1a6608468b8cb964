"""The clock of a run against wrong, drifting, set and sleeping clocks of this computer."""

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import pytest

from tests.market_stage import OPEN, Stage, frame, instrument
from ticktick.brokers.upstox.rest import Answered
from ticktick.domain.clock import NS_PER_MS, NS_PER_S, MarketClock
from ticktick.domain.event import TimerFired
from ticktick.domain.health import LinkHealth
from ticktick.domain.market import Freshness
from ticktick.errors import AuthError, BrokerError
from ticktick.origin.clock import BrokerTime, OffsetWarning, boot_ns

HOUR_NS = 3_600 * NS_PER_S
BOOT_NS = 77_000 * NS_PER_S
LAG_NS = 80 * NS_PER_MS


class Keeper(Protocol):
    """What a run's clock is kept by."""

    @property
    def clock(self) -> MarketClock: ...

    def answered(self, answer: Answered) -> None: ...

    def framed(self, sent_ns: int, received_ns: int) -> None: ...


class OverError(Exception):
    """The test has seen enough."""


class World:
    """True time, this computer's clock beside it, and a feed whose freshness the engine judges.

    `offset_ns` and `drift` are of this computer's clock; `counter_stands` makes its counter
    blind to sleep.
    """

    def __init__(self, offset_ns: int = 0, drift: float = 0.0) -> None:
        self.now_ns = OPEN
        self.offset_ns = offset_ns
        self.drift = drift
        self.counter_lost_ns = 0
        self.end_ns = OPEN + 86_400 * NS_PER_S
        self.asked: list[int] = []
        self.refusal: BrokerError | None = None
        self.stage = Stage(instrument(), at_ns=OPEN)
        self.keeper: Keeper = BrokerTime(self.host_ns, self.counter_ns, self.ask, self.sleep)

    def host_ns(self) -> int:
        return self.now_ns + self.offset_ns + round((self.now_ns - OPEN) * self.drift)

    def counter_ns(self) -> int:
        return BOOT_NS + self.now_ns - OPEN - self.counter_lost_ns

    async def ask(self) -> None:
        """The broker answers, dated in whole seconds; 40 ms there, 40 ms back."""
        asked_ns = self.counter_ns()
        self.now_ns += LAG_NS // 2
        date_ns = self.now_ns // NS_PER_S * NS_PER_S
        self.now_ns += LAG_NS // 2
        self.asked.append(self.now_ns)
        self.keeper.answered(Answered(asked_ns, self.counter_ns(), date_ns))
        if self.refusal is not None:
            raise self.refusal

    async def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * NS_PER_S)
        if self.now_ns >= self.end_ns:
            raise OverError

    def error_ns(self) -> int:
        """How far the run's clock is ahead of true time."""
        return self.keeper.clock.now_ns() - self.now_ns

    def beat(self) -> None:
        """A frame arrives; the engine looks at the time."""
        sent_ns = self.now_ns
        self.now_ns += LAG_NS
        received_ns = self.keeper.clock.now_ns()
        self.keeper.framed(sent_ns, received_ns)
        event = frame(sent_ns, {"ACME": {"last_price": 100}})
        self.stage.process(type(event)(received_ns, 0, event.data))

    def freshness(self) -> Freshness:
        """The freshness that the engine tells at this moment."""
        self.stage.process(TimerFired(self.keeper.clock.now_ns()))
        return self.stage.freshness()

    async def live(self, seconds: int) -> None:
        """Frames twice a second, and what the keeper itself does every second."""
        for second in range(seconds):
            await self.sleep(0.5 - LAG_NS / NS_PER_S)
            self.beat()
            assert self.freshness() is Freshness.FRESH
            await self.sleep(0.5 - LAG_NS / NS_PER_S)
            self.beat()
            if second % 15 == 0:
                await self.ask()
            assert self.freshness() is Freshness.FRESH


async def begun(offset_ns: int = 0, drift: float = 0.0) -> World:
    world = World(offset_ns, drift)
    assert isinstance(world.keeper, BrokerTime)
    await world.keeper.look()
    return world


class HostTime:
    """A broken keeper: the clock of this computer, as it is."""

    def __init__(self, host_ns: Callable[[], int]) -> None:
        self.clock = MarketClock(host_ns(), 1.0, host_ns)

    def answered(self, answer: Answered) -> None:
        """Deaf."""

    def framed(self, sent_ns: int, received_ns: int) -> None:
        """Deaf."""


async def ages_are_true_whatever_the_host_says(world: World) -> None:
    """The check of P21: after every trouble of the host's clock ages are right to a second."""
    await world.live(20)
    for trouble_ns in (HOUR_NS, -HOUR_NS, -7 * NS_PER_S):
        world.offset_ns += trouble_ns  # somebody, or NTP, sets the clock
        await world.live(20)
        assert abs(world.error_ns()) <= NS_PER_S
        silent_from_ns = world.now_ns
        while world.freshness() is Freshness.FRESH:
            await world.sleep(0.25)
        assert abs(world.now_ns - silent_from_ns - 5 * NS_PER_S) <= NS_PER_S


@pytest.mark.parametrize("offset_ns", [0, HOUR_NS, -HOUR_NS, 5 * NS_PER_S, -5 * NS_PER_S])
async def test_P21_F39_ages_are_true_whatever_clock_this_computer_has(offset_ns: int) -> None:
    await ages_are_true_whatever_the_host_says(await begun(offset_ns))
    mutant = World(offset_ns)
    mutant.keeper = HostTime(mutant.host_ns)
    with pytest.raises(AssertionError):
        await ages_are_true_whatever_the_host_says(mutant)


@pytest.mark.parametrize("drift", [1 / 60, -1 / 60])
async def test_F39_a_clock_that_drifts_by_a_second_a_minute_changes_no_age(drift: float) -> None:
    world = await begun(drift=drift)
    await world.live(240)
    assert abs(world.error_ns()) <= NS_PER_S
    assert isinstance(world.keeper, BrokerTime)
    assert world.keeper.offset_ms == pytest.approx(drift * 240_000, abs=1_000)


async def test_F39_after_three_hours_of_sleep_the_time_is_right_at_once() -> None:
    world = await begun()
    await world.live(5)
    world.now_ns += 3 * HOUR_NS
    assert abs(world.error_ns()) <= NS_PER_S
    assert world.freshness() is Freshness.STALE


async def test_F39_a_counter_that_is_blind_to_sleep_is_corrected_by_two_answers() -> None:
    world = await begun()
    await world.live(5)
    world.now_ns += 3 * HOUR_NS
    world.counter_lost_ns = 3 * HOUR_NS
    await world.ask()
    await world.ask()
    assert abs(world.error_ns()) <= NS_PER_S
    await world.live(5)


async def test_a_late_feed_is_no_wrong_clock() -> None:
    world = await begun()
    for _ in range(60):
        await world.sleep(0.5)
        world.keeper.framed(world.now_ns - 4 * NS_PER_S, world.keeper.clock.now_ns())
    assert world.error_ns() == 0


@pytest.mark.parametrize(
    ("offset_ns", "shown_ms"), [(5 * NS_PER_S, 5_000), (-HOUR_NS, -3_600_000), (0, 0)]
)
async def test_P21_the_offset_of_this_computers_clock_is_told(
    offset_ns: int, shown_ms: int
) -> None:
    world = await begun(offset_ns)
    await world.live(20)
    assert isinstance(world.keeper, BrokerTime)
    assert world.keeper.offset_ms == pytest.approx(shown_ms, abs=600)


async def run_for(world: World, seconds: int) -> list[tuple[str, str]]:
    """What the keeper's task noted in so many seconds."""
    notes: list[tuple[str, str]] = []

    async def note(level: str, text: str) -> None:
        notes.append((level, text))

    assert isinstance(world.keeper, BrokerTime)
    world.end_ns = world.now_ns + seconds * NS_PER_S
    with suppress(OverError):
        await world.keeper.run(note)
    return notes


async def test_the_broker_is_asked_where_nothing_else_told_the_time() -> None:
    world = await begun()
    world.asked.clear()
    await run_for(world, 60)
    assert 3 <= len(world.asked) <= 4


async def test_P23_a_broker_that_refuses_the_login_is_asked_once_a_minute_and_still_heard() -> None:
    world = await begun(offset_ns=10 * NS_PER_S)
    world.asked.clear()
    world.refusal = AuthError("log in")
    notes = await run_for(world, 300)
    assert 4 <= len(world.asked) <= 6
    assert [level for level, _ in notes] == ["warning"]


async def test_a_broker_out_of_reach_does_not_stop_the_clock() -> None:
    world = await begun()
    world.refusal = BrokerError("away")
    await run_for(world, 60)
    assert abs(world.error_ns()) <= NS_PER_S


async def test_P21_above_two_seconds_the_user_is_told_and_again_when_it_is_right() -> None:
    world = await begun()
    assert await run_for(world, 10) == []
    world.offset_ns = -3 * NS_PER_S
    ((level, text),) = await run_for(world, 10)
    assert level == "warning"
    assert "3.0 s behind the exchange's" in text
    world.offset_ns = 40 * NS_PER_S
    ((level, text),) = await run_for(world, 10)
    assert level == "error"
    assert "40.0 s ahead of" in text
    assert "no order leaves" in text
    world.offset_ns = 0
    ((level, text),) = await run_for(world, 10)
    assert (level, text) == ("info", "this computer's clock is right again")


def test_a_warning_is_not_repeated_while_the_offset_stays_around_its_limit() -> None:
    warning = OffsetWarning("the clock")
    told = [warning.news(float(ms)) for ms in (1_900, 2_100, 1_900, 2_100, 29_000)]
    assert [len(news) for news in told] == [0, 1, 0, 0, 0]
    assert warning.news(None) == []


@pytest.mark.parametrize(
    ("offset_ms", "permitted"),
    [(None, False), (0.0, True), (-29_000.0, True), (31_000.0, False), (-31_000.0, False)],
)
def test_P21_orders_need_a_clock_that_is_known_and_right_to_half_a_minute(
    offset_ms: float | None, permitted: bool
) -> None:
    assert LinkHealth(clock_offset_ms=offset_ms).clock_permits_orders is permitted


def test_the_counter_of_this_computer_goes_forward() -> None:
    first = boot_ns()
    assert 0 < first <= boot_ns()
