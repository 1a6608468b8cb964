"""Looks of the survey at a feed of the test's own making: what differs is told."""

from typing import Any

import aiohttp
import pytest

from tests.survey_stage import standing
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.survey.asking import Answer, Asker
from ticktick.brokers.upstox.survey.heard import Connection, Heard, Message
from ticktick.brokers.upstox.survey.private import masked, of_answer
from ticktick.brokers.upstox.survey.shape import shape
from ticktick.brokers.upstox.survey.subject import INDEX, STOCK, Subject
from ticktick.brokers.upstox.survey.survey import ASSUMPTIONS, survey
from ticktick.brokers.upstox.wire import MasterRecord
from ticktick.domain.clock import NS_PER_MS, NS_PER_S, parse_iso_ns
from ticktick.proto import MarketDataFeed_pb2 as pb2

NOON = "2026-11-20T12:00:00"
NOON_NS = parse_iso_ns(f"{NOON}+05:30")
NOON_MS = NOON_NS // NS_PER_MS
OPTION = "NSE_FO|1"


class Known(Subject):
    """A subject whose instrument master holds one stock."""

    async def records(self) -> dict[str, MasterRecord]:
        return {STOCK: MasterRecord("NSE_EQ", "NSE", "EQ", STOCK, "RELIANCE", tick_size=10.0)}


async def look(name: str, heard: Heard, now: str = NOON, **headers: str) -> tuple[str, str]:
    async def hear(_: Subject) -> Heard:
        return heard

    async with aiohttp.ClientSession() as http:
        asker = Asker(http, Hosts.loopback("http://127.0.0.1:9"), "token")
        asker.answers.append(Answer(200, headers, b"{}", 0.0, 0.0))
        subject = Known(asker, standing(now), {"isPlusPlan": False}, hear)
        wanted = [one for one in ASSUMPTIONS if one.name == name]
        (result,) = [result async for result in survey(subject, wanted)]
    return str(result.verdict), result.found


def heard(*frames: pb2.FeedResponse, **fields: Any) -> Heard:
    messages = [Message(0.0, NOON_NS, frame, 1) for frame in frames]
    made = Heard((STOCK, INDEX, OPTION), ("a", "b"), "wss", messages=messages)
    made.from_ns, made.until_ns = NOON_NS - 10 * NS_PER_S, NOON_NS
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def info(**told: Any) -> pb2.FeedResponse:
    return pb2.FeedResponse(
        type=pb2.market_info, currentTs=NOON_MS, marketInfo=pb2.MarketInfo(**told)
    )


def packet(key: str, kind: pb2.Type = pb2.live_feed, **full: Any) -> pb2.FeedResponse:
    frame = pb2.FeedResponse(type=kind, currentTs=NOON_MS)
    frame.feeds[key].fullFeed.marketFF.CopyFrom(pb2.MarketFullFeed(**full))
    return frame


def book(*prices: tuple[float, float]) -> pb2.MarketLevel:
    return pb2.MarketLevel(
        bidAskQuote=[pb2.Quote(bidP=bid, askP=ask, bidQ=1, askQ=1) for bid, ask in prices]
    )


def messages(*frames: pb2.FeedResponse) -> list[Message]:
    return [Message(0.0, NOON_NS, frame, 1) for frame in frames]


def with_new_field() -> pb2.FeedResponse:
    return pb2.FeedResponse.FromString(packet(STOCK).SerializeToString() + b"\xc0\x3e\x01")


def minute_bar(late_ms: int) -> pb2.FeedResponse:
    bar = pb2.OHLC(interval="I1", ts=NOON_MS - 60_000, open=1, high=1, low=1, close=1)
    frame = packet(STOCK, marketOHLC=pb2.MarketOHLC(ohlc=[bar]))
    frame.currentTs = NOON_MS + late_ms
    return frame


def greeks() -> pb2.FeedResponse:
    frame = pb2.FeedResponse(type=pb2.live_feed, currentTs=NOON_MS)
    frame.feeds[OPTION].firstLevelWithGreeks.vtt = 1
    return frame


def index_with_quantity() -> pb2.FeedResponse:
    frame = pb2.FeedResponse(type=pb2.live_feed, currentTs=NOON_MS)
    frame.feeds[INDEX].fullFeed.indexFF.ltpc.ltq = 5
    return frame


FIVE = book(*[(100.0 - i, 100.1 + i) for i in range(5)])
GOOD = info(segmentStatus={"NSE_EQ": 2})


