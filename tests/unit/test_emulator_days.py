"""Days of the built-in exchange: what status is told when, and what a new day starts with."""

import gzip
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from ticktick.domain.clock import NS_PER_MS, iso_ist, parse_iso_ns
from ticktick.emulator.answers import Request
from ticktick.emulator.calendar import MovableCalendar
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.faults import Faults
from ticktick.emulator.floor import Floor
from ticktick.emulator.levers import Levers
from ticktick.proto.MarketDataFeed_pb2 import (
    LTPC,
    FeedResponse,
    MarketInfo,
    MarketLevel,
    MarketStatus,
    Type,
)

RELIANCE = "NSE_EQ|INE002A01018"
SUBSCRIBE = b'{"method":"sub","data":{"mode":"full","instrumentKeys":["NSE_EQ|INE002A01018"]}}'


def ns(text: str) -> int:
    return parse_iso_ns(f"{text}+05:30")


def exchange(at: str) -> Exchange:
    calendar = MovableCalendar()
    made = Exchange(lambda at_ns: Floor(1, at_ns, calendar), ns(at), seed=1, calendar=calendar)
    link = made.connect(made.feed_code())
    assert link is not None
    link.on_message(SUBSCRIBE)
    return made


def frames(made: Exchange, to: str) -> Iterator[FeedResponse]:
    return (FeedResponse.FromString(frame) for _, frame in made.advance(ns(to)))


def told_status(at: str, to: str) -> list[tuple[str, MarketInfo]]:
    return [
        (iso_ist(frame.currentTs * NS_PER_MS)[11:16], frame.marketInfo)
        for frame in frames(exchange(at), to)
        if frame.type == Type.market_info
    ]


def book_and_trade(made: Exchange) -> tuple[MarketLevel, LTPC]:
    feed = made.source.snapshot(RELIANCE)
    assert feed is not None
    return feed.fullFeed.marketFF.marketLevel, feed.fullFeed.marketFF.ltpc


def words(told: list[tuple[str, MarketInfo]], segment: str) -> list[tuple[str, str]]:
    """Each change of one segment."""
    found: list[tuple[str, str]] = []
    for at, info in told:
        word = MarketStatus.Name(info.segmentStatus[segment])
        if not found or found[-1][1] != word:
            found.append((at, word))
    return found


def test_every_segment_is_told_its_own_hours_of_the_day() -> None:
    told = told_status("2026-11-23T08:00:00", "2026-11-23T23:00:00")
    before = [("09:00", "PRE_OPEN_START"), ("09:08", "PRE_OPEN_END"), ("09:15", "NORMAL_OPEN")]
    after = [("15:50", "CLOSING_START"), ("16:00", "CLOSING_END")]
    assert words(told, "NSE_EQ") == [*before, ("15:30", "NORMAL_CLOSE"), *after]
    assert words(told, "NSE_FO") == [*before, ("15:40", "NORMAL_CLOSE"), *after]
    assert words(told, "NSE_INDEX") == [*before, ("15:15", "NORMAL_CLOSE"), *after]


def test_the_pre_open_is_told_beside_the_segments() -> None:
    told = told_status("2026-11-23T08:00:00", "2026-11-23T10:00:00")
    sessions = [
        (at, info.preOpenSessionStatus["NSE_EQ"].status if info.preOpenSessionStatus else "")
        for at, info in told
    ]
    assert sessions == [("09:00", "PRE_OPEN_START"), ("09:08", "PRE_OPEN_END"), ("09:15", "")]
    since = told[1][1].preOpenSessionStatus["NSE_EQ"].updatedTime
    assert since * NS_PER_MS == ns("2026-11-23T09:08:00")


def test_the_closing_auction_is_told_from_the_end_of_trading_on() -> None:
    told = told_status("2026-11-23T15:00:00", "2026-11-23T15:45:00")
    auction = [(at, info.casMarketStatus["NSE_EQ"].status) for at, info in told]
    assert auction[0] == ("15:15", "CTS_CLOSE")
    assert ("15:35", "CLOSING_END") in auction


def test_a_special_session_has_no_pre_open_and_no_auction() -> None:
    calendar = MovableCalendar()
    calendar.set_hours(date(2026, 11, 21), (("10:00", "10:30"), ("11:00", "11:15")))
    start_ns = ns("2026-11-21T08:00:00")
    made = Exchange(lambda at_ns: Floor(1, at_ns, calendar), start_ns, seed=1, calendar=calendar)
    made.connect(made.feed_code())
    told = [
        (iso_ist(frame.currentTs * NS_PER_MS)[11:16], frame.marketInfo)
        for frame in frames(made, "2026-11-21T20:00:00")
    ]
    assert words(told, "NSE_EQ") == [
        ("10:00", "NORMAL_OPEN"),
        ("10:30", "NORMAL_CLOSE"),
        ("11:00", "NORMAL_OPEN"),
        ("11:15", "NORMAL_CLOSE"),
    ]
    assert not any(info.casMarketStatus for _, info in told)
    assert len(made.source.bars(RELIANCE).between(start_ns, made.now_ns)) == 45


