"""Redis frozen, full, locked and slow: what the writer promises then, with a broken one beside."""

import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.integration.test_redis_store import candles, ticks, writing
from tests.store_stage import (
    MODULE_KINDS,
    OPEN_MS,
    Asking,
    SmallMarket,
    candle,
    candles_changed,
    eventually,
    serving,
)
from ticktick.engine.ports import Outputs
from ticktick.errors import StoreError
from ticktick.store.link import LOST, Link
from ticktick.store.redis_store import RedisWriter
from ticktick.store.server import EmbeddedServer

PATIENCE_S = 0.25
GIVE_UP_S = 0.1


class Taker(Protocol):
    """A consumer of outputs that keeps Redis up to date."""

    def take(self, outputs: Outputs) -> None: ...


class DirectWriter:
    """A broken writer: it asks Redis in the engine's own thread."""

    def __init__(self, url: str) -> None:
        self._link = Link(url, timeout_s=1.0)

    def take(self, outputs: Outputs) -> None:
        try:
            self._link.ask("SET", "at", outputs.at_ns)
        except LOST:
            return


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    with serving(MODULE_KINDS[0], tmp_path) as running:
        yield running


@contextmanager
def frozen(server: EmbeddedServer) -> Iterator[None]:
    """The server stands still for the length of the block."""
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def nobody_waits(taker: Taker, market: SmallMarket, first: int, seconds: float) -> int:
    """The check of P18: the engine hands over 200 ticks a second and waits for none of them."""
    began = time.monotonic()
    number, longest_s = first, 0.0
    while time.monotonic() - began < seconds:
        outputs = market.trade(100_000 + number, OPEN_MS + number)
        handed_over = time.perf_counter()
        taker.take(outputs)
        longest_s = max(longest_s, time.perf_counter() - handed_over)
        number += 1
        threading.Event().wait(0.005)
    assert longest_s < PATIENCE_S
    return number


def frozen_for(server: EmbeddedServer, seconds: float) -> None:
    market = SmallMarket()
    with writing(server.url, market) as writer:
        eventually(lambda: writer.state == "on")
        with frozen(server):
            count = nobody_waits(writer, market, 0, seconds)
            writer.take(candles_changed(candle(minute) for minute in range(30)))
            eventually(lambda: writer.state == "degraded")
            assert "does not answer in time" in writer.text
            assert "nothing is lost" in writer.text
            assert writer.counters["redis_waiting_candles"] == 30
            assert writer.counters["redis_waiting_points"] > 0
        eventually(lambda: len(ticks(server.url)) == count, within_s=30)
        eventually(lambda: len(candles(server.url)) == 30 and writer.state == "on")
        assert writer.counters["redis_losses"] == 1
        assert writer.counters["redis_dropped_metric_points"] == 0


def test_P18_F33_a_server_that_stands_still_delays_nobody_and_loses_nothing(
    server: EmbeddedServer,
) -> None:
    frozen_for(server, 3.0)
    with frozen(server), pytest.raises(AssertionError):
        nobody_waits(DirectWriter(server.url), SmallMarket(), 0, 1.5)


@pytest.mark.slow
def test_P18_F33_a_server_that_stands_still_for_half_a_minute_loses_nothing(
    server: EmbeddedServer,
) -> None:
    frozen_for(server, 30.0)


def refuses_and_takes_again(
    server: EmbeddedServer, spoil: Callable[[Asking], None], mend: Callable[[], None], word: str
) -> None:
    """The check of F34: the trouble is named, everything waits, and is written afterwards."""
    market = SmallMarket()
    with writing(server.url, market) as writer:
        writer.take(market.trade(100_000, OPEN_MS))
        eventually(lambda: len(ticks(server.url)) == 1)
        eventually(lambda: writer.counters["redis_waiting_points"] == 0)
        spoil(Asking(server.url))
        count = nobody_waits(writer, market, 1, 0.5)
        writer.take(candles_changed([candle()]))
        eventually(lambda: word in writer.text)
        assert writer.state == "degraded"
        mend()
        eventually(lambda: len(ticks(server.url)) == count, within_s=30)
        eventually(lambda: len(candles(server.url)) == 1 and writer.state == "on")
        assert writer.counters["redis_dropped_metric_points"] == 0