@pytest.mark.parametrize(
    ("name", "made", "verdict", "found"),
    [
        ("frames.first", heard(packet(STOCK)), "DIFF", "the first frame is a live_feed"),
        ("frames.first", heard(GOOD), "PASS", "market_info"),
        ("frames.snapshot", heard(packet(STOCK, pb2.initial_feed)), "DIFF", "not ["),
        ("frames.segments", heard(info(segmentStatus={"NSE_SLB": 2})), "DIFF", "NSE_SLB"),
        ("frames.segments", heard(GOOD), "PASS", "NSE_EQ"),
        ("frames.status_words", heard(info(segmentStatus={"NSE_EQ": 9})), "DIFF", "numbers 9"),
        ("frames.status_words",
         heard(info(casMarketStatus={"NSE_EQ": pb2.StatusInfo(status="CAS_MATCHING")})),
         "DIFF", "CAS_MATCHING"),
        ("frames.fields", heard(with_new_field()), "DIFF", "FeedResponse.1000"),
        ("frames.fields", heard(GOOD, packet(STOCK)), "PASS", "none"),
        ("frames.levels", heard(packet(STOCK, marketLevel=book((1, 2)))), "DIFF", "levels 1"),
        ("frames.levels", heard(packet(STOCK, marketLevel=FIVE)), "PASS", "levels 5"),
        ("frames.index", heard(index_with_quantity()), "DIFF", "with quantities"),
        ("frames.index", heard(packet(INDEX)), "DIFF", "marketFF"),
        ("frames.grid", heard(packet(STOCK, ltpc=pb2.LTPC(ltp=100.05))), "DIFF", "1 of 1 prices"),
        ("frames.grid", heard(packet(STOCK, marketLevel=book((100.2, 100.1)))), "DIFF", "1 books"),
        ("frames.grid", heard(packet(STOCK, marketLevel=FIVE)), "PASS", "0 of 2 prices"),
        ("frames.minute", heard(minute_bar(5001)), "DIFF", "within 5.0 s"),
        ("frames.minute", heard(minute_bar(900)), "PASS", "within 0.9 s"),
        ("modes.ltpc", heard(in_ltpc=messages(packet(STOCK))), "DIFF", "members fullFeed"),
        ("modes.option_greeks", heard(in_greeks=messages(packet(OPTION))), "DIFF", "fullFeed"),
        ("modes.option_greeks", heard(in_greeks=messages(greeks())), "PASS", "firstLevel"),
        ("modes.unsub", heard(after_unsub=messages(packet(STOCK))), "DIFF", "1 packets of it"),
        ("modes.unsub", heard(after_unsub=messages(packet(INDEX))), "PASS", "0 packets of it"),
        ("feed.address", heard(address_names=("a",)), "DIFF", "under a"),
        ("feed.compression", heard(), "DIFF", "not accepted"),
        ("feed.code_age", heard(aged=Connection(status=403), code_age_s=61.0), "DIFF",
         "was refused (HTTP 403) 61 s after it was told"),
        ("feed.pong", heard(), "DIFF", "no pong"),
        ("feed.pong", heard(main=Connection(pong_ms=5001.0)), "DIFF", "5001 ms"),
        ("feed.pings", heard(idle=Connection(opened_s=0.0, ended_s=90.0)), "DIFF", "0 pings"),
        ("feed.pings", heard(idle=Connection(opened_s=0.0, ended_s=9.0)), "SKIPPED", "longer than"),
        ("feed.pings", heard(idle=Connection(ended_s=90.0, pings_s=[30.0, 60.0])), "PASS",
         "30.0 s apart at most"),
    ],
)  # fmt: skip
async def test_a_feed_is_told_as_it_is(name: str, made: Heard, verdict: str, found: str) -> None:
    said = await look(name, made)
    assert said[0] == verdict
    assert found in said[1]


async def test_an_index_that_moves_during_the_auction_is_told() -> None:
    frame = pb2.FeedResponse(type=pb2.live_feed, currentTs=NOON_MS)
    frame.feeds[INDEX].fullFeed.indexFF.ltpc.ltp = 1.0
    during = "2026-11-20T15:25:00"
    assert (await look("frames.index_auction", heard(frame), during))[0] == "DIFF"
    assert (await look("frames.index_auction", heard(GOOD), during))[0] == "PASS"


async def test_headers_that_count_requests_are_told() -> None:
    assert await look("answer.no_counters", heard(), **{"x-ratelimit-remaining": "3"}) == (
        "DIFF", "headers about it: x-ratelimit-remaining"
    )  # fmt: skip


def test_a_shape_tells_names_and_kinds_alone() -> None:
    told = shape({"data": {"NSE_EQ:X": {"price": 1.5, "ok": True, "list": ["secret"]}}})
    assert told == {"data": {"*": {"price": "number", "ok": "truth", "list": ["text"]}}}


def test_what_an_answer_tells_of_its_owner_is_private() -> None:
    profile = {"user_id": "AB1234", "user_name": "RAJ", "broker": "UPSTOX", "poa": False}
    private = set(of_answer("/v2/user/profile", profile))
    assert private == {"AB1234", "RAJ"}
    assert masked("AB1234 is RAJ, not BAJRAJ", private) == "*** is ***, not BAJRAJ"
    url = {"authorized_redirect_uri": "wss://x.upstox.com/f?requestId=r-1&code=c-1"}
    assert set(of_answer("/v3/feed/market-data-feed/authorize", url)) == {"r-1", "c-1"}
    assert set(of_answer("/v2/market/status/NSE", {"status": "NORMAL_OPEN"})) == set()
