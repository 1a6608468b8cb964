"""The parts of a load test: the frames it sends, and how it counts what it sees."""

import math
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.web_stage import Stage
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS, NS_PER_S, parse_iso_ns
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse
from ticktick.web.blocks import Columns, Press
from ticktick.web.hub import SEND_EVERY_S
from tools.crowd import Crowd
from tools.crowd_feed import INDEX, TICK, key_of
from tools.load import differing
from tools.load_clients import Dashboard, Tally, Times
from tools.load_report import Line, Measured, Phase, bucket_quantile, report, table

START = parse_iso_ns("2026-11-20T10:30:00+05:30")


def played(crowd: Crowd, seconds: float) -> list[FeedResponse]:
    """The frames of the next seconds, read as the broker's schema says."""
    for _ in crowd.advance(crowd.now_ns + round(seconds * NS_PER_S), frozenset()):
        raise AssertionError("everything is told as ready frames")
    frames, crowd.frames = crowd.frames, []
    return [FeedResponse.FromString(frame) for frame in frames]


def test_a_crowd_sends_as_many_updates_as_it_is_told() -> None:
    crowd = Crowd(250, START, 2_500)
    told = [len(frame.feeds) for frame in played(crowd, 2)]
    assert sum(count for count in told if count > 1) == pytest.approx(5_000, abs=250)
    crowd.updates_per_s = 0
    assert played(crowd, 2) == []
    crowd.updates_per_s = 25_000
    assert sum(len(frame.feeds) for frame in played(crowd, 1)) == pytest.approx(25_000, rel=0.05)


def test_every_frame_of_a_crowd_is_a_full_one_that_agrees_with_itself() -> None:
    crowd = Crowd(130, START, 2_600)
    volumes: dict[str, int] = {}
    for frame in played(crowd, 3):
        for key, feed in frame.feeds.items():
            if key == INDEX:
                index = feed.fullFeed.indexFF.ltpc
                assert index.ltt == frame.currentTs
                assert index.ltp == pytest.approx(index.cp, rel=0.05)  # a price that is believed
                continue
            full = feed.fullFeed.marketFF
            paise = round(full.ltpc.ltp * 100)
            assert paise % TICK == 0
            assert full.ltpc.ltt == frame.currentTs
            assert full.vtt > volumes.get(key, 0)
            volumes[key] = full.vtt
            for n, level in enumerate(full.marketLevel.bidAskQuote, 1):
                assert round(level.bidP * 100) == paise - n * TICK
                assert round(level.askP * 100) == paise + n * TICK
            assert [bar.interval for bar in full.marketOHLC.ohlc] == ["1d", "I1"]
    assert len(volumes) == 130
    assert crowd.snapshot(key_of(0)) is not None


def test_the_finished_minute_of_a_crowd_is_what_traded_in_it() -> None:
    crowd = Crowd(3, START, 300)
    seen: list[tuple[float, int]] = []
    before = crowd.snapshot(key_of(1))
    assert before is not None
    assert before.fullFeed.marketFF.ltpc.ltp < 3_000
    base = before.fullFeed.marketFF.vtt
    for frame in played(crowd, 61):
        full = frame.feeds[key_of(1)].fullFeed.marketFF if key_of(1) in frame.feeds else None
        if full is not None and frame.currentTs * NS_PER_MS < START + NS_PER_MINUTE:
            seen.append((full.ltpc.ltp, full.vtt))
    told = crowd.snapshot(key_of(1))
    assert told is not None
    minute = told.fullFeed.marketFF.marketOHLC.ohlc[1]
    prices = [price for price, _ in seen]
    assert minute.ts == START // NS_PER_MS
    assert (minute.open, minute.close) == (prices[0], prices[-1])
    assert (minute.high, minute.low) == (max(prices), min(prices))
    assert minute.vol == seen[-1][1] - base
    bars = crowd.bars(key_of(1)).between(START, START + NS_PER_MINUTE)
    assert (int(bars.close[0]), int(bars.volume[0])) == (round(prices[-1] * 100), minute.vol)


def test_the_minutes_of_the_index_are_what_it_was_told_to_stand_at() -> None:
    crowd = Crowd(10, START, 100)
    told = [
        frame.feeds[INDEX].fullFeed.indexFF.ltpc
        for frame in played(crowd, 59)
        if INDEX in frame.feeds
    ]
    bars = crowd.bars(INDEX)
    now = bars.between(START, START + NS_PER_MINUTE)
    paise = [round(each.ltp * 100) for each in told]
    assert (int(now.high[0]), int(now.low[0])) == (max(paise), min(paise))
    assert int(now.close[0]) == paise[-1]
    assert len(bars) == 301
    assert not bars.volume.any()


def test_times_are_counted_by_the_millisecond() -> None:
    times = Times()
    times.add(np.array([0.2, 10.4, 10.6, 1e9, -3.0]))
    assert times.quantile_ms(0.5) == 10
    assert times.quantile_ms(1.0) == 20_000
    assert math.isnan(Times().quantile_ms(0.5))


