"""The usual way to show a feed: the SDK's dict, a dict per instrument, JSON to the browser.

It is written as such programs are: the vendor's handler makes a dict of a frame, each instrument
keeps deques and running sums, and what the page shows is a dict of numbers, prices in rupees.
"""

import json
import math
from typing import Any, Final

from google.protobuf import json_format

from benchmarks.by_deque import DequeMetrics, Tick
from ticktick.proto import MarketDataFeed_pb2 as pb2

TICK_RUPEES: Final = 0.05
FRESH_MS: Final = 5_000
METRICS: Final = (
    *("mid", "spread", "spread_bps", "spread_ticks", "microprice", "imbalance", "imbalance_1"),
    *("ofi", "tick_return", "trade_sign", "vwap", "vwap_session", "vwap_distance", "rv"),
)


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
        self._metrics = DequeMetrics(TICK_RUPEES, 1)

    def take(self, feed: dict[str, Any], at_ms: int, seq: int, received_ms: int) -> dict[str, Any]:
        """The row after one packet of mode `full`."""
        full = feed["fullFeed"]["marketFF"]
        trade, book = full["ltpc"], full["marketLevel"]["bidAskQuote"]
        day = full["marketOHLC"]["ohlc"][0]
        volume = int(full["vtt"])
        bids = tuple((level.get("bidP", 0.0), int(level.get("bidQ", 0))) for level in book)
        asks = tuple((level.get("askP", 0.0), int(level.get("askQ", 0))) for level in book)
        totals = full.get("tbq", 0.0), full.get("tsq", 0.0)
        tick = Tick(at_ms * 1_000_000, trade["ltp"], volume, full["atp"], bids, asks, *totals)
        values = self._metrics.update(tick)
        row = self.row
        for name in METRICS:
            value = values.get(name, math.nan)
            row[name] = None if math.isnan(value) else value
        row["exchange_ms"] = at_ms
        row["received_ms"] = received_ms
        row["last_trade_ms"] = int(trade["ltt"])
        row["seq"] = seq
        row["volume"] = volume
        row["last_price"] = trade["ltp"]
        row["previous_close"] = trade["cp"]
        row["bid"], row["ask"] = bids[0][0], asks[0][0]
        row["day_high"], row["day_low"] = day["high"], day["low"]
        row["freshness"] = "fresh" if received_ms - at_ms <= FRESH_MS else "stale"
        return row


class DictionaryDesign:
    """A frame in, the message to the browser out."""

    def __init__(self) -> None:
        self._instruments: dict[str, Instrument] = {}

    def take(self, data: bytes, seq: int, received_ms: int) -> bytes:
        """The JSON of every instrument in the frame."""
        frame = as_the_sdk_does(data)
        at_ms = int(frame["currentTs"])
        rows = []
        for key, feed in frame["feeds"].items():
            instrument = self._instruments.get(key)
            if instrument is None:
                instrument = self._instruments[key] = Instrument(key)
            rows.append(instrument.take(feed, at_ms, seq, received_ms))
        return json.dumps({"type": "ticks", "data": rows}).encode()
