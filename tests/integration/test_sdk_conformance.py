"""The vendor's own SDK, unmodified but for where it connects, against `ticktick emulator`."""

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest

RELIANCE, INFY, NIFTY = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021", "NSE_INDEX|Nifty 50"
CALL, FUTURE = "NSE_FO|60140", "NSE_FO|31930"
CONTRACT_FIELDS = (
    *("name", "segment", "exchange", "expiry", "weekly", "instrument_key", "exchange_token"),
    *("trading_symbol", "tick_size", "lot_size", "instrument_type", "freeze_quantity"),
    *("underlying_key", "underlying_type", "underlying_symbol", "strike_price", "minimum_lot"),
)
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


def test_the_sdk_reads_candles_and_quotes_in_their_older_form(session: dict[str, Any]) -> None:
    rest = session["rest"]
    assert len(rest["history_v2"]["data"]["candles"]) == 360
    assert rest["history_v2"]["data"]["candles"][0] == rest["history"]["data"]["candles"][0]
    assert len(rest["history_v2_without_from"]["data"]["candles"]) > 60
    assert rest["intraday_v2"]["data"]["candles"][-1][0] == "2026-11-20T09:15:00+05:30"
    assert rest["ltp_v2"]["data"]["NSE_EQ:RELIANCE"]["instrument_token"] == RELIANCE
    ohlc = rest["ohlc_v2"]["data"]["NSE_EQ:RELIANCE"]
    assert ohlc["ohlc"]["low"] <= ohlc["last_price"] <= ohlc["ohlc"]["high"]


def test_the_sdk_reads_contracts_chain_and_greeks(session: dict[str, Any]) -> None:
    rest = session["rest"]
    contracts = rest["contracts"]["data"]
    assert len(contracts) == 82
    assert all(row[field] is not None for row in contracts for field in CONTRACT_FIELDS)
    chain = rest["chain"]["data"]
    assert len(chain) == 41
    assert not _missing(chain)
    strikes = [row["strike_price"] for row in chain]
    assert strikes == sorted(strikes)
    greeks = rest["greeks"]["data"]["NSE_FO:NIFTY 25900 CE 01 DEC 26"]
    assert not _missing(greeks)
    assert 0 < greeks["delta"] < 1
    candle = rest["option_intraday"]["data"]["candles"][-1]
    assert candle[0] == "2026-11-20T09:15:00+05:30"
    assert candle[6] > 0
    assert all(item["previous_oi"] > 0 for item in rest["option_full"]["data"].values())
    (broker_error,) = session["unknown_key"]["body"]["errors"]
    assert broker_error["errorCode"] == "UDAPI100011"


def test_the_sdk_searches_instruments(session: dict[str, Any]) -> None:
    (option,) = session["rest"]["search"]["data"]
    assert option["instrument_type"] == "CE"
    assert option["expiry"] == "2026-12-01"
    (stock,) = session["rest"]["search_stock"]["data"]
    assert stock["instrument_key"] == RELIANCE
    page = session["rest"]["search_stock"]["meta_data"]["page"]
    assert page == {"page_number": 1, "total_pages": 1, "records": 1, "total_records": 1}


def test_the_sdk_reads_the_account(session: dict[str, Any]) -> None:
    rest = session["rest"]
    for name in ("funds", "funds_v3", "kill_switch"):
        assert not _missing(rest[name]["data"])
    funds = rest["funds_v3"]["data"]["available_to_trade"]
    assert funds["total"] == funds["cash_available_to_trade"]["total"]
    assert len(rest["kill_switch"]["data"]) == 8
    kinds = {row["holiday_type"] for row in rest["holidays"]["data"]}
    assert kinds == {"TRADING_HOLIDAY", "SPECIAL_TIMING"}


def test_the_sdk_logs_out_and_asks_for_a_token(session: dict[str, Any]) -> None:
    assert session["logout"]["data"] is True
    assert session["after_logout"]["status"] == 401
    asked = session["token_request"]["data"]
    assert asked["authorization_expiry"] == "1795212000000"
    assert asked["notifier_url"]


@pytest.mark.parametrize("moment", ["snapshot", "live"])
def test_every_mode_tells_an_option_what_it_promises(session: dict[str, Any], moment: str) -> None:
    told = {
        mode: session["modes"][mode][moment]["feeds"][CALL]
        for mode in ("ltpc", "option_greeks", "full", "full_d30")
    }
    assert set(told["ltpc"]) == {"ltpc"}
    first = told["option_greeks"]
    assert first["requestMode"] == "option_greeks"
    assert {"vtt", "oi", "iv"} <= set(first["firstLevelWithGreeks"])
    for mode, name in (("full", "full_d5"), ("full_d30", "full_d30")):
        assert told[mode]["requestMode"] == name
        assert {"vtt", "atp", "oi", "iv", "tbq", "tsq"} <= set(told[mode]["fullFeed"]["marketFF"])


def test_a_snapshot_is_complete_in_every_mode(session: dict[str, Any]) -> None:
    greeks = {"delta", "theta", "gamma", "vega", "rho"}
    feeds = session["modes"]["option_greeks"]["snapshot"]["feeds"]
    first = feeds[CALL]["firstLevelWithGreeks"]
    assert set(first["optionGreeks"]) == greeks
    assert set(first["firstDepth"]) == {"bidQ", "bidP", "askQ", "askP"}
    assert "optionGreeks" not in feeds[FUTURE]["firstLevelWithGreeks"]
    assert feeds[FUTURE]["firstLevelWithGreeks"]["oi"] > 0
    assert set(feeds[NIFTY]["firstLevelWithGreeks"]) == {"ltpc"}
    for mode, levels in (("full", 5), ("full_d30", 30)):
        feeds = session["modes"][mode]["snapshot"]["feeds"]
        for key in (CALL, FUTURE, RELIANCE):
            inner = feeds[key]["fullFeed"]["marketFF"]
            assert len(inner["marketLevel"]["bidAskQuote"]) == levels
            assert [bar["interval"] for bar in inner["marketOHLC"]["ohlc"]] == ["1d", "I1"]
        assert set(feeds[CALL]["fullFeed"]["marketFF"]["optionGreeks"]) == greeks


def test_after_a_lost_connection_the_sdk_gets_its_keys_again(session: dict[str, Any]) -> None:
    again = session["modes"]["after_reconnect"]["feeds"]
    assert again[CALL]["requestMode"] == "option_greeks"
    assert FUTURE not in again


def _missing(content: Any, path: str = "") -> list[str]:
    """Where an answer has nothing although the SDK knows a field."""
    if isinstance(content, dict):
        return [gap for name, part in content.items() for gap in _missing(part, f"{path}.{name}")]
    if isinstance(content, list):
        return [gap for part in content for gap in _missing(part, path)]
    return [path] if content is None else []


def _decoded(part: str) -> Any:
    padded = part + "=" * (-len(part) % 4)
    try:
        return json.loads(base64.urlsafe_b64decode(padded))
    except ValueError:
        return None
