"""The exchange over days: a week-end at full speed without restart, and memory that stays."""

import os
from datetime import date
from pathlib import Path

import aiohttp
import pytest

from tests.integration.test_emulator_server import INFY, RELIANCE, Client, running
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MS, ist_midnight_ns, parse_iso_ns
from ticktick.domain.sessions import Calendar
from ticktick.emulator.floor import Floor
from ticktick.proto.MarketDataFeed_pb2 import Feed, FeedResponse

NEW_INFY = "NSE_EQ|INE009A01039"
START = "2026-11-20T15:05"
FRIDAY_NS = parse_iso_ns("2026-11-20T09:17:00+05:30")
MONDAY_NS = parse_iso_ns("2026-11-23T09:17:00+05:30")
_BYTES_PER_MB = 1 << 20


async def read_until(feed: aiohttp.ClientWebSocketResponse, to_ns: int) -> list[Feed]:
    """What the feed tells of the stock up to the moment."""
    told: list[Feed] = []
    while True:
        message = await feed.receive()
        assert message.type is aiohttp.WSMsgType.BINARY, message
        frame = FeedResponse.FromString(message.data)
        told += [frame.feeds[RELIANCE]] if RELIANCE in frame.feeds else []
        if frame.currentTs * NS_PER_MS >= to_ns:
            return told


async def minutes_of_friday(client: Client) -> dict[int, tuple[float, ...]]:
    """History of the first day by start in milliseconds."""
    path = f"/v3/historical-candle/{RELIANCE}/minutes/1/2026-11-20/2026-11-20"
    rows = (await client.get(path))["data"]["candles"]
    return {parse_iso_ns(row[0]) // NS_PER_MS: tuple(row[1:6]) for row in rows}


async def test_a_week_end_passes_at_full_speed_without_restart() -> None:
    async with running("--speed", "max", "--start", START) as client:
        feed = await client.feed(RELIANCE)
        old_token = client.token
        told = await read_until(feed, MONDAY_NS)
        await client.post("/_emu/clock", {"rate": 0.0})
        assert (await client.post("/_emu/token", {}))["access_token"] != old_token
        history = await minutes_of_friday(client)
        path = f"/v3/historical-candle/{RELIANCE}/days/1/2026-11-20/2026-11-20"
        ((_, *_, friday_close, _, _),) = (await client.get(path))["data"]["candles"]
    bars = [bar for one in told for bar in one.fullFeed.marketFF.marketOHLC.ohlc]
    friday = {
        bar.ts: (bar.open, bar.high, bar.low, bar.close, bar.vol)
        for bar in bars
        if bar.interval == "I1" and bar.ts * NS_PER_MS < MONDAY_NS - NS_PER_DAY
    }
    assert len(history) == 360
    assert {start: history[start] for start in friday} == friday
    last = told[-1].fullFeed.marketFF
    trades = [one.fullFeed.marketFF.ltpc for one in told if one.fullFeed.marketFF.HasField("ltpc")]
    assert trades[-1].cp == friday_close
    assert 0 < last.vtt < 100_000


@pytest.mark.parametrize("speed", ["max", pytest.param("10000", marks=pytest.mark.slow)])
async def test_a_split_passes_over_a_night_at_speed_without_restart(speed: str) -> None:
    async with running("--speed", speed, "--start", "2026-11-19T15:05") as client:
        feed = await client.feed(RELIANCE, INFY)
        order = {"verb": "instrument.split", "args": {"r": 5}, "match": "INFY"}
        assert (await client.post("/_emu/fault", order))["verb"] == "instrument.split"
        old_token = client.token
        stages = []
        while True:
            message = await feed.receive()
            frame = FeedResponse.FromString(message.data)
            now_ns = frame.currentTs * NS_PER_MS
            if frame.feeds:
                stages.append((now_ns, set(frame.feeds)))
            if now_ns >= FRIDAY_NS:
                break
        await client.post("/_emu/clock", {"rate": 0.0})
        client.token = old_token
        with pytest.raises(AssertionError, match="UDAPI100050"):
            await client.get("/v2/user/profile")
        client.token = (await client.post("/_emu/token", {}))["access_token"]
        ltp = await client.get("/v3/market-quote/ltp", instrument_key=NEW_INFY)
        with pytest.raises(AssertionError, match="UDAPI100011"):
            await client.get("/v3/market-quote/ltp", instrument_key=INFY)
        history = await client.get(f"/v3/historical-candle/{NEW_INFY}/days/1/2026-11-20")
    midnight_ns = ist_midnight_ns(date(2026, 11, 20))
    before = [keys for now_ns, keys in stages if now_ns < midnight_ns]
    after = [keys for now_ns, keys in stages if now_ns > midnight_ns]
    assert set().union(*before) == {RELIANCE, INFY}
    assert set().union(*after) == {RELIANCE}
    quote = ltp["data"]["NSE_EQ:INFY"]
    assert quote["cp"] == history["data"]["candles"][0][4]
    assert 250 < quote["last_price"] < 350


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_memory_does_not_grow_with_the_days() -> None:
    floor = Floor(1, parse_iso_ns("2026-11-20T09:00:00+05:30"), Calendar())
    sizes = []
    for _ in range(3):
        floor.bars(RELIANCE)
        for _ in floor.advance(floor.now_ns + 12 * NS_PER_DAY, frozenset()):
            continue
        sizes.append(_resident_mb())
    assert sizes[2] - sizes[1] < 12
    assert len(floor.bars(RELIANCE)) < 31_000


def _resident_mb() -> float:
    statm = Path("/proc/self/statm")
    if not statm.is_file():
        pytest.skip("memory is read from /proc, which this system does not have")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _BYTES_PER_MB
