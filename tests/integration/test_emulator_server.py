"""`ticktick emulator` as a process: ready line, clock, feed over a socket, and its end."""

import asyncio
import json
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ticktick.domain.clock import NS_PER_MINUTE, iso_ist, parse_iso_ns
from ticktick.domain.sessions import Calendar
from ticktick.emulator.exchange import FEEDER_PATH, Exchange
from ticktick.emulator.market import Market
from ticktick.emulator.pace import Pace
from ticktick.emulator.server import ExchangeServer, listening
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse, Type

RELIANCE, INFY = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021"
START = "2026-11-20T10:30"
START_NS = parse_iso_ns("2026-11-20T10:30:00+05:30")
_LIMIT_S = 60.0


async def started(*arguments: str) -> tuple[Process, str]:
    """The process and its address."""
    command = [sys.executable, "-m", "ticktick", "emulator", "--port", "0", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(_LIMIT_S):
        line = (await process.stdout.readline()).decode()
    assert line.startswith("ready http://127.0.0.1:"), line
    return process, line.split()[1]


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator["Client"]:
    """A client of a running exchange, which ends with the block."""
    process, url = await started(*arguments)
    try:
        async with aiohttp.ClientSession(url) as http:
            async with asyncio.timeout(_LIMIT_S):
                yield Client(http)
    finally:
        process.terminate()
        async with asyncio.timeout(_LIMIT_S):
            await process.wait()


class Client:
    """What the tests ask of the exchange."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http
        self.token = ""

    async def get(self, path: str, **query: str) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.get(path, params=query, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, path: str, content: Any) -> Any:
        async with self.http.post(path, json=content) as answer:
            return await answer.json()

    async def feed(self, *keys: str, mode: str = "full") -> aiohttp.ClientWebSocketResponse:
        self.token = (await self.post("/_emu/token", {}))["access_token"]
        answer = await self.get("/v3/feed/market-data-feed/authorize")
        feed = await self.http.ws_connect(answer["data"]["authorized_redirect_uri"])
        data = {"mode": mode, "instrumentKeys": list(keys)}
        await feed.send_bytes(json.dumps({"guid": "g", "method": "sub", "data": data}).encode())
        return feed


async def test_the_feed_starts_with_status_and_snapshot_and_then_lives() -> None:
    async with running("--start", START, "--speed", "5") as client:
        feed = await client.feed(RELIANCE, INFY)
        frames = [FeedResponse.FromString((await feed.receive()).data) for _ in range(20)]
    assert [frame.type for frame in frames[:2]] == [Type.market_info, Type.initial_feed]
    assert all(frame.type == Type.live_feed for frame in frames[2:])
    stamps = [frame.currentTs for frame in frames]
    assert stamps == sorted(stamps)


async def test_bars_of_feed_rest_and_trades_are_the_same() -> None:
    async with running("--start", START, "--speed", "60") as client:
        feed = await client.feed(RELIANCE)
        told: dict[str, tuple[Any, ...]] = {}
        while len(told) < 5:
            frame = FeedResponse.FromString((await feed.receive()).data)
            for bar in frame.feeds[RELIANCE].fullFeed.marketFF.marketOHLC.ohlc:
                if bar.interval == "I1":
                    start = iso_ist(bar.ts * 1_000_000)
                    told[start] = (bar.open, bar.high, bar.low, bar.close, bar.vol)
        answer = await client.get(f"/v3/historical-candle/intraday/{RELIANCE}/minutes/1")
        trades = await client.get("/_emu/trades", instrument_key=RELIANCE, from_ns="0")
    rest = {row[0]: tuple(row[1:6]) for row in answer["data"]["candles"]}
    assert all(rest[start] == bar for start, bar in told.items())
    for start, told_bar in told.items():
        start_ns = parse_iso_ns(start)
        minute = [row for row in trades if start_ns <= row[0] < start_ns + NS_PER_MINUTE]
        prices = [price / 100 for _, price, _ in minute]
        volume = sum(quantity for *_, quantity in minute)
        assert told_bar == (prices[0], max(prices), min(prices), prices[-1], volume)


async def test_the_clock_can_be_read_and_set() -> None:
    async with running("--start", START, "--speed", "0") as client:
        clock = await client.get("/_emu/clock")
        assert clock == {"now_ns": START_NS, "rate": 0.0}
        later = START_NS + 30 * NS_PER_MINUTE
        clock = await client.post("/_emu/clock", {"now_ns": later, "rate": 0.0})
        assert clock == {"now_ns": later, "rate": 0.0}
        answer = await client.get(f"/v3/historical-candle/intraday/{RELIANCE}/minutes/1")
        assert answer["data"]["candles"][0][0] == "2026-11-20T10:59:00+05:30"
        refused = await client.post("/_emu/clock", {"rate": -1})
        assert "rate must be 0 or more" in refused["error"]


async def test_the_token_without_a_login_stays_the_same_while_it_lives() -> None:
    async with running("--start", START) as client:
        first = await client.post("/_emu/token", {})
        assert await client.post("/_emu/token", {}) == first


async def test_a_third_feed_is_refused_until_one_closes() -> None:
    async with running("--start", START) as client:
        first, second = await client.feed(RELIANCE), await client.feed(INFY)
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await client.feed(RELIANCE)
        await first.close()
        third = await client.feed(RELIANCE)
        assert (await third.receive()).type is aiohttp.WSMsgType.BINARY
        await second.close()


async def test_a_quiet_socket_is_pinged() -> None:
    start_ns = parse_iso_ns("2026-11-20T20:00:00+05:30")
    exchange = Exchange(lambda at_ns: Market(1, at_ns, Calendar()), start_ns, seed=1)
    pace = Pace(start_ns, 1.0, time.monotonic_ns)
    server = ExchangeServer(exchange, pace, idle_ping_s=0.05)
    async with asyncio.timeout(_LIMIT_S), listening(server.application(), 0) as port:
        exchange.address = f"127.0.0.1:{port}"
        address = f"ws://{exchange.address}{FEEDER_PATH}?code={exchange.feed_code()}"
        async with aiohttp.ClientSession() as http, http.ws_connect(address, autoping=False) as ws:
            assert (await ws.receive()).type is aiohttp.WSMsgType.BINARY
            assert (await ws.receive()).type is aiohttp.WSMsgType.PING
            await ws.close()


async def test_a_foreign_name_or_page_is_refused() -> None:
    async with running("--start", START) as client:
        async with client.http.get("/_emu/clock", headers={"Host": "evil.example"}) as answer:
            assert answer.status == 403
        headers = {"Origin": "http://evil.example"}
        async with client.http.post("/_emu/token", json={}, headers=headers) as answer:
            assert answer.status == 403


async def test_a_recording_flat_out_waits_for_its_listener_and_plays_everything(
    tmp_path: Path,
) -> None:
    lines = [
        json.dumps(
            {
                "fullFeed": {"marketFF": {"ltpc": {"ltp": 100 + i}, "vtt": str(i + 1)}},
                "instrumentKey": "NSE_EQ|INE999A01011",
                "_insertion_time": f"2025-12-15 10:{i // 60:02}:{i % 60:02}.000000",
            }
        )
        for i in range(1200)
    ]
    recording = tmp_path / "day.jsonl"
    recording.write_text("\n".join(lines))
    async with running("--speed", "max", "--replay", str(recording)) as client:
        feed = await client.feed("NSE_EQ|INE999A01011")
        volumes: list[int] = []
        while not volumes or volumes[-1] < 1200:
            frame = FeedResponse.FromString((await feed.receive()).data)
            volumes += [one.fullFeed.marketFF.vtt for one in frame.feeds.values()]
    assert volumes == list(range(1, 1201))


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process at once there")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_within_two_seconds(number: signal.Signals) -> None:
    process, _ = await started("--start", START, "--exit-with-parent")
    process.send_signal(number)
    async with asyncio.timeout(2.0):
        assert await process.wait() == 0


async def test_it_ends_when_its_parent_is_gone() -> None:
    process, _ = await started("--start", START, "--exit-with-parent")
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(5.0):
        assert await process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--speed", "-1"], 2, "speed must be a number"),
        (["--start", "noon"], 2, "write 2026-11-20T10:30"),
        (["--replay", "nowhere.jsonl"], 2, "nowhere.jsonl"),
        ([__file__], 2, "Files belong after --replay"),
        (["--seed", "-1"], 2, "-1 is not in the range"),
    ],
)
async def test_wrong_use_is_said_in_a_sentence(
    arguments: list[str], code: int, sentence: str
) -> None:
    returned, said = await _failed(*arguments)
    assert returned == code
    assert sentence in said


async def test_a_taken_port_is_said_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = await _failed("--port", port)
    assert code == 1
    assert said.startswith(f"Error: port {port} cannot be used")
    assert said.count("\n") == 1


async def test_files_without_a_message_are_said_in_a_sentence(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("rubbish\n")
    code, said = await _failed("--replay", str(empty))
    assert code == 1
    assert said.startswith("Error: nothing to play")


async def test_ticks_of_nobody_are_refused_and_play_once_they_are_named(tmp_path: Path) -> None:
    ticks = tmp_path / "2022-08-10.csv"
    ticks.write_text("2022-08-10 09:15:01,17525.1\n2022-08-10 09:15:02,17011.55\nrubbish\n")
    code, said = await _failed("--replay", str(ticks))
    assert code == 2
    assert "Write the key before it" in said
    key = "NSE_INDEX|Nifty 50"
    async with running("--speed", "max", "--replay", f"{key}={ticks}") as client:
        feed = await client.feed(key, mode="ltpc")
        prices: list[float] = []
        while len(prices) < 2:
            frame = FeedResponse.FromString((await feed.receive()).data)
            prices += [one.ltpc.ltp for one in frame.feeds.values()]
    assert prices == [17525.1, 17011.55]


async def _failed(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ticktick", "emulator", *arguments, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(_LIMIT_S):
        _, said = await process.communicate()
    return process.returncode, said.decode()


async def test_answers_are_dated_by_the_market_even_if_the_clock_is_told_wrong() -> None:
    async with running("--start", START, "--speed", "0") as client:
        await client.post("/_emu/fault", {"verb": "clock.skew", "args": {"s": 90}})
        dates = []
        for path in ("/v2/market/holidays", "/v2/user/profile", "/nothing", "/_emu/clock"):
            async with client.http.get(path) as answer:
                dates.append(answer.headers.getall("Date"))
        assert dates == [["Fri, 20 Nov 2026 05:00:00 GMT"]] * 4
        clock = await client.get("/_emu/clock")
        assert clock["now_ns"] == START_NS + 90 * 1_000_000_000


async def test_a_clock_that_is_set_ahead_meets_every_fault_on_the_way() -> None:
    async with running("--start", START, "--speed", "0") as client:
        halt = {"verb": "market.halt", "after": 120, "for": 600}
        assert (await client.post("/_emu/fault", halt))["number"] == 1
        later_ns = START_NS + 20 * NS_PER_MINUTE
        await client.post("/_emu/clock", {"now_ns": later_ns, "rate": 0.0})
        answer = await client.get(f"/v3/historical-candle/intraday/{RELIANCE}/minutes/1")
    starts = {parse_iso_ns(row[0]) for row in answer["data"]["candles"]}
    minutes = [START_NS + n * NS_PER_MINUTE for n in range(20)]
    assert [at_ns in starts for at_ns in minutes] == [True] * 2 + [False] * 10 + [True] * 8
