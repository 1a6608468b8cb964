"""The reconnecting link against real local servers; the tests own the clock and the pauses."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from random import Random

import pytest

from ticktick.brokers.reconnect import Attempts, Ending
from ticktick.brokers.socket import Link, LinkDown, LinkUp, Wait, wait_for

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]
Item = bytes | LinkUp | LinkDown

CLOSED = LinkDown("closed by the server", "closed")


class Hand:
    """A clock that a pause moves, and a wait that only remembers how long it was asked for."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.asked_s: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    async def wait(self, _: asyncio.Event, seconds: float) -> None:
        self.asked_s.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)


class Lines:
    """A wire whose frames are lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for line in self._reader:
            yield line

    def cut(self) -> None:
        self._writer.transport.abort()


class Patient(Random):
    """Chance that shows the bounds: every pause is as long as it can be."""

    def uniform(self, a: float, b: float) -> float:
        return b


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[int]:
    """A TCP server on a free loopback port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serve(reader, writer)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def failed(error: Exception) -> Ending | None:
    return Ending("closed", str(error)) if isinstance(error, OSError) else None


def link_to(
    port: int,
    hand: Hand,
    explain: Callable[[Exception], Ending | None] = failed,
    wait: Wait | None = None,
) -> Link[Lines]:
    @asynccontextmanager
    async def dial() -> AsyncIterator[Lines]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield Lines(reader, writer)
        finally:
            writer.close()

    return Link(
        dial,
        explain,
        lambda frame: b"data" in frame,
        Attempts(Patient(), spacing_s=0.0),
        clock_s=hand,
        wait=wait or hand.wait,
    )


def says(*lines: bytes) -> Serve:
    def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for line in lines:
            writer.write(line)
        writer.close()

    return serve


def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def keeps_open(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"data\n")


async def first(count: int, stream: AsyncGenerator[Item, None]) -> list[Item]:
    taken: list[Item] = []
    async with asyncio.timeout(10), aclosing(stream) as items:
        async for item in items:
            taken.append(item)
            if len(taken) == count:
                break
    return taken


async def test_given_a_server_that_hangs_up_when_reading_then_the_stream_comes_back() -> None:
    async with serving(says(b"one\n", b"data\n")) as port:
        seen = await first(8, link_to(port, Hand()).items())
    assert seen == [LinkUp(), b"one\n", b"data\n", CLOSED] * 2


async def test_P05_given_no_data_when_reconnecting_then_the_pauses_grow() -> None:
    hand = Hand()
    async with serving(says(b"hello\n")) as port:
        await first(5, link_to(port, hand).items())
    assert hand.asked_s == [0.5]
    async with serving(says()) as port:
        pass
    hand = Hand()
    await first(8, link_to(port, hand).items())
    assert hand.asked_s == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]


async def test_P05_given_data_when_lost_then_the_pause_starts_over_but_a_greeting_is_no_data() -> (
    None
):
    for line, pauses_s in ((b"data\n", [0.5, 0.5]), (b"hello\n", [0.5, 1.0])):
        hand = Hand()
        async with serving(says(line)) as port:
            await first(8, link_to(port, hand).items())
        assert hand.asked_s == pauses_s


async def test_F52_given_three_short_connections_when_lost_then_the_link_waits_for_the_user() -> (
    None
):
    hand = Hand()
    async with serving(says(b"data\n")) as port:
        link = link_to(port, hand)
        async with asyncio.timeout(10), aclosing(link.items()) as items:
            seen = [await anext(items) for _ in range(9)]
            assert isinstance(seen[-1], LinkDown)
            assert seen[-1].cause == "taken"
            assert "take over" in seen[-1].reason
            assert (link.stopped, link.next_attempt_s) == ("taken", None)
            waits = asyncio.ensure_future(anext(items))
            await asyncio.sleep(0.05)
            link.hurry()
            await asyncio.sleep(0.05)
            assert not waits.done()
            link.go_on()
            assert await waits == LinkUp()
            assert link.stopped == ""


async def test_P05_given_a_login_that_ended_when_dialled_then_nothing_is_tried_until_go_on() -> (
    None
):
    async with serving(says()) as port:
        pass
    link = link_to(port, Hand(), lambda _: Ending("login", "sign in"))
    async with asyncio.timeout(10), aclosing(link.items()) as items:
        assert await anext(items) == LinkDown("sign in", "login")
        waits = asyncio.ensure_future(anext(items))
        await asyncio.sleep(0.05)
        assert (waits.done(), link.stopped) == (False, "login")
        link.go_on()
        assert await waits == LinkDown("sign in", "login")


async def test_given_a_wish_to_hang_up_when_connected_then_its_cause_is_told() -> None:
    hand = Hand()
    async with serving(keeps_open) as port:
        link = link_to(port, hand)
        async with asyncio.timeout(10), aclosing(link.items()) as items:
            for _ in range(4):
                assert [await anext(items), await anext(items)] == [LinkUp(), b"data\n"]
                assert link.open_s == 0.0
                link.hang_up("silent", "pongs but no data")
                assert await anext(items) == LinkDown("pongs but no data", "silent")
                assert link.open_s is None
    assert hand.asked_s == [0.5] * 3


async def test_given_a_wish_to_hang_up_when_not_connected_then_the_next_loss_is_its_own() -> None:
    async with serving(says(b"data\n")) as port:
        link = link_to(port, Hand())
        link.hang_up("silent", "pongs but no data")
        assert (await first(3, link.items()))[-1] == CLOSED


async def test_given_a_pause_when_somebody_is_in_a_hurry_then_it_ends() -> None:
    async with serving(says()) as port:
        pass
    link = link_to(port, Hand(), wait=wait_for)
    async with asyncio.timeout(10), aclosing(link.items()) as items:
        await anext(items)
        waits = asyncio.ensure_future(anext(items))
        await asyncio.sleep(0)
        link.hurry()
        assert isinstance(await waits, LinkDown)


async def test_given_nobody_listens_when_dialling_then_the_reason_is_told_and_it_goes_on() -> None:
    async with serving(says()) as port:
        pass
    seen = await first(3, link_to(port, Hand()).items())
    assert all(isinstance(item, LinkDown) and str(port) in item.reason for item in seen)


async def test_F01_given_a_reset_connection_when_reading_then_the_link_is_down_with_a_reason() -> (
    None
):
    async with serving(reset) as port:
        (down,) = await first(1, link_to(port, Hand()).items())
    assert isinstance(down, LinkDown)
    assert down.reason


async def test_given_a_server_that_never_answers_when_cancelled_then_the_reader_ends() -> None:
    async with serving(lambda _, __: None) as port:
        stream = link_to(port, Hand()).items()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await anext(stream)
        await stream.aclose()


async def test_given_an_error_of_no_hope_when_dialling_then_the_link_is_down_first() -> None:
    async with serving(says()) as port:
        pass
    async with aclosing(link_to(port, Hand(), lambda _: None).items()) as items:
        assert isinstance(await anext(items), LinkDown)
        with pytest.raises(ConnectionRefusedError):
            await anext(items)
