"""The vendor's own SDK, unmodified but for where it connects, against `ticktick emulator`."""

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest

RELIANCE, INFY, NIFTY = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021", "NSE_INDEX|Nifty 50"
_LIMIT_S = 60.0


@pytest.fixture(scope="module")
def session() -> dict[str, Any]:
    """What the SDK saw from login to the end of the feed."""
    return asyncio.run(_session())


async def _session() -> dict[str, Any]:
    command = [sys.executable, "-m", "ticktick", "emulator", "--port", "0", "--speed", "4"]
    pipe = asyncio.subprocess.PIPE
    async with asyncio.timeout(_LIMIT_S):
        exchange = await asyncio.create_subprocess_exec(
            *command, "--exit-with-parent", "--start", "2026-11-20T10:30", stdin=pipe, stdout=pipe
        )
        try:
            assert exchange.stdout is not None
            url = (await exchange.stdout.readline()).decode().split()[1]
            script = Path(__file__).with_name("sdk_session.py")
            client = await asyncio.create_subprocess_exec(
                sys.executable, str(script), url, stdout=pipe, stderr=pipe
            )
            out, err = await client.communicate()
            assert client.returncode == 0, err.decode()[-2000:]
            seen: dict[str, Any] = json.loads(out)
            return seen
        finally:
            exchange.terminate()
            await exchange.wait()


def test_without_a_login_the_sdk_sees_the_broker_error(session: dict[str, Any]) -> None:
    refused = session["before_login"]
    assert refused["status"] == 401
    assert refused["body"]["errors"][0]["errorCode"] == "UDAPI100050"
    assert refused["body"]["errors"][0]["error_code"] == "UDAPI100050"


def test_the_login_gives_a_token_that_ends_at_half_past_three(session: dict[str, Any]) -> None:
    header, claims, _ = (_decoded(part) for part in session["token"].split("."))
    assert header == {"typ": "JWT", "key_id": "sk_v1.0", "alg": "HS256"}
    assert set(claims) == {"sub", "jti", "isMultiClient", "isPlusPlan", "iat", "iss", "exp"}
    assert claims["exp"] == 1795212000  # 2026-11-21 03:30 in India


def test_the_sdk_reads_profile_and_market_calendar(session: dict[str, Any]) -> None:
    rest = session["rest"]
    assert rest["profile"]["data"]["broker"] == "UPSTOX"
    assert rest["status"]["data"]["status"] == "NORMAL_OPEN"
    assert {row["exchange"] for row in rest["timings"]["data"]} >= {"NSE", "NFO"}
    assert rest["holiday"]["data"][0]["holiday_type"] == "TRADING_HOLIDAY"


def test_the_sdk_reads_candles_of_history_and_of_today(session: dict[str, Any]) -> None:
    history = session["rest"]["history"]["data"]["candles"]
    assert len(history) == 3 * 360
    assert history[0][0] == "2026-11-19T15:14:00+05:30"
    assert history[-1][0] == "2026-11-17T09:15:00+05:30"
    today = session["rest"]["intraday"]["data"]["candles"]
    assert today[-1][0] == "2026-11-20T09:15:00+05:30"
    assert today[0][0] >= "2026-11-20T10:30:00+05:30"
    assert len(session["rest"]["history_without_from"]["data"]["candles"]) > 60


def test_the_sdk_reads_quotes(session: dict[str, Any]) -> None:
    rest = session["rest"]
    assert set(rest["ltp"]["data"]) == {"NSE_EQ:RELIANCE", "NSE_INDEX:NIFTY"}
    assert rest["ltp"]["data"]["NSE_EQ:RELIANCE"]["cp"] == 1412.5
    full = rest["full"]["data"]["NSE_EQ:RELIANCE"]
    assert len(full["depth"]["buy"]) == len(full["depth"]["sell"]) == 5
    assert full["depth"]["buy"][0]["price"] < full["depth"]["sell"][0]["price"]
    assert rest["full_v3"]["data"]["NSE_EQ:RELIANCE"]["prev_close_price"] == 1412.5
    assert rest["ohlc"]["data"]["NSE_EQ:RELIANCE"]["prev_ohlc"]["volume"] > 0


def test_the_streamer_gets_status_snapshot_and_live_frames(session: dict[str, Any]) -> None:
    feed = session["feed"]
    assert feed["market_info"]["type"] == "market_info"
    assert feed["market_info"]["marketInfo"]["segmentStatus"]["NSE_EQ"] == "NORMAL_OPEN"
    assert "type" not in feed["snapshot"]
    stock = feed["snapshot"]["feeds"][RELIANCE]
    assert stock["requestMode"] == "full_d5"
    assert len(stock["fullFeed"]["marketFF"]["marketLevel"]["bidAskQuote"]) == 5
    bars = stock["fullFeed"]["marketFF"]["marketOHLC"]["ohlc"]
    assert [bar["interval"] for bar in bars] == ["1d", "I1"]
    assert "vtt" not in feed["snapshot"]["feeds"][NIFTY]["fullFeed"]["indexFF"]
    assert feed["live"]["type"] == feed["live_index"]["type"] == "live_feed"
    assert feed["errors"] == []


def test_subscribe_change_mode_and_unsubscribe_are_understood(session: dict[str, Any]) -> None:
    feed = session["feed"]
    assert set(feed["subscribed"]["feeds"]) == {INFY}
    assert set(feed["subscribed"]["feeds"][INFY]) == {"ltpc"}
    assert set(feed["subscribed_live"]["feeds"][INFY]) == {"ltpc"}
    assert "marketLevel" in feed["changed"]["feeds"][INFY]["fullFeed"]["marketFF"]
    assert feed["after_unsubscribe"] == [RELIANCE, NIFTY]


def _decoded(part: str) -> Any:
    padded = part + "=" * (-len(part) % 4)
    try:
        return json.loads(base64.urlsafe_b64decode(padded))
    except ValueError:
        return None
