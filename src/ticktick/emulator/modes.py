"""Feed modes: what of a full message each of them tells."""

from typing import Final

from ticktick.emulator.wire import ltpc_of
from ticktick.proto.MarketDataFeed_pb2 import Feed, FirstLevelWithGreeks, RequestMode

DEFAULT_MODE: Final = "ltpc"
DEEP_MODE: Final = "full_d30"
MODES: Final = (DEFAULT_MODE, "option_greeks", "full", DEEP_MODE)
_USUAL_LEVELS = 5


def told(feed: Feed, mode: str) -> Feed | None:
    """What a subscriber of this mode gets of a change; None if nothing of it concerns him.

    `feed` holds all levels of the book that somebody asked for.
    """
    match mode:
        case "full_d30":
            return _full(feed, RequestMode.full_d30)
        case "full":
            return _full(feed, RequestMode.full_d5)
        case "option_greeks":
            return _first_level(feed)
    trade = ltpc_of(feed)
    if trade is None:
        return None
    brief = Feed()
    brief.ltpc.CopyFrom(trade)
    return brief


def _full(feed: Feed, mode: RequestMode) -> Feed:
    levels = feed.fullFeed.marketFF.marketLevel.bidAskQuote
    if feed.requestMode == mode and (mode == RequestMode.full_d30 or len(levels) <= _USUAL_LEVELS):
        return feed
    whole = Feed()
    whole.CopyFrom(feed)
    whole.requestMode = mode
    if mode == RequestMode.full_d5 and len(levels) > _USUAL_LEVELS:
        del whole.fullFeed.marketFF.marketLevel.bidAskQuote[_USUAL_LEVELS:]
    return whole


def _first_level(feed: Feed) -> Feed | None:
    """Last trade, best bid and ask, Greeks; of an index the last value alone."""
    trade = ltpc_of(feed)
    first = FirstLevelWithGreeks()
    if trade is not None:
        first.ltpc.CopyFrom(trade)
    if feed.fullFeed.HasField("marketFF"):
        full = feed.fullFeed.marketFF
        if full.marketLevel.bidAskQuote:
            first.firstDepth.CopyFrom(full.marketLevel.bidAskQuote[0])
        if full.HasField("optionGreeks"):
            first.optionGreeks.CopyFrom(full.optionGreeks)
        first.vtt, first.oi, first.iv = full.vtt, full.oi, full.iv
    elif trade is None:
        return None
    short = Feed(requestMode=RequestMode.option_greeks)
    short.firstLevelWithGreeks.CopyFrom(first)
    return short
