"""The feed of a run against the built-in exchange's faults: what breaks it, and how it returns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.exchange_stage import INFY, RELIANCE, ExchangeStage, exchange_stage
from tests.feed_stage import ExchangeClock, FeedStage, rest_of
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.market import Freshness
from ticktick.errors import AuthError, ConfigError
from ticktick.login import Held, Login

WATCHED = (
    Instrument("RELIANCE", "Reliance", "NSE", "NSE_EQ", RELIANCE, Kind.EQUITY),
    Instrument("INFY", "Infosys", "NSE", "NSE_EQ", INFY, Kind.EQUITY),
)


@asynccontextmanager
async def stages() -> AsyncIterator[tuple[ExchangeStage, FeedStage, Login]]:
    """An exchange and a feed that is up and has told both symbols."""
    async with exchange_stage() as exchange:
        login = Login(Held(exchange.exchange.login.live_token(exchange.now_ns)))
        clock = ExchangeClock(exchange)
        rest = rest_of(exchange, login)
        async with FeedStage(rest, login, clock, WATCHED) as feed:
            await feed.until(lambda: told(feed) == {"RELIANCE", "INFY"})
            yield exchange, feed, login


def told(feed: FeedStage) -> set[str]:
    """The symbols that the present link has told."""
    market = feed.engine.market
    fresh = zip(market.table.instruments, market.freshness, strict=True)
    return {one.symbol for one, freshness in fresh if freshness is Freshness.FRESH}


async def test_F01_a_connection_reset_in_the_middle_of_a_frame_leaves_no_half_tick() -> None:
    async with stages() as (exchange, feed, _):
        frames = len(feed.diary.frames)
        before = feed.engine.market.table.records.copy()
        await exchange.fault("ws.rst")
        await feed.until(lambda: "closed" in feed.diary.causes)
        assert len(feed.diary.frames) == frames
        assert (feed.engine.market.table.records == before).all()
        assert told(feed) == set()
        await feed.until(lambda: told(feed) == {"RELIANCE", "INFY"})
        assert feed.diary.causes == ["up", "closed", "up"]
        assert feed.returns == 1


async def test_F02_a_connection_that_is_half_open_is_dead_within_fifteen_seconds() -> None:
    async with stages() as (exchange, feed, _):
        await feed.look(3.0)
        last_life_s = feed.hand.now_s
        await exchange.fault("ws.freeze")
        while "closed" not in feed.diary.causes:
            assert feed.hand.now_s - last_life_s <= 15.0
            await feed.look(0.25)
        await exchange.clear()
        await feed.look(5.1)
        await feed.until(lambda: told(feed) == {"RELIANCE", "INFY"})


async def test_F05_a_damaged_frame_is_counted_and_three_in_ten_seconds_end_the_connection() -> None:
    async with stages() as (exchange, feed, _):
        await exchange.fault("ws.random")
        for _ in range(2):
            await damage(exchange, feed)
        feed.hand.now_s += 10.0
        await damage(exchange, feed)
        assert feed.diary.causes == ["up"]
        await damage(exchange, feed)
        await damage(exchange, feed)
        await feed.until_causes("up", "damaged")
        assert feed.engine.market.counters["frames_rejected"] == 5
        await exchange.clear()
        await feed.until(lambda: told(feed) == {"RELIANCE", "INFY"})


async def test_F05_a_frame_of_five_megabytes_is_counted_and_the_connection_stays() -> None:
    async with stages() as (exchange, feed, _):
        await exchange.fault("ws.random", args={"bytes": 5 << 20})
        exchange.move(0.3)
        await feed.until(lambda: feed.engine.market.counters["frames_rejected"] > 0)
        assert feed.diary.frames[-1].data == b""
        await exchange.clear()
        exchange.move(1)
        await feed.until(lambda: len(feed.diary.frames[-1].data) > 0)
        assert feed.diary.causes == ["up"]


async def damage(exchange: ExchangeStage, feed: FeedStage) -> None:
    """Let the exchange send one frame, which is a damaged one."""
    frames = len(feed.diary.frames)
    while len(feed.diary.frames) == frames:
        exchange.move(0.01)
        await feed.look()


async def test_F05_what_the_feed_says_in_a_text_frame_is_told_once() -> None:
    async with stages() as (exchange, feed, _):
        await exchange.fault(
            "ws.text", args={"text": '{"status":"failed","error":"too many keys"}'}
        )
        for _ in range(2):
            await damage(exchange, feed)
        await feed.look()
        await feed.until(lambda: len(feed.diary.notes) > 0)
        assert feed.diary.notes == ["the feed refused a request: too many keys"]


async def test_F08_a_symbol_that_is_not_told_is_asked_for_again_and_then_named() -> None:
    async with stages() as (exchange, feed, _):
        await exchange.fault("ws.drop_sub", match=INFY)
        feed.feeding.hang_up("asked", "a test wants it")
        await feed.until(lambda: feed.diary.causes[-2:] == ["asked", "up"])
        await feed.until(lambda: told(feed) == {"RELIANCE"})
        await feed.look(4.9)
        assert not feed.feeding.unheard
        await feed.look(0.2)
        await feed.look(4.9)
        assert not feed.feeding.unheard
        await feed.look(0.2)
        assert feed.feeding.unheard == ("INFY",)
        await feed.look(60.0)
        await feed.until(lambda: len(feed.diary.notes) > 0)
        assert feed.diary.notes == ["INFY was asked for twice, but the feed does not tell it"]
        assert told(feed) == {"RELIANCE"}


async def test_F08_a_symbol_that_is_told_the_second_time_is_not_named() -> None:
    async with stages() as (exchange, feed, _):
        await exchange.fault("ws.drop_sub", match=INFY)
        feed.feeding.hang_up("asked", "a test wants it")
        await feed.until(lambda: told(feed) == {"RELIANCE"})
        await exchange.clear()
        await feed.look(5.1)
        await feed.until(lambda: told(feed) == {"RELIANCE", "INFY"})
        await feed.look(30.0)
        assert (feed.feeding.unheard, feed.diary.notes) == ((), [])


async def test_the_keys_change_while_the_connection_stays() -> None:
    async with stages() as (exchange, feed, _):
        (link,) = exchange.exchange.connections
        feed.feeding.change_keys([RELIANCE, "NSE_INDEX|Nifty 50"])
        frames = len(feed.diary.frames)
        await feed.look()
        await feed.until(lambda: len(feed.diary.frames) > frames)
        assert list(link.keys) == [RELIANCE, "NSE_INDEX|Nifty 50"]
        assert feed.diary.causes == ["up"]
        with pytest.raises(ConfigError, match="take 1 off the list"):
            feed.feeding.change_keys([f"NSE_EQ|K{number}" for number in range(2001)])


async def test_F52_a_program_that_was_there_first_keeps_the_feed_until_the_user_takes_over() -> (
    None
):
    async with stages() as (exchange, feed, _):
        other = await exchange.feed(RELIANCE)
        exchange.exchange.switches.order(b'{"feed.one_socket": true}')
        feed.feeding.hang_up("asked", "a test wants it")
        await feed.until(lambda: "taken" in feed.diary.causes)
        assert feed.diary.causes[-3:] == ["refused", "refused", "taken"]
        assert [pause_s for pause_s in feed.hand.paused_s if pause_s >= 1.0] == [30.0, 30.0]
        assert "take over" in feed.diary.links[-1].reason
        assert feed.feeding.can_take_over
        with pytest.raises(ConfigError, match="take over instead"):
            feed.feeding.reconnect()
        await other.close()
        await feed.look(3600.0)
        assert feed.diary.causes[-1] == "taken"
        feed.feeding.take_over()
        await feed.until(lambda: told(feed) == {"RELIANCE", "INFY"})
        assert not feed.feeding.can_take_over
        with pytest.raises(ConfigError, match="no other program"):
            feed.feeding.take_over()


async def test_a_new_connection_on_demand_tells_who_asked() -> None:
    async with stages() as (_, feed, _):
        assert "anew" in feed.feeding.reconnect()
        await feed.until(lambda: feed.diary.causes == ["up", "asked", "up"])
        assert feed.returns == 1


async def test_F09_a_hundred_losses_leave_one_link_and_nothing_behind() -> None:
    async with stages() as (exchange, feed, _):
        tasks, files, moments = len(asyncio.all_tasks()), open_files(), [feed.hand.now_s]
        for _ in range(100):
            exchange.move(6)  # so that the exchange's own limits are kept
            await exchange.fault("ws.close")
            await feed.until(lambda: feed.diary.causes[-1] in {"closed", "taken"})
            if feed.feeding.can_take_over:
                feed.feeding.take_over()
            await feed.until(lambda: told(feed) == {"RELIANCE", "INFY"})
            moments.append(feed.hand.now_s)
        assert len(asyncio.all_tasks()) <= tasks + 2
        assert open_files() <= files + 2
        (link,) = exchange.exchange.connections
        assert list(link.keys) == [RELIANCE, INFY]
        assert all(sum(at <= one < at + 60.0 for one in moments) <= 10 for at in moments)


def open_files() -> int:
    """Open file descriptors of this process, 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


