"""The decoder against the recorded sessions and against each odd packet by itself."""

import gzip
import json
import math
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import json_format

from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.sessions import Phase
from ticktick.engine.ports import MarketWords
from ticktick.errors import DecodeError
from ticktick.market.table import SlotTable
from ticktick.proto import MarketDataFeed_pb2 as pb2

KEY = "NSE_EQ|INE002A01018"
SENT_MS = 1_765_771_374_080
MINUTE_MS = 1_765_771_260_000
DAY_MS = 1_765_737_000_000


def instrument(key: str = KEY, kind: Kind = Kind.EQUITY, price_scale: int = 100) -> Instrument:
    return Instrument(
        symbol=key.partition("|")[2],
        name=key,
        exchange="NSE",
        segment=key.partition("|")[0],
        instrument_key=key,
        kind=kind,
        price_scale=price_scale,
    )


def table(*instruments: Instrument) -> SlotTable:
    made = SlotTable(capacity=8)
    made.add(instruments or [instrument()])
    return made


def full_feed(**market: Any) -> pb2.Feed:
    return pb2.Feed(fullFeed=pb2.FullFeed(marketFF=pb2.MarketFullFeed(**market)))


def frame(feed: pb2.Feed | None = None, key: str = KEY, sent_ms: int = SENT_MS) -> bytes:
    feeds = {} if feed is None else {key: feed}
    return pb2.FeedResponse(type=pb2.live_feed, feeds=feeds, currentTs=sent_ms).SerializeToString()


def trade(ltp: float = 100.05, **others: Any) -> pb2.LTPC:
    return pb2.LTPC(ltp=ltp, ltt=SENT_MS - 5, ltq=7, cp=99.0, **others)


def level(bid: float, ask: float) -> pb2.Quote:
    return pb2.Quote(bidP=bid, bidQ=10, askP=ask, askQ=20)


def bar(interval: str, ts: int, close: float = 100.0, **others: Any) -> pb2.OHLC:
    prices = {"open": 100.0, "high": 101.0, "low": 99.0} | others
    return pb2.OHLC(interval=interval, ts=ts, close=close, vol=50, **prices)


def bars(*items: pb2.OHLC) -> pb2.MarketOHLC:
    return pb2.MarketOHLC(ohlc=items)


# --- recorded sessions ------------------------------------------------------------------------


def recorded(path: Path, step: int) -> Iterator[dict[str, Any]]:
    """Every `step`-th recorded packet; decimals stay decimals so that nothing is rounded twice."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in islice(lines, 0, None, step):
            yield json.loads(line, parse_float=Decimal)


def expected_columns(packet: dict[str, Any], sent_ms: int) -> dict[str, Any]:
    """What the packet says, read from its decimals without the decoder's help."""
    market = packet["fullFeed"]["marketFF"]
    last, levels = market["ltpc"], market["marketLevel"]["bidAskQuote"]
    greeks = market.get("optionGreeks", {})
    ohlc = market["marketOHLC"]["ohlc"]
    day = next(item for item in ohlc if item.get("interval") == "1d")
    over = [i for i in ohlc if i.get("interval") == "I1" and int(i["ts"]) + 60_000 <= sent_ms]
    columns = {
        "last_price": paise(last["ltp"]),
        "last_trade_ns": int(last["ltt"]) * 10**6,
        "last_quantity": int(last.get("ltq", 0)),
        "previous_close": paise(last["cp"]),
        "bid_price": [paise(item.get("bidP", 0)) for item in levels],
        "bid_quantity": [int(item.get("bidQ", 0)) for item in levels],
        "ask_price": [paise(item.get("askP", 0)) for item in levels],
        "ask_quantity": [int(item.get("askQ", 0)) for item in levels],
        "total_bid_quantity": int(market.get("tbq", 0)),
        "total_ask_quantity": int(market.get("tsq", 0)),
        "average_price": paise(market.get("atp", 0)),
        "volume": int(market.get("vtt", 0)),
        "open_interest": int(market.get("oi", 0)),
        "implied_volatility": float(market.get("iv", 0)),
    }
    columns |= {name: float(greeks.get(name, 0)) for name in ("delta", "theta", "gamma", "vega")}
    columns |= {f"day_{name}": paise(day[name]) for name in ("open", "high", "low", "close")}
    if over:
        minute = over[-1]
        columns |= {f"minute_{n}": paise(minute[n]) for n in ("open", "high", "low", "close")}
        columns["minute_start_ns"] = int(minute["ts"]) * 10**6
        columns["minute_volume"] = int(minute.get("vol", 0))
    return columns


