"""A recorded session as a market: times, bad lines, what the master and candles can tell."""

import gzip
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import Parse

from ticktick.domain.clock import NS_PER_MS, NS_PER_S, parse_iso_ns
from ticktick.domain.instrument import Kind
from ticktick.emulator.answers import Request
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.recording import RecordedFile, Recording, recorded_file
from ticktick.emulator.replay import EmptyRecordingError, Replay, first_ns
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse, MarketStatus, Type

KEY, OPTION, INDEX = "NSE_EQ|INE999A01011", "NSE_FO|4711", "NSE_INDEX|Nifty 50"
DAY = "2025-12-15"


def ns(clock: str) -> int:
    return parse_iso_ns(f"{DAY}T{clock}+05:30")


def line(
    clock: str = "10:00:00.250", price: float = 100.1, key: str = KEY, **parts: Any
) -> dict[str, Any]:
    """One recorded update; `parts` replace those of the feed, None leaves one out."""
    levels = [{"bidQ": "75", "bidP": price - i, "askQ": "150", "askP": price + i} for i in range(5)]
    minute = {"interval": "I1", "open": price, "high": price, "low": price, "close": price}
    full = {
        "ltpc": {"ltp": price, "ltt": "1765773000000", "ltq": "1", "cp": 99.0},
        "marketLevel": {"bidAskQuote": levels},
        "marketOHLC": {"ohlc": [minute | {"vol": "10", "ts": str(ns("09:59:00") // NS_PER_MS)}]},
        "vtt": "500",
    } | parts
    feed = {"fullFeed": {"marketFF": {name: part for name, part in full.items() if part}}}
    stamp = f"{DAY} {clock}000"
    return feed | {"requestMode": "full_d5", "instrumentKey": key, "_insertion_time": stamp}


def written(folder: Path, lines: list[Any], name: str = "a.jsonl") -> RecordedFile:
    path = folder / name
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in lines)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return recorded_file(path)


def played(files: list[RecordedFile], to: str = "16:00:00") -> tuple[Replay, list[FeedResponse]]:
    """The source, and every frame with prices of a client that wants everything."""
    source = Replay(files, first_ns(files) - NS_PER_S)
    return source, [frame for frame in _frames(source, ns(to)) if frame.feeds]


def every_frame(files: list[RecordedFile], to_ns: int) -> list[FeedResponse]:
    return _frames(Replay(files, first_ns(files) - NS_PER_S), to_ns)


def _frames(source: Replay, to_ns: int) -> list[FeedResponse]:
    exchange = Exchange(lambda _: source, source.now_ns, seed=1)
    link = exchange.connect(exchange.feed_code())
    assert link is not None
    wish = {"mode": "full", "instrumentKeys": [listing.key for listing in source.listings]}
    link.on_message(json.dumps({"method": "sub", "data": wish}).encode())
    return [FeedResponse.FromString(frame) for _, frame in exchange.advance(to_ns)]


def test_each_line_becomes_a_frame_with_its_own_time(tmp_path: Path) -> None:
    first = written(tmp_path, [line("10:00:00.250", 100.1), line("10:00:02.000", 100.3)])
    second = written(tmp_path, [line("10:00:01.100", 7.5, OPTION)], "b.jsonl.gz")
    _, frames = played([first, second])
    seen = [(frame.currentTs * NS_PER_MS, list(frame.feeds)) for frame in frames]
    times = (ns("10:00:00.250"), ns("10:00:01.100"), ns("10:00:02.000"))
    assert seen == list(zip(times, ([KEY], [OPTION], [KEY]), strict=True))
    feed = frames[0].feeds[KEY].fullFeed.marketFF
    assert (feed.ltpc.ltp, feed.vtt, len(feed.marketLevel.bidAskQuote)) == (100.1, 500, 5)


def test_the_snapshot_remembers_the_parts_a_message_leaves_out(tmp_path: Path) -> None:
    lines = [line(), line("10:00:01.000", 101.0, marketLevel=None, vtt="600")]
    source, frames = played([written(tmp_path, lines)])
    assert not frames[1].feeds[KEY].fullFeed.marketFF.HasField("marketLevel")
    whole = source.snapshot(KEY)
    assert whole is not None
    assert len(whole.fullFeed.marketFF.marketLevel.bidAskQuote) == 5
    assert (whole.fullFeed.marketFF.ltpc.ltp, whole.fullFeed.marketFF.vtt) == (101.0, 600)


def test_bad_lines_are_counted_and_reported_and_the_rest_plays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = ["{", "[]", "17", '{"type":"live_feed"}', json.dumps({"instrumentKey": KEY})]
    bad += [json.dumps(line() | {"_insertion_time": "noon"}), '{"instrumentKey":3}']
    bad += [json.dumps(line(ltpc={"ltp": "much"})), "[" * 100_000]
    bad += [json.dumps(line() | {"_insertion_time": "9999-01-01 00:00:00"})]
    recording = Recording([written(tmp_path, [line(), *bad, "", line("10:00:01.000")])])
    with caplog.at_level(logging.WARNING):
        assert len(list(recording.messages())) == 2
    assert recording.bad_lines == len(bad)
    assert "line 2 of" in caplog.text
    assert f"{len(bad)} lines of" in caplog.text


def test_a_damaged_archive_plays_up_to_the_damage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [line(f"10:{i // 60:02}:{i % 60:02}.000", 100 + i / 10) for i in range(600)]
    file = written(tmp_path, rows, "a.jsonl.gz")
    file.path.write_bytes(file.path.read_bytes()[:-200])
    messages = list(Recording([file]).messages())
    assert 0 < len(messages) < 600
    assert "damaged" in caplog.text


def test_a_time_that_goes_back_is_held(tmp_path: Path) -> None:
    _, frames = played([written(tmp_path, [line("10:00:05.000"), line("10:00:04.000")])])
    assert [frame.currentTs * NS_PER_MS for frame in frames] == [ns("10:00:05.000")] * 2


def test_the_master_lists_what_the_feed_tells_of_an_instrument(tmp_path: Path) -> None:
    stock = [line(f"10:00:{i:02}.000", 100.0 + i / 10) for i in range(60)]
    greeks = {"delta": -0.4, "theta": -1.0}
    option = [
        line(f"10:00:{i:02}.500", 30 + i / 20, OPTION, optionGreeks=greeks) for i in range(60)
    ]
    known = [line(key="NSE_EQ|INE002A01018")]
    paths = [written(tmp_path, rows, f"{i}.jsonl") for i, rows in enumerate([stock, option, known])]
    listings = {listing.key: listing for listing in Replay(paths, 0).listings}
    assert listings[KEY].symbol == "INE999A01011"
    assert (listings[KEY].kind, listings[KEY].tick_size) == (Kind.EQUITY, 10)
    assert (listings[OPTION].kind, listings[OPTION].tick_size) == (Kind.PUT, 5)
    assert listings[OPTION].lot_size == 75
    assert listings["NSE_EQ|INE002A01018"].symbol == "RELIANCE"


def test_candles_are_the_minutes_the_recording_has_told(tmp_path: Path) -> None:
    path = written(tmp_path, [line(), line("10:00:01.000", 101.0)])
    source, _ = played([path])
    exchange = Exchange(lambda _: source, ns("10:00:00"), seed=1)
    base = f"/v3/historical-candle/intraday/{KEY}/minutes/1"
    answer = json.loads(exchange.handle(Request("GET", base)).body)["data"]["candles"]
    assert answer == [[f"{DAY}T09:59:00+05:30", 101.0, 101.0, 101.0, 101.0, 10, 0]]
    past = f"/v3/historical-candle/{KEY}/minutes/1/{DAY}/2025-12-01"
    assert json.loads(exchange.handle(Request("GET", past)).body)["data"]["candles"] == []


def test_a_quote_of_a_recording_tells_no_price_band_and_no_change_from_nowhere(
    tmp_path: Path,
) -> None:
    source, _ = played([written(tmp_path, [line(ltpc={"ltp": 100.1, "ltt": "1765773000000"})])])
    exchange = Exchange(lambda _: source, source.now_ns, seed=1)
    headers = {"authorization": f"Bearer {exchange.login.live_token(source.now_ns)}"}
    request = Request("GET", "/v2/market-quote/quotes", {"instrument_key": KEY}, headers)
    (quote,) = json.loads(exchange.handle(request).body)["data"].values()
    assert (quote["lower_circuit_limit"], quote["upper_circuit_limit"]) == (None, None)
    assert (quote["last_price"], quote["net_change"]) == (100.1, None)


def test_a_recording_has_no_list_of_trades(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="recording"):
        Replay([written(tmp_path, [line()])], 0).trades(KEY, 0, 1)


def test_whole_messages_play_with_their_market_status(tmp_path: Path) -> None:
    stamp = ns("11:00:00") // NS_PER_MS
    info = {
        "type": "market_info",
        "currentTs": str(stamp),
        "marketInfo": {"segmentStatus": {"NSE_EQ": "NORMAL_CLOSE", "MCX_FO": "NORMAL_OPEN"}},
    }
    feeds = {key: line(key=key)["fullFeed"] for key in (KEY, OPTION)}
    snapshot = {
        "feeds": {key: {"fullFeed": full} for key, full in feeds.items()},
        "currentTs": str(stamp + 5),
    }
    path = written(tmp_path, [info, snapshot])
    source = Replay([path], 0)
    exchange = Exchange(lambda _: source, 0, seed=1)
    link = exchange.connect(exchange.feed_code())
    assert link is not None
    source.now_ns = ns("10:59:59")
    link.on_message(json.dumps({"method": "sub", "data": {"instrumentKeys": [KEY]}}).encode())
    status, live = (FeedResponse.FromString(f) for _, f in exchange.advance(ns("11:00:01")))
    told = status.marketInfo.segmentStatus
    assert dict(told) == {"NSE_EQ": MarketStatus.NORMAL_CLOSE, "MCX_FO": MarketStatus.NORMAL_OPEN}
    greeting = FeedResponse.FromString(exchange.greeting()).marketInfo.segmentStatus
    assert greeting["NSE_EQ"] == MarketStatus.NORMAL_CLOSE
    assert greeting["NSE_FO"] == MarketStatus.NORMAL_OPEN
    assert live.feeds[KEY].ltpc.ltp == 100.1
    assert list(live.feeds) == [KEY]


def test_nothing_to_play_is_said(tmp_path: Path) -> None:
    with pytest.raises(EmptyRecordingError):
        first_ns([written(tmp_path, ["rubbish"])])


def test_after_the_last_message_the_clock_goes_on(tmp_path: Path) -> None:
    source, _ = played([written(tmp_path, [line()])])
    assert source.next_ns() is None
    assert source.now_ns == ns("16:00:00")


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("ICICIBANK_2025-03-19_session_start_7msgs.jsonl", 7),
        ("premarket_2026-03-04_4msgs.jsonl", 4),
    ],
)
def test_a_real_connection_plays_every_message_as_it_was_recorded(
    shared_data: Path, name: str, count: int
) -> None:
    path = shared_data / "upstox_v3_feed" / name
    recorded = [Parse(text, FeedResponse()) for text in path.read_text().splitlines()]
    statuses = [dict(frame.marketInfo.segmentStatus) for frame in recorded]
    frames = [
        frame
        for frame in every_frame(
            [recorded_file(path)], recorded[-1].currentTs * NS_PER_MS + NS_PER_S
        )
        if frame.type != Type.market_info or dict(frame.marketInfo.segmentStatus) in statuses
    ]
    assert len(frames) == count
    assert frames == recorded


def test_messages_of_other_modes_play_as_what_they_tell(tmp_path: Path) -> None:
    trade = {"ltp": 100.1, "ltt": "1765773000000", "ltq": "5", "cp": 99.0}
    first = {
        "ltpc": trade,
        "firstDepth": {"bidQ": "75", "bidP": 100.0, "askQ": "150", "askP": 100.2},
        "optionGreeks": {"delta": 0.5},
        "vtt": "500",
        "oi": 900.0,
    }
    feeds = {KEY: {"ltpc": trade}, OPTION: {"firstLevelWithGreeks": first}, INDEX: {"ltpc": trade}}
    stamp = str(ns("11:00:00") // NS_PER_MS)
    _, (frame,) = played([written(tmp_path, [{"feeds": feeds, "currentTs": stamp}])])
    stock, option = (frame.feeds[key].fullFeed.marketFF for key in (KEY, OPTION))
    assert (stock.ltpc.ltp, stock.ltpc.ltq, len(stock.marketLevel.bidAskQuote)) == (100.1, 5, 0)
    assert (option.vtt, option.oi, option.optionGreeks.delta) == (500, 900.0, 0.5)
    assert [level.askQ for level in option.marketLevel.bidAskQuote] == [150]
    assert frame.feeds[INDEX].fullFeed.indexFF.ltpc.ltp == 100.1


def test_prices_that_are_no_numbers_are_served_but_make_no_candle(tmp_path: Path) -> None:
    bar = {"interval": "I1", "open": "NaN", "high": "Infinity", "low": 1e300, "close": 100.0}
    bars = {"ohlc": [bar | {"vol": "10", "ts": str(ns("09:59:00") // NS_PER_MS)}]}
    source, (frame,) = played([written(tmp_path, [line(marketOHLC=bars, key="NSE_EQ|X")])])
    told = frame.feeds["NSE_EQ|X"].fullFeed.marketFF.marketOHLC.ohlc[0]
    assert told.high == float("inf")
    assert len(source.bars("NSE_EQ|X")) == 0


@pytest.mark.shared
@pytest.mark.slow
def test_a_whole_real_day_plays_to_its_last_volume(shared_data: Path) -> None:
    folder = shared_data / "upstox_v3_feed" / DAY
    recording = Recording([recorded_file(path) for path in sorted(folder.glob("*.jsonl.gz"))])
    frames, last_volume, latest = 0, {}, 0
    for message in recording.messages():
        assert message.at_ns >= latest
        latest = message.at_ns
        for key, feed in message.feeds.items():
            frames += 1
            last_volume[key] = feed.fullFeed.marketFF.vtt
    assert (frames, recording.bad_lines) == (113_289, 0)
    assert last_volume == {
        "NSE_EQ|INE118H01025": 3_951_624,
        "NSE_EQ|INE811K01011": 364_168,
        "NSE_FO|51461": 2_778_335,
        "NSE_FO|60166": 3_992_625,
    }
