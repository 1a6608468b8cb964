"""The usual way to show a feed: the SDK's dict, a dict per instrument, JSON to the browser.

It is written as such programs are: the vendor's handler makes a dict of a frame, each instrument
keeps the trades of its window in a deque, and what the page shows is a dict of floats in rupees.
"""

import json
from collections import deque
from typing import Any, Final

from google.protobuf import json_format

from ticktick.proto import MarketDataFeed_pb2 as pb2

WINDOW_MS: Final = 300_000


def as_the_sdk_does(data: bytes) -> dict[str, Any]:
    """What the handler of the SDK's streamer does with a binary message."""
    message = pb2.FeedResponse()
    message.ParseFromString(data)
    made: dict[str, Any] = json_format.MessageToDict(message)
    return made


class Instrument:
    """What is kept of one instrument, and the row that is shown."""

    def __init__(self, key: str) -> None:
        self.row: dict[str, Any] = {"key": key}
        self._trades: deque[tuple[int, float, int]] = deque()
        self._value = 0.0
        self._shares = 0
        self._price: float | None = None
        self._volume: int | None = None

    def take(self, feed: dict[str, Any], at_ms: int) -> dict[str, Any]:
        """The row after one packet of mode `full`."""
        full = feed["fullFeed"]["marketFF"]
        trade, book = full["ltpc"], full["marketLevel"]["bidAskQuote"]
        price, volume = trade["ltp"], int(full["vtt"])
        bid, ask = book[0].get("bidP", 0.0), book[0].get("askP", 0.0)
        bids = sum(int(level.get("bidQ", 0)) for level in book)
        asks = sum(int(level.get("askQ", 0)) for level in book)
        if self._volume is not None and volume > self._volume:
            self._add(at_ms, price, volume - self._volume)
            self.row["tick_return"] = price / self._price - 1 if self._price else None
        if self._volume is None or volume > self._volume:
            self._price = price
        self._volume = volume
        self._expire(at_ms)
        day = full["marketOHLC"]["ohlc"][0]
        self.row |= {
            "last_price": price,
            "last_trade_ms": int(trade["ltt"]),
            "previous_close": trade["cp"],
            "exchange_ms": at_ms,
            "volume": volume,
            "bid": bid,
            "ask": ask,
            "day_high": day["high"],
            "day_low": day["low"],
            "mid": (bid + ask) / 2 if 0 < bid < ask else None,
            "spread": ask - bid if 0 < bid < ask else None,
            "imbalance": (bids - asks) / (bids + asks) if bids + asks else None,
            "vwap": self._value / self._shares if self._shares else None,
            "vwap_session": full["atp"],
            "vwap_distance": price / full["atp"] - 1,
        }
        return self.row

    def _add(self, at_ms: int, price: float, shares: int) -> None:
        self._trades.append((at_ms, price, shares))
        self._value += price * shares
        self._shares += shares

    def _expire(self, at_ms: int) -> None:
        while self._trades and self._trades[0][0] <= at_ms - WINDOW_MS:
            _, price, shares = self._trades.popleft()
            self._value -= price * shares
            self._shares -= shares


class DictionaryDesign:
    """A frame in, the message to the browser out."""

    def __init__(self) -> None:
        self._instruments: dict[str, Instrument] = {}

    def take(self, data: bytes) -> str:
        """The JSON of every instrument in the frame."""
        frame = as_the_sdk_does(data)
        at_ms = int(frame["currentTs"])
        rows = []
        for key, feed in frame["feeds"].items():
            instrument = self._instruments.get(key)
            if instrument is None:
                instrument = self._instruments[key] = Instrument(key)
            rows.append(instrument.take(feed, at_ms))
        return json.dumps({"type": "ticks", "data": rows})
