"""The inbox: order kept, events wait while it is full, frames never do."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from ticktick.domain.event import Event, FrameArrived, FramesArrived, NoteTaken, TimerFired
from ticktick.engine.inbox import INBOX_BYTES, LATE_NS, Inbox


class Counter:
    """Real time as the test wants it."""

    def __init__(self) -> None:
        self.now_ns = 1

    def __call__(self) -> int:
        return self.now_ns


def frame(seq: int, size: int = 10) -> FrameArrived:
    return FrameArrived(seq, seq, bytes(size))


def note(at_ns: int) -> NoteTaken:
    return NoteTaken(at_ns, "info", "a sentence")


async def emptied(inbox: Inbox) -> list[Event]:
    events = []
    while len(inbox):
        events.append(await inbox.get())
    return events


def single(events: list[Event]) -> list[Event]:
    """The events with joined frames taken apart."""
    found: list[Event] = []
    for event in events:
        found += event.frames if isinstance(event, FramesArrived) else [event]
    return found


async def test_while_the_engine_keeps_up_every_frame_is_an_event_of_its_own() -> None:
    counter = Counter()
    inbox = Inbox(counter)
    for seq in (1, 2, 3):
        inbox.put_frame(frame(seq))
    counter.now_ns += LATE_NS - 1
    assert await emptied(inbox) == [frame(1), frame(2), frame(3)]
    assert inbox.conflated == 0


async def test_F10_when_the_oldest_frame_is_late_then_all_that_wait_are_one_event() -> None:
    counter = Counter()
    inbox = Inbox(counter)
    for seq in (1, 2):
        inbox.put_frame(frame(seq))
    counter.now_ns += LATE_NS
    inbox.put_frame(frame(3))
    assert inbox.age_ns == LATE_NS
    assert await emptied(inbox) == [FramesArrived((frame(1), frame(2), frame(3)))]
    assert (inbox.conflated, inbox.age_ns) == (3, 0)


async def test_F10_when_too_many_frames_wait_then_they_are_one_event() -> None:
    inbox = Inbox(Counter(), most_events=4)
    for seq in (1, 2, 3, 4, 5):
        inbox.put_frame(frame(seq))
    assert single(await emptied(inbox)) == [frame(seq) for seq in (1, 2, 3, 4, 5)]
    assert inbox.conflated == 5


async def test_F10_when_waiting_frames_are_large_then_they_are_one_event() -> None:
    inbox = Inbox(Counter())
    half = INBOX_BYTES // 2
    for seq in (1, 2, 3):
        inbox.put_frame(frame(seq, half))
    assert [type(event) for event in await emptied(inbox)] == [FramesArrived]
    inbox.put_frame(frame(4))
    inbox.put_frame(frame(5))
    assert await emptied(inbox) == [frame(4), frame(5)]


async def test_F10_when_eight_times_the_bound_waits_then_nobody_reads_until_there_is_room() -> None:
    inbox = Inbox(Counter())
    for seq in range(7):
        inbox.put_frame(frame(seq, INBOX_BYTES))
        await asyncio.wait_for(inbox.room(), 5)
    inbox.put_frame(frame(7, INBOX_BYTES))
    waits = asyncio.create_task(inbox.room())
    await asyncio.sleep(0)
    assert not waits.done()
    await inbox.get()
    await asyncio.wait_for(waits, 5)


async def test_F10_of_timers_between_late_frames_the_last_is_left_and_other_events_stay() -> None:
    counter = Counter()
    inbox = Inbox(counter)
    inbox.put_frame(frame(1))
    await inbox.put(TimerFired(2))
    inbox.put_frame(frame(3))
    await inbox.put(TimerFired(4))
    await inbox.put(note(5))
    inbox.put_frame(frame(6))
    counter.now_ns += LATE_NS
    joined = FramesArrived((frame(1), frame(3)))
    assert await emptied(inbox) == [joined, TimerFired(4), note(5), frame(6)]


async def test_when_it_is_full_then_an_event_waits_and_keeps_its_place() -> None:
    inbox = Inbox(Counter(), most_events=2)
    await inbox.put(note(1))
    await inbox.put(note(2))
    waits = [asyncio.create_task(inbox.put(note(at_ns))) for at_ns in (3, 4)]
    await asyncio.sleep(0)
    assert not any(wait.done() for wait in waits)
    assert await inbox.get() == note(1)
    await asyncio.gather(waits[0])
    assert [await inbox.get(), await inbox.get()] == [note(2), note(3)]
    await asyncio.gather(*waits)
    assert await inbox.get() == note(4)


async def test_a_reader_waits_for_the_first_event() -> None:
    inbox = Inbox(Counter())
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    assert not reading.done()
    inbox.put_frame(frame(1))
    assert await asyncio.wait_for(reading, 5) == frame(1)


@given(
    st.lists(st.sampled_from(["frame", "note", "timer", "get", "wait"]), max_size=60),
    st.integers(1, 5),
)
def test_any_mix_comes_out_in_order_and_only_old_timers_are_missing(
    steps: list[str], most: int
) -> None:
    async def play() -> None:
        counter = Counter()
        inbox, sent, got = Inbox(counter, most_events=most), list[Event](), list[Event]()
        for number, step in enumerate(steps, 1):
            counter.now_ns += LATE_NS if step == "wait" else 0
            if step == "frame":
                sent.append(frame(number))
                inbox.put_frame(frame(number))
            elif step in {"note", "timer"} and len(inbox) < most:
                event = note(number) if step == "note" else TimerFired(number)
                sent.append(event)
                await inbox.put(event)
            elif step == "get" and len(inbox):
                got.append(await inbox.get())
        got = single(got + await emptied(inbox))
        timeless = [event for event in got if not isinstance(event, TimerFired)]
        assert timeless == [event for event in sent if not isinstance(event, TimerFired)]
        timers = [event.at_ns for event in got if isinstance(event, TimerFired)]
        assert timers == sorted(timers)
        assert timers[-1:] == [e.at_ns for e in sent if isinstance(e, TimerFired)][-1:]

    asyncio.run(play())


def test_joined_frames_are_dated_by_the_last() -> None:
    assert FramesArrived((frame(1), frame(2))).at_ns == 2
