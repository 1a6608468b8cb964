"""Plain tick files as a market: what each mode is told of them, and all their defects."""

import csv
import gzip
import json
import logging
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticktick.domain.clock import NS_PER_MS, NS_PER_S, parse_iso_ns
from ticktick.emulator.answers import Request
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.recorded_lines import JsonLines, TickLines
from ticktick.emulator.recording import RecordedFile, Recording, UnnamedTicksError, recorded_file
from ticktick.emulator.replay import Replay, first_ns
from ticktick.proto.MarketDataFeed_pb2 import Feed, FeedResponse

RELIANCE, NIFTY = "NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50"
DAY = "2021-05-14"
ROWS = (
    "timestamp,ltp,volume",
    f"{DAY} 09:15:16,1919.8,185763",
    f"{DAY} 09:15:16,1919.8,185763",
    f"{DAY} 09:15:18,1920.0,185900",
    f"{DAY} 09:15:17,1919.9,185800",
)


def ms(clock: str, day: str = DAY) -> int:
    return parse_iso_ns(f"{day}T{clock}+05:30") // NS_PER_MS


def tick_file(
    folder: Path, rows: Sequence[str] = ROWS, name: str = f"RELIANCE_{DAY}_.csv"
) -> RecordedFile:
    path = folder / name
    data = ("\n".join(rows) + "\n").encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return recorded_file(path)


def told(file: RecordedFile, mode: str) -> list[tuple[int, Feed]]:
    """What a subscriber from the start gets, with the time of each frame."""
    source = Replay([file], first_ns([file]) - NS_PER_S)
    exchange = Exchange(lambda _: source, source.now_ns, seed=1)
    exchange.switches.order(b'{"account.plus": true}')
    link = exchange.connect(exchange.feed_code())
    assert link is not None
    wish = {"mode": mode, "instrumentKeys": [file.key]}
    link.on_message(json.dumps({"method": "sub", "data": wish}).encode())
    frames = []
    while (next_ns := source.next_ns()) is not None:
        frames += [FeedResponse.FromString(frame) for _, frame in exchange.advance(next_ns)]
    return [(frame.currentTs, frame.feeds[file.key]) for frame in frames if frame.feeds]


def test_a_subscriber_of_ltpc_gets_every_tick_repeats_and_steps_back_included(
    tmp_path: Path,
) -> None:
    ticks = told(tick_file(tmp_path, name=f"RELIANCE_{DAY}_.csv.gz"), "ltpc")
    assert [feed.WhichOneof("FeedUnion") for _, feed in ticks] == ["ltpc"] * 4
    assert [feed.ltpc.ltp for _, feed in ticks] == [1919.8, 1919.8, 1920.0, 1919.9]
    clocks = ("09:15:16", "09:15:16", "09:15:18", "09:15:17")
    assert [feed.ltpc.ltt for _, feed in ticks] == [ms(clock) for clock in clocks]
    assert [feed.ltpc.ltq for _, feed in ticks] == [0] * 4


@pytest.mark.parametrize("mode", ["full", "full_d30"])
def test_a_subscriber_of_full_gets_price_and_volume_and_no_book(tmp_path: Path, mode: str) -> None:
    ticks = told(tick_file(tmp_path), mode)
    for _, feed in ticks:
        named = {field.name for field, _ in feed.fullFeed.marketFF.ListFields()}
        assert named == {"ltpc", "vtt"}
    volumes = [feed.fullFeed.marketFF.vtt for _, feed in ticks]
    assert volumes == [185_763, 185_763, 185_900, 185_800]


def test_a_subscriber_of_option_greeks_gets_price_and_volume(tmp_path: Path) -> None:
    for _, feed in told(tick_file(tmp_path), "option_greeks"):
        named = {field.name for field, _ in feed.firstLevelWithGreeks.ListFields()}
        assert named == {"ltpc", "vtt"}


def test_an_index_has_no_volume_in_any_mode(tmp_path: Path) -> None:
    rows = [f"{DAY} 09:15:16,14707.85,0"]
    file = tick_file(tmp_path, rows, f"Nifty_{DAY}_.csv")
    assert file.key == NIFTY
    ((_, feed),) = told(file, "full")
    assert feed.fullFeed.indexFF.ltpc.ltp == 14707.85
    assert not feed.fullFeed.HasField("marketFF")


def test_columns_may_be_named_in_another_order_or_not_at_all(tmp_path: Path) -> None:
    named = tick_file(tmp_path, ["Volume,LTP,Timestamp", f"7,100.5,{DAY} 10:00:00"])
    bare = tick_file(tmp_path, [f"{DAY} 10:00:00,100.5"], f"TCS_{DAY}.csv")
    for file, volume in ((named, 7), (bare, 0)):
        ((at_ms, feed),) = told(file, "full")
        assert (at_ms, feed.fullFeed.marketFF.vtt) == (ms("10:00:00"), volume)


