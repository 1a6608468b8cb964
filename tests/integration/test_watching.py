"""Silence of the feed against the built-in exchange: dead, quiet, or closed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.exchange_stage import INFY, RELIANCE, ExchangeStage, exchange_stage
from tests.feed_stage import ExchangeClock, FeedStage, rest_of
from ticktick.domain.event import QuotesRead, TimerFired
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.market import Freshness
from ticktick.login import Held, Login
from ticktick.origin.watching import Watching

NIFTY = "NSE_INDEX|Nifty 50"
WATCHED = (
    Instrument("RELIANCE", "Reliance", "NSE", "NSE_EQ", RELIANCE, Kind.EQUITY),
    Instrument("INFY", "Infosys", "NSE", "NSE_EQ", INFY, Kind.EQUITY),
    Instrument("NIFTY", "Nifty 50", "NSE", "NSE_INDEX", NIFTY, Kind.INDEX),
)


class WatchStage:
    """A feed that is watched; `step` lets market and real time pass together."""

    def __init__(self, exchange: ExchangeStage, feed: FeedStage, watching: Watching) -> None:
        self.exchange = exchange
        self.feed = feed
        self._watching = watching

    async def step(self, seconds: float = 1.0) -> None:
        self.exchange.move(seconds)
        await self.feed.look(seconds)
        await self.feed.runner.put(TimerFired(self.exchange.now_ns))
        await self._watching.look(self.feed.runner)

    async def pass_(self, seconds: int, step_s: float = 1.0) -> None:
        for _ in range(round(seconds / step_s)):
            await self.step(step_s)

    @property
    def quoted(self) -> list[set[str]]:
        """The symbols of each answer to a question for quotes."""
        events = self.feed.diary.events
        reads = [event for event in events if isinstance(event, QuotesRead)]
        return [{quote.symbol for quote in read.quotes} for read in reads]

    @property
    def freshness(self) -> dict[str, Freshness]:
        market = self.feed.engine.market
        pairs = zip(market.table.instruments, market.freshness, strict=True)
        return {one.symbol: freshness for one, freshness in pairs}


@asynccontextmanager
async def watched(start: str = "2026-11-20T10:30:00") -> AsyncIterator[WatchStage]:
    async with exchange_stage(start) as exchange:
        login = Login(Held(exchange.exchange.login.live_token(exchange.now_ns)))
        clock = ExchangeClock(exchange)
        rest = rest_of(exchange, login)
        async with FeedStage(rest, login, clock, WATCHED) as feed:
            watching = Watching(rest, clock, feed.feeding, lambda: WATCHED, feed.hand)
            stage = WatchStage(exchange, feed, watching)
            await feed.until(lambda: Freshness.UNKNOWN not in stage.freshness.values())
            await stage.step()
            yield stage


async def test_P03_F03_a_feed_that_pongs_but_tells_nothing_is_made_anew_within_seven_seconds() -> (
    None
):
    async with watched() as stage:
        await stage.exchange.fault("ws.silence")
        await stage.pass_(5)
        assert stage.feed.diary.causes == ["up"]
        await stage.pass_(2)
        assert stage.feed.diary.causes[:2] == ["up", "silent"]
        assert "pongs but no data" in stage.feed.diary.links[1].reason
        await stage.exchange.clear()
        await stage.pass_(6)
        assert stage.feed.diary.causes[-1] == "up"
        assert set(stage.freshness.values()) == {Freshness.FRESH}


async def test_P03_a_halted_market_is_asked_about_and_the_feed_stays() -> None:
    async with watched() as stage:
        await stage.pass_(31)
        await stage.exchange.fault("market.halt")
        await stage.pass_(60)
        assert stage.feed.diary.causes == ["up"]


@pytest.mark.parametrize("minutes", [10, pytest.param(120, marks=pytest.mark.slow)])
async def test_F04_a_silent_feed_of_a_closed_market_is_left_alone(minutes: int) -> None:
    async with watched() as stage:
        await stage.exchange.fault("market.phase", args={"p": "NORMAL_CLOSE"})
        await stage.pass_(2)
        await stage.exchange.fault("ws.silence")
        asked = len(stage.quoted)
        await stage.pass_(minutes * 60, step_s=9.0)
        assert stage.feed.diary.causes == ["up"]
        assert set(stage.freshness.values()) == {Freshness.CLOSED}
        assert (len(stage.quoted), stage.feed.diary.notes) == (asked, [])


async def test_P03_eight_hours_of_a_closed_market_cause_no_alarm_and_no_reconnect() -> None:
    async with watched("2026-11-20T16:05:00") as stage:
        await stage.pass_(8 * 3600 - 600, step_s=9.0)
        assert stage.feed.diary.causes == ["up"]
        assert set(stage.freshness.values()) == {Freshness.CLOSED}
        assert stage.feed.diary.notes == []
        assert len(stage.quoted) == 1  # the day's price bands


async def test_the_price_bands_of_the_day_are_read_after_the_start() -> None:
    async with watched() as stage:
        await stage.feed.until(lambda: len(stage.quoted) > 0)
        assert stage.quoted == [{"RELIANCE", "INFY", "NIFTY"}]
        (read,) = (e for e in stage.feed.diary.events if isinstance(e, QuotesRead))
        bands = {quote.symbol: (quote.lower_band, quote.upper_band) for quote in read.quotes}
        price = int(stage.feed.engine.market.table.records["last_price"][0])
        assert 0 < bands["RELIANCE"][0] < price < bands["RELIANCE"][1]


async def test_P05_while_the_broker_lets_nobody_in_quotes_fill_in() -> None:
    async with watched() as stage:
        other = await stage.exchange.feed(RELIANCE)
        stage.exchange.exchange.switches.order(b'{"feed.one_socket": true}')
        stage.feed.feeding.hang_up("asked", "a test wants it")
        await stage.feed.until(lambda: stage.feed.feeding.can_take_over)
        asked = len(stage.quoted)
        await stage.pass_(30)
        assert len(stage.quoted) - asked in {5, 6}
        assert stage.quoted[-1] == {"RELIANCE", "INFY", "NIFTY"}
        await other.close()