def listed(made: Exchange, what: str) -> list[dict[str, Any]]:
    """The answer of `holidays` or `timings` for a day."""
    content = json.loads(made.handle(Request("GET", f"/v2/market/{what}")).body)
    data: list[dict[str, Any]] = content["data"]
    return data


def test_hours_that_were_set_are_told_as_holidays_and_timings() -> None:
    made = exchange("2026-11-06T10:00:00")
    assert listed(made, "timings/2026-11-08") == listed(made, "holidays/2026-11-08") == []
    evening = (ns("2026-11-08T18:00:00") // NS_PER_MS, ns("2026-11-08T19:00:00") // NS_PER_MS)
    for _ in made.set_hours(date(2026, 11, 8), (("18:00", "19:00"),)):
        continue
    hours = listed(made, "timings/2026-11-08")
    assert {row["exchange"] for row in hours} == {"NSE", "NFO", "BSE", "BFO"}
    assert {(row["start_time"], row["end_time"]) for row in hours} == {evening}
    (told,) = listed(made, "holidays/2026-11-08")
    assert (told["holiday_type"], told["open_exchanges"]) == ("SPECIAL_TIMING", hours)
    for _ in made.set_hours(date(2026, 11, 9), ()):
        continue
    (told,) = listed(made, "holidays/2026-11-09")
    assert (told["holiday_type"], told["open_exchanges"]) == ("TRADING_HOLIDAY", [])
    assert listed(made, "timings/2026-11-09") == []
    days = [row["date"] for row in listed(made, "holidays")]
    assert days == sorted(days)
    assert {"2026-11-08", "2026-11-09", "2026-12-25"} <= set(days)


def test_an_evening_session_set_on_its_own_day_is_traded() -> None:
    made = exchange("2026-11-08T12:00:00")
    for _ in made.set_hours(date(2026, 11, 8), (("18:00", "19:00"),)):
        continue
    told = [frame for frame in frames(made, "2026-11-08T23:00:00") if frame.feeds]
    assert ns("2026-11-08T18:00:00") <= told[0].currentTs * NS_PER_MS
    assert told[-1].currentTs * NS_PER_MS <= ns("2026-11-08T19:00:31")
    bars = made.source.bars(RELIANCE).between(ns("2026-11-08T00:00:00"), made.now_ns)
    assert len(bars) == 60


def test_F43_a_halted_day_goes_on_in_its_extension() -> None:
    made = exchange("2026-11-20T11:39:00")
    faults = Faults()
    levers = Levers(made, faults)

    def run(to: str) -> Iterator[FeedResponse]:
        yield from frames(made, to)
        for fault in faults.due(made.now_ns):
            yield from (FeedResponse.FromString(frame) for _, frame in levers.act(fault))
        yield from (FeedResponse.FromString(frame) for _, frame in levers.hold())

    def words_of(told: list[FeedResponse]) -> list[tuple[str, MarketInfo]]:
        news = [frame for frame in told if frame.type == Type.market_info]
        return [(iso_ist(frame.currentTs * NS_PER_MS)[11:16], frame.marketInfo) for frame in news]

    faults.order(b'{"verb": "market.halt", "after": 60, "for": 14700}', made.now_ns)
    told = [*run("2026-11-20T11:40:00")]
    at_halt = book_and_trade(made)
    told += run("2026-11-20T14:00:00")
    order = {"verb": "calendar.set", "args": {"day": "2026-11-20", "hours": "09:15-17:00"}}
    faults.order(json.dumps(order).encode(), made.now_ns)
    told += [*run("2026-11-20T14:00:00"), *run("2026-11-20T15:45:00")]
    halted = [frame for frame in told if frame.currentTs * NS_PER_MS > ns("2026-11-20T11:40:30")]
    assert not any(frame.feeds for frame in halted)
    assert book_and_trade(made) == at_halt
    told += run("2026-11-20T18:00:00")
    assert words(words_of(told), "NSE_EQ") == [
        ("11:40", "NORMAL_CLOSE"),
        ("15:45", "NORMAL_OPEN"),
        ("17:00", "NORMAL_CLOSE"),
    ]
    assert not any(info.casMarketStatus for _, info in words_of(told))
    bars = made.source.bars(RELIANCE)
    assert len(bars.between(ns("2026-11-20T11:40:00"), ns("2026-11-20T15:45:00"))) == 0
    assert len(bars.between(ns("2026-11-20T15:45:00"), ns("2026-11-20T17:00:00"))) == 75


def test_nothing_trades_before_the_pre_open_ends() -> None:
    made = exchange("2026-11-23T08:59:00")
    before = [frame for frame in frames(made, "2026-11-23T09:08:00") if frame.feeds]
    assert {frame.feeds[RELIANCE].fullFeed.marketFF.vtt for frame in before} == {0}
    assert made.source.trades(RELIANCE, 0, made.now_ns) == []


def test_a_new_day_starts_with_the_last_close_and_nothing_else() -> None:
    made = exchange("2026-11-20T15:14:00")
    for _ in frames(made, "2026-11-20T16:30:00"):
        continue
    friday = made.source.snapshot(RELIANCE)
    for _ in frames(made, "2026-11-23T09:00:00"):
        continue
    monday = made.source.snapshot(RELIANCE)
    assert friday is not None
    assert monday is not None
    old, new = friday.fullFeed.marketFF, monday.fullFeed.marketFF
    assert old.ltpc.ltp != old.ltpc.cp
    assert new.ltpc.cp == new.ltpc.ltp == old.ltpc.ltp
    assert old.vtt > 0
    assert (new.vtt, new.atp, len(new.marketOHLC.ohlc)) == (0, 0.0, 0)


def test_history_of_yesterday_is_what_the_feed_told_as_minutes() -> None:
    made = exchange("2026-11-23T09:00:00")
    told = {
        bar.ts * NS_PER_MS: (bar.open, bar.high, bar.low, bar.close, bar.vol)
        for frame in frames(made, "2026-11-23T16:00:00")
        for bar in frame.feeds[RELIANCE].fullFeed.marketFF.marketOHLC.ohlc
        if bar.interval == "I1" and bar.ts * NS_PER_MS >= ns("2026-11-23T00:00:00")
    }
    for _ in frames(made, "2026-11-25T08:00:00"):
        continue
    path = f"/v3/historical-candle/{RELIANCE}/minutes/1/2026-11-23/2026-11-23"
    rows = json.loads(made.handle(Request("GET", path)).body)["data"]["candles"]
    assert {parse_iso_ns(row[0]): tuple(row[1:6]) for row in rows} == told
    assert len(told) == 360


def test_the_token_ends_at_half_past_three_while_the_market_runs_on() -> None:
    made = exchange("2026-11-20T15:00:00")
    headers = {"authorization": f"Bearer {made.login.live_token(made.now_ns)}"}
    request = Request("GET", "/v2/user/profile", headers=headers)
    for _ in frames(made, "2026-11-21T03:29:59"):
        continue
    assert made.handle(request).status == 200
    for _ in frames(made, "2026-11-21T03:30:00"):
        continue
    assert made.handle(request).status == 401


def symbols_in_file(made: Exchange, name: str = "NSE") -> dict[str, str]:
    path = f"/market-quote/instruments/exchange/{name}.json.gz"
    rows = json.loads(gzip.decompress(made.handle(Request("GET", path)).body))
    return {row["trading_symbol"]: row["instrument_key"] for row in rows}


def test_the_instruments_of_a_day_come_out_at_six() -> None:
    made = exchange("2026-12-01T16:30:00")
    tuesday = symbols_in_file(made)
    for _ in frames(made, "2026-12-02T05:59:59"):
        continue
    assert symbols_in_file(made) == tuesday
    for _ in frames(made, "2026-12-02T06:00:00"):
        continue
    wednesday = symbols_in_file(made)
    assert any(symbol.endswith("CE 01 DEC 26") for symbol in tuesday.keys() - wednesday.keys())
    assert {one.key for one in made.source.listings} == set(wednesday.values())


def test_a_clock_set_to_the_night_finds_the_file_of_the_day_before() -> None:
    made = exchange("2026-11-25T09:00:00")
    made.jump(ns("2026-12-02T04:00:00"))
    night = symbols_in_file(made)
    assert night == symbols_in_file(exchange("2026-12-01T20:00:00"))
    made.jump(ns("2026-12-02T07:00:00"))
    assert symbols_in_file(made) == symbols_in_file(exchange("2026-12-02T07:00:00")) != night


def test_every_exchange_has_its_own_file() -> None:
    made = exchange("2026-11-20T10:00:00")
    assert symbols_in_file(made) == symbols_in_file(made, "complete")
    assert symbols_in_file(made, "BSE") == symbols_in_file(made, "MCX") == {}