def test_bad_rows_are_counted_and_told_and_the_rest_plays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = ["noon,1,2", f"{DAY} 10:00:00", f"{DAY} 10:00:00,nan,1", f"{DAY} 10:00:00,x,1", ","]
    bad += [f"{DAY} 10:00:00,1,1e30", "1970-01-01 00:00:00,1,1", '"' + DAY]
    recording = Recording([tick_file(tmp_path, [*ROWS, *bad, "", f"{DAY} 10:00:01,5,6"])])
    with caplog.at_level(logging.WARNING):
        assert len(list(recording.messages())) == len(ROWS)
    assert recording.bad_lines == len(bad)
    assert "line 6 of" in caplog.text
    assert f"{len(bad)} lines of" in caplog.text


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("RELIANCE_2021-05-14_.csv.gz", RELIANCE),
        ("LT2021-05-14_.csv.gz", "NSE_EQ|INE018A01030"),
        ("Nifty_Bank_2021-05-14_.csv.gz", "NSE_INDEX|Nifty Bank"),
        ("tcs.csv", "NSE_EQ|INE467B01029"),
    ],
)
def test_the_name_of_a_tick_file_tells_the_instrument(name: str, key: str) -> None:
    assert recorded_file(Path(name)).key == key


def test_ticks_of_nobody_are_refused_with_the_way_to_name_them() -> None:
    with pytest.raises(UnnamedTicksError, match=r"Write the key before it: 'NSE_EQ\|INE"):
        recorded_file(Path("2022-08-10.csv.gz"))
    assert recorded_file(Path("2022-08-10.csv.gz"), NIFTY).key == NIFTY
    with pytest.raises(ValueError, match="names its instruments itself"):
        recorded_file(Path("day.jsonl"), NIFTY)


def test_a_tick_file_has_no_candles(tmp_path: Path) -> None:
    source = Replay([tick_file(tmp_path)], ms("10:00:00") * NS_PER_MS)
    exchange = Exchange(lambda _: source, source.now_ns, seed=1)
    path = f"/v3/historical-candle/intraday/{RELIANCE}/minutes/1"
    assert json.loads(exchange.handle(Request("GET", path)).body)["data"]["candles"] == []
    token = exchange.login.live_token(source.now_ns)
    headers, query = {"authorization": f"Bearer {token}"}, {"instrument_key": RELIANCE}
    quote = Request("GET", "/v3/market-quote/ltp", query, headers)
    told = json.loads(exchange.handle(quote).body)["data"]["NSE_EQ:RELIANCE"]
    assert (told["last_price"], told["volume"]) == (1919.9, 185_800)


@given(st.text(max_size=60))
def test_any_text_is_a_line_or_is_refused_as_one(text: str) -> None:
    for form in (JsonLines(), TickLines(RELIANCE)):
        try:
            form.read(text)
        except ValueError:
            continue


_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["NaN", "Infinity", "9" * 30, "1e400", "2021-05-14 10:00:00", "live_feed"]),
)
_NAMES = st.sampled_from(
    [
        *("instrumentKey", "_insertion_time", "fullFeed", "marketFF", "ltpc", "ltp", "ltt", "vtt"),
        *("feeds", "currentTs", "type", "marketInfo", "segmentStatus", "NSE_EQ", "marketOHLC"),
        *("ohlc", "indexFF", "firstLevelWithGreeks", "requestMode", RELIANCE),
    ]
)
_CONTENT = st.recursive(
    _ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=5)
)


@given(st.dictionaries(_NAMES, _CONTENT, max_size=6))
def test_any_json_of_the_feeds_words_is_a_message_or_is_refused(content: object) -> None:
    try:
        message = JsonLines().read(json.dumps(content))
    except ValueError:
        return
    assert message.at_ns > 0


def rows_of(path: Path) -> list[list[str]]:
    with gzip.open(path, "rt") as lines:
        return [row for row in csv.reader(lines) if row[0] != "timestamp"]


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    ["RELIANCE_2021-05-14_.csv.gz", pytest.param("LT2021-06-04_.csv.gz", marks=pytest.mark.slow)],
)
def test_a_real_tick_file_plays_row_by_row(shared_data: Path, name: str) -> None:
    path = shared_data / "ticks_nse_2021" / name[-18:-8].strip("_") / name
    rows = rows_of(path)
    played = told(recorded_file(path), "full")
    seen = [
        (full.ltpc.ltp, full.ltpc.ltt, full.vtt)
        for full in (feed.fullFeed.marketFF for _, feed in played)
    ]
    clocks = [at.split() for at, *_ in rows]
    assert seen == [
        (float(price), ms(clock, day), int(volume))
        for (day, clock), (_, price, volume) in zip(clocks, rows, strict=True)
    ]
    assert [at_ms for at_ms, _ in played] == list(accumulate((at for _, at, _ in seen), max))


@pytest.mark.shared
def test_a_real_index_file_without_a_header_plays_from_the_pre_open_on(shared_data: Path) -> None:
    path = shared_data / "ticks_nse_2022_index" / "2022-08-10.csv.gz"
    rows = rows_of(path)
    played = told(recorded_file(path, NIFTY), "ltpc")
    assert [feed.ltpc.ltp for _, feed in played] == [float(price) for _, price in rows]
    assert played[0][0] == ms("09:00:01", "2022-08-10")