def paise(rupees: Any) -> int:
    return int((Decimal(rupees) * 100).to_integral_value())


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    ["NSE_EQ_INE118H01025", "NSE_EQ_INE811K01011", "NSE_FO_51461", "NSE_FO_60166"],
)
def test_given_a_recorded_session_when_decoded_then_every_column_is_as_it_was_sent(
    shared_data: Path, name: str
) -> None:
    slots, decoder = SlotTable(capacity=4), ProtobufDecoder()
    compared = 0
    for packet in recorded(shared_data / f"upstox_v3_feed/2025-12-15/{name}.jsonl.gz", step=20):
        key = packet["instrumentKey"]
        slots.add([instrument(key)])
        sent_ms = int(packet["fullFeed"]["marketFF"]["ltpc"]["ltt"]) + 100
        feed = json_format.ParseDict(
            {"fullFeed": undecimal(packet["fullFeed"]), "requestMode": "full_d5"}, pb2.Feed()
        )
        decoded = decoder.decode(frame(feed, key, sent_ms), slots, received_ns=1, seq=compared)
        assert decoded.rows.tolist() == [0]
        assert decoded.refused == decoded.unknown_keys == 0
        row = slots.incoming[0]
        for column, value in expected_columns(packet, sent_ms).items():
            np.testing.assert_array_equal(row[column], value, err_msg=column)
        compared += 1
    assert compared > 1000


def undecimal(value: Any) -> Any:
    match value:
        case Decimal():
            return float(value)
        case dict():
            return {name: undecimal(item) for name, item in value.items()}
        case list():
            return [undecimal(item) for item in value]
        case _:
            return value


@pytest.mark.shared
def test_given_the_start_of_a_real_connection_when_decoded_then_phases_and_prices_are_told(
    shared_data: Path,
) -> None:
    slots, decoder = table(instrument("NSE_EQ|INE090A01021")), ProtobufDecoder()
    path = shared_data / "upstox_v3_feed/ICICIBANK_2025-03-19_session_start_7msgs.jsonl"
    messages = [
        json_format.ParseDict(json.loads(line), pb2.FeedResponse())
        for line in path.read_text().splitlines()
    ]
    told = [decoder.decode(m.SerializeToString(), slots, 1, n) for n, m in enumerate(messages)]
    assert told[0].words is not None
    assert set(told[0].words.phases.values()) == {Phase.CONTINUOUS}
    assert told[0].words.phases["NSE_EQ"] is Phase.CONTINUOUS
    assert [len(decoded.rows) for decoded in told] == [0, 1, 1, 1, 1, 1, 1]
    assert slots.incoming[0]["last_price"] > 130_000
    assert slots.incoming[0]["bid_price"].all()


@pytest.mark.shared
def test_given_a_snapshot_before_the_open_when_decoded_then_the_index_has_no_book(
    shared_data: Path,
) -> None:
    path = shared_data / "upstox_v3_feed/premarket_2026-03-04_4msgs.jsonl"
    slots, decoder = table(instrument("NSE_INDEX|Nifty 50", Kind.INDEX)), ProtobufDecoder()
    messages = [
        json_format.ParseDict(json.loads(line), pb2.FeedResponse())
        for line in path.read_text().splitlines()
    ]
    told = [decoder.decode(m.SerializeToString(), slots, 1, n) for n, m in enumerate(messages)]
    assert told[1].words == MarketWords({"NSE_COM": Phase.CONTINUOUS})
    row = slots.incoming[0]
    assert (row["last_price"], row["previous_close"]) == (2_424_515, 2_486_570)
    assert row["day_open"] == 2_424_515
    assert not row["bid_price"].any()
    assert row["volume"] == 0
    # the minute is the last one of the session before
    assert row["minute_start_ns"] == 1_772_445_600 * 10**9
    assert told[0].unknown_keys > 20


# --- one packet at a time ---------------------------------------------------------------------


