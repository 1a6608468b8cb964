"""The inbox: every event once, in order, recorded first."""

import asyncio
from collections.abc import AsyncGenerator

from tests.market_stage import OPEN, JsonDecoder, candle, frame, instrument
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S
from ticktick.domain.event import (
    Event,
    FramesArrived,
    HistoryRead,
    InstrumentsResolved,
    LinkChanged,
    TimerFired,
)
from ticktick.domain.sessions import Calendar
from ticktick.engine.engine import Engine
from ticktick.engine.inbox import INBOX_EVENTS
from ticktick.engine.ports import EngineSettings, Outputs
from ticktick.engine.runner import Runner
from ticktick.engine.turns import EVENTS_BEFORE_WORK


class Kept:
    """A recorder and a sink that remember what they got, in one order."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def write(self, event: Event) -> None:
        self.seen.append(f"recorded {type(event).__name__}")

    def take(self, outputs: Outputs) -> None:
        self.seen.append(f"took {len(outputs.touched)} rows")


def stage() -> tuple[Runner, Kept, Engine]:
    engine = Engine(JsonDecoder(), Calendar(), EngineSettings())
    kept = Kept()
    ticks = iter(range(0, 10**9, 1000))
    return Runner(engine, kept, [kept], lambda: next(ticks)), kept, engine


def test_an_event_is_recorded_before_the_engine_and_its_outputs_are_handed_on() -> None:
    runner, kept, engine = stage()
    runner.process(InstrumentsResolved(OPEN, (instrument(),)))
    runner.process(LinkChanged(OPEN, True, "connected"))
    runner.process(frame(OPEN, {"ACME": {"last_price": 100}}))
    assert kept.seen[::2] == [
        "recorded InstrumentsResolved",
        "recorded LinkChanged",
        "recorded FrameArrived",
    ]
    assert kept.seen[-1] == "took 1 rows"
    assert engine.market.table.records["last_price"][0] == 100


async def test_who_lets_an_event_happen_goes_on_when_it_has_happened_and_not_before() -> None:
    runner, _, engine = stage()
    news = InstrumentsResolved(OPEN, (instrument(),))
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(runner.let_happen(news))
        for _ in range(5):
            await asyncio.sleep(0)
        assert (waiting.done(), runner.waiting, len(engine.market.table)) == (False, 1, 0)
        running = group.create_task(runner.run())
        await waiting
        assert (runner.waiting, len(engine.market.table)) == (0, 1)
        running.cancel()


def test_the_pace_counts_events_and_starts_anew_when_taken() -> None:
    runner, _, _ = stage()
    for second in range(3):
        runner.process(TimerFired(OPEN + second * NS_PER_S))
    pace = runner.take_pace()
    assert (pace.events, pace.total_ns, pace.longest_ns) == (3, 15000, 5000)
    assert str(pace) == "events=3 mean_us=5 longest_us=5"
    assert str(runner.take_pace()) == "events=0 mean_us=0 longest_us=0"


def test_the_time_of_each_stage_is_counted_and_adds_up() -> None:
    runner, _, _ = stage()
    events: list[Event] = [InstrumentsResolved(OPEN, (instrument(),)), LinkChanged(OPEN, True, "")]
    events += [frame(OPEN + second, {"ACME": {"last_price": 100 + second}}) for second in (1, 2)]
    for event in events:
        runner.process(event)
    stages = runner.stages
    spent = {name: (stage.count, stage.total) for name, stage in stages.us.items()}
    of_frames = dict.fromkeys(("decode", "screen", "measure", "fold"), (2, 2.0))
    of_all = dict.fromkeys(("record", "market", "analytics", "alerts", "publish"), (4, 4.0))
    assert spent == {"wait": (4, 0.0), **of_frames, **of_all}
    assert (stages.event_us.count, stages.event_us.total) == (4, 28.0)
    assert (stages.ready_us.count, stages.ready_us.total) == (2, 16.0)


async def test_a_frame_is_ready_after_its_wait_and_its_way_through_the_engine() -> None:
    now = [0]
    runner = Runner(Engine(JsonDecoder(), Calendar(), EngineSettings()), None, [], lambda: now[0])
    runner.put_frame(frame(OPEN, {}))
    now[0] = 7_000
    async with asyncio.TaskGroup() as group:
        running = group.create_task(runner.run())
        for _ in range(5):
            await asyncio.sleep(0)
        running.cancel()
    ready, waited = runner.stages.ready_us, runner.stages.us["wait"]
    assert (ready.count, ready.total, waited.total) == (1, 7.0, 7.0)


def test_frames_taken_together_count_once_in_each_stage() -> None:
    runner, _, _ = stage()
    runner.process(InstrumentsResolved(OPEN, (instrument(),)))
    frames = tuple(frame(OPEN + n, {"ACME": {"last_price": 100 + n}}) for n in range(4))
    runner.process(FramesArrived(frames))
    decode = runner.stages.us["decode"]
    assert (decode.count, decode.total) == (1, 4.0)


async def test_a_full_inbox_makes_a_source_wait_and_loses_nothing() -> None:
    _, kept, engine = stage()
    wanted = INBOX_EVENTS + 10
    closed = []
    full, empty = asyncio.Event(), asyncio.Event()

    async def source() -> AsyncGenerator[Event]:
        try:
            for second in range(wanted):
                if second == INBOX_EVENTS:
                    full.set()
                yield TimerFired(OPEN + second * NS_PER_S)
        finally:
            closed.append(True)

    class Last:
        def take(self, outputs: Outputs) -> None:
            if outputs.at_ns == OPEN + (wanted - 1) * NS_PER_S:
                empty.set()

    runner = Runner(engine, kept, [Last()], lambda: 0)

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        feeding = group.create_task(runner.take_from(source()))
        await full.wait()
        assert runner.waiting == INBOX_EVENTS
        assert not feeding.done()
        running = group.create_task(runner.run())
        await empty.wait()
        running.cancel()
    assert kept.seen.count("recorded TimerFired") == wanted
    assert closed == [True]


def with_history() -> tuple[Runner, Kept, Engine]:
    """An engine with six lines that must be made."""
    runner, kept, engine = stage()
    runner.process(InstrumentsResolved(OPEN, (instrument(),)))
    minutes = tuple(candle(OPEN + place * NS_PER_MINUTE, 100) for place in range(130))
    runner.process(HistoryRead(OPEN + 200 * NS_PER_MINUTE, "ACME", minutes))
    assert engine.analytics.waiting > 0
    return runner, kept, engine


async def turns(runner: Runner) -> None:
    """Let the runner and what it has put off take some turns."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(runner.go_on()), group.create_task(runner.run())]
        for _ in range(40):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()


async def test_what_the_engine_put_off_is_done_when_nothing_else_waits() -> None:
    runner, kept, engine = with_history()
    await turns(runner)
    assert engine.analytics.waiting == 0
    assert kept.seen[4:-1:2] == ["recorded WorkGoesOn"] * len(kept.seen[4:-1:2])


async def test_frames_go_before_what_was_put_off() -> None:
    runner, kept, _ = with_history()
    runner.put_frame(frame(OPEN, {"ACME": {"last_price": 100}}))
    await turns(runner)
    recorded = [word for word in kept.seen if word.startswith("recorded")]
    assert recorded[2:4] == ["recorded FrameArrived", "recorded WorkGoesOn"]


async def test_a_frame_does_no_work_that_was_put_off_until_many_have_come_in_a_row() -> None:
    runner, _, engine = with_history()
    left = engine.analytics.waiting
    seen = []
    for place in range(1, EVENTS_BEFORE_WORK + 1):
        runner.process(frame(OPEN + place, {"ACME": {"last_price": 100}}))
        seen.append(engine.analytics.waiting)
    assert set(seen[:-3]) == {left}
    assert seen[-1] < left