def test_times_counted_now_and_then_are_the_times_counted_at_once() -> None:
    rng = np.random.default_rng(3)
    drawn, now_and_then, at_once = rng.exponential(40.0, 100_000), Times(), Times()
    at_once.add(drawn)
    for part in np.array_split(drawn, 777):
        now_and_then.add(part)
        if len(part) % 5 == 0:
            now_and_then.quantile_ms(0.5)
    shares = (0.01, 0.5, 0.99, 1.0)
    assert [now_and_then.quantile_ms(s) for s in shares] == [at_once.quantile_ms(s) for s in shares]


def test_a_row_that_is_told_again_because_time_passed_is_no_late_frame() -> None:
    stage = Stage()
    dashboard = Dashboard(SimpleNamespace(), _hello(stage), market_ns=0)
    stage.hub.take(stage.market.trade("RELIANCE", 140_000))
    read_ms = stage.now_ns // NS_PER_MS
    records = stage.market.table.records
    records["received_ns"][:3] = records["exchange_ns"][:3] = read_ms * NS_PER_MS
    told: list[float] = []
    for later_ms, is_read_again in ((10, False), (150, False), (170, True)):
        if is_read_again:
            records["received_ns"][0] = (read_ms + 160) * NS_PER_MS
        rows = np.arange(3, dtype=np.int32)
        dashboard.take(Press(_columns(stage)).block(rows, 1, read_ms + later_ms))
        told.append(dashboard.tally.sent_ms.quantile_ms(1.0))
    assert told == [10, 10, 10]
    assert dashboard.tally.blocks == 3
    records["received_ns"][1] = (read_ms + 200) * NS_PER_MS
    dashboard.take(Press(_columns(stage)).block(rows, 1, read_ms + 290))
    assert dashboard.tally.sent_ms.quantile_ms(1.0) == 90


def _columns(stage: Stage) -> Columns:
    market = stage.market
    return Columns(market.table, market.metrics, market.freshness, market.warm)


def _hello(stage: Stage) -> Any:
    return msgspec.json.decode(msgspec.json.encode(stage.overview.hello()))


def test_a_quantile_lies_within_the_bucket_that_holds_it() -> None:
    buckets = {100.0: 10.0, 200.0: 30.0, 500.0: 40.0, math.inf: 41.0}
    assert bucket_quantile(buckets, 0.5) == pytest.approx(100 + 100 * (20.5 - 10) / 20)
    assert bucket_quantile(buckets, 0.999) == math.inf
    assert math.isnan(bucket_quantile(dict.fromkeys(buckets, 0.0), 0.5))


@pytest.mark.parametrize(("frames", "word"), [(18.9, "MISSED"), (19.0, "ok")])
def test_dashboards_are_judged_by_the_frames_they_were_sent(frames: float, word: str) -> None:
    lines = table(report(measured(frames_per_s=frames, turns_per_s=20.0))).splitlines()
    (told,) = [line for line in lines if line.startswith("dashboards, 20 of all symbols")]
    assert told.split()[-3:] == ["frames/s", f"{frames}/s", word]
    assert any("turns" in line and line.endswith("20.0/s") for line in lines)


def measured(frames_per_s: float, turns_per_s: float) -> Measured:
    """A test whose dashboards were sent so many frames, each in one of so many turns."""
    before = dict.fromkeys(
        (
            "ticktick_process_cpu_seconds_total",
            'ticktick_ready_us_bucket{le="500"}',
            'ticktick_redis_write_ms_bucket{le="50"}',
            'ticktick_redis_dropped_total{kind="metric_points"}',
            "ticktick_feed_conflated_total",
            "ticktick_client_closed_slow_total",
            "ticktick_client_turns_total",
        ),
        0.0,
    )
    tally = Tally()
    tally.blocks = round(frames_per_s * 20 * 60)
    after = before | {"ticktick_client_turns_total": turns_per_s * 20 * 60}
    phase = Phase(60.0, 150_000, before, after, tally, 0.1, 0.1)
    return Measured(20, 5, phase, 0, phase, phase, phase, 1.0, 0, 0, 100.0, 100.0)


def test_a_crowd_has_news_for_every_turn_of_a_dashboard() -> None:
    crowd = Crowd(500, START, 2_500)
    told_ms = [frame.currentTs for frame in played(crowd, 2)]
    assert max(np.diff(told_ms)) <= SEND_EVERY_S * 1_000 / 2


def test_a_missed_target_is_named_in_the_table() -> None:
    lines = [Line("a", "<= 1", "2", False), Line("b", "", "3"), Line("c", "1", "1", True)]
    words = [line.split()[-1] for line in table(lines).splitlines()[1:]]
    assert words == ["MISSED", "3", "ok"]


class Shows:
    """A dashboard's prices."""

    def __init__(self, *prices: int) -> None:
        self.prices = np.array(prices)
        self.row_of = {f"CROWD{number:03}": number for number in range(len(prices))}


def test_a_dashboard_that_shows_an_old_price_is_noticed() -> None:
    dashboards = [Shows(100, 105, 110), Shows(100, 105, 110)]
    assert differing(dashboards, [100, 105, 110]) == 0
    assert differing(dashboards, [100, 110, 110]) == 2