def test_given_a_packet_with_depth_only_when_decoded_then_the_trade_and_totals_stay() -> None:
    slots, decoder = table(), ProtobufDecoder()
    whole = full_feed(ltpc=trade(), vtt=500, atp=100.0, tbq=10.0)
    decoder.decode(frame(whole), slots, 1, 1)
    depth = full_feed(marketLevel=pb2.MarketLevel(bidAskQuote=[level(100.0, 100.1)]))
    decoder.decode(frame(depth, sent_ms=SENT_MS + 300), slots, 2, 2)
    row = slots.incoming[0]
    assert (row["last_price"], row["volume"], row["average_price"]) == (10_005, 500, 10_000)
    assert row["bid_price"].tolist() == [10_000, 0, 0, 0, 0]
    assert row["exchange_ns"] == (SENT_MS + 300) * 10**6
    assert (row["received_ns"], row["seq"]) == (2, 2)


def test_given_a_whole_packet_without_a_total_when_decoded_then_the_total_is_zero() -> None:
    slots, decoder = table(), ProtobufDecoder()
    decoder.decode(frame(full_feed(ltpc=trade(), tbq=10.0, vtt=5)), slots, 1, 1)
    decoder.decode(frame(full_feed(ltpc=trade(), vtt=5)), slots, 1, 2)
    assert slots.incoming[0]["total_bid_quantity"] == 0


def test_given_fewer_levels_than_before_when_decoded_then_the_rest_of_the_book_is_empty() -> None:
    slots, decoder = table(), ProtobufDecoder()
    for count in (5, 2):
        levels = [level(100.0 - n, 101.0 + n) for n in range(count)]
        book = full_feed(marketLevel=pb2.MarketLevel(bidAskQuote=levels))
        decoder.decode(frame(book), slots, 1, 1)
    row = slots.incoming[0]
    assert row["ask_price"].tolist() == [10_100, 10_200, 0, 0, 0]
    assert row["ask_quantity"].tolist() == [20, 20, 0, 0, 0]


def test_given_thirty_levels_when_decoded_then_the_best_five_are_kept() -> None:
    slots = table()
    levels = [level(100.0 - n, 101.0 + n) for n in range(30)]
    feed = full_feed(marketLevel=pb2.MarketLevel(bidAskQuote=levels))
    ProtobufDecoder().decode(frame(feed), slots, 1, 1)
    assert slots.incoming[0]["bid_price"].tolist() == [10_000, 9_900, 9_800, 9_700, 9_600]


def test_given_the_modes_with_less_when_decoded_then_they_fill_what_they_tell() -> None:
    slots = table(instrument(), instrument("NSE_FO|51461", Kind.PUT))
    greeks = pb2.FirstLevelWithGreeks(
        ltpc=trade(5.5),
        firstDepth=level(5.4, 5.6),
        optionGreeks=pb2.OptionGreeks(delta=-0.41, theta=-16.0),
        vtt=70,
        oi=247_345.0,
        iv=0.104,
    )
    feeds = {
        KEY: pb2.Feed(ltpc=trade(1412.55)),
        "NSE_FO|51461": pb2.Feed(firstLevelWithGreeks=greeks),
    }
    data = pb2.FeedResponse(feeds=feeds, currentTs=SENT_MS).SerializeToString()
    decoded = ProtobufDecoder().decode(data, slots, 1, 1)
    assert decoded.rows.tolist() == [0, 1]
    share, option = slots.incoming[:2]
    assert (share["last_price"], share["last_quantity"]) == (141_255, 7)
    assert (option["bid_price"][0], option["ask_price"][0], option["volume"]) == (540, 560, 70)
    assert (option["delta"], option["implied_volatility"]) == (-0.41, 0.104)
    assert option["open_interest"] == 247_345


def test_given_a_finer_price_unit_when_decoded_then_four_decimals_are_kept() -> None:
    slots = table(instrument(price_scale=10_000))
    ProtobufDecoder().decode(frame(pb2.Feed(ltpc=trade(83.4275))), slots, 1, 1)
    assert slots.incoming[0]["last_price"] == 834_275


def test_given_a_trade_without_a_time_when_decoded_then_the_time_before_stays() -> None:
    slots, decoder = table(), ProtobufDecoder()
    decoder.decode(frame(full_feed(ltpc=trade())), slots, 1, 1)
    decoder.decode(frame(full_feed(ltpc=pb2.LTPC(ltp=101.0, cp=99.0))), slots, 2, 2)
    row = slots.incoming[0]
    assert (row["last_price"], row["last_trade_ns"]) == (10_100, (SENT_MS - 5) * 10**6)


