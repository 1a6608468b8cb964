"""Market data goes through decoder and engine without leaving a Python object behind."""

import gc
import sys
from collections.abc import Iterator

import pytest

from tests.market_stage import OPEN, Stage, instrument
from ticktick.brokers.upstox.decoders import new_decoder
from ticktick.compiled import missing
from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import FrameArrived
from ticktick.proto import MarketDataFeed_pb2 as pb2

SYMBOLS = 100
EVERY_NS = 5 * NS_PER_MS
AT_ONCE = 250
WARM_UP = 2  # times so many frames


def frame(number: int) -> FrameArrived:
    """A frame in which every symbol trades and quotes anew, all within one minute."""
    at_ns = OPEN + number * EVERY_NS
    message = pb2.FeedResponse(type=pb2.live_feed, currentTs=at_ns // NS_PER_MS)
    for symbol in range(SYMBOLS):
        full = message.feeds[f"NSE_EQ|S{symbol}"].fullFeed.marketFF
        price = 1_000 + (number + symbol) % 7 * 0.05
        full.ltpc.ltp, full.ltpc.ltt = price, at_ns // NS_PER_MS
        full.vtt, full.atp = 1_000 + 3 * number, price
        full.tbq, full.tsq = 5_000, 4_000
        for level in range(5):
            full.marketLevel.bidAskQuote.add(
                bidP=price - 0.05 * level, bidQ=5 + number % 9, askP=price + 0.1, askQ=7
            )
    return FrameArrived(at_ns, number, message.SerializeToString())


def batches(count: int) -> Iterator[list[FrameArrived]]:
    """So many frames, some at a time; making them costs no collection."""
    for start in range(0, count, AT_ONCE):
        gc.disable()
        made = [frame(number) for number in range(start, start + AT_ONCE)]
        gc.enable()
        yield made


@pytest.mark.parametrize(
    "count", [1_000, pytest.param(10_000, marks=(pytest.mark.slow, pytest.mark.timeout(600)))]
)
def test_a_tick_leaves_no_python_object_behind(count: int) -> None:
    if missing():
        pytest.skip("plain Python serves")
    symbols = [instrument(f"S{number}") for number in range(SYMBOLS)]
    stage = Stage(*symbols, decoder=new_decoder())
    grown, collected = [], 0
    for number, made in enumerate(batches(count)):
        blocks, before = sys.getallocatedblocks(), gc.get_stats()[2]["collections"]
        for event in made:
            stage.engine.process(event)
        if number >= WARM_UP:
            grown.append(sys.getallocatedblocks() - blocks)
            collected += gc.get_stats()[2]["collections"] - before
    assert stage.counter("trades") == SYMBOLS * (count - 1)
    assert abs(sum(grown)) < 300  # a list of one event's size, not one object a tick
    assert collected == 0
