"""A day's start with the vendor's own SDK, run by the conformance test as a process of its own.

Usage: sdk_session.py URL. Prints one JSON object with what the SDK returned. Only where the SDK
connects is changed: the REST host, and the literal host of its feed socket.
"""

import http.client
import json
import os
import queue
import socket
import sys
import traceback
import urllib.parse
from typing import Any

import upstox_client
import websocket
from upstox_client.rest import ApiException

RELIANCE, INFY, NIFTY = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021", "NSE_INDEX|Nifty 50"
CALL, FUTURE = "NSE_FO|60140", "NSE_FO|31930"
REDIRECT = "http://localhost:8000"
_LIMIT_S = 20.0
_sockets: list[Any] = []


def main() -> None:
    url = sys.argv[1]
    configuration = upstox_client.Configuration()
    configuration.host = configuration.order_host = url
    configuration.sandbox = False
    upstox_client.Configuration.set_default(configuration)
    api = upstox_client.ApiClient(configuration)
    seen: dict[str, Any] = {"before_login": refusal(api)}
    order_plus_plan(url)
    token = upstox_client.LoginApi(api).token(
        "2.0",
        code=authorization_code(url),
        client_id="demo-api-key",
        client_secret="demo-api-secret",
        redirect_uri=REDIRECT,
        grant_type="authorization_code",
    )
    configuration.access_token = token.access_token
    api = upstox_client.ApiClient(configuration)
    seen["token"] = token.access_token
    seen["rest"] = rest(api)
    seen["unknown_key"] = refusal_of(
        lambda: upstox_client.OptionsApi(api).get_option_contracts("NSE_INDEX|Nothing")
    )
    redirect_feed(url)
    seen["feed"] = Feed(api).run()
    seen["modes"] = Feed(api).modes()
    seen["logout"] = upstox_client.LoginApi(api).logout("2.0").to_dict()
    seen["after_logout"] = refusal(api)
    seen["token_request"] = (
        upstox_client.LoginApi(api)
        .init_token_request_for_indie_user(
            upstox_client.IndieUserTokenRequest(client_secret="demo-api-secret"), "demo-api-key"
        )
        .to_dict()
    )
    json.dump(seen, sys.stdout, default=str)
    sys.stdout.flush()


def order_plus_plan(url: str) -> None:
    """Give the demo account the plan that 30 levels of the book need."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=_LIMIT_S)
    connection.request("POST", "/_emu/switch", json.dumps({"account.plus": True}))
    assert connection.getresponse().status == 200


def authorization_code(url: str) -> str:
    """What the browser of a person who presses the button sends back."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=_LIMIT_S)
    query = urllib.parse.urlencode(
        {"client_id": "demo-api-key", "redirect_uri": REDIRECT, "state": "s1"}
    )
    connection.request("GET", f"/v2/login/authorization/approve?{query}")
    location = connection.getresponse().headers["Location"]
    answer = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)
    return answer["code"][0] if answer["state"] == ["s1"] else ""


def refusal(api: Any) -> dict[str, Any]:
    return refusal_of(lambda: upstox_client.UserApi(api).get_profile("2.0"))


def refusal_of(call: Any) -> dict[str, Any]:
    try:
        call()
    except ApiException as error:
        return {"status": error.status, "body": json.loads(error.body)}
    return {}


def rest(api: Any) -> dict[str, Any]:
    history = upstox_client.HistoryV3Api(api)
    quotes, quotes_v2 = upstox_client.MarketQuoteV3Api(api), upstox_client.MarketQuoteApi(api)
    calendar = upstox_client.MarketHolidaysAndTimingsApi(api)
    both = f"{RELIANCE},{NIFTY}"
    answers = {
        "profile": upstox_client.UserApi(api).get_profile("2.0"),
        "history": history.get_historical_candle_data1(
            RELIANCE, "minutes", "1", "2026-11-20", "2026-11-17"
        ),
        "history_without_from": history.get_historical_candle_data(
            NIFTY, "days", "1", "2026-11-20"
        ),
        "intraday": history.get_intra_day_candle_data(RELIANCE, "minutes", "5"),
        "ltp": quotes.get_ltp(instrument_key=both),
        "ohlc": quotes.get_market_quote_ohlc("I1", instrument_key=both),
        "full": quotes_v2.get_full_market_quote(both, "2.0"),
        "full_v3": quotes.get_full_market_quote_v3(instrument_key=both),
        "status": calendar.get_market_status("NSE"),
        "timings": calendar.get_exchange_timings("2026-11-20"),
        "holiday": calendar.get_holiday("2026-11-24"),
        "holidays": calendar.get_holidays(),
        **older_reads(api),
        **derivative_reads(api),
        **account_reads(api),
    }
    return {name: answer.to_dict() for name, answer in answers.items()}


def older_reads(api: Any) -> dict[str, Any]:
    history, quotes = upstox_client.HistoryApi(api), upstox_client.MarketQuoteApi(api)
    return {
        "history_v2": history.get_historical_candle_data1(
            RELIANCE, "1minute", "2026-11-19", "2026-11-19", "2.0"
        ),
        "history_v2_without_from": history.get_historical_candle_data(
            RELIANCE, "day", "2026-11-19", "2.0"
        ),
        "intraday_v2": history.get_intra_day_candle_data(RELIANCE, "30minute", "2.0"),
        "ltp_v2": quotes.ltp(f"{RELIANCE},{NIFTY}", "2.0"),
        "ohlc_v2": quotes.get_market_quote_ohlc(f"{RELIANCE},{NIFTY}", "1d", "2.0"),
    }


