"""The vendor's own SDK, unmodified and on the broker's own hosts, against `ticktick emulator`."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.integration.test_emulator_server import started
from tests.tunnel_stage import tunnel
from tests.upstox_stage import self_signed_context

RELIANCE, NIFTY = "NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50"
_LIMIT_S = 100.0


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the SDK saw, and which hosts it asked the proxy for."""
    return asyncio.run(_session(tmp_path_factory.mktemp("certificate")))


async def _session(folder: Path) -> dict[str, Any]:
    exchange, url = await started("--start", "2026-11-20T10:30", "--speed", "4")
    pipe = asyncio.subprocess.PIPE
    try:
        async with (
            asyncio.timeout(_LIMIT_S),
            tunnel(url, self_signed_context(folder)) as way,
        ):
            client = await asyncio.create_subprocess_exec(
                *(sys.executable, str(Path(__file__).with_name("sdk_untouched.py"))),
                *(url, way.proxy),
                stdout=pipe,
                stderr=pipe,
                env={**os.environ, "https_proxy": way.proxy, "no_proxy": ""},
            )
            out, err = await client.communicate()
            assert client.returncode == 0, err.decode()[-3000:]
            seen: dict[str, Any] = json.loads(out)
            return seen | {"targets": set(way.targets), "refused": way.refused}
    finally:
        exchange.terminate()
        await exchange.wait()


def test_the_sdk_keeps_the_brokers_hosts_and_never_leaves_the_machine(
    session: dict[str, Any],
) -> None:
    assert session["hosts"] == ["https://api.upstox.com", "https://api-hft.upstox.com"]
    assert session["targets"] == {"api.upstox.com:443", "wsfeeder-api.upstox.com:443"}
    assert session["refused"] == []


def test_profile_quotes_and_candles_are_read_through_tls(session: dict[str, Any]) -> None:
    assert session["profile"]["data"]["user_id"] == "TT0001"
    assert set(session["ltp"]["data"]) == {"NSE_EQ:RELIANCE", "NSE_INDEX:NIFTY"}
    assert session["candles"]["data"]["candles"][-1][0] == "2026-11-20T09:15:00+05:30"


def test_the_streamer_subscribes_changes_the_mode_and_unsubscribes(
    session: dict[str, Any],
) -> None:
    modes = session["modes"]
    assert modes["market_info"]["marketInfo"]["segmentStatus"]["NSE_EQ"] == "NORMAL_OPEN"
    assert "type" not in modes["full"]
    stock = modes["full"]["feeds"][RELIANCE]
    assert len(stock["fullFeed"]["marketFF"]["marketLevel"]["bidAskQuote"]) == 5
    assert set(modes["live"]["feeds"]) <= {RELIANCE, NIFTY}
    assert set(modes["changed"]["feeds"][RELIANCE]) == {"ltpc"}
    assert modes["after_unsubscribe"] == [NIFTY]


def test_after_a_close_with_1011_the_streamer_has_its_keys_again(session: dict[str, Any]) -> None:
    drop = session["drop"]
    assert drop["code"] == 1011
    assert drop["reconnecting"] == ["Auto reconnect attempt 1/5"]
    assert drop["again"]["feeds"][RELIANCE]["requestMode"] == "full_d5"
    assert set(drop["live"]["feeds"]) == {RELIANCE}


def test_thirty_levels_are_for_the_plus_plan_and_fifty_keys(session: dict[str, Any]) -> None:
    plans = session["plans"]
    assert plans["without"] == [NIFTY]
    assert (plans["most"], plans["levels"]) == (50, [30])


def test_a_text_frame_is_an_error_event_of_the_streamer(session: dict[str, Any]) -> None:
    assert "expected bytes, str found" in session["plans"]["text"]


def test_a_third_socket_is_refused_with_403(session: dict[str, Any]) -> None:
    assert "Handshake status 403" in session["third_socket"]


def test_a_dead_token_is_401_over_rest_and_at_the_handshake_and_ends_the_streamer(
    session: dict[str, Any],
) -> None:
    expired = session["expired"]
    assert expired["status"] == 401
    assert "401 Unauthorized" in expired["handshake"]
    assert (expired["reopened"], expired["reconnecting"]) == (False, [])


async def test_a_client_that_would_leave_the_machine_is_found_out(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(_LIMIT_S),
        tunnel("http://127.0.0.1:9", self_signed_context(tmp_path)) as way,
        aiohttp.ClientSession() as http,
    ):
        with pytest.raises(aiohttp.ClientHttpProxyError, match="403"):
            await http.get("https://status.upstox.com/", proxy=way.proxy)
    assert way.refused == ["status.upstox.com:443"]
