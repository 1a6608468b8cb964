"""The compiled decoder tells exactly what the clear one tells, of whole frames and of wrecks."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.wire import encode, parse, walk
from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.brokers.upstox.decoders import CompiledDecoder
from ticktick.compiled import part
from ticktick.domain.instrument import Instrument, Kind
from ticktick.engine.ports import Decoded
from ticktick.errors import DecodeError
from ticktick.market.table import SlotTable
from ticktick.proto import MarketDataFeed_pb2 as pb2

if TYPE_CHECKING:
    from ticktick.brokers.upstox.scan import Scanner

scan = part("ticktick.brokers.upstox.scan")
pytestmark = pytest.mark.skipif(scan is None, reason="plain Python serves")

KEYS = ("NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021", "NSE_FO|51461", "NSE_INDEX|Nifty 50")
SCALES = (100, 10_000, 100, 100)
AT_MS = 1_795_152_489_712
MINUTE_MS = 60_000

numbers = st.one_of(
    st.floats(0, 1e6).map(lambda x: round(x, 2)),
    st.sampled_from(
        [0.0, -0.0, 0.004, 0.005, 0.05, 1412.35, -1.0, math.nan, math.inf, 1e300, 2.0**53, 0.4]
    ),
)
counts = st.one_of(st.integers(0, 10**9), st.sampled_from([0, -1, 2**53, 2**53 + 1, 2**63 - 1]))
times = st.one_of(
    st.integers(AT_MS - 10**7, AT_MS + 10**6),
    st.sampled_from([0, -1, AT_MS, 2**63 - 1, AT_MS // MINUTE_MS * MINUTE_MS - MINUTE_MS]),
)


@st.composite
def trades(draw: st.DrawFn) -> pb2.LTPC:
    made = pb2.LTPC(ltp=draw(numbers), ltt=draw(times), ltq=draw(counts), cp=draw(numbers))
    if draw(st.booleans()):
        made.iep.value = draw(numbers)
    return made


@st.composite
def bars(draw: st.DrawFn) -> pb2.OHLC:
    start_ms = draw(times)
    if draw(st.booleans()):
        start_ms = start_ms // MINUTE_MS * MINUTE_MS
    low = draw(st.floats(1, 1e5).map(lambda x: round(x, 2)))
    values = (low + 1, low + 3, low, low + 2)
    if draw(st.integers(0, 5)) == 0:
        values = (draw(numbers), draw(numbers), draw(numbers), draw(numbers))
    interval = draw(st.sampled_from(["1d", "I1", "I30", "I1", "I5", ""]))
    names = ("open", "high", "low", "close")
    prices = dict(zip(names, values, strict=True))
    return pb2.OHLC(interval=interval, vol=draw(counts), ts=start_ms, **prices)


@st.composite
def books(draw: st.DrawFn) -> pb2.MarketLevel:
    levels = draw(st.sampled_from([0, 1, 3, 5, 30]))
    made = pb2.MarketLevel()
    for _ in range(levels):
        made.bidAskQuote.add(
            bidQ=draw(counts), bidP=draw(numbers), askQ=draw(counts), askP=draw(numbers)
        )
    return made


@st.composite
def greeks(draw: st.DrawFn) -> pb2.OptionGreeks:
    names = ("delta", "theta", "gamma", "vega", "rho")
    return pb2.OptionGreeks(**{name: draw(numbers) for name in names})


@st.composite
def feeds(draw: st.DrawFn) -> pb2.Feed:
    made = pb2.Feed(
        requestMode=draw(st.sampled_from([pb2.ltpc, pb2.full_d5, pb2.option_greeks, pb2.full_d30]))
    )
    kind = draw(st.sampled_from(["ltpc", "full", "index", "first", "none", "empty"]))
    if kind == "ltpc":
        made.ltpc.CopyFrom(draw(trades()))
    elif kind == "first":
        first = made.firstLevelWithGreeks
        first.vtt, first.oi, first.iv = draw(counts), draw(numbers), draw(numbers)
        if draw(st.booleans()):
            first.ltpc.CopyFrom(draw(trades()))
        if draw(st.booleans()):
            first.firstDepth.bidP, first.firstDepth.askQ = draw(numbers), draw(counts)
        if draw(st.booleans()):
            first.optionGreeks.CopyFrom(draw(greeks()))
    elif kind == "index":
        made.fullFeed.indexFF.SetInParent()
        if draw(st.booleans()):
            made.fullFeed.indexFF.ltpc.CopyFrom(draw(trades()))
        made.fullFeed.indexFF.marketOHLC.ohlc.extend(draw(st.lists(bars(), max_size=4)))
    elif kind == "full":
        _fill(draw, made.fullFeed.marketFF)
    elif kind == "empty":
        made.fullFeed.SetInParent()
    return made


def _fill(draw: st.DrawFn, full: pb2.MarketFullFeed) -> None:
    full.SetInParent()
    for name in ("atp", "oi", "iv", "tbq", "tsq", "iep", "rp"):
        if draw(st.booleans()):
            setattr(full, name, draw(numbers))
    full.vtt, full.ieq, full.casEligible = draw(counts), draw(counts), draw(st.booleans())
    if draw(st.booleans()):
        full.iiqTotal = draw(st.integers(-(10**6), 10**6))
    if draw(st.booleans()):
        full.ltpc.CopyFrom(draw(trades()))
    if draw(st.booleans()):
        full.marketLevel.CopyFrom(draw(books()))
    if draw(st.booleans()):
        full.optionGreeks.CopyFrom(draw(greeks()))
    full.marketOHLC.ohlc.extend(draw(st.lists(bars(), max_size=4)))


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    frame = pb2.FeedResponse(
        type=draw(st.sampled_from([pb2.initial_feed, pb2.live_feed, pb2.market_info]))
    )
    frame.currentTs = draw(st.sampled_from([AT_MS, AT_MS, AT_MS, 0, -5, 2**60]))
    for key in draw(st.lists(st.sampled_from([*KEYS, "NSE_EQ|NOBODY00000"]), unique=True)):
        frame.feeds[key].CopyFrom(draw(feeds()))
    if draw(st.integers(0, 9)) == 0:
        statuses = st.sampled_from([pb2.NORMAL_OPEN, pb2.NORMAL_CLOSE, pb2.PRE_OPEN_END])
        frame.marketInfo.segmentStatus["NSE_EQ"] = draw(statuses)
    return frame.SerializeToString()


def table() -> SlotTable:
    made = SlotTable(capacity=8)
    made.add(
        Instrument(f"S{i}", f"S{i}", "NSE", key.partition("|")[0], key, kind, price_scale=scale)
        for i, (key, scale, kind) in enumerate(
            zip(KEYS, SCALES, (Kind.EQUITY, Kind.EQUITY, Kind.PUT, Kind.INDEX), strict=True)
        )
    )
    made.words[:] = np.arange(made.words.size).reshape(made.words.shape) + 7
    made.incoming_words[:] = made.words
    made.deep_words[:] = np.arange(made.deep_words.size).reshape(made.deep_words.shape) + 9
    made.incoming_deep_words[:] = made.deep_words
    return made


def compiled() -> CompiledDecoder:
    assert scan is not None
    return CompiledDecoder(scan.Scanner)


def told(decoded: Decoded) -> tuple[object, ...]:
    return (
        decoded.exchange_ns,
        decoded.rows.tolist(),
        decoded.rows.tolist() if decoded.whole is None else decoded.whole.tolist(),
        decoded.words,
        decoded.unknown_keys,
        decoded.refused,
        decoded.unknown_parts,
        decoded.off_grid,
        list(decoded.samples),
    )


def check(data: bytes) -> None:
    """Both decoders say the same of the bytes, and leave the same table."""
    outcomes = []
    for decoder in (ProtobufDecoder(), compiled()):
        slots = table()
        try:
            outcome: tuple[object, ...] = told(decoder.decode(data, slots, 11, 12))
        except DecodeError as error:
            outcome = (str(error),)
        tables = (slots.incoming_words, slots.words, slots.incoming_deep_words, slots.deep_words)
        outcomes.append((outcome, *(table.tobytes() for table in tables)))
    assert outcomes[0] == outcomes[1]


@given(frames())
@settings(max_examples=400)
def test_frames_of_every_kind_and_value_are_told_alike(data: bytes) -> None:
    check(data)


@given(
    frames(),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 10**6),
)
@settings(max_examples=600)
def test_damaged_frames_are_told_alike(
    data: bytes, changes: Sequence[tuple[int, int]], cut: int
) -> None:
    damaged = bytearray(data)
    for place, value in changes:
        if damaged:
            damaged[place % len(damaged)] = value
    check(bytes(damaged))
    check(bytes(damaged[: cut % (len(damaged) + 1)]))


@given(frames(), frames())
@settings(max_examples=200)
def test_frames_run_together_are_told_alike(one: bytes, other: bytes) -> None:
    check(one + other)


@given(st.binary(max_size=200))
def test_noise_is_told_alike(data: bytes) -> None:
    check(data)


@given(frames(), st.integers(1, 10))
@settings(max_examples=50)
def test_lengths_told_in_more_bytes_than_they_need_are_told_alike(data: bytes, more: int) -> None:
    tree = parse(data, pb2.FeedResponse.DESCRIPTOR)
    for fields, index in walk(tree):
        fields[index].padding = more
        check(encode(tree))
        fields[index].padding = 0


def scanned(data: bytes) -> "Scanner | None":
    """The compiled reader after such a frame; None if it handed the frame back."""
    made = compiled()._scanner_of(table())
    return None if made.scan(data, 1, 2) is None else made


def usual() -> pb2.FeedResponse:
    """A frame that tells each instrument in full, and the market's state."""
    frame = pb2.FeedResponse(type=pb2.live_feed, currentTs=AT_MS)
    for key in KEYS[:3]:
        full = frame.feeds[key].fullFeed.marketFF
        full.ltpc.ltp, full.ltpc.ltt, full.ltpc.cp = 100.05, AT_MS, 99.0
        for level in range(30):
            full.marketLevel.bidAskQuote.add(bidQ=3, bidP=90.0 - level, askQ=4, askP=91.0 + level)
        for interval in ("1d", "I1", "I30", "I5"):
            full.marketOHLC.ohlc.add(interval=interval, open=1, high=2, low=1, close=2, ts=60_000)
        full.optionGreeks.delta, full.vtt, full.casEligible = 0.5, 1000, True
        full.iep = full.ltpc.iep.value = full.rp = 100.1
        full.ieq, full.iiqTotal, full.iiqM = 40, -5, -(2**40)
    frame.marketInfo.segmentStatus["NSE_EQ"] = pb2.PRE_OPEN_START
    frame.marketInfo.casMarketStatus["NSE_EQ"].status = "CTS_CLOSE"
    frame.marketInfo.casMarketStatus["NSE_EQ"].updatedTime = AT_MS
    frame.marketInfo.preOpenSessionStatus["NSE_EQ"].status = "PRE_OPEN_END"
    return frame


