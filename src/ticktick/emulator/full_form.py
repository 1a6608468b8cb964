"""Feeds of any mode as full ones that hold the same and nothing more."""

from ticktick.proto.MarketDataFeed_pb2 import LTPC, Feed


def is_index(key: str) -> bool:
    """Whether the key is that of an index, which has neither volume nor depth."""
    return key.partition("|")[0].endswith("INDEX")


def full_form(key: str, feed: Feed) -> Feed:
    """The full message with what the feed tells; a part it does not tell is left out."""
    match feed.WhichOneof("FeedUnion"):
        case "ltpc":
            return _of_trade(key, feed.ltpc)
        case "firstLevelWithGreeks":
            return _of_first_level(key, feed)
    return feed


def tick_feed(key: str, price: float, at_ms: int, volume: int) -> Feed:
    """One tick: price in rupees, time, and the day's volume, which an index has not."""
    whole = _of_trade(key, LTPC(ltp=price, ltt=at_ms))
    if not is_index(key):
        whole.fullFeed.marketFF.vtt = volume
    return whole


def _of_trade(key: str, trade: LTPC) -> Feed:
    whole = Feed()
    full = whole.fullFeed.indexFF if is_index(key) else whole.fullFeed.marketFF
    full.ltpc.CopyFrom(trade)
    return whole


def _of_first_level(key: str, feed: Feed) -> Feed:
    first = feed.firstLevelWithGreeks
    if is_index(key):
        return _of_trade(key, first.ltpc)
    whole = Feed()
    full = whole.fullFeed.marketFF
    full.vtt, full.oi, full.iv = first.vtt, first.oi, first.iv
    if first.HasField("ltpc"):
        full.ltpc.CopyFrom(first.ltpc)
    if first.HasField("firstDepth"):
        full.marketLevel.bidAskQuote.append(first.firstDepth)
    if first.HasField("optionGreeks"):
        full.optionGreeks.CopyFrom(first.optionGreeks)
    return whole