def derivative_reads(api: Any) -> dict[str, Any]:
    options, quotes = upstox_client.OptionsApi(api), upstox_client.MarketQuoteV3Api(api)
    search = upstox_client.InstrumentsApi(api).search_instrument
    return {
        "contracts": options.get_option_contracts(NIFTY, expiry_date="2026-12-01"),
        "chain": options.get_put_call_option_chain(NIFTY, "2026-12-01"),
        "greeks": quotes.get_market_quote_option_greek(instrument_key=CALL),
        "option_intraday": upstox_client.HistoryV3Api(api).get_intra_day_candle_data(
            CALL, "minutes", "1"
        ),
        "option_full": quotes.get_full_market_quote_v3(instrument_key=f"{CALL},{FUTURE}"),
        "search": search("NIFTY", instrument_types="CE", expiry="current_week", atm_offset=0),
        "search_stock": search("RELIANCE", exchanges="NSE", segments="EQ", records=5),
    }


def account_reads(api: Any) -> dict[str, Any]:
    user = upstox_client.UserApi(api)
    return {
        "funds": user.get_user_fund_margin("2.0"),
        "funds_v3": user.get_user_fund_margin_v3(),
        "kill_switch": user.get_kill_switch(),
    }


def redirect_feed(url: str) -> None:
    real = websocket.WebSocketApp
    ours = url.replace("http://", "ws://")

    class Redirected(real):  # type: ignore[misc, valid-type]
        def __init__(self, address: str, *rest: Any, **named: Any) -> None:
            super().__init__(address.replace("wss://api.upstox.com", ours), *rest, **named)
            _sockets.append(self)

    websocket.WebSocketApp = Redirected  # type: ignore[misc, assignment]


class Feed:
    """The SDK's streamer, its messages taken one after the other."""

    def __init__(self, api: Any) -> None:
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue()
        self._opened: queue.Queue[bool] = queue.Queue()
        self.errors: list[str] = []
        self._streamer = upstox_client.MarketDataStreamerV3(api, [RELIANCE, NIFTY], "full")
        self._streamer.on("open", lambda *_: self._opened.put(True))
        self._streamer.on("message", self._messages.put)
        self._streamer.on("error", lambda error: self.errors.append(repr(error)))

    def run(self) -> dict[str, Any]:
        self._streamer.connect()
        self._opened.get(timeout=_LIMIT_S)
        seen: dict[str, Any] = {
            "market_info": self._until(lambda message: "marketInfo" in message),
            "snapshot": self._until(lambda message: {RELIANCE, NIFTY} <= feeds(message)),
            "live": self._until(lambda message: RELIANCE in feeds(message)),
            "live_index": self._until(lambda message: NIFTY in feeds(message)),
        }
        self._streamer.subscribe([INFY], "ltpc")
        seen["subscribed"] = self._until(lambda message: INFY in feeds(message))
        seen["subscribed_live"] = self._until(
            lambda message: INFY in feeds(message) and message.get("type") == "live_feed"
        )
        self._streamer.change_mode([INFY], "full")
        seen["changed"] = self._until(
            lambda message: INFY in feeds(message) and "fullFeed" in message["feeds"][INFY]
        )
        self._streamer.unsubscribe([INFY])
        marker = self._until(lambda message: INFY not in feeds(message) and bool(feeds(message)))
        seen["after_unsubscribe"] = self._keys_of_next(40)
        seen["marker"] = marker.get("type")
        self._streamer.disconnect()
        return seen | {"errors": self.errors}

    def modes(self) -> dict[str, Any]:
        """What each mode tells of an option, a future, a stock and an index; then a reconnect."""
        self._streamer.connect()
        self._opened.get(timeout=_LIMIT_S)
        seen: dict[str, Any] = {}
        keys = {CALL, FUTURE, RELIANCE, NIFTY}
        for mode in ("ltpc", "option_greeks", "full", "full_d30"):
            self._streamer.subscribe(sorted(keys), mode)
            snapshot = self._until(lambda message: keys <= feeds(message) and "type" not in message)
            live = self._until(lambda message: CALL in feeds(message) and "type" in message)
            seen[mode] = {"snapshot": snapshot, "live": live}
            self._streamer.unsubscribe(sorted(keys - {NIFTY, RELIANCE}))
        self._streamer.subscribe([CALL], "option_greeks")
        self._until(lambda message: feeds(message) == {CALL})
        _sockets[-1].sock.sock.shutdown(socket.SHUT_RDWR)
        self._opened.get(timeout=_LIMIT_S)
        again = self._until(lambda message: CALL in feeds(message) and "type" not in message)
        self._streamer.disconnect()
        return seen | {"after_reconnect": again, "errors": self.errors}

    def _until(self, wanted: Any) -> dict[str, Any]:
        while True:
            message = self._messages.get(timeout=_LIMIT_S)
            if wanted(message):
                return message

    def _keys_of_next(self, count: int) -> list[str]:
        """Keys of the last half of the next messages: those on their way may still hold more."""
        messages = [self._messages.get(timeout=_LIMIT_S) for _ in range(count)]
        return sorted({key for message in messages[count // 2 :] for key in feeds(message)})


def feeds(message: dict[str, Any]) -> set[str]:
    return set(message.get("feeds", {}))


if __name__ == "__main__":
    status = 1
    try:
        main()
        status = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stderr.flush()
        os._exit(status)  # the SDK's socket thread notices its end up to ten seconds late
