"""Laws of the decoder: any message comes out as it went in, and no bytes break it."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from google.protobuf.wrappers_pb2 import DoubleValue
from hypothesis import given, settings
from hypothesis import strategies as st

from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.domain.instrument import Instrument, Kind
from ticktick.errors import DecodeError
from ticktick.market.table import SlotTable
from ticktick.proto import MarketDataFeed_pb2 as pb2

KEYS = ("NSE_EQ|A", "NSE_EQ|B", "NSE_FO|1", "NSE_INDEX|Nifty 50")
UNKNOWN = "NSE_EQ|NOBODY"
MINUTE_MS = 60_000
SENT = st.integers(1_700_000_000_000, 1_900_000_000_000)
PAISE = st.integers(0, 10**9)
COUNT = st.integers(0, 2**53)
SURPLUS = st.integers(-(2**53), 2**53)
MOMENT = st.just(0) | st.integers(0, 2_000_000_000_000)
GREEK = st.floats(allow_nan=False, allow_infinity=False)


def rupees(paise: int) -> float:
    return float(Fraction(paise, 100))


PRICE = PAISE.map(rupees)
TRADED = st.integers(1, 10**9).map(rupees)
WHOLE = st.integers(0, 10**15).map(float)
IEP = st.none() | st.builds(DoubleValue, value=PRICE)
LTPC = st.builds(pb2.LTPC, ltp=TRADED, ltt=MOMENT, ltq=COUNT, cp=PRICE, iep=IEP) | st.builds(
    pb2.LTPC, cp=PRICE, iep=IEP
)
LEVEL = st.builds(pb2.Quote, bidP=PRICE, bidQ=COUNT, askP=PRICE, askQ=COUNT)
GREEKS = st.builds(pb2.OptionGreeks, delta=GREEK, theta=GREEK, gamma=GREEK, vega=GREEK, rho=GREEK)


@st.composite
def bars(draw: st.DrawFn) -> pb2.OHLC:
    low, *rest, high = sorted(draw(st.lists(st.integers(1, 10**9), min_size=4, max_size=4)))
    first, last = draw(st.permutations(rest))
    return pb2.OHLC(
        interval=draw(st.sampled_from(["1d", "I1", "I30", ""])),
        open=rupees(first),
        high=rupees(high),
        low=rupees(low),
        close=rupees(last),
        vol=draw(COUNT),
        ts=draw(st.integers(1, 31_000_000)) * MINUTE_MS,
    )


OHLC = st.builds(
    pb2.MarketOHLC, ohlc=st.lists(bars(), max_size=5, unique_by=lambda b: (b.interval, b.ts))
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


MARKET = st.builds(
    pb2.MarketFullFeed,
    ltpc=maybe(LTPC),
    marketLevel=maybe(st.builds(pb2.MarketLevel, bidAskQuote=st.lists(LEVEL, max_size=30))),
    optionGreeks=maybe(GREEKS),
    marketOHLC=maybe(OHLC),
    atp=PRICE,
    vtt=COUNT,
    oi=WHOLE,
    iv=GREEK,
    tbq=WHOLE,
    tsq=WHOLE,
    iep=PRICE,
    rp=PRICE,
    ieq=COUNT,
    iiqTotal=SURPLUS,
    iiqM=SURPLUS,
    casEligible=st.booleans(),
)
INDEX = st.builds(pb2.IndexFullFeed, ltpc=maybe(LTPC), marketOHLC=maybe(OHLC))
FIRST = st.builds(
    pb2.FirstLevelWithGreeks,
    ltpc=maybe(LTPC),
    firstDepth=maybe(LEVEL),
    optionGreeks=maybe(GREEKS),
    vtt=COUNT,
    oi=WHOLE,
    iv=GREEK,
)
FEED = st.one_of(
    st.builds(pb2.Feed, ltpc=LTPC),
    st.builds(pb2.Feed, firstLevelWithGreeks=FIRST),
    st.builds(lambda m: pb2.Feed(fullFeed=pb2.FullFeed(marketFF=m)), MARKET),
    st.builds(lambda i: pb2.Feed(fullFeed=pb2.FullFeed(indexFF=i)), INDEX),
)
FRAME = st.builds(
    pb2.FeedResponse,
    type=st.sampled_from([pb2.initial_feed, pb2.live_feed]),
    currentTs=SENT,
    feeds=st.dictionaries(st.sampled_from([*KEYS, UNKNOWN]), FEED, max_size=5),
)


def table() -> SlotTable:
    made = SlotTable(capacity=len(KEYS))
    made.add(Instrument(key, key, "NSE", "NSE_EQ", key, Kind.EQUITY) for key in KEYS)
    return made


# --- an independent model: one dictionary per instrument --------------------------------------

State = dict[str, Any]


def paise(price: float) -> int:
    return int(Fraction(repr(price)) * 100)


def update(state: State, feed: pb2.Feed, sent_ms: int) -> bool:
    """Merge one packet into what is known of an instrument; False if it says nothing."""
    before = dict(state)
    told: State = {}
    body: Any = feed.ltpc
    if feed.HasField("fullFeed"):
        full = feed.fullFeed
        body = full.marketFF if full.HasField("marketFF") else full.indexFF
    elif feed.HasField("firstLevelWithGreeks"):
        body = feed.firstLevelWithGreeks
    present = {field.name for field, _ in body.ListFields()}
    last = feed.ltpc if feed.HasField("ltpc") else body.ltpc
    is_whole = last.ltp > 0
    if last.cp > 0:
        told["previous_close"] = paise(last.cp)
    if is_whole or last.iep.value > 0:
        told["auction_price"] = paise(last.iep.value)
    if is_whole:
        told |= {
            "last_price": paise(last.ltp),
            "last_trade_ns": last.ltt * 10**6 or state.get("last_trade_ns", 0),
            "last_quantity": last.ltq,
            "previous_close": paise(last.cp),
        }
    if "marketLevel" in present:
        told |= book(body.marketLevel.bidAskQuote)
    if "firstDepth" in present:
        told |= book([body.firstDepth])
    if "optionGreeks" in present:
        for name in ("delta", "theta", "gamma", "vega", "rho"):
            told[name] = getattr(body.optionGreeks, name)
    totals: dict[str, tuple[str, Any]] = {
        "atp": ("average_price", paise),
        "vtt": ("volume", int),
        "oi": ("open_interest", int),
        "iv": ("implied_volatility", float),
        "tbq": ("total_bid_quantity", int),
        "tsq": ("total_ask_quantity", int),
        "rp": ("reference_price", paise),
        "ieq": ("auction_quantity", int),
        "iiqTotal": ("auction_imbalance", int),
        "iiqM": ("auction_imbalance_at_market", int),
        "casEligible": ("closes_by_auction", int),
    }
    if isinstance(body, pb2.MarketFullFeed) and body.iep:
        told["auction_price"] = paise(body.iep)
    for name, (column, convert) in totals.items():
        if name in body.DESCRIPTOR.fields_by_name and (is_whole or getattr(body, name)):
            told[column] = convert(getattr(body, name))
    if "marketOHLC" in present:
        told |= candles(body.marketOHLC.ohlc, sent_ms)
    state |= told
    return bool(told) or state != before


def book(levels: Sequence[pb2.Quote]) -> State:
    padded = [*levels, *[pb2.Quote()] * 30][:30]
    sides = {
        "bid_price": [paise(level.bidP) for level in padded],
        "bid_quantity": [level.bidQ for level in padded],
        "ask_price": [paise(level.askP) for level in padded],
        "ask_quantity": [level.askQ for level in padded],
    }
    usual = {name: values[:5] for name, values in sides.items()}
    deep = {f"deep {name}": values[5:] for name, values in sides.items()}
    return {"told_levels": len(levels), **usual, **deep}


def candles(items: Sequence[pb2.OHLC], sent_ms: int) -> State:
    told: State = {}
    for item in sorted(items, key=lambda item: item.ts):
        prices = {name: paise(getattr(item, name)) for name in ("open", "high", "low", "close")}
        if item.interval == "1d":
            told |= {f"day_{name}": value for name, value in prices.items()}
        elif item.interval == "I1" and item.ts + MINUTE_MS <= sent_ms:
            told |= {f"minute_{name}": value for name, value in prices.items()}
            told |= {"minute_start_ns": item.ts * 10**6, "minute_volume": item.vol}
    return told


@given(st.lists(FRAME, min_size=1, max_size=6))
def test_the_table_equals_the_messages_whatever_their_order_and_parts(
    frames: list[pb2.FeedResponse],
) -> None:
    slots, decoder = table(), ProtobufDecoder()
    known: dict[str, State] = {key: {} for key in KEYS}
    for seq, message in enumerate(frames):
        decoded = decoder.decode(message.SerializeToString(), slots, seq * 10, seq)
        told = [
            key for key in KEYS
            if key in message.feeds and update(known[key], message.feeds[key], message.currentTs)
        ]  # fmt: skip
        assert decoded.rows.tolist() == [slots.row_of_key[key] for key in told]
        assert decoded.whole is not None
        assert set(decoded.whole) <= set(decoded.rows)
        assert decoded.unknown_keys == (UNKNOWN in message.feeds)
        assert decoded.refused == 0
        for key in told:
            known[key] |= {
                "exchange_ns": message.currentTs * 10**6,
                "received_ns": seq * 10,
                "seq": seq,
            }
    for key, state in known.items():
        row = slots.incoming[slots.row_of_key[key]]
        for column in slots.incoming.dtype.names or ():
            expected = state.get(column, np.zeros_like(row[column]))
            np.testing.assert_array_equal(row[column], expected, err_msg=f"{key} {column}")
        deep = slots.incoming_deep[slots.row_of_key[key]]
        for column in slots.incoming_deep.dtype.names or ():
            expected = state.get(f"deep {column}", np.zeros_like(deep[column]))
            np.testing.assert_array_equal(deep[column], expected, err_msg=f"{key} {column}")


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_a_decode_error(data: bytes) -> None:
    slots = table()
    try:
        ProtobufDecoder().decode(data, slots, 1, 1)
    except DecodeError:
        assert not any(slots.incoming.tobytes())


@settings(max_examples=300)
@given(FRAME, st.data())
def test_no_damaged_frame_raises_anything_but_a_decode_error(
    message: pb2.FeedResponse, data: st.DataObject
) -> None:
    damaged = bytearray(message.SerializeToString())
    for _ in range(data.draw(st.integers(1, 8))):
        position = data.draw(st.integers(0, len(damaged) - 1))
        damaged[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    slots = table()
    try:
        decoded = ProtobufDecoder().decode(bytes(damaged[:cut]), slots, 1, 1)
    except DecodeError:
        assert not any(slots.incoming.tobytes())
    else:
        untouched = np.setdiff1d(np.arange(len(KEYS)), decoded.rows)
        assert not any(slots.incoming[untouched].tobytes())
        for column in ("last_price", "volume", "bid_price", "ask_quantity", "day_high"):
            assert (slots.incoming[column] >= 0).all()
