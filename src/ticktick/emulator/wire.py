"""Feed messages of one instrument, built from integers: paise become rupees here."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from ticktick.proto.MarketDataFeed_pb2 import (
    LTPC,
    OHLC,
    Feed,
    IndexFullFeed,
    MarketFullFeed,
    MarketOHLC,
    MarketStatus,
    Quote,
    RequestMode,
)

_PAISE = 100
_NS_PER_MS = 1_000_000


class LastTrade(NamedTuple):
    """Price in paise, time in nanoseconds, quantity (0 on an index), previous close in paise."""

    price: int
    at_ns: int
    quantity: int
    previous_close: int


class Bar(NamedTuple):
    """A bar of the feed: `1d` or `I1`; prices in paise, start in nanoseconds."""

    interval: str
    start_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int


class DayTotals(NamedTuple):
    """Average price in rupees, volume, and the whole book's buy and sell quantity."""

    average_rupees: float
    volume: int
    bid_quantity: int
    ask_quantity: int


class Indication(NamedTuple):
    """What an auction tells before its match; prices in paise, quantities in shares.

    The equilibrium price and the quantity that would trade at it; the reference price, 0 where
    there is none; what is left over, more to buy being positive, and its part without a limit.
    """

    price: int
    quantity: int
    reference: int
    left_over: int
    at_market: int


_WORDS: Final = {
    MarketStatus.PRE_OPEN_START: "PRE_OPEN_START",
    MarketStatus.PRE_OPEN_END: "PRE_OPEN_END",
    MarketStatus.NORMAL_OPEN: "NORMAL_OPEN",
    MarketStatus.NORMAL_CLOSE: "NORMAL_CLOSE",
    MarketStatus.CLOSING_START: "CLOSING_START",
    MarketStatus.CLOSING_END: "CLOSING_END",
}
STATUS_OF_WORD: Final = {word: status for status, word in _WORDS.items()}

Level = tuple[int, int, int, int]
"""Bid quantity, bid price, ask quantity, ask price; prices in paise."""


def word_of_status(status: MarketStatus) -> str:
    """The broker's word for a market status: `NORMAL_OPEN`."""
    return _WORDS[status]


def ltpc(trade: LastTrade) -> LTPC:
    """The latest trade as the feed tells it."""
    return LTPC(
        ltp=trade.price / _PAISE,
        ltt=trade.at_ns // _NS_PER_MS,
        ltq=trade.quantity,
        cp=trade.previous_close / _PAISE,
    )


def stock_feed(
    trade: LastTrade | None,
    levels: Sequence[Level] | None,
    bars: Sequence[Bar] | None,
    totals: DayTotals,
    cas_eligible: bool,
    indication: Indication | None = None,
) -> Feed:
    """A stock in full mode; what is None did not change and is left out.

    An indication is told with the latest trade, where the other modes see its price.
    """
    full = MarketFullFeed(
        atp=totals.average_rupees,
        vtt=totals.volume,
        tbq=totals.bid_quantity,
        tsq=totals.ask_quantity,
        casEligible=cas_eligible,
    )
    if trade is not None:
        full.ltpc.CopyFrom(ltpc(trade))
    if levels is not None:
        full.marketLevel.bidAskQuote.extend(_quote(level) for level in levels)
    if bars is not None:
        full.marketOHLC.CopyFrom(_ohlc(bars))
    if indication is not None:
        full.iep = full.ltpc.iep.value = indication.price / _PAISE
        full.ieq, full.rp = indication.quantity, indication.reference / _PAISE
        full.iiqTotal, full.iiqM = indication.left_over, indication.at_market
    feed = Feed(requestMode=RequestMode.full_d5)
    feed.fullFeed.marketFF.CopyFrom(full)
    return feed


def index_feed(trade: LastTrade | None, bars: Sequence[Bar] | None) -> Feed:
    """An index in full mode: it has neither volume nor depth."""
    full = IndexFullFeed()
    if trade is not None:
        full.ltpc.CopyFrom(ltpc(trade))
    if bars is not None:
        full.marketOHLC.CopyFrom(_ohlc(bars))
    feed = Feed(requestMode=RequestMode.full_d5)
    feed.fullFeed.indexFF.CopyFrom(full)
    return feed


def ltpc_of(feed: Feed) -> LTPC | None:
    """The latest trade inside a full feed, if the message tells it."""
    inner = _inner(feed)
    return inner.ltpc if inner.HasField("ltpc") else None


def bars_of(feed: Feed) -> Sequence[OHLC]:
    """The bars inside a full feed, none if the message tells none."""
    return _inner(feed).marketOHLC.ohlc


def merged(before: Feed | None, now: Feed) -> Feed:
    """A full feed with the parts that the newer message leaves out taken from the older one."""
    if before is None or before.fullFeed.WhichOneof("FullFeedUnion") != now.fullFeed.WhichOneof(
        "FullFeedUnion"
    ):
        return now
    whole = Feed()
    whole.CopyFrom(now)
    old, new = _inner(before), _inner(whole)
    for field, part in old.ListFields():
        if field.message_type is not None and not new.HasField(field.name):
            getattr(new, field.name).CopyFrom(part)
    return whole


def _inner(feed: Feed) -> MarketFullFeed | IndexFullFeed:
    full = feed.fullFeed
    return full.indexFF if full.HasField("indexFF") else full.marketFF


def _quote(level: Level) -> Quote:
    bid_quantity, bid, ask_quantity, ask = level
    return Quote(bidQ=bid_quantity, bidP=bid / _PAISE, askQ=ask_quantity, askP=ask / _PAISE)


def _ohlc(bars: Sequence[Bar]) -> MarketOHLC:
    return MarketOHLC(
        ohlc=[
            OHLC(
                interval=bar.interval,
                open=bar.open / _PAISE,
                high=bar.high / _PAISE,
                low=bar.low / _PAISE,
                close=bar.close / _PAISE,
                vol=bar.volume,
                ts=bar.start_ns // _NS_PER_MS,
            )
            for bar in bars
        ]
    )
