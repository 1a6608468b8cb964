"""The whole client against the built-in exchange, a process of its own."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from tests.upstox_stage import (
    FRIDAY,
    KEY,
    LIMIT_S,
    RELIANCE,
    StandingClock,
    free_port,
)
from ticktick.brokers.upstox.auth import Credentials, token_expiry_ns
from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.brokers.upstox.feed import feed_dial
from ticktick.brokers.upstox.files import InstrumentFiles
from ticktick.brokers.upstox.history import UpstoxHistory
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.instruments import resolve
from ticktick.brokers.upstox.keys import Subscriptions
from ticktick.brokers.upstox.login import log_in
from ticktick.brokers.upstox.master import Masters
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import NS_PER_MINUTE, MarketClock
from ticktick.domain.sessions import Calendar
from ticktick.domain.watchlist import WatchlistEntry
from ticktick.emulator.process import exchange_process
from ticktick.errors import AuthError
from ticktick.market.table import SlotTable


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[str]:
    async with exchange_process(["--port", "0"], tmp_path / "exchange.log") as url:
        yield url


async def emu(http: aiohttp.ClientSession, url: str, name: str) -> Any:
    method = "POST" if name == "token" else "GET"
    async with http.request(method, f"{url}/_emu/{name}", json={}) as answer:
        return await answer.json()


async def test_given_the_exchange_when_a_person_signs_in_then_the_token_works(
    exchange: str, http: aiohttp.ClientSession
) -> None:
    kept: list[str] = []
    rest = UpstoxRest(http, Hosts.loopback(exchange), lambda: kept[0])
    credentials = Credentials("demo-api-key", "demo-api-secret", f"http://localhost:{free_port()}")

    async with asyncio.TaskGroup() as group:

        async def person(url: str) -> None:
            group.create_task(approve(url))

        async def approve(url: str) -> None:
            page = await http.get(url)
            assert page.status == 200
            query = {
                name: values[0]
                for name, values in parse_qs(urlsplit(url).query).items()
                if name != "response_type"
            }
            approved = f"{exchange}/v2/login/authorization/approve?{urlencode(query)}"
            answer = await http.get(approved, allow_redirects=False)
            target = answer.headers["Location"].replace("localhost", "127.0.0.1")
            landed = await http.get(target)
            assert "signed in" in await landed.text()

        kept.append(await log_in(rest, credentials, "random-state", lambda: 0, person))
    clock = await emu(http, exchange, "clock")
    assert token_expiry_ns(kept[0]) > clock["now_ns"]
    assert (await rest.profile()).is_active


async def test_given_wrong_credentials_when_exchanging_a_code_then_the_settings_are_named(
    exchange: str, http: aiohttp.ClientSession
) -> None:
    rest = UpstoxRest(http, Hosts.loopback(exchange), lambda: None)
    form = {
        "code": "never-issued",
        "client_id": "demo-api-key",
        "client_secret": "wrong",
        "redirect_uri": "http://localhost:8000",
        "grant_type": "authorization_code",
    }
    with pytest.raises(AuthError, match="check api_key"):
        await rest.token(form)


async def test_given_the_exchange_when_followed_then_prices_of_every_instrument_arrive(
    exchange: str, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    token = (await emu(http, exchange, "token"))["access_token"]
    rest = UpstoxRest(http, Hosts.loopback(exchange), lambda: token)
    read = await emu(http, exchange, "clock")
    clock = MarketClock(read["now_ns"], read["rate"], lambda: 0)
    files = InstrumentFiles(http, rest.hosts, rest.budget)
    master = await Masters(files, tmp_path).first(FRIDAY)
    entries = [
        WatchlistEntry("Reliance Industries", KEY),
        WatchlistEntry("Bajaj Finance", "NSE_EQ|INE296A01024"),
        WatchlistEntry("NIFTY 50", "NSE_INDEX|Nifty 50"),
    ]
    found = resolve(entries, master.cash)
    assert [one.symbol for one in found.instruments][:2] == ["RELIANCE", "BAJFINANCE"]
    assert len(found.notes) == 1
    table, decoder = SlotTable(capacity=8), ProtobufDecoder()
    table.add(found.instruments)
    wish = Subscriptions(table.row_of_key, Random(1))
    async with asyncio.timeout(LIMIT_S), feed_dial(rest, lambda: wish.messages(0.0))() as wire:
        async for frame in wire:
            decoder.decode(frame, table, clock.now_ns(), 1)
            if (table.incoming["last_price"][:3] > 0).all():
                break
    share, index = table.incoming[0], table.incoming[2]
    assert 0 < share["bid_price"][0] < share["ask_price"][0]
    assert share["volume"] > 0
    assert not index["bid_price"].any()
    quotes = await rest.quotes([KEY])
    assert quotes[KEY].last_price == pytest.approx(share["last_price"] / 100, rel=0.02)
    assert (await rest.market_status("NSE")).status == "NORMAL_OPEN"


async def test_given_the_exchange_when_history_is_read_then_it_ends_at_the_last_full_minute(
    exchange: str, http: aiohttp.ClientSession
) -> None:
    rest = UpstoxRest(http, Hosts.loopback(exchange), lambda: None)
    now_ns = (await emu(http, exchange, "clock"))["now_ns"]
    history = UpstoxHistory(rest, [RELIANCE], StandingClock(now_ns), Calendar(), pytest.fail)
    candles = (await history.minutes("RELIANCE", 250)).candles
    assert len(candles) == 250
    assert candles[-1].end_ns == now_ns - now_ns % NS_PER_MINUTE
    assert len({candle.start_ns for candle in candles}) == 250


async def ticktick(home: Path, *arguments: str) -> tuple[int, str, str]:
    """Run a command in a workspace of its own: exit code, output, error output."""
    environ = {name: value for name, value in os.environ.items() if "UPSTOX" not in name}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ticktick", *arguments),
        env=environ | {"TICKTICK_HOME": str(home)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, errors = await child.communicate()
    return child.returncode or 0, output.decode(), errors.decode()


async def test_given_the_exchange_when_history_is_asked_for_then_candles_are_shown_in_rupees(
    exchange: str, tmp_path: Path
) -> None:
    code, output, errors = await ticktick(
        tmp_path, "history", "bajfinance", "--count", "3", "--json", "--exchange", exchange
    )
    assert code == 0
    (bajaj,) = json.loads(output)["symbols"]
    assert bajaj["instrument_key"] == "NSE_EQ|INE296A01032"
    assert [set(candle) for candle in bajaj["candles"]] == 3 * [
        {"start", "open", "high", "low", "close", "volume", "open_interest"}
    ]
    assert 100 < bajaj["candles"][-1]["close"] < 10_000
    assert "INE296A01024 is no longer listed" in errors
    code, output, _ = await ticktick(tmp_path, "history", "RELIANCE", "--exchange", exchange)
    assert code == 0
    assert output.startswith("RELIANCE  Reliance Industries, NSE_EQ|INE002A01018\n")
    assert len(output.splitlines()) == 6


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["login", "--no-browser"], "the login needs an api_key and an api_secret; create an app"),
        (["history", "--exchange", "http://10.0.0.1:80"], "an exchange must run on this machine"),
        (["history", "--exchange", "http://127.0.0.1:9"], "no built-in exchange answers at"),
    ],
)
async def test_given_what_cannot_work_when_commanded_then_one_plain_sentence_says_so(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    code, output, errors = await ticktick(tmp_path, *arguments)
    assert (code, output) == (1, "")
    assert errors.startswith(f"Error: {sentence}")
    assert len(errors.splitlines()) == 1
