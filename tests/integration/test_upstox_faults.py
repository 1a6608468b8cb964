"""Reads against a broken exchange: never a half answer, no pile-up, and the limits kept."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date

import aiohttp
import pytest
import stamina
from aiohttp import web

from tests.exchange_stage import RELIANCE, exchange_stage
from tests.feed_stage import rest_of
from tests.upstox_stage import FRIDAY, KEY, TOKEN, listening
from ticktick.brokers.budget import Priority
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.errors import BrokerError, RateLimited
from ticktick.login import Held, Login

Read = Callable[[UpstoxRest], Awaitable[object]]

READS: dict[str, Read] = {
    "profile": lambda rest: rest.profile(),
    "quotes": lambda rest: rest.quotes([RELIANCE]),
    "market/status": lambda rest: rest.market_status("NSE"),
    "authorize": lambda rest: rest.authorise_feed(),
    "intraday": lambda rest: rest.intraday_minutes(RELIANCE),
    "historical": lambda rest: rest.history_minutes(RELIANCE, FRIDAY, date(2026, 11, 2)),
}
FAULTS: list[tuple[str, dict[str, object]]] = [
    ("rest.status", {"code": 500}),
    ("rest.status", {"code": 503, "body": "<html>down for maintenance</html>"}),
    ("rest.status", {"code": 200, "body": "<html>sign in</html>"}),
    ("rest.badjson", {}),
    ("rest.partial_body", {}),
    ("rest.rst_before_accept", {}),
    ("rest.rst_after_accept", {}),
]

pytestmark = pytest.mark.usefixtures("retries_do_not_wait")


@pytest.mark.parametrize(("verb", "args"), FAULTS)
async def test_F13_a_read_that_breaks_is_repeated_and_never_half_believed(
    verb: str, args: dict[str, object]
) -> None:
    async with exchange_stage() as exchange:
        rest = rest_of(exchange, Login(Held(exchange.exchange.login.live_token(exchange.now_ns))))
        for read in READS.values():
            whole = await read(rest)
            left = rest.budget.left
            await exchange.fault(verb, args=args)
            with pytest.raises(BrokerError):
                await read(rest)
            assert round((left - rest.budget.left) * 100_000) == 4
            await exchange.clear()
            again = await read(rest)
            assert type(again) is type(whole)


async def test_F15_a_refused_rate_is_asked_about_once_and_the_class_rests() -> None:
    async with exchange_stage() as exchange:
        rest = rest_of(exchange, Login(Held(exchange.exchange.login.live_token(exchange.now_ns))))
        await exchange.fault("rest.status", args={"code": 429})
        with pytest.raises(RateLimited):
            await rest.quotes([RELIANCE])
        await exchange.clear()
        waits = [asyncio.ensure_future(READS[name](rest)) for name in ("quotes", "intraday")]
        for _ in range(20):
            await asyncio.sleep(0)
        assert (rest.budget.waiting, rest.budget.left) == (2, 0.0)
        for wait in waits:
            wait.cancel()


async def test_F14_slow_reads_do_not_pile_up_and_the_feed_still_gets_its_address() -> None:
    under_way, most = 0, 0
    go_on = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if "authorize" not in request.path:
            await go_on.wait()
        under_way -= 1
        feed = {"authorized_redirect_uri": "ws://127.0.0.1:1/feeds"}
        return web.json_response({"data": feed if "authorize" in request.path else {"candles": []}})

    async with (
        asyncio.timeout(30),
        listening(answer) as port,
        aiohttp.ClientSession() as http,
        asyncio.TaskGroup() as group,
    ):
        rest = UpstoxRest(http, Hosts.loopback(f"http://127.0.0.1:{port}"), lambda: TOKEN)
        slow = [group.create_task(rest.intraday_minutes(KEY, Priority.DEEP)) for _ in range(12)]
        assert await rest.authorise_feed() == "ws://127.0.0.1:1/feeds"
        assert not any(task.done() for task in slow)
        go_on.set()
    assert most <= 4


@pytest.mark.slow
async def test_F14_a_read_without_an_answer_is_given_up_after_ten_seconds() -> None:
    async with exchange_stage() as exchange:
        rest = rest_of(exchange, Login(Held(exchange.exchange.login.live_token(exchange.now_ns))))
        await exchange.fault("rest.delay", args={"s": 60})
        with (
            pytest.raises(BrokerError, match="cannot reach"),
            stamina.set_testing(True, attempts=1),
        ):
            async with asyncio.timeout(15):
                await rest.quotes([RELIANCE])
