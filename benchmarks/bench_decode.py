"""Decode one frame of the feed: the run's decoder against what the broker's Python SDK does.

The SDK parses the frame with protobuf and turns it into a dict (`json_format.MessageToDict`); we
write columns of the slot table, compiled where there is a compiler. Both run on the same bytes.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from google.protobuf import json_format

from ticktick.brokers.upstox.decoders import new_decoder
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.slots import DEPTH_LEVELS
from ticktick.market.table import SlotTable
from ticktick.proto import MarketDataFeed_pb2 as pb2

START_MS = 1_765_770_300_000  # a session's first minute
ROUNDS = 15
ROUND_NS = 20_000_000


class Result(NamedTuple):
    """Median time of one frame, nanoseconds."""

    bench: str
    case: str
    peer: str
    ours_ns: int
    theirs_ns: int
    ratio: float


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


def median_ns(run: Callable[[], object]) -> int:
    """Median over some rounds of the mean time of one call."""
    began = time.perf_counter_ns()
    run()
    calls = max(1, ROUND_NS // (time.perf_counter_ns() - began))
    means = []
    for _ in range(ROUNDS):
        began = time.perf_counter_ns()
        for _ in range(calls):
            run()
        means.append((time.perf_counter_ns() - began) / calls)
    return round(statistics.median(means))


def measure(case: str, count: int, feed: Callable[[random.Random], pb2.Feed]) -> Result:
    """Time both ways on one frame. Raises ValueError if they read it differently."""
    data, slots, decoder = (
        frame(count, feed),
        table(count),
        new_decoder(),
    )
    decoder.decode(data, slots, 1, 1)
    if not agree(slots, as_the_sdk_does(data)):
        raise ValueError(f"{case}: our decoder and protobuf's dict read different prices")
    ours = median_ns(lambda: decoder.decode(data, slots, 1, 1))
    theirs = median_ns(lambda: as_the_sdk_does(data))
    return Result("decode", case, "SDK handler", ours, theirs, round(theirs / ours, 2))


def main() -> None:
    """Measure every case and print it as a table or as JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    as_json = parser.parse_args().json
    if not as_json:
        print(f"{'decode, per frame':<22}{'ours us':>10}{'SDK us':>10}{'times as fast':>16}")
    cases = [("15 full", 15, full_feed), ("100 full", 100, full_feed), ("100 ltpc", 100, ltpc_feed)]
    for case in cases:
        result = measure(*case)
        if as_json:
            print(json.dumps(result._asdict()), flush=True)
            continue
        ours_us, theirs_us = result.ours_ns / 1e3, result.theirs_ns / 1e3
        print(
            f"{result.case:<22}{ours_us:>10.1f}{theirs_us:>10.0f}{result.ratio:>16.1f}", flush=True
        )


if __name__ == "__main__":
    main()