def test_given_bars_in_any_order_when_decoded_then_the_newest_finished_minute_is_taken() -> None:
    slots = table()
    forming = SENT_MS - SENT_MS % 60_000
    feed = full_feed(
        ltpc=trade(),
        marketOHLC=bars(
            bar("I1", forming, 100.5),
            bar("I1", MINUTE_MS, 100.4),
            bar("1d", DAY_MS, 100.7),
            bar("I1", MINUTE_MS - 60_000, 100.3),
            bar("1d", DAY_MS - 86_400_000, 100.8),
            bar("I30", MINUTE_MS, 100.9),
            pb2.OHLC(),
        ),
    )
    ProtobufDecoder().decode(frame(feed), slots, 1, 1)
    row = slots.incoming[0]
    assert forming > MINUTE_MS
    assert (row["minute_start_ns"], row["minute_close"]) == (MINUTE_MS * 10**6, 10_040)
    assert (row["minute_volume"], row["day_close"]) == (50, 10_070)


def test_given_a_minute_that_is_not_over_when_decoded_then_it_is_not_taken() -> None:
    slots = table()
    feed = full_feed(ltpc=trade(), marketOHLC=bars(bar("I1", SENT_MS - SENT_MS % 60_000)))
    ProtobufDecoder().decode(frame(feed), slots, 1, 1)
    assert slots.incoming[0]["minute_start_ns"] == 0


@pytest.mark.parametrize(
    "minute",
    [
        bar("I1", MINUTE_MS, high=98.0),
        bar("I1", MINUTE_MS, open=0.0, low=0.0),
        bar("I1", MINUTE_MS, close=102.0),
        bar("I1", MINUTE_MS, low=math.nan),
        bar("I1", MINUTE_MS, low=0.004),
        bar("I1", MINUTE_MS - 1_000),
        bar("I1", 0),
    ],
)
def test_given_a_minute_that_is_no_candle_when_decoded_then_it_alone_is_refused(
    minute: pb2.OHLC,
) -> None:
    slots = table()
    feed = full_feed(ltpc=trade(), marketOHLC=bars(minute))
    decoded = ProtobufDecoder().decode(frame(feed), slots, 1, 1)
    assert decoded.refused == 1
    row = slots.incoming[0]
    assert row["minute_start_ns"] == row["minute_high"] == 0
    assert row["last_price"] == 10_005


@pytest.mark.parametrize(
    "feed",
    [
        pb2.Feed(ltpc=pb2.LTPC(ltp=math.nan)),
        pb2.Feed(ltpc=pb2.LTPC(ltp=math.inf)),
        pb2.Feed(ltpc=pb2.LTPC(ltp=-1.0)),
        pb2.Feed(ltpc=pb2.LTPC(ltp=0.004)),
        pb2.Feed(ltpc=pb2.LTPC(ltp=1e300)),
        pb2.Feed(ltpc=pb2.LTPC(ltp=1.0, ltq=-5)),
        pb2.Feed(ltpc=pb2.LTPC(ltp=1.0, ltt=-5)),
        pb2.Feed(ltpc=pb2.LTPC(ltp=1.0, ltt=2**62)),
        full_feed(ltpc=trade(), vtt=-1),
        full_feed(ltpc=trade(), vtt=2**60),
        full_feed(ltpc=trade(), atp=math.nan),
        full_feed(ltpc=trade(), tbq=math.inf),
        full_feed(ltpc=trade(), marketLevel=pb2.MarketLevel(bidAskQuote=[level(-1.0, 2.0)])),
        full_feed(ltpc=trade(), marketOHLC=bars(bar("1d", DAY_MS, open=-1.0))),
    ],
)
def test_given_an_impossible_value_when_decoded_then_the_row_stays_as_it_was(
    feed: pb2.Feed,
) -> None:
    slots, decoder = table(), ProtobufDecoder()
    decoder.decode(frame(full_feed(ltpc=trade(), vtt=9)), slots, 1, 1)
    before = slots.incoming.copy()
    decoded = decoder.decode(frame(feed, sent_ms=SENT_MS + 1), slots, 2, 2)
    assert decoded.refused == 1
    assert decoded.rows.tolist() == []
    assert (slots.incoming == before).all()


def test_given_greeks_that_found_no_number_when_decoded_then_they_are_missing() -> None:
    slots = table()
    feed = full_feed(ltpc=trade(), optionGreeks=pb2.OptionGreeks(delta=math.nan), iv=math.inf)
    decoded = ProtobufDecoder().decode(frame(feed), slots, 1, 1)
    row = slots.incoming[0]
    assert decoded.rows.tolist() == [0]
    assert math.isnan(row["delta"])
    assert math.isnan(row["implied_volatility"])