def test_F34_a_server_that_cannot_save_is_named_and_nothing_is_lost(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    data = next(tmp_path.glob("*/appendonlydir")).parent
    ask = Asking(server.url)

    def spoil(_: Asking) -> None:
        (data / "dump.rdb").mkdir()  # no file can take its place
        (data / "dump.rdb" / "lock").touch()
        ask(0, "CONFIG", "SET", "save", "3600 1")
        ask(0, "BGSAVE")
        eventually(lambda: "rdb_last_bgsave_status:err" in ask(0, "INFO", "persistence"))

    def mend() -> None:
        (data / "dump.rdb" / "lock").unlink()
        (data / "dump.rdb").rmdir()
        ask(0, "CONFIG", "SET", "save", "")

    refuses_and_takes_again(server, spoil, mend, "cannot write to its disk")


def test_F34_a_password_that_changes_is_named_and_nothing_is_lost(server: EmbeddedServer) -> None:
    keeper = Link(server.url)

    def spoil(_: Asking) -> None:
        keeper.ask("CONFIG", "SET", "requirepass", "new")
        keeper.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def mend() -> None:
        keeper.ask("CONFIG", "SET", "requirepass", "")

    refuses_and_takes_again(server, spoil, mend, "wants a password")
    keeper.close()


def test_F34_a_full_server_evicts_nothing_that_was_written(server: EmbeddedServer) -> None:
    market = SmallMarket()
    ask = Asking(server.url)
    with writing(server.url, market) as writer:
        writer.take(candles_changed(candle(minute) for minute in range(200)))
        eventually(lambda: len(candles(server.url)) == 200)
        ask(0, "CONFIG", "SET", "maxmemory", "1mb")
        writer.take(market.trade(100_000, OPEN_MS))
        eventually(lambda: "out of memory" in writer.text)
        assert len(candles(server.url)) == 200
        ask(0, "CONFIG", "SET", "maxmemory", "64mb")
        eventually(lambda: len(ticks(server.url)) == 1 and writer.state == "on")


class SlowProxy:
    """Passes bytes on between a client and the server; long replies come late and in pieces."""

    def __init__(self, socket_path: str) -> None:
        self._path = socket_path
        self._rng = random.Random(7)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._path)
            for source, target, slow in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._pass_on, args=(source, target, slow), daemon=True
                ).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, slow: bool) -> None:
        try:
            while data := source.recv(65_536):
                if slow and len(data) > 200:
                    target.sendall(data[:100])
                    threading.Event().wait(self._rng.uniform(0.0, 2.0 * GIVE_UP_S))
                    data = data[100:]
                target.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, target):
                end.close()


class KeepingLink(Link):
    """A broken link: it keeps the connection after an answer that came too late."""

    def close(self) -> None:
        """Keep it."""

    def _reply(self) -> Any:
        return self._connection.read_response(disconnect_on_error=False)


def no_answer_is_taken_for_anothers(link: Link) -> tuple[int, int]:
    """The check of F35: each answer is that of its own question, or there is none."""
    answered = given_up = 0
    for number in range(60):
        try:
            reply = link.ask("ECHO", f"question {number} " + "x" * 200)
        except LOST:
            given_up += 1
            continue
        assert reply.startswith(f"question {number} "), number
        answered += 1
    return answered, given_up


def test_F35_a_reply_given_up_half_way_is_never_taken_for_the_next_one(
    server: EmbeddedServer,
) -> None:
    proxy = SlowProxy(server.url.removeprefix("unix://"))
    try:
        link = Link(proxy.url, timeout_s=GIVE_UP_S)
        answered, given_up = no_answer_is_taken_for_anothers(link)
        assert answered > 10
        assert given_up > 10
        with pytest.raises(AssertionError):
            no_answer_is_taken_for_anothers(KeepingLink(proxy.url, timeout_s=GIVE_UP_S))
    finally:
        proxy.close()


def test_F49_a_writer_that_fails_in_itself_says_so_and_goes_on(server: EmbeddedServer) -> None:
    market = SmallMarket()
    broken = [True]

    def revive() -> None:
        if broken[0]:
            raise ValueError("a bug")

    writer = RedisWriter(server.url, market, revive=revive)
    try:
        writer.take(market.trade(100_000, OPEN_MS))
        eventually(lambda: "logs/error.log tells why" in writer.text)
        assert writer.state == "degraded"
        broken[0] = False
        eventually(lambda: writer.state == "on" and len(ticks(server.url)) == 1)
    finally:
        writer.close()


def test_P18_an_unreachable_server_of_the_users_is_no_reason_to_wait(tmp_path: Path) -> None:
    market = SmallMarket()

    def revive() -> None:
        raise StoreError("it does not start")

    with writing(f"unix://{tmp_path}/nothing", market, revive=revive) as writer:
        nobody_waits(writer, market, 0, 0.5)
        eventually(lambda: "it does not start" in writer.text)