def test_usual_frames_never_reach_the_clear_decoder() -> None:
    data = usual().SerializeToString()
    scanner = scanned(data)
    assert scanner is not None
    assert (scanner.unknown_parts, scanner.off_grid) == (0, 0)
    check(data)


NEW_FIELDS = (b"\xfa\x3f\x02hi", b"\xf8\x3f\x07", b"\xf9\x3f12345678", b"\xfd\x3f1234")


@pytest.mark.parametrize("new", NEW_FIELDS)
def test_fields_of_a_newer_schema_cost_no_second_reading_and_are_counted(new: bytes) -> None:
    frame = usual()
    frame.MergeFromString(new)
    full = frame.feeds[KEYS[0]].fullFeed
    parts = [frame.feeds[KEYS[1]], full, full.marketFF, full.marketFF.ltpc, full.marketFF.ltpc.iep]
    parts += [full.marketFF.optionGreeks, full.marketFF.marketLevel]
    parts += [full.marketFF.marketLevel.bidAskQuote[29], full.marketFF.marketOHLC.ohlc[2]]
    for part_of_it in parts:
        part_of_it.MergeFromString(new)
    data = frame.SerializeToString()
    scanner = scanned(data)
    assert scanner is not None
    assert scanner.unknown_parts == 1 + len(parts)
    check(data)


