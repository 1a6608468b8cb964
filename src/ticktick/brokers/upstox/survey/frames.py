"""The feed's frames as a whole: their order, their times, and the states of the market."""

from collections import Counter
from collections.abc import Iterator
from statistics import median
from typing import Any, Final

from google.protobuf.message import Message as Protobuf
from google.protobuf.unknown_fields import UnknownFieldSet

from ticktick.brokers.upstox.survey.answers import STATUS
from ticktick.brokers.upstox.survey.assumption import Assumption
from ticktick.brokers.upstox.survey.heard import Heard, market_packets
from ticktick.brokers.upstox.survey.sessions import AUCTION_WORDS
from ticktick.brokers.upstox.survey.subject import INDEX, Subject
from ticktick.brokers.upstox.survey.verdict import NotSeen, listed, require
from ticktick.domain.clock import NS_PER_MS, NS_PER_S
from ticktick.domain.sessions import Phase, SessionClass
from ticktick.proto.MarketDataFeed_pb2 import (
    FeedResponse,
    MarketStatus,
    Type,
)

_SEGMENTS: Final = {
    *("NSE_EQ", "NSE_FO", "NCD_FO", "NSE_COM", "BSE_EQ", "BSE_FO", "BCD_FO", "MCX_FO"),
    *("NSE_INDEX", "BSE_INDEX", "MCX_INDEX"),
}
_TOLERANCE_S = 2.0
_SOME_FRAMES = 300


async def _first(subject: Subject) -> str:
    heard = await subject.heard()
    if not heard.messages:
        raise NotSeen("no frame came")
    kind = Type.Name(heard.messages[0].frame.type)
    return require(kind == "market_info", f"the first frame is a {kind}")


async def _snapshot(subject: Subject) -> str:
    heard = await subject.heard()
    first = [one.frame for one in heard.messages if one.frame.type == Type.initial_feed]
    told = {key for frame in first for key in frame.feeds}
    missing = [key for key in heard.asked_keys if key not in told]
    found = f"{len(told)} of {len(heard.asked_keys)} keys in {len(first)} frames"
    return require(len(first) == 1 and not missing, found + (f"; not {missing}" if missing else ""))


async def _segments(subject: Subject) -> str:
    names = {name for frame in await _infos(subject) for name in frame.marketInfo.segmentStatus}
    return require(bool(names) and names <= _SEGMENTS, ", ".join(sorted(names)) or "none")


async def _status_words(subject: Subject) -> str:
    words: set[str] = set()
    unknown: set[int] = set()
    for frame in await _infos(subject):
        info = frame.marketInfo
        unknown |= {code for code in info.segmentStatus.values() if code not in _STATUSES}
        for told in (*info.casMarketStatus.values(), *info.preOpenSessionStatus.values()):
            words.add(told.status)
    found = (
        f"{', '.join(sorted(words)) or 'no auction or pre-open now'}; new numbers {listed(unknown)}"
    )
    return require(words <= AUCTION_WORDS and not unknown, found)


async def _agrees(subject: Subject) -> str:
    """The cash segment's state, on the feed and over HTTP."""
    subject.phase(SessionClass.CASH)
    told = [
        MarketStatus.Name(frame.marketInfo.segmentStatus["NSE_EQ"])
        for frame in await _infos(subject)
        if frame.marketInfo.segmentStatus.get("NSE_EQ") in _STATUSES
    ]
    if not told:
        raise NotSeen("the feed told no state of NSE_EQ")
    word = (await subject.asker.fresh(STATUS)).data()["status"]
    return require(told[-1] == word, f"{told[-1]} on the feed, {word} over HTTP")


async def _time(subject: Subject) -> str:
    """Time of a frame against our clock when it came."""
    heard = await subject.heard()
    late_s = [
        (one.at_ns - one.frame.currentTs * NS_PER_MS) / NS_PER_S
        for one in heard.messages
        if one.frame.currentTs
    ]
    if not late_s:
        raise NotSeen("no frame with a time came")
    limit_s = _TOLERANCE_S * max(subject.clock.rate, 1.0)
    found = (
        f"{median(late_s):+.2f} s in the middle, from {min(late_s):+.2f} to {max(late_s):+.2f} s"
    )
    return require(min(late_s) >= -limit_s and median(late_s) <= limit_s, found)


