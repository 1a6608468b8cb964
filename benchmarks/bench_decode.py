"""Decode one frame of the feed: the run's decoder against what the broker's Python SDK does.

The SDK parses the frame with protobuf and turns it into a dict (`json_format.MessageToDict`); we
write columns of the slot table, compiled where there is a compiler. Both run on the same bytes.
"""

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from google.protobuf import json_format

from benchmarks.race import Result, race, tell
from ticktick.brokers.upstox.decoders import new_decoder
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.slots import DEPTH_LEVELS
from ticktick.market.table import SlotTable
from ticktick.proto import MarketDataFeed_pb2 as pb2

START_MS = 1_765_770_300_000  # a session's first minute


def price(rng: random.Random) -> float:
    """A price in rupees on the tick grid of five paise."""
    return rng.randrange(2_000, 80_000) * 5 / 100


def full_feed(rng: random.Random) -> pb2.Feed:
    """One instrument in mode `full`: trade, five levels, day and minute candle, totals."""
    last = price(rng)
    levels = [
        pb2.Quote(
            bidQ=rng.randrange(1, 5_000),
            bidP=last - 0.05 * level,
            askQ=rng.randrange(1, 5_000),
            askP=last + 0.05 * level,
        )
        for level in range(1, DEPTH_LEVELS + 1)
    ]
    candle = {"open": last, "high": last + 1, "low": last - 1, "close": last}
    full = pb2.MarketFullFeed(
        ltpc=trade(rng, last),
        marketLevel=pb2.MarketLevel(bidAskQuote=levels),
        marketOHLC=pb2.MarketOHLC(
            ohlc=[
                pb2.OHLC(interval="1d", vol=rng.randrange(10**7), ts=START_MS, **candle),
                pb2.OHLC(interval="I1", vol=rng.randrange(10**4), ts=START_MS, **candle),
            ]
        ),
        atp=last,
        vtt=rng.randrange(10**7),
        tbq=float(rng.randrange(10**6)),
        tsq=float(rng.randrange(10**6)),
    )
    return pb2.Feed(fullFeed=pb2.FullFeed(marketFF=full), requestMode=pb2.full_d5)


def trade(rng: random.Random, last: float) -> pb2.LTPC:
    """The latest trade."""
    return pb2.LTPC(ltp=last, ltt=START_MS + 60_000, ltq=rng.randrange(1, 500), cp=last - 1)


def ltpc_feed(rng: random.Random) -> pb2.Feed:
    """One instrument in mode `ltpc`."""
    return pb2.Feed(ltpc=trade(rng, price(rng)))


def frame(count: int, feed: Callable[[random.Random], pb2.Feed]) -> bytes:
    """A frame with `count` instruments, the same bytes at every run."""
    rng = random.Random(count)
    message = pb2.FeedResponse(type=pb2.live_feed, currentTs=START_MS + 90_000)
    for number in range(count):
        message.feeds[f"NSE_EQ|INE{number:06}01"].CopyFrom(feed(rng))
    return message.SerializeToString(deterministic=True)


def table(count: int) -> SlotTable:
    """A slot table that knows every instrument of the frame."""
    made = SlotTable(count)
    made.add(
        Instrument(f"S{n}", f"Share {n}", "NSE", "NSE_EQ", f"NSE_EQ|INE{n:06}01", Kind.EQUITY)
        for n in range(count)
    )
    return made


def as_the_sdk_does(data: bytes) -> dict[str, Any]:
    """What the handler of the SDK's streamer does with a binary message."""
    message = pb2.FeedResponse()
    message.ParseFromString(data)
    made: dict[str, Any] = json_format.MessageToDict(message)
    return made


def agree(slots: SlotTable, theirs: dict[str, Any]) -> bool:
    """Whether both ways read the same last price of every instrument."""
    for key, row in slots.row_of_key.items():
        feed = theirs["feeds"][key]
        ltpc = feed.get("ltpc") or feed["fullFeed"]["marketFF"]["ltpc"]
        if slots.incoming["last_price"][row] != round(ltpc["ltp"] * 100):
            return False
    return True


def results() -> Iterator[Result]:
    """Every case. Raises ValueError where both ways read different prices."""
    cases = [("15 full", 15, full_feed), ("100 full", 100, full_feed), ("100 ltpc", 100, ltpc_feed)]
    for case, count, feed in cases:
        data, slots, decoder = frame(count, feed), table(count), new_decoder()
        decoder.decode(data, slots, 1, 1)
        if not agree(slots, as_the_sdk_does(data)):
            raise ValueError(f"{case}: our decoder and protobuf's dict read different prices")
        ours = partial(decoder.decode, data, slots, 1, 1)
        yield from race("decode", case, ours, {"SDK handler": partial(as_the_sdk_does, data)})


if __name__ == "__main__":
    tell("decode, one frame", results())
