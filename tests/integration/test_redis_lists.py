"""What Redis keeps of symbols that leave the list, and of prices that a split made void."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from tests.store_stage import (
    OPEN_MS,
    OPEN_NS,
    Asking,
    SmallMarket,
    candle,
    candles_changed,
    eventually,
    facts_only,
    instrument,
)
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MS
from ticktick.domain.event import FreshnessChanged, WatchlistChanged
from ticktick.domain.market import Candle, Freshness
from ticktick.store.claim import DEMO_MARKET, claim
from ticktick.store.keys import candle_family, tick_family
from ticktick.store.link import Link
from ticktick.store.redis_store import RedisWriter
from ticktick.store.series import series_of
from ticktick.store.server import EmbeddedServer
from ticktick.store.spool import Spool

NEXT_DAY_NS = OPEN_NS + NS_PER_DAY


@contextmanager
def writing(url: str, market: SmallMarket) -> Iterator[RedisWriter]:
    writer = RedisWriter(url, market)
    try:
        yield writer
    finally:
        writer.close()


def closes(url: str, symbol: str = "RELIANCE", minutes: int = 1) -> list[float]:
    link = Link(url, 0)
    try:
        family = candle_family(symbol, minutes, many=False)
        return [point.values["close"] for point in series_of(link).range(family)]
    finally:
        link.close()


def ticks(url: str, symbol: str) -> int:
    link = Link(url, 1)
    try:
        return len(series_of(link).range(tick_family(symbol, many=False)))
    finally:
        link.close()


def test_a_removed_symbol_leaves_the_latest_hashes_and_its_series_stay(
    server: EmbeddedServer, ask: Asking
) -> None:
    market = SmallMarket(["RELIANCE", "TCS"])
    claim(server.url, DEMO_MARKET)
    with writing(server.url, market) as writer:
        for symbol in ("RELIANCE", "TCS"):
            writer.take(market.trade(141_255, OPEN_MS, symbol))
            writer.take(candles_changed([candle(0, symbol=symbol)]))
        eventually(lambda: ask(0, "EXISTS", "candle:RELIANCE:1m", "candle:TCS:1m") == 2)
        eventually(lambda: ask(1, "EXISTS", "tick:RELIANCE", "tick:TCS") == 2)
        market.table.follow([instrument("TCS")])
        writer.take(facts_only(WatchlistChanged(OPEN_NS, ("TCS",), removed=("RELIANCE",))))
        eventually(lambda: ask(1, "EXISTS", "tick:RELIANCE") == 0)
        eventually(lambda: ask(0, "EXISTS", "candle:RELIANCE:1m") == 0)
        assert ask(1, "EXISTS", "tick:TCS") == ask(0, "EXISTS", "candle:TCS:1m") == 1
        assert (closes(server.url), ticks(server.url, "RELIANCE")) == ([1412.55], 1)
        ask(0, "FLUSHALL")
        writer.take(market.trade(141_260, OPEN_MS + 1, "TCS"))
        eventually(lambda: closes(server.url, "TCS"))
        assert ask(1, "EXISTS", "tick:RELIANCE") == ask(0, "EXISTS", "candle:RELIANCE:1m") == 0
        assert closes(server.url) == []
    assert ask(1, "KEYS", "tick:*") == ["tick:TCS"]


def test_a_symbol_that_comes_back_is_shown_again(server: EmbeddedServer, ask: Asking) -> None:
    market = SmallMarket(["RELIANCE", "TCS"])
    with writing(server.url, market) as writer:
        writer.take(market.trade(141_255, OPEN_MS))
        market.table.follow([instrument("TCS")])
        writer.take(facts_only(WatchlistChanged(OPEN_NS, ("TCS",), removed=("RELIANCE",))))
        market.table.follow([instrument("TCS"), instrument("RELIANCE")])
        back = WatchlistChanged(OPEN_NS, ("TCS", "RELIANCE"), added=("RELIANCE",))
        writer.take(facts_only(back, FreshnessChanged(OPEN_NS, "RELIANCE", Freshness.STALE)))
        writer.take(market.trade(141_300, OPEN_MS + 60_000))
        eventually(lambda: ask(1, "HGET", "tick:RELIANCE", "last_price") == "1413.0")


def split(writer: RedisWriter, restated: tuple[str, ...]) -> None:
    """Candles at 1,000 rupees; then one share becomes five, and a part of the past is read."""
    old = [candle(minute, 100_000, minutes=width) for width in (1, 5) for minute in (0, 5, 10)]
    writer.take(candles_changed(old))
    change = WatchlistChanged(NEXT_DAY_NS, ("RELIANCE",), restated=restated)
    writer.take(facts_only(change))
    writer.take(candles_changed(candle(m, 20_000, minutes=w) for w in (1, 5) for m in (5, 10)))


def check_no_price_is_mixed(url: str) -> None:
    for minutes in (1, 5):
        eventually(partial(_ends_new, url, minutes), 3)
        assert closes(url, minutes=minutes) == [200.0, 200.0]


def _ends_new(url: str, minutes: int) -> bool:
    return closes(url, minutes=minutes)[-2:] == [200.0, 200.0]


def test_F45_candles_of_another_price_level_are_gone_and_those_read_again_are_there(
    server: EmbeddedServer, ask: Asking
) -> None:
    with writing(server.url, SmallMarket()) as writer:
        split(writer, restated=("RELIANCE",))
        check_no_price_is_mixed(server.url)
        assert ask(0, "HGET", "candle:RELIANCE:1m", "close") == "200.0"


def test_F45_the_check_fails_where_nobody_says_that_the_past_is_void(
    server: EmbeddedServer, ask: Asking
) -> None:
    ask(0, "PING")
    with writing(server.url, SmallMarket()) as writer:
        split(writer, restated=())
        with pytest.raises(AssertionError):
            check_no_price_is_mixed(server.url)


def test_F45_candles_that_were_on_their_way_when_the_past_became_void_are_not_written_again() -> (
    None
):
    spool = Spool()
    old, new = candle(0, 100_000), candle(1, 20_000)
    spool.add(None, [old], {})
    failed = spool.take(10)
    spool.forget((), ("RELIANCE",), NEXT_DAY_NS // NS_PER_MS)
    spool.add(None, [new], {})
    spool.give_back(failed)
    spool.again({("RELIANCE", 1, old.start_ns): old})
    batch = spool.take(10)
    assert list(batch.candles.values()) == [new]
    assert batch.restated == {"RELIANCE": NEXT_DAY_NS // NS_PER_MS}
    spool.give_back(batch)
    again: list[Candle] = [*spool.take(10).candles.values()]
    assert again == [new]