async def refuses_within_a_second(exchange: ExchangeStage, feed: FeedStage) -> None:
    """A token that ends while the feed runs stops everything as soon as any read is refused."""
    await exchange.fault("auth.expire")
    with pytest.raises(AuthError):
        await feed.rest.quotes([RELIANCE])
    for _ in range(4):
        await feed.look(0.25)
    assert feed.diary.causes == ["up", "login"]
    assert "ticktick login" in feed.diary.links[-1].reason
    assert told(feed) == set()


async def test_P23_F16_any_refused_token_stops_the_feed_within_a_second_and_nobody_is_asked() -> (
    None
):
    async with stages() as (exchange, feed, login):
        await refuses_within_a_second(exchange, feed)
        assert login.state(exchange.now_ns) == "refused"
        asked = feed.rest.budget.left
        for _ in range(240):
            await feed.look(0.25)
        with pytest.raises(AuthError, match="any more"):
            await feed.rest.quotes([RELIANCE])
        assert feed.rest.latency_ms is None or feed.rest.budget.left >= asked - 1e-4
        login.take(Held(exchange.exchange.login.live_token(exchange.now_ns)))
        await feed.look(0.25)
        await feed.until(lambda: told(feed) == {"RELIANCE", "INFY"})
        assert await feed.rest.quotes([RELIANCE])


async def test_P23_a_client_that_keeps_a_refusal_to_itself_is_noticed() -> None:
    async with stages() as (exchange, feed, login):
        mutant = rest_of(exchange, Login(login.held))
        feed.rest = mutant
        with pytest.raises(AssertionError):
            await refuses_within_a_second(exchange, feed)


async def test_F16_the_feed_ends_when_the_token_does_by_the_clock_of_the_market() -> None:
    async with stages() as (exchange, feed, login):
        exchange.exchange.jump(login.expires_ns - 1_000_000_000)
        await feed.look(0.25)
        assert feed.diary.causes == ["up"]
        exchange.exchange.jump(login.expires_ns)
        await feed.look(0.25)
        await feed.until_causes("up", "login")
        assert "ended 21 Nov 2026 03:30 IST" in feed.diary.links[-1].reason


async def test_P23_a_new_login_while_connected_opens_the_feed_with_it() -> None:
    async with stages() as (exchange, feed, login):
        login.take(Held(exchange.exchange.login.mint(exchange.now_ns)))
        await feed.look(0.25)
        await feed.until(lambda: feed.diary.causes == ["up", "asked", "up"])
