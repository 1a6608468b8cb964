"""A day's troubles with the vendor's own SDK, nothing of it changed but settings it offers.

Usage: sdk_untouched.py EXCHANGE_URL PROXY, with PROXY in the variable https_proxy too. The SDK
keeps the broker's hosts; EXCHANGE_URL is where faults are ordered. Prints one JSON object.
"""

import http.client
import json
import os
import queue
import sys
import traceback
import urllib.parse
import warnings
from collections.abc import Callable
from typing import Any

import upstox_client
from upstox_client.rest import ApiException

RELIANCE, NIFTY = "NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50"
_LIMIT_S = 30.0


def main() -> None:
    url, proxy = sys.argv[1:]
    warnings.simplefilter("ignore")  # every call would tell that the certificate is not checked
    configuration = upstox_client.Configuration()
    configuration.proxy, configuration.verify_ssl = proxy, False
    configuration.access_token = post(url, "/_emu/token", {})["access_token"]
    api = upstox_client.ApiClient(configuration)
    seen: dict[str, Any] = {"hosts": [configuration.host, configuration.order_host]}
    seen["profile"] = upstox_client.UserApi(api).get_profile("2.0").to_dict()
    quotes = upstox_client.MarketQuoteV3Api(api)
    seen["ltp"] = quotes.get_ltp(instrument_key=f"{RELIANCE},{NIFTY}").to_dict()
    seen["candles"] = (
        upstox_client.HistoryV3Api(api)
        .get_intra_day_candle_data(RELIANCE, "minutes", "5")
        .to_dict()
    )
    chain = upstox_client.OptionsApi(api).get_put_call_option_chain(NIFTY, "2026-12-01").data
    calls = [row.call_options.instrument_key for row in chain]
    puts = [row.put_options.instrument_key for row in chain]
    seen["modes"] = modes(api)
    seen["drop"] = drop(api, url)
    seen["plans"] = plans(api, url, calls + puts)
    seen["third_socket"] = third_socket(api)
    seen["expired"] = expired(api, url)
    json.dump(seen, sys.stdout, default=str)
    sys.stdout.flush()


def modes(api: Any) -> dict[str, Any]:
    """A subscription of each mode, a change of mode, and the end of a subscription."""
    feed = Feed(api, [RELIANCE, NIFTY], "full")
    seen: dict[str, Any] = {"market_info": feed.until(lambda message: "marketInfo" in message)}
    seen["full"] = feed.until(lambda message: {RELIANCE, NIFTY} <= feeds(message))
    seen["live"] = feed.until(lambda message: message.get("type") == "live_feed")
    feed.streamer.change_mode([RELIANCE], "ltpc")
    seen["changed"] = feed.until(lambda message: "ltpc" in message["feeds"].get(RELIANCE, {}))
    feed.streamer.unsubscribe([RELIANCE])
    marker = [feed.until(lambda message: NIFTY in feeds(message)) for _ in range(20)]
    seen["after_unsubscribe"] = sorted({key for one in marker[10:] for key in feeds(one)})
    feed.streamer.disconnect()
    return seen


def drop(api: Any, url: str) -> dict[str, Any]:
    """The exchange closes with 1011; the streamer comes back and asks for its keys again."""
    feed = Feed(api, [RELIANCE], "full")
    feed.until(lambda message: RELIANCE in feeds(message))
    post(url, "/_emu/fault", {"verb": "ws.close", "args": {"code": 1011}})
    closed = feed.closed.get(timeout=_LIMIT_S)
    feed.opened.get(timeout=_LIMIT_S)
    again = feed.until(lambda message: RELIANCE in feeds(message) and "type" not in message)
    live = feed.until(lambda message: message.get("type") == "live_feed")
    feed.streamer.disconnect()
    return {"code": closed, "again": again, "live": live, "reconnecting": feed.reconnecting}


