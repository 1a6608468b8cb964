"""The inbox: order kept, events wait while it is full, frames never do."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from ticktick.domain.event import Event, FrameArrived, FramesArrived, TimerFired
from ticktick.engine.inbox import INBOX_BYTES, Inbox


def frame(seq: int, size: int = 10) -> FrameArrived:
    return FrameArrived(seq, seq, bytes(size))


async def emptied(inbox: Inbox) -> list[Event]:
    return [await inbox.get() for _ in range(len(inbox))]


def single(events: list[Event]) -> list[Event]:
    """The events with joined frames taken apart."""
    found: list[Event] = []
    for event in events:
        found += event.frames if isinstance(event, FramesArrived) else [event]
    return found


async def test_F10_when_the_inbox_is_full_then_frames_join_and_none_is_lost() -> None:
    inbox = Inbox(most_events=4)
    for seq in range(1, 8):
        inbox.put_frame(frame(seq))
    assert await emptied(inbox) == [
        frame(1),
        frame(2),
        frame(3),
        FramesArrived((frame(4), frame(5), frame(6), frame(7))),
    ]
    assert inbox.conflated == 4


async def test_F10_when_waiting_frames_are_large_then_they_join_before_memory_grows() -> None:
    inbox = Inbox()
    half = INBOX_BYTES // 2
    for seq in range(1, 5):
        inbox.put_frame(frame(seq, half))
    assert [type(event) for event in await emptied(inbox)] == [FrameArrived, FramesArrived]
    inbox.put_frame(frame(5))
    inbox.put_frame(frame(6))
    assert await emptied(inbox) == [frame(5), frame(6)]


async def test_when_it_is_full_then_an_event_waits_and_keeps_its_place() -> None:
    inbox = Inbox(most_events=2)
    inbox.put_frame(frame(1))
    await inbox.put(TimerFired(2))
    waits = [asyncio.create_task(inbox.put(TimerFired(at_ns))) for at_ns in (4, 5)]
    await asyncio.sleep(0)
    inbox.put_frame(frame(3))
    assert not any(wait.done() for wait in waits)
    assert [await inbox.get() for _ in range(2)] == [frame(1), TimerFired(2)]
    await asyncio.gather(waits[0])
    assert [await inbox.get(), await inbox.get()] == [frame(3), TimerFired(4)]
    await asyncio.gather(*waits)
    assert await inbox.get() == TimerFired(5)


async def test_a_reader_waits_for_the_first_event() -> None:
    inbox = Inbox()
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    assert not reading.done()
    inbox.put_frame(frame(1))
    assert await asyncio.wait_for(reading, 5) == frame(1)


@given(st.lists(st.sampled_from(["frame", "timer", "get"]), max_size=60), st.integers(1, 5))
def test_any_mix_comes_out_complete_and_in_order(steps: list[str], most: int) -> None:
    async def play() -> None:
        inbox, sent, got = Inbox(most_events=most), list[Event](), list[Event]()
        for number, step in enumerate(steps):
            if step == "frame":
                sent.append(frame(number))
                inbox.put_frame(frame(number))
            elif step == "timer" and len(inbox) < most:
                sent.append(TimerFired(number))
                await inbox.put(TimerFired(number))
            elif step == "get" and len(inbox):
                got.append(await inbox.get())
            assert len(inbox) <= most + 1
        assert single(got + await emptied(inbox)) == sent

    asyncio.run(play())


def test_joined_frames_are_dated_by_the_last() -> None:
    assert FramesArrived((frame(1), frame(2))).at_ns == 2