def test_given_a_key_nobody_asked_for_when_decoded_then_it_is_counted_and_left_out() -> None:
    slots = table()
    decoded = ProtobufDecoder().decode(frame(full_feed(ltpc=trade()), "NSE_EQ|OTHER"), slots, 1, 1)
    assert (decoded.unknown_keys, decoded.rows.tolist()) == (1, [])
    assert decoded.exchange_ns == SENT_MS * 10**6


def test_given_a_key_that_was_followed_before_when_decoded_then_nobody_is_told() -> None:
    slots = table()
    (key,) = slots.row_of_key
    slots.follow([])
    decoded = ProtobufDecoder().decode(frame(full_feed(ltpc=trade()), key), slots, 1, 1)
    assert (decoded.unknown_keys, decoded.rows.tolist(), decoded.samples) == (0, [], [])


@pytest.mark.parametrize("feed", [pb2.Feed(), pb2.Feed(fullFeed=pb2.FullFeed()), full_feed()])
def test_given_a_packet_that_says_nothing_when_decoded_then_no_row_is_touched(
    feed: pb2.Feed,
) -> None:
    slots = table()
    assert ProtobufDecoder().decode(frame(feed), slots, 1, 1).rows.tolist() == []
    assert slots.incoming[0]["exchange_ns"] == 0


def test_given_every_market_status_when_decoded_then_it_is_a_phase_or_unknown() -> None:
    info = pb2.MarketInfo()
    for number in range(6):
        info.segmentStatus[f"S{number}"] = number  # type: ignore[assignment]
    info.segmentStatus["S9"] = 9  # type: ignore[assignment]
    for name in ("CTS_CLOSE", "CLOSING_END", "NORMAL_OPEN", "SOMETHING_NEW"):
        info.casMarketStatus[name].status = name
    for name in ("PRE_OPEN_START", "PRE_OPEN_END", "NORMAL_OPEN", ""):
        info.preOpenSessionStatus[name].status = name
    message = pb2.FeedResponse(type=pb2.market_info, marketInfo=info, currentTs=SENT_MS)
    decoded = ProtobufDecoder().decode(message.SerializeToString(), table(), 1, 1)
    assert decoded.words == MarketWords(
        phases={
            "S0": Phase.PRE_OPEN,
            "S1": Phase.PRE_OPEN,
            "S2": Phase.CONTINUOUS,
            "S3": Phase.CLOSED,
            "S4": Phase.POST_CLOSE,
            "S5": Phase.CLOSED,
            "S9": Phase.UNKNOWN,
        },
        auctions={
            "CLOSING_END": Phase.CLOSED,
            "CTS_CLOSE": Phase.AUCTION,
            "NORMAL_OPEN": Phase.CONTINUOUS,
            "SOMETHING_NEW": Phase.UNKNOWN,
        },
        pre_opens={
            "": Phase.UNKNOWN,
            "NORMAL_OPEN": Phase.CONTINUOUS,
            "PRE_OPEN_END": Phase.PRE_OPEN,
            "PRE_OPEN_START": Phase.PRE_OPEN,
        },
    )
    assert decoded.words.unlisted == 3


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'{"status":"failed","method":"sub","error":"no such key"}',
        frame(full_feed(ltpc=trade()))[:-9],
        frame(full_feed(ltpc=trade()), sent_ms=0),
        frame(full_feed(ltpc=trade()), sent_ms=-5),
        frame(full_feed(ltpc=trade()), sent_ms=2**62),
    ],
)
def test_given_bytes_that_are_no_dated_frame_when_decoded_then_it_says_so(data: bytes) -> None:
    slots = table()
    with pytest.raises(DecodeError):
        ProtobufDecoder().decode(data, slots, 1, 1)
    assert not any(slots.incoming.tobytes())


def test_given_two_tables_when_decoded_in_turn_then_each_gets_its_own_rows() -> None:
    decoder, one, two = ProtobufDecoder(), table(), table()
    decoder.decode(frame(pb2.Feed(ltpc=trade(1.0))), one, 1, 1)
    decoder.decode(frame(pb2.Feed(ltpc=trade(2.0))), two, 1, 1)
    assert (one.incoming[0]["last_price"], two.incoming[0]["last_price"]) == (100, 200)