def plans(api: Any, url: str, options: list[str]) -> dict[str, Any]:
    """Thirty levels without the Plus plan, with it, and more keys than it allows."""
    post(url, "/_emu/switch", {"feed.d30_for_all": False, "account.plus": False})
    feed = Feed(api, [NIFTY], "ltpc")
    feed.streamer.subscribe([RELIANCE], "full_d30")
    without = [feed.until(lambda message: bool(feeds(message))) for _ in range(10)]
    feed.streamer.disconnect()
    post(url, "/_emu/switch", {"account.plus": True})
    feed = Feed(api, options[:60], "full_d30")
    many = feed.until(lambda message: bool(feeds(message)))
    feed.streamer.disconnect()
    post(url, "/_emu/switch", {"account.plus": False, "feed.text_errors": True})
    feed = Feed(api, [NIFTY], "full_d30")
    text = feed.errors.get(timeout=_LIMIT_S)
    feed.streamer.disconnect()
    levels = {
        len(one["fullFeed"]["marketFF"]["marketLevel"]["bidAskQuote"])
        for one in many["feeds"].values()
    }
    return {
        "without": sorted({key for one in without for key in feeds(one)}),
        "most": len(many["feeds"]),
        "levels": sorted(levels),
        "text": text,
    }


def third_socket(api: Any) -> str:
    """What the streamer is told when two others of the user are open."""
    first, second = Feed(api, [NIFTY], "ltpc"), Feed(api, [NIFTY], "ltpc")
    third = Feed(api, [NIFTY], "ltpc", is_refused=True)
    third.streamer.auto_reconnect(False)
    told = third.errors.get(timeout=_LIMIT_S)
    for feed in (first, second):
        feed.streamer.disconnect()
    return told


def expired(api: Any, url: str) -> dict[str, Any]:
    """The token dies: REST and the handshake say 401, and the streamer does not try again."""
    post(url, "/_emu/fault", {"verb": "auth.expire"})
    status = 200
    for _ in range(500):  # a fault begins with the market's next step
        try:
            upstox_client.UserApi(api).get_profile("2.0")
        except ApiException as error:
            status = error.status
        if status == 401:
            break
    feed = Feed(api, [RELIANCE], "full", is_refused=True)
    told = feed.errors.get(timeout=_LIMIT_S)
    try:
        feed.opened.get(timeout=2.0)
        reopened = True
    except queue.Empty:
        reopened = False
    again = {"reopened": reopened, "reconnecting": feed.reconnecting}
    return {"status": status, "handshake": told, **again}


class Feed:
    """A streamer of the SDK that is connected, its events taken one after the other."""

    def __init__(self, api: Any, keys: list[str], mode: str, *, is_refused: bool = False) -> None:
        self.opened: queue.Queue[bool] = queue.Queue()
        self.closed: queue.Queue[int] = queue.Queue()
        self.errors: queue.Queue[str] = queue.Queue()
        self.reconnecting: list[str] = []
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue()
        self.streamer = upstox_client.MarketDataStreamerV3(api, keys, mode)
        self.streamer.on("open", lambda *_: self.opened.put(True))
        self.streamer.on("close", lambda code, *_: self.closed.put(code))
        self.streamer.on("message", self._messages.put)
        self.streamer.on("error", lambda error: self.errors.put(str(error)))
        self.streamer.on("reconnecting", self.reconnecting.append)
        self.streamer.connect()
        if not is_refused:
            self.opened.get(timeout=_LIMIT_S)

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            message = self._messages.get(timeout=_LIMIT_S)
            if wanted(message):
                return message


def feeds(message: dict[str, Any]) -> set[str]:
    return set(message.get("feeds", {}))


def post(url: str, path: str, content: Any) -> Any:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=_LIMIT_S)
    connection.request("POST", path, json.dumps(content))
    answer = connection.getresponse()
    body = json.loads(answer.read())
    if answer.status != 200:
        raise ValueError(body)
    return body


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
