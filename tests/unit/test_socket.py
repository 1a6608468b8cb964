"""The reconnecting stream against real local servers; the tests own the pauses."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticktick.brokers.socket import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    Dial,
    LinkDown,
    LinkUp,
    backoff,
    frames,
)

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


class Pauses:
    """A sleep that only remembers how long it was asked for."""

    def __init__(self) -> None:
        self.asked_s: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked_s.append(seconds)
        await asyncio.sleep(0)


class Largest(Random):
    """Chance that always takes the upper bound, so that pauses show their bounds."""

    def uniform(self, a: float, b: float) -> float:
        return b


def always_again(_: Exception) -> float | None:
    return 0.0


def never_again(_: Exception) -> float | None:
    return None


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[int]:
    """A TCP server on a free loopback port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serve(reader, writer)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def dial_lines(port: int) -> Dial:
    """Dial a server whose frames are lines."""

    @asynccontextmanager
    async def dial() -> AsyncIterator[AsyncIterable[bytes]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield reader
        finally:
            writer.close()

    return dial


def say_and_hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"one\n")
    writer.write(b"two\n")
    writer.close()


def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def first(
    count: int, stream: AsyncGenerator[bytes | LinkUp | LinkDown, None]
) -> list[object]:
    taken: list[object] = []
    async with asyncio.timeout(10), aclosing(stream) as items:
        async for item in items:
            taken.append(item)
            if len(taken) == count:
                break
    return taken


async def test_given_a_server_that_hangs_up_when_reading_then_the_stream_comes_back() -> None:
    async with serving(say_and_hang_up) as port:
        seen = await first(8, frames(dial_lines(port), always_again, Random(1), Pauses()))
    down = LinkDown("closed by the server")
    assert seen == [LinkUp(), b"one\n", b"two\n", down, LinkUp(), b"one\n", b"two\n", down]


async def test_given_no_data_when_reconnecting_then_the_pauses_double_to_thirty_seconds() -> None:
    pauses = Pauses()
    async with serving(hang_up) as port:
        seen = await first(10, frames(dial_lines(port), always_again, Largest(), pauses))
    assert pauses.asked_s == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert LinkUp() not in seen


async def test_given_data_on_every_connection_when_lost_then_the_pause_starts_over() -> None:
    pauses = Pauses()
    async with serving(say_and_hang_up) as port:
        await first(13, frames(dial_lines(port), always_again, Largest(), pauses))
    assert pauses.asked_s == [0.5, 0.5, 0.5]


async def test_given_nobody_listens_when_dialling_then_the_reason_is_told_and_it_goes_on() -> None:
    async with serving(hang_up) as port:
        pass
    seen = await first(3, frames(dial_lines(port), always_again, Random(1), Pauses()))
    assert all(isinstance(item, LinkDown) and str(port) in item.reason for item in seen)


async def test_given_a_reset_connection_when_reading_then_the_link_is_down_with_a_reason() -> None:
    async with serving(reset) as port:
        (down,) = await first(1, frames(dial_lines(port), always_again, Random(1), Pauses()))
    assert isinstance(down, LinkDown)
    assert down.reason


async def test_given_a_server_that_never_answers_when_cancelled_then_the_reader_ends() -> None:
    async with serving(lambda _, __: None) as port:
        stream = frames(dial_lines(port), always_again, Random(1), Pauses())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await anext(stream)
        await stream.aclose()


async def test_given_an_error_of_no_hope_when_dialling_then_the_link_is_down_first() -> None:
    async with serving(hang_up) as port:
        pass
    async with aclosing(frames(dial_lines(port), never_again, Random(1), Pauses())) as items:
        assert isinstance(await anext(items), LinkDown)
        with pytest.raises(ConnectionRefusedError):
            await anext(items)


async def test_given_an_error_that_asks_for_patience_when_dialling_then_it_is_given() -> None:
    pauses = Pauses()
    async with serving(hang_up) as port:
        pass
    await first(3, frames(dial_lines(port), lambda _: 30.0, Random(1), pauses))
    assert pauses.asked_s == [30.0, 30.0]


@given(st.integers(0, 2**32))
def test_every_pause_lies_between_nothing_and_its_doubling_bound(seed: int) -> None:
    bounds_s = [min(FIRST_PAUSE_S * 2**n, LONGEST_PAUSE_S) for n in range(12)]
    for pause_s, bound_s in zip(islice(backoff(Random(seed)), 12), bounds_s, strict=True):
        assert 0.0 <= pause_s <= bound_s