def test_prices_between_two_units_are_rounded_and_counted() -> None:
    frame = usual()
    full = frame.feeds[KEYS[0]].fullFeed.marketFF
    full.ltpc.ltp, full.rp, full.atp = 100.052, 100.001, 100.0123
    full.marketLevel.bidAskQuote[7].askP = 98.0001
    scanner = scanned(frame.SerializeToString())
    assert scanner is not None
    assert scanner.off_grid == 3  # an average has no grid
    check(frame.SerializeToString())


def test_a_changed_list_is_taken_up() -> None:
    decoder, slots = compiled(), table()
    frame = pb2.FeedResponse(type=pb2.live_feed, currentTs=AT_MS)
    frame.feeds["NSE_EQ|INE155A01022"].ltpc.ltp = 500.0
    frame.feeds["NSE_EQ|INE155A01022"].ltpc.ltt = AT_MS
    data = frame.SerializeToString()
    assert decoder.decode(data, slots, 1, 1).unknown_keys == 1
    slots.add([Instrument("NEW", "New", "NSE", "NSE_EQ", "NSE_EQ|INE155A01022", Kind.EQUITY)])
    assert decoder.decode(data, slots, 1, 2).rows.tolist() == [4]
    assert slots.incoming["last_price"][4] == 50_000
