"""One feed connection: subscriptions, modes, snapshots and status frames."""

import json
from itertools import pairwise

from ticktick.domain.clock import NS_PER_MS, NS_PER_S, parse_iso_ns
from ticktick.domain.sessions import Calendar
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.feed import FeedConnection
from ticktick.emulator.market import Market
from ticktick.emulator.wire import merged
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse, MarketStatus, RequestMode, Type

RELIANCE, NIFTY = "NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50"


def connected(at: str = "2026-11-20T10:30:00") -> tuple[Exchange, FeedConnection]:
    start_ns = parse_iso_ns(f"{at}+05:30")
    exchange = Exchange(lambda at_ns: Market(1, at_ns, Calendar()), start_ns, seed=1)
    link = exchange.connect(exchange.feed_code())
    assert link is not None
    return exchange, link


def say(link: FeedConnection, method: str, *keys: str, mode: str | None = None) -> bytes | None:
    data: dict[str, object] = {"instrumentKeys": list(keys)} | ({"mode": mode} if mode else {})
    return link.on_message(json.dumps({"guid": "g", "method": method, "data": data}).encode())


def read(frame: bytes | None) -> FeedResponse:
    assert frame is not None
    return FeedResponse.FromString(frame)


def after(exchange: Exchange, seconds: int) -> list[FeedResponse]:
    to_ns = exchange.now_ns + seconds * NS_PER_S
    return [FeedResponse.FromString(frame) for _, frame in exchange.advance(to_ns)]


def test_the_snapshot_is_an_initial_feed_with_the_last_state() -> None:
    exchange, link = connected()
    snapshot = read(say(link, "sub", RELIANCE, NIFTY, mode="full"))
    assert snapshot.type == Type.initial_feed
    assert snapshot.currentTs == exchange.now_ns // NS_PER_MS
    stock, index = snapshot.feeds[RELIANCE], snapshot.feeds[NIFTY]
    assert stock.requestMode == RequestMode.full_d5
    assert stock.fullFeed.marketFF.casEligible
    assert len(stock.fullFeed.marketFF.marketLevel.bidAskQuote) == 5
    assert index.fullFeed.HasField("indexFF")
    assert index.fullFeed.indexFF.ltpc.ltq == 0


def test_without_a_mode_a_subscription_gets_only_the_last_trade() -> None:
    exchange, link = connected()
    snapshot = read(say(link, "sub", RELIANCE))
    assert snapshot.feeds[RELIANCE].WhichOneof("FeedUnion") == "ltpc"
    frames = after(exchange, 10)
    assert frames
    assert all(frame.feeds[RELIANCE].WhichOneof("FeedUnion") == "ltpc" for frame in frames)
    times = [frame.feeds[RELIANCE].ltpc.ltt for frame in frames]
    assert times == sorted(set(times))


def test_frames_are_conflated_and_hold_only_what_changed() -> None:
    exchange, link = connected()
    say(link, "sub", RELIANCE, NIFTY, mode="full")
    frames = after(exchange, 20)
    stamps = [frame.currentTs for frame in frames]
    assert all(frame.type == Type.live_feed for frame in frames)
    assert all(later - earlier >= 250 for earlier, later in pairwise(stamps))
    assert any(set(frame.feeds) == {RELIANCE} for frame in frames)
    assert sum(NIFTY in frame.feeds for frame in frames) < len(frames)
    for frame in frames:
        for feed in frame.feeds.values():
            if feed.fullFeed.marketFF.HasField("ltpc"):
                assert feed.fullFeed.marketFF.ltpc.ltt < frame.currentTs


def test_unsubscribed_and_unknown_keys_send_nothing() -> None:
    exchange, link = connected()
    assert say(link, "sub", "NSE_EQ|NOBODY", mode="full") is None
    say(link, "sub", RELIANCE, NIFTY, mode="full")
    assert say(link, "unsub", RELIANCE) is None
    assert all(set(frame.feeds) == {NIFTY} for frame in after(exchange, 5))


def test_a_changed_mode_is_shown_at_once() -> None:
    exchange, link = connected()
    say(link, "sub", RELIANCE, mode="full")
    assert read(say(link, "change_mode", RELIANCE, mode="ltpc")).feeds[RELIANCE].HasField("ltpc")
    assert all(frame.feeds[RELIANCE].HasField("ltpc") for frame in after(exchange, 5))
    assert say(link, "change_mode", NIFTY, mode="full") is None


def test_what_cannot_be_understood_is_ignored_and_counted() -> None:
    exchange, link = connected()
    for message in (b"\xff", b"{}", b'{"method":1,"data":{}}', b"[]"):
        assert link.on_message(message) is None
    assert say(link, "sub", RELIANCE, mode="everything") is None
    assert say(link, "hello", RELIANCE, mode="full") is None
    assert link.ignored == 6
    assert after(exchange, 2) == []


def test_the_market_status_is_told_at_once_and_at_every_change() -> None:
    exchange, _ = connected("2026-11-20T08:59:00")
    greeting = read(exchange.greeting())
    assert greeting.type == Type.market_info
    assert greeting.marketInfo.segmentStatus["NSE_EQ"] == MarketStatus.NORMAL_CLOSE
    told = []
    for _ in range(8 * 60):
        for frame in after(exchange, 60):
            if frame.type == Type.market_info:
                info = frame.marketInfo
                told.append(
                    (
                        (frame.currentTs - 1795113000000) // 60000,
                        MarketStatus.Name(info.segmentStatus["NSE_EQ"]),
                        MarketStatus.Name(info.segmentStatus["NSE_FO"]),
                        info.casMarketStatus["NSE_EQ"].status if info.casMarketStatus else None,
                    )
                )
    at = {minute: tuple(words) for minute, *words in told}
    assert at == {
        540: ("PRE_OPEN_START", "PRE_OPEN_START", None),
        548: ("PRE_OPEN_END", "PRE_OPEN_END", None),
        555: ("NORMAL_OPEN", "NORMAL_OPEN", None),
        915: ("NORMAL_OPEN", "NORMAL_OPEN", "CTS_CLOSE"),
        930: ("NORMAL_CLOSE", "NORMAL_OPEN", "CTS_CLOSE"),
        935: ("NORMAL_CLOSE", "NORMAL_OPEN", "CLOSING_END"),
        940: ("NORMAL_CLOSE", "NORMAL_CLOSE", "CLOSING_END"),
        950: ("CLOSING_START", "CLOSING_START", "CLOSING_END"),
        960: ("CLOSING_END", "CLOSING_END", "CLOSING_END"),
    }


def test_without_partial_packets_every_message_tells_all_of_the_instrument() -> None:
    partial, whole = connected(), connected()
    whole[0].switches.order(b'{"feed.partial_packets": false}')
    keys = (RELIANCE, NIFTY)
    seen = read(say(partial[1], "sub", *keys, mode="full")).feeds
    say(whole[1], "sub", *keys, mode="full")
    lean, full = after(partial[0], 90), after(whole[0], 90)
    assert len(lean) == len(full) > 100
    left_out = 0
    for some, everything in zip(lean, full, strict=True):
        for key, feed in some.feeds.items():
            left_out += not feed.fullFeed.marketFF.HasField("ltpc")
            seen[key].CopyFrom(merged(seen[key], feed))
            assert everything.feeds[key] == seen[key]
    assert left_out > 50
