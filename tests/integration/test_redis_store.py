"""The Redis writer against real servers: what it writes, and what it survives."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from redis.exceptions import RedisError

from tests.store_stage import (
    MODULE_KINDS,
    OPEN_MS,
    OPEN_NS,
    Asking,
    SmallMarket,
    candle,
    candles_changed,
    eventually,
    facts_only,
    instrument,
    serving,
)
from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import FreshnessChanged
from ticktick.domain.market import TIMEFRAMES, Candle, CandleState, Freshness
from ticktick.domain.metric import METRICS
from ticktick.engine.lateness import BEHIND_LIMIT_MS
from ticktick.store.claim import DEMO_MARKET, claim
from ticktick.store.keys import OWNER_KEY, candle_family, tick_family, tick_latest
from ticktick.store.link import Link
from ticktick.store.mirror import HASH_LIFE_MS, Mirror
from ticktick.store.redis_store import RedisWriter, stored_minutes
from ticktick.store.series import Point, series_of
from ticktick.store.server import EmbeddedServer
from ticktick.store.spool import Batch, Said, Spool

EMPTY = Batch([], {}, {}, {}, set(), Said())


@contextmanager
def writing(url: str, market: SmallMarket, **more: Any) -> Iterator[RedisWriter]:
    writer = RedisWriter(url, market, **more)
    try:
        yield writer
    finally:
        writer.close()


def ticks(url: str, symbol: str = "RELIANCE") -> list[Point]:
    link = Link(url, 1)
    try:
        return series_of(link).range(tick_family(symbol, many=False))
    finally:
        link.close()


def candles(url: str, minutes: int = 1, symbol: str = "RELIANCE") -> list[Point]:
    link = Link(url, 0)
    try:
        return series_of(link).range(candle_family(symbol, minutes, many=False))
    finally:
        link.close()


def closes(url: str) -> list[float]:
    return [point.values["close"] for point in candles(url)]


def test_a_tick_is_in_redis_in_rupees_within_a_second(server: EmbeddedServer, ask: Asking) -> None:
    market = SmallMarket()
    with writing(server.url, market) as writer:
        began = time.monotonic()
        writer.take(market.trade(141_255, OPEN_MS, mid=141_252.5, imbalance=-0.25))
        eventually(lambda: ticks(server.url))
        assert time.monotonic() - began < 1.0
        values = {"last_price": 1412.55, "mid": 1412.525, "imbalance": -0.25}
        assert ticks(server.url) == [Point(tick_family("RELIANCE", many=False), OPEN_MS, values)]
        row = ask(1, "HGETALL", "tick:RELIANCE")
        assert row["last_price"] == "1412.55"
        assert row["mid"] == "1412.525"
        assert row["freshness"] == "fresh"
        assert row["exchange_ms"] == str(OPEN_MS)
        assert row["received_ms"] == str(OPEN_MS + 20)
        assert (row["seq"], row["warm"]) == ("0", "0")
        assert row["volume"] == "500"
        eventually(lambda: writer.counters["redis_waiting_points"] == 0)
        assert "bid" not in row
        assert "vwap" not in row


def test_a_price_unit_of_a_hundredth_of_a_paisa_is_divided_by_its_own_scale(
    server: EmbeddedServer, ask: Asking
) -> None:
    market = SmallMarket(price_scale=10_000)
    with writing(server.url, market) as writer:
        writer.take(market.trade(841_225, OPEN_MS))
        eventually(lambda: ask(1, "HGET", "tick:RELIANCE", "last_price") == "84.1225")


def test_times_rise_within_a_series_and_a_clearly_older_tick_stays_out(
    server: EmbeddedServer, ask: Asking
) -> None:
    market = SmallMarket()
    with writing(server.url, market) as writer:
        for units, at_ms in ((100, 0), (200, 0), (300, 1), (400, -500), (500, -5_000), (600, 90)):
            writer.take(market.trade(units, OPEN_MS + at_ms))
    found = [(point.at_ms - OPEN_MS, point.values["last_price"]) for point in ticks(server.url)]
    assert found == [(0, 1.0), (1, 2.0), (2, 3.0), (3, 4.0), (90, 6.0)]
    assert writer.counters["redis_late_rows"] == 1


def test_a_metric_that_is_no_longer_known_leaves_the_latest_row(
    server: EmbeddedServer, ask: Asking
) -> None:
    market = SmallMarket()
    with writing(server.url, market) as writer:
        writer.take(market.trade(141_255, OPEN_MS, mid=141_250.0))
        eventually(lambda: ask(1, "HEXISTS", "tick:RELIANCE", "mid"))
        writer.take(market.trade(141_260, OPEN_MS + 500, mid=float("nan")))
        eventually(lambda: not ask(1, "HEXISTS", "tick:RELIANCE", "mid"))
        assert ask(1, "HGET", "tick:RELIANCE", "last_price") == "1412.6"


BIDS = [(141_250, 10), (141_245, 20), (141_240, 30), (141_235, 40), (141_230, 50)]
ASKS = [(141_255, 60), (141_260, 70), (141_265, 80), (141_270, 90), (141_275, 100)]


def levels(row: dict[str, str], side: str) -> list[tuple[float, int]]:
    """The levels of a hash, best first, as a reader of the reference finds them."""
    names = [(f"{side}_{level}", f"{side}_quantity_{level}") for level in range(1, 6)]
    return [(float(row[price]), int(row[size])) for price, size in names if price in row]


def in_rupees(told: list[tuple[int, int]]) -> list[tuple[float, int]]:
    return [(units / 100, quantity) for units, quantity in told]


def test_the_five_levels_of_the_book_are_in_the_latest_row(
    server: EmbeddedServer, ask: Asking
) -> None:
    market = SmallMarket()
    with writing(server.url, market) as writer:
        writer.take(market.book(OPEN_MS, BIDS, ASKS))
        eventually(lambda: ask(1, "HEXISTS", "tick:RELIANCE", "bid_5"))
        row = ask(1, "HGETALL", "tick:RELIANCE")
        assert levels(row, "bid") == in_rupees(BIDS)
        assert levels(row, "ask") == in_rupees(ASKS)
        assert (row["bid"], row["bid_quantity"]) == (row["bid_1"], row["bid_quantity_1"])
        assert (row["ask"], row["ask_quantity"]) == (row["ask_1"], row["ask_quantity_1"])


def test_a_level_that_empties_leaves_the_latest_row(server: EmbeddedServer, ask: Asking) -> None:
    market = SmallMarket()
    with writing(server.url, market) as writer:
        writer.take(market.book(OPEN_MS, BIDS, ASKS))
        eventually(lambda: ask(1, "HEXISTS", "tick:RELIANCE", "ask_5"))
        writer.take(market.book(OPEN_MS + 500, BIDS[:2], []))
        eventually(lambda: not ask(1, "HEXISTS", "tick:RELIANCE", "ask_1"))
        row = ask(1, "HGETALL", "tick:RELIANCE")
        assert levels(row, "bid") == in_rupees(BIDS[:2])
        assert not [name for name in row if name.startswith("ask")]
        assert not [name for name in row if name.endswith(("_3", "_4", "_5"))]


def test_start_history_goes_through_quickly_and_ends_with_the_latest(
    server: EmbeddedServer, ask: Asking
) -> None:
    symbols = [f"S{i:02}" for i in range(15)]
    market = SmallMarket(symbols)
    history = [
        candle(i * minutes, 100_000 + i, symbol, minutes=minutes)
        for symbol in symbols
        for minutes in TIMEFRAMES
        for i in range(375 // minutes)
    ]
    with writing(server.url, market) as writer:
        writer.take(candles_changed(history))
        eventually(lambda: writer.written_samples == 6 * len(history), within_s=20)
        found = candles(server.url, symbol="S14")
        assert len(found) == 375
        assert [point.values["close"] for point in found] == [
            (100_000 + i) / 100 for i in range(375)
        ]
        latest = ask(0, "HGETALL", "candle:S14:1m")
        assert latest["start_ms"] == str(found[-1].at_ms)
        assert latest["close"] == str(found[-1].values["close"])
        assert latest["state"] == "final"


def test_a_provisional_candle_shows_in_the_hash_and_only_the_final_one_in_the_series(
    server: EmbeddedServer, ask: Asking
) -> None:
    market = SmallMarket()
    provisional = candle(close=141_300, state=CandleState.PROVISIONAL, confirmed=False)
    with writing(server.url, market) as writer:
        writer.take(candles_changed([provisional]))
        eventually(lambda: ask(0, "HGET", "candle:RELIANCE:1m", "state") == "provisional")
        assert candles(server.url) == []
        writer.take(candles_changed([candle(close=141_255)]))
        eventually(lambda: ask(0, "HGET", "candle:RELIANCE:1m", "state") == "final")
        assert closes(server.url) == [1412.55]
        row = ask(0, "HGETALL", "candle:RELIANCE:1m")
        assert (row["state"], row["confirmed"], row["revision"]) == ("final", "1", "0")


def test_a_minute_that_turns_out_missing_leaves_its_prices_in_no_key(
    server: EmbeddedServer, ask: Asking
) -> None:
    seen = candle(state=CandleState.PROVISIONAL, confirmed=False)
    nothing = dict.fromkeys(("open", "high", "low", "close", "volume"), 0)
    lost = replace(seen, state=CandleState.MISSING, open_interest=0, **nothing)
    with writing(server.url, SmallMarket()) as writer:
        writer.take(candles_changed([seen]))
        eventually(lambda: ask(0, "HGET", "candle:RELIANCE:1m", "close"))
        writer.take(candles_changed([lost]))
        eventually(lambda: ask(0, "HGET", "candle:RELIANCE:1m", "state") == "missing")
        kept = ask(0, "HGETALL", "candle:RELIANCE:1m")
        assert set(kept) == {"start_ms", "state", "confirmed", "revision"}


def test_a_correction_overwrites_its_candle_and_not_the_latest_hash(
    server: EmbeddedServer, ask: Asking
) -> None:
    market = SmallMarket()
    with writing(server.url, market) as writer:
        writer.take(candles_changed([candle(0, 100_000), candle(1, 200_000)]))
        eventually(lambda: closes(server.url) == [1000.0, 2000.0])
        writer.take(candles_changed([candle(0, 100_500, revision=1)]))
        eventually(lambda: closes(server.url) == [1005.0, 2000.0])
        assert ask(0, "HGET", "candle:RELIANCE:1m", "close") == "2000.0"


def test_P04_redis_calls_nothing_fresh_while_the_engine_lags(
    server: EmbeddedServer, ask: Asking
) -> None:
    symbols = ("RELIANCE", "TCS", "INFY")
    market = SmallMarket(symbols)
    now_ms = [OPEN_MS]

    def words() -> list[str | None]:
        return [ask(1, "HGET", f"tick:{symbol}", "freshness") for symbol in symbols]

    with writing(server.url, market, now_ns=lambda: now_ms[0] * NS_PER_MS) as writer:
        writer.take(market.trade(141_255, OPEN_MS))
        writer.take(market.trade(300_000, OPEN_MS, "TCS"))
        writer.take(facts_only(FreshnessChanged(OPEN_NS, "INFY", Freshness.GAP)))
        eventually(lambda: words() == ["fresh", "fresh", "gap"])
        now_ms[0] += BEHIND_LIMIT_MS + 1_000
        eventually(lambda: words() == ["stale", "stale", "gap"])
        writer.take(market.trade(141_260, OPEN_MS + 500))  # six seconds old when it is worked off
        eventually(lambda: ask(1, "HGET", "tick:RELIANCE", "last_price") == "1412.6")
        assert words() == ["stale", "stale", "gap"]
        writer.take(market.trade(141_265, now_ms[0]))
        eventually(lambda: words() == ["fresh", "fresh", "gap"])


def test_a_dead_link_shows_in_the_latest_rows_within_a_second(
    server: EmbeddedServer, ask: Asking
) -> None:
    market = SmallMarket()
    with writing(server.url, market) as writer:
        writer.take(market.trade(141_255, OPEN_MS))
        eventually(lambda: ask(1, "HGET", "tick:RELIANCE", "freshness") == "fresh")
        began = time.monotonic()
        writer.take(facts_only(FreshnessChanged(OPEN_NS, "RELIANCE", Freshness.STALE)))
        eventually(lambda: ask(1, "HGET", "tick:RELIANCE", "freshness") == "stale")
        assert time.monotonic() - began < 1.0


def test_an_orderly_end_leaves_rows_that_are_marked_stale(
    server: EmbeddedServer, ask: Asking
) -> None:
    market = SmallMarket()
    with writing(server.url, market) as writer:
        writer.take(market.trade(141_255, OPEN_MS))
    assert ask(1, "HGET", "tick:RELIANCE", "freshness") == "stale"
    assert ask(1, "HGET", "tick:RELIANCE", "last_price") == "1412.55"
    assert ask(1, "TTL", "tick:RELIANCE") == -1
    assert writer.state == "off"


def test_rows_nobody_looks_after_expire_and_the_others_do_not(
    server: EmbeddedServer, ask: Asking
) -> None:
    now_s = [0.0]
    market = SmallMarket()
    with writing(server.url, market, monotonic=lambda: now_s[0]) as writer:
        writer.take(market.trade(141_255, OPEN_MS))
        eventually(lambda: 0 < ask(1, "PTTL", "tick:RELIANCE") <= HASH_LIFE_MS)
        ask(1, "PEXPIRE", "tick:RELIANCE", 1)
        eventually(lambda: not ask(1, "EXISTS", "tick:RELIANCE"))
        now_s[0] = 2.0
        writer.take(facts_only())
        eventually(lambda: ask(1, "HGET", "tick:RELIANCE", "last_price") == "1412.55")


def test_stored_minutes_are_the_candles_that_were_written(
    server: EmbeddedServer, ask: Asking
) -> None:
    market = SmallMarket()
    history = [candle(i, 141_255 + i) for i in range(300)]
    with writing(server.url, market) as writer:
        writer.take(candles_changed(history))
    found = stored_minutes(server.url, instrument(), 250)
    assert len(found) == 250
    assert [_prices(one) for one in found] == [_prices(one) for one in history[-250:]]
    assert {(one.state, one.confirmed) for one in found} == {(CandleState.FINAL, False)}
    assert stored_minutes(server.url, instrument("TCS"), 250) == []


def _prices(one: Candle) -> tuple[int, ...]:
    return (one.start_ns, one.open, one.high, one.low, one.close, one.volume)


def test_P18_F33_a_server_killed_and_restarted_empty_gets_everything_we_hold(
    request: pytest.FixtureRequest, server: EmbeddedServer, tmp_path: Path
) -> None:
    kind = request.node.callspec.params["server"]
    market = SmallMarket()
    with serving(kind, tmp_path) as mortal:

        def restart_empty() -> None:
            if mortal.process.poll() is not None:
                for file in tmp_path.glob("*/appendonlydir/*"):
                    file.unlink()
                mortal.revive()

        with writing(mortal.url, market, revive=restart_empty) as writer:
            writer.take(candles_changed(candle(i, 100_000 + i) for i in range(300)))
            writer.take(market.trade(141_255, OPEN_MS))
            eventually(lambda: len(candles(mortal.url)) == 300)
            eventually(lambda: len(ticks(mortal.url)) == 1)
            eventually(lambda: writer.counters["redis_waiting_points"] == 0)
            mortal.process.kill()
            mortal.process.wait()
            for i in range(20):
                writer.take(market.trade(141_260 + i, OPEN_MS + 100 + i))
            writer.take(candles_changed([candle(300, 100_300)]))
            eventually(lambda: writer.losses == 1 and writer.state == "on")
            eventually(lambda: len(candles(mortal.url)) == 301)
            eventually(lambda: len(ticks(mortal.url)) == 20)
            assert ticks(mortal.url)[-1].values["last_price"] == 1412.79
            assert writer.counters["redis_dropped_metric_points"] == 0


@pytest.mark.parametrize("server", MODULE_KINDS, indirect=True)
def test_P18_a_server_emptied_under_us_gets_the_candles_again(
    server: EmbeddedServer, ask: Asking
) -> None:
    market = SmallMarket()
    with writing(server.url, market) as writer:
        writer.take(candles_changed(candle(i, 100_000 + i) for i in range(300)))
        eventually(lambda: len(candles(server.url)) == 300)
        ask(0, "FLUSHALL")
        writer.take(candles_changed([candle(300, 100_300)]))
        eventually(lambda: len(candles(server.url)) == 301)


def test_P18_an_emptied_server_gets_its_owner_and_candles_again_without_a_new_candle(
    server: EmbeddedServer, ask: Asking
) -> None:
    claim(server.url, DEMO_MARKET)
    with writing(server.url, SmallMarket()) as writer:

        def are_there() -> bool:
            writer.take(facts_only())
            return len(candles(server.url)) == 2

        writer.take(candles_changed([candle(0), candle(1)]))
        eventually(are_there)
        ask(0, "FLUSHALL")
        eventually(are_there)
        assert ask(0, "GET", OWNER_KEY) == DEMO_MARKET


def test_P18_only_a_server_that_may_have_lost_candles_gets_them_again_newest_first(
    server: EmbeddedServer, ask: Asking
) -> None:
    claim(server.url, DEMO_MARKET)
    mirror = Mirror(server.url, SmallMarket())
    held = {(one.symbol, one.minutes, one.start_ns): one for one in map(candle, range(3))}
    assert mirror.open() == {}
    mirror.write(replace(EMPTY, candles=held, freshness={"RELIANCE": Freshness.STALE}))
    mirror.close()
    assert mirror.open() == {}
    mirror.close()

    ask(0, "FLUSHALL")
    ask(1, "SET", tick_latest("RELIANCE"), "of another program")
    with pytest.raises(RedisError, match="WRONGTYPE"):
        mirror.open()
    mirror.close()
    ask(1, "DEL", tick_latest("RELIANCE"))
    assert [one.start_ns for one in mirror.open().values()] == sorted(
        (one.start_ns for one in held.values()), reverse=True
    )
    mirror.close()
    assert mirror.open() == {}
    mirror.close()


def test_what_is_new_goes_to_redis_before_what_is_written_again() -> None:
    spool = Spool()
    spool.add(None, [candle(3, 141_000)], {})
    spool.again({(one.symbol, one.minutes, one.start_ns): one for one in map(candle, (3, 2, 1))})
    written = [spool.take(2).candles, spool.take(2).candles]
    assert [[one.start_ns for one in some.values()] for some in written] == [
        [candle(3).start_ns, candle(2).start_ns],
        [candle(1).start_ns],
    ]
    assert next(iter(written[0].values())) == candle(3, 141_000)


def test_P18_a_full_spool_drops_the_oldest_ticks_and_no_candle(
    server: EmbeddedServer, ask: Asking
) -> None:
    market = SmallMarket()
    row = len(METRICS) + 1  # points, with the last price
    spool = Spool(most_points=10 * row)
    gate = threading.Event()
    with writing(server.url, market, spool=spool, revive=lambda: _wait(gate)) as writer:
        writer.take(candles_changed(candle(i) for i in range(500)))
        for i in range(30):
            writer.take(market.trade(100_000 + i, OPEN_MS + i))
        assert writer.counters["redis_waiting_points"] <= 10 * row
        gate.set()
        eventually(lambda: len(candles(server.url)) == 500)
        eventually(lambda: [p.at_ms - OPEN_MS for p in ticks(server.url)] == list(range(20, 30)))
        assert writer.counters["redis_dropped_metric_points"] == 20 * row


def _wait(gate: threading.Event) -> None:
    assert gate.wait(10)


@pytest.mark.parametrize("server", MODULE_KINDS, indirect=True)
def test_P18_a_server_that_lost_one_series_gets_its_candles_again(
    server: EmbeddedServer, ask: Asking
) -> None:
    claim(server.url, DEMO_MARKET)
    with writing(server.url, SmallMarket()) as writer:
        writer.take(candles_changed(candle(i, 100_000 + i) for i in range(30)))
        eventually(lambda: len(closes(server.url)) == 30)
        ask(0, "DEL", "candle:RELIANCE:1m:close")
        writer.take(candles_changed([candle(30, 100_030)]))
        eventually(lambda: all("close" in one.values for one in candles(server.url)))
        eventually(lambda: closes(server.url) == [1_000 + i / 100 for i in range(31)])


def test_a_server_that_does_not_tell_about_itself_is_written_to(
    server: EmbeddedServer, ask: Asking
) -> None:
    claim(server.url, DEMO_MARKET)
    ask(0, "ACL", "SETUSER", "default", "-info")
    try:
        with writing(server.url, SmallMarket()) as writer:
            writer.take(candles_changed([candle()]))
            eventually(lambda: len(candles(server.url)) == 1)
    finally:
        ask(0, "ACL", "SETUSER", "default", "+info")


@pytest.mark.parametrize(
    ("setting", "bad", "good", "word"),
    [
        (("CONFIG", "SET", "maxmemory"), "1mb", "64mb", "out of memory"),
        (("REPLICAOF",), ("127.0.0.1", "1"), ("NO", "ONE"), "read-only"),
    ],
)
def test_F34_a_server_that_refuses_writes_is_named_and_nothing_is_lost(
    server: EmbeddedServer, ask: Asking, setting: tuple[str, ...], bad: Any, good: Any, word: str
) -> None:
    market = SmallMarket()
    attempts: list[None] = []
    with writing(server.url, market, revive=lambda: attempts.append(None)) as writer:
        writer.take(market.trade(100_000, OPEN_MS))
        eventually(lambda: len(ticks(server.url)) == 1)
        ask(0, *setting, *([bad] if isinstance(bad, str) else bad))
        try:
            writer.take(market.trade(100_005, OPEN_MS + 1))
            writer.take(candles_changed([candle()]))
            eventually(lambda: writer.state == "degraded")
            assert word in writer.text
            eventually(lambda: len(attempts) > 3)
            assert (writer.state, writer.losses) == ("degraded", 1)
        finally:
            ask(0, *setting, *([good] if isinstance(good, str) else good))
        eventually(lambda: len(ticks(server.url)) == 2 and len(candles(server.url)) == 1)
        eventually(lambda: writer.state == "on")
        assert writer.losses == 1


def test_an_end_while_redis_is_away_is_short(tmp_path: Path) -> None:
    market = SmallMarket()
    writer = RedisWriter(f"unix://{tmp_path / 'nothing'}", market)
    writer.take(market.trade(100_000, OPEN_MS))
    eventually(lambda: "cannot be reached" in writer.text)
    began = time.monotonic()
    writer.close()
    assert time.monotonic() - began < 3.5