async def _canary(subject: Subject) -> str:
    """The longest silence of the index while its market trades, by the frames' own time."""
    heard = await _while_trading(subject)
    moments = [
        one.frame.currentTs * NS_PER_MS
        for one in heard.messages
        if INDEX in one.frame.feeds and one.frame.type == Type.live_feed
    ]
    tail_ns = heard.until_ns - subject.slack_ns
    gaps = [
        (after - before) / NS_PER_S
        for before, after in zip([heard.from_ns, *moments], [*moments, tail_ns], strict=True)
    ]
    found = f"{len(moments)} frames in {_length_s(heard):.0f} s, {max(gaps):.1f} s apart at most"
    return require(max(gaps) <= 5.0, found)


async def _index_in_auction(subject: Subject) -> str:
    if subject.phase(SessionClass.AUCTION_CASH) is not Phase.AUCTION:
        raise NotSeen("no closing auction runs now")
    heard = await subject.heard()
    count = sum(
        one.frame.type == Type.live_feed and INDEX in one.frame.feeds for one in heard.messages
    )
    return require(count == 0, f"{count} frames in {_length_s(heard):.0f} s")


async def _minute(subject: Subject) -> str:
    """How long after its end the feed's own minute candle comes."""
    heard = await _while_trading(subject)
    late_s: dict[tuple[str, int], float] = {}
    for message, key, full in market_packets(heard.messages):
        for bar in full.marketOHLC.ohlc:
            end_ms = bar.ts + 60_000
            if bar.interval == "I1" and heard.from_ns < end_ms * NS_PER_MS <= message.at_ns:
                late_s.setdefault((key, bar.ts), (message.frame.currentTs - end_ms) / 1000)
    if not late_s:
        raise NotSeen("no minute ended while the feed was heard: listen for more than 70 s")
    slowest_s = sorted(late_s.values())[int(0.9 * (len(late_s) - 1))]
    found = f"9 of 10 within {slowest_s:.1f} s, of {len(late_s)} candles"
    return require(slowest_s <= 5.0, found)


async def _fields(subject: Subject) -> str:
    heard = await subject.heard()
    if not heard.messages:
        raise NotSeen("no frame came")
    new = Counter(name for one in heard.messages[:_SOME_FRAMES] for name in _unknown(one.frame))
    return require(not new, f"new fields: {listed(new)}")


async def _while_trading(subject: Subject) -> Heard:
    if subject.phase(SessionClass.AUCTION_CASH) is not Phase.CONTINUOUS:
        raise NotSeen("the market does not trade now")
    return await subject.heard()


async def _infos(subject: Subject) -> list[FeedResponse]:
    heard = await subject.heard()
    found = [one.frame for one in heard.messages if one.frame.HasField("marketInfo")]
    if not found:
        raise NotSeen("no market_info came")
    return found


def _unknown(message: Protobuf) -> Iterator[str]:
    """Names of the messages with fields that our schema does not have, and their numbers."""
    unknown = UnknownFieldSet(message)
    for i in range(len(unknown)):
        yield f"{message.DESCRIPTOR.name}.{unknown[i].field_number}"
    for _, value in message.ListFields():
        for part in _parts(value):
            yield from _unknown(part)


def _parts(value: Any) -> Iterator[Protobuf]:
    if isinstance(value, Protobuf):
        yield value
    elif hasattr(value, "values"):
        yield from (one for one in value.values() if isinstance(one, Protobuf))
    elif not isinstance(value, str | bytes | int | float):
        yield from (one for one in value if isinstance(one, Protobuf))


def _length_s(heard: Heard) -> float:
    return (heard.until_ns - heard.from_ns) / NS_PER_S


_STATUSES: Final = frozenset(MarketStatus.values())

FRAMES: Final = (
    Assumption("frames.first", "the first frame tells the market's state", _first),
    Assumption("frames.snapshot", "a subscription gets one snapshot of all its keys", _snapshot),
    Assumption("frames.segments", "only segments are named that we know", _segments),
    Assumption(
        "frames.status_words", "states, auction and pre-open have words we know", _status_words
    ),
    Assumption("frames.status", "feed and HTTP tell the same state", _agrees),
    Assumption("frames.time", "a frame's time is within 2 s of this computer's clock", _time),
    Assumption("frames.fields", "frames hold no field that our schema lacks", _fields),
    Assumption("frames.canary", "the index is never silent for 5 s while it trades", _canary),
    Assumption(
        "frames.index_auction", "the index rests during the closing auction", _index_in_auction
    ),
    Assumption("frames.minute", "a minute's candle comes within 5 s of its end", _minute),
)
