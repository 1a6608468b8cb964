"""Decode one frame of the feed: the run's decoder against three others, on the same bytes.

The broker's SDK parses the frame with protobuf and turns it into a dict (`MessageToDict`).
protobuf's attributes read the same values off the parsed message. The floor visits every tag of the
frame in C and keeps nothing. Ours writes every value into the slot table, prices as checked whole
units.
"""

import importlib.util
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from google.protobuf import json_format

from benchmarks.race import Result, race, tell
from ticktick.brokers.upstox.decoders import new_decoder
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.slots import ALL_LEVELS, DEPTH_LEVELS
from ticktick.market.table import SlotTable
from ticktick.proto import MarketDataFeed_pb2 as pb2

START_MS = 1_765_770_300_000  # a session's first minute
FLOOR: Final = Path(__file__).parent / "floor.pyx"
BUILT: Final = FLOOR.parent.parent / "build" / "bench"
GREEKS: Final = ("delta", "theta", "gamma", "vega", "rho")
BARS: Final = (("1d", "day"), ("I1", "minute"))

Made = Callable[[random.Random], pb2.Feed]


def price(rng: random.Random) -> float:
    """A price in rupees on the tick grid of five paise."""
    return rng.randrange(2_000, 80_000) * 5 / 100


def full_feed(rng: random.Random, levels: int = DEPTH_LEVELS) -> pb2.Feed:
    """One instrument in mode `full`: trade, levels, day and minute candle, totals."""
    last = price(rng)
    quotes = [
        pb2.Quote(
            bidQ=rng.randrange(1, 5_000),
            bidP=round(last - 0.05 * level, 2),
            askQ=rng.randrange(1, 5_000),
            askP=round(last + 0.05 * level, 2),
        )
        for level in range(1, levels + 1)
    ]
    candle = {"open": last, "high": last + 1, "low": last - 1, "close": last}
    full = pb2.MarketFullFeed(
        ltpc=trade(rng, last),
        marketLevel=pb2.MarketLevel(bidAskQuote=quotes),
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
    mode = pb2.full_d5 if levels <= DEPTH_LEVELS else pb2.full_d30
    return pb2.Feed(fullFeed=pb2.FullFeed(marketFF=full), requestMode=mode)


def deep_feed(rng: random.Random) -> pb2.Feed:
    """One instrument in mode `full_d30`."""
    return full_feed(rng, ALL_LEVELS)


def greeks_feed(rng: random.Random) -> pb2.Feed:
    """One option in mode `option_greeks`."""
    last = price(rng)
    first = pb2.FirstLevelWithGreeks(
        ltpc=trade(rng, last),
        firstDepth=pb2.Quote(bidQ=75, bidP=round(last - 0.05, 2), askQ=150, askP=last),
        optionGreeks=pb2.OptionGreeks(**{name: rng.random() for name in GREEKS}),
        vtt=rng.randrange(1, 10**7),
        oi=float(rng.randrange(1, 10**7)),
        iv=rng.random(),
    )
    return pb2.Feed(firstLevelWithGreeks=first, requestMode=pb2.option_greeks)


def ltpc_feed(rng: random.Random) -> pb2.Feed:
    """One instrument in mode `ltpc`."""
    return pb2.Feed(ltpc=trade(rng, price(rng)))


def trade(rng: random.Random, last: float) -> pb2.LTPC:
    """The latest trade."""
    return pb2.LTPC(ltp=last, ltt=START_MS + 60_000, ltq=rng.randrange(1, 500), cp=last - 1)


def frame(count: int, feed: Made) -> bytes:
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


def by_attributes(data: bytes) -> dict[str, list[float]]:
    """Every number of every instrument, read off protobuf's parsed message."""
    read: dict[str, list[float]] = {}
    for key, feed in pb2.FeedResponse.FromString(data).feeds.items():
        numbers: list[float] = []
        quotes: Sequence[pb2.Quote] = ()
        if feed.HasField("fullFeed"):
            full = feed.fullFeed.marketFF
            trade, quotes = full.ltpc, full.marketLevel.bidAskQuote
            numbers += (full.atp, full.vtt, full.oi, full.iv, full.tbq, full.tsq)
            for bar in full.marketOHLC.ohlc:
                numbers += (bar.open, bar.high, bar.low, bar.close, bar.vol, bar.ts)
        elif feed.HasField("firstLevelWithGreeks"):
            first = feed.firstLevelWithGreeks
            trade, quotes, greeks = first.ltpc, [first.firstDepth], first.optionGreeks
            numbers += (greeks.delta, greeks.theta, greeks.gamma, greeks.vega, greeks.rho)
            numbers += (first.vtt, first.oi, first.iv)
        else:
            trade = feed.ltpc
        for quote in quotes:
            numbers += (quote.bidP, quote.bidQ, quote.askP, quote.askQ)
        numbers += (trade.ltp, trade.ltt, trade.ltq, trade.cp)
        read[key] = numbers
    return read


def told(slots: SlotTable, row: int, feed: dict[str, Any]) -> tuple[list[float], list[float]]:
    """The same numbers of one instrument, as the slot table and as the SDK's dict hold them."""
    record, deep = slots.incoming[row], slots.incoming_deep[row]
    full = feed.get("fullFeed", {}).get("marketFF", {})
    body = full or feed.get("firstLevelWithGreeks") or {"ltpc": feed.get("ltpc")}
    last, ours, theirs = body["ltpc"], list[Any](), list[Any]()
    ours += (record["last_price"], record["last_trade_ns"] // 10**6, record["last_quantity"])
    theirs += (paise(last["ltp"]), int(last["ltt"]), int(last["ltq"]))
    ours.append(record["previous_close"])
    theirs.append(paise(last["cp"]))
    quotes = full.get("marketLevel", {}).get("bidAskQuote", [])
    quotes = quotes or ([body["firstDepth"]] if "firstDepth" in body else [])
    for level, quote in enumerate(quotes):
        at, of = (level, record) if level < DEPTH_LEVELS else (level - DEPTH_LEVELS, deep)
        for side in ("bid", "ask"):
            ours += (of[f"{side}_price"][at], of[f"{side}_quantity"][at])
            theirs += (paise(quote[f"{side}P"]), int(quote[f"{side}Q"]))
    if body.get("vtt"):
        ours.append(record["volume"])
        theirs.append(int(body["vtt"]))
    for name, value in body.get("optionGreeks", {}).items():
        ours.append(record[name])
        theirs.append(value)
    bars = {bar["interval"]: bar for bar in full.get("marketOHLC", {}).get("ohlc", [])}
    for interval, name in BARS:
        for what in ("open", "high", "low", "close") if bars else ():
            ours.append(record[f"{name}_{what}"])
            theirs.append(paise(bars[interval][what]))
    return ours, theirs


def paise(rupees: float) -> int:
    """Whole paise."""
    return round(rupees * 100)


def floor() -> Callable[[bytes], int] | None:
    """The reader that visits every tag, compiled; None where that cannot be done."""
    shutil.rmtree(BUILT, ignore_errors=True)
    BUILT.mkdir(parents=True)
    source = shutil.copy(FLOOR, BUILT)
    done = subprocess.run(
        [sys.executable, "-m", "Cython.Build.Cythonize", "-i", "-q", source],
        capture_output=True,
        check=False,
    )
    built = next(BUILT.glob("floor.*.so"), None)
    if done.returncode != 0 or built is None:
        print("the floor was not built (Cython and a C compiler do that)", file=sys.stderr)
        return None
    spec = importlib.util.spec_from_file_location("floor", built)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tags: Callable[[bytes], int] = module.tags
    return tags


CASES: Final[tuple[tuple[str, int, Made], ...]] = (
    ("15 full", 15, full_feed),
    ("100 full", 100, full_feed),
    ("100 ltpc", 100, ltpc_feed),
    ("100 full_d30", 100, deep_feed),
    ("100 option_greeks", 100, greeks_feed),
)


def results() -> Iterator[Result]:
    """Every case. Raises ValueError where both ways read different numbers."""
    tags = floor()
    for case, count, feed in CASES:
        data, slots, decoder = frame(count, feed), table(count), new_decoder()
        decoder.decode(data, slots, 1, 1)
        feeds = as_the_sdk_does(data)["feeds"]
        for key, row in slots.row_of_key.items():
            ours, theirs = told(slots, row, feeds[key])
            if ours != theirs:
                raise ValueError(f"{case}: {key} was read as {ours} and as {theirs}")
        peers: dict[str, Callable[[], object]] = {
            "SDK handler": partial(as_the_sdk_does, data),
            "protobuf attributes": partial(by_attributes, data),
        }
        if tags is not None:
            peers["visiting every tag"] = partial(tags, data)
        yield from race("decode", case, partial(decoder.decode, data, slots, 1, 1), peers)


if __name__ == "__main__":
    tell("decode, one frame", results())
