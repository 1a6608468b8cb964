"""What the feed's frames hold: their order, their times, and what a packet leaves out."""

from collections import Counter
from collections.abc import Iterator
from statistics import median
from typing import Any, Final

from google.protobuf.message import Message as Protobuf
from google.protobuf.unknown_fields import UnknownFieldSet

from ticktick.brokers.upstox.survey.answers import STATUS
from ticktick.brokers.upstox.survey.assumption import Assumption
from ticktick.brokers.upstox.survey.heard import Heard, Message, packets
from ticktick.brokers.upstox.survey.sessions import AUCTION_WORDS
from ticktick.brokers.upstox.survey.subject import INDEX, STOCK, STOCKS, Subject
from ticktick.brokers.upstox.survey.verdict import NotSeen, require
from ticktick.domain.clock import NS_PER_MS, NS_PER_S
from ticktick.domain.sessions import Phase, SessionClass
from ticktick.proto.MarketDataFeed_pb2 import (
    Feed,
    FeedResponse,
    MarketFullFeed,
    MarketStatus,
    RequestMode,
    Type,
)

_SEGMENTS: Final = {
    *("NSE_EQ", "NSE_FO", "NCD_FO", "NSE_COM", "BSE_EQ", "BSE_FO", "BCD_FO", "MCX_FO"),
    *("NSE_INDEX", "BSE_INDEX", "MCX_INDEX"),
}
_LEVELS, _DEEP_LEVELS = 5, 30
_TOLERANCE_S = 2.0
_SOME_FRAMES = 300
_ENOUGH_PACKETS = 20


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
        f"{', '.join(sorted(words)) or 'no auction or pre-open now'}; new numbers {_list(unknown)}"
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


async def _partial(subject: Subject) -> str:
    """What live packets of stocks and contracts leave out."""
    left_out: Counter[str] = Counter()
    count = 0
    for message, _, full in _market_packets((await subject.heard()).messages):
        if message.frame.type == Type.live_feed:
            count += 1
            left_out.update(name for name in _PARTS if not full.HasField(name))
    if count < _ENOUGH_PACKETS:
        raise NotSeen(f"{count} live packets are too few to tell")
    found = ", ".join(f"{left_out[name]} without {name}" for name in _PARTS)
    return require(left_out["ltpc"] + left_out["marketLevel"] > 0, f"{count} packets: {found}")


async def _volume(subject: Subject) -> str:
    """Whether the day's volume ever falls by what a packet leaves out."""
    highest: dict[str, int] = {}
    falls = count = 0
    for _, key, full in _market_packets((await subject.heard()).messages):
        if full.HasField("ltpc") or full.vtt:
            count += 1
            falls += full.vtt < highest.get(key, 0)
            highest[key] = max(highest.get(key, 0), full.vtt)
    if not count:
        raise NotSeen("no volume was told")
    return require(not falls, f"it fell {falls} times in {count} packets")


async def _levels(subject: Subject) -> str:
    """Levels of the books of stocks; an empty side is still a level."""
    heard = await subject.heard()
    sizes = Counter(
        len(full.marketLevel.bidAskQuote)
        for _, key, full in _market_packets(heard.messages)
        if key in STOCKS and full.HasField("marketLevel")
    )
    if not sizes:
        raise NotSeen("no book of a stock came")
    return require(set(sizes) == {_LEVELS}, f"levels {_list(sizes)}")


async def _index(subject: Subject) -> str:
    heard = await subject.heard()
    feeds = [feed.fullFeed for _, key, feed in heard.packets() if key == INDEX]
    if not feeds:
        raise NotSeen("no packet of the index came")
    kinds = {feed.WhichOneof("FullFeedUnion") for feed in feeds}
    counted = any(feed.indexFF.ltpc.ltq for feed in feeds)
    found = f"{', '.join(map(str, kinds))}, {'with' if counted else 'without'} quantities"
    return require(kinds == {"indexFF"} and not counted, found)


async def _grid(subject: Subject) -> str:
    """Prices of stocks lie on their tick grid, and no book is crossed while they trade."""
    heard, records = await subject.heard(), await subject.records()
    trading = subject.phase(SessionClass.AUCTION_CASH) is Phase.CONTINUOUS
    off = crossed = count = 0
    for _, key, full in _market_packets(heard.messages):
        step = records[key].tick_size if key in STOCKS and key in records else None
        if not step:
            continue
        best = full.marketLevel.bidAskQuote[:1]
        for price in (full.ltpc.ltp, *(p for level in best for p in (level.bidP, level.askP))):
            count += price > 0
            off += round(price * 100) % step != 0
        crossed += any(level.bidP >= level.askP > 0 for level in best)
    if not count:
        raise NotSeen("no price of a stock came")
    found = f"{off} of {count} prices off the grid, {crossed} books locked or crossed"
    return require(not off and not (crossed and trading), found)


async def _minute(subject: Subject) -> str:
    """How long after its end the feed's own minute candle comes."""
    heard = await _while_trading(subject)
    late_s: dict[tuple[str, int], float] = {}
    for message, key, full in _market_packets(heard.messages):
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
    return require(not new, f"new fields: {_list(new)}")


async def _in_ltpc(subject: Subject) -> str:
    heard = await subject.heard()
    members = _members(heard.in_ltpc, STOCK)
    if not members:
        raise NotSeen("nothing came of it in these seconds")
    return require(set(members) == {"ltpc"}, f"members {_list(members)}")


async def _in_greeks(subject: Subject) -> str:
    heard = await subject.heard()
    key = heard.asked_keys[-1]
    members = _members(heard.in_greeks, key)
    if not key.startswith("NSE_FO") or not members:
        raise NotSeen("nothing came of an option in these seconds")
    return require(set(members) == {"firstLevelWithGreeks"}, f"members {_list(members)}")


async def _in_deep(subject: Subject) -> str:
    """A deep book, or nothing where the plan does not have it."""
    heard = await subject.heard()
    deep = [
        feed.fullFeed.marketFF
        for _, key, feed in packets(heard.in_deep)
        if key == STOCK and feed.requestMode == RequestMode.full_d30
    ]
    sizes = {len(full.marketLevel.bidAskQuote) for full in deep if full.HasField("marketLevel")}
    found = f"{len(deep)} packets, levels {_list(sizes)}"
    if not subject.is_plus:
        return require(not deep, found)
    return require(sizes == {_DEEP_LEVELS}, found)


async def _unsubscribed(subject: Subject) -> str:
    heard = await subject.heard()
    count = sum(key == STOCK for _, key, _ in packets(heard.after_unsub))
    others = len(heard.after_unsub)
    if not others:
        raise NotSeen("nothing else came in these seconds")
    return require(count == 0, f"{count} packets of it in {others} frames")


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


def _market_packets(messages: list[Message]) -> Iterator[tuple[Message, str, MarketFullFeed]]:
    for message, key, feed in packets(messages):
        if feed.fullFeed.HasField("marketFF"):
            yield message, key, feed.fullFeed.marketFF


def _members(messages: list[Message], key: str) -> Counter[str]:
    """How often each member of a packet of the key came, from the first of the new mode on."""
    found: list[Feed] = [feed for _, one, feed in packets(messages) if one == key]
    names = [str(feed.WhichOneof("FeedUnion")) for feed in found]
    while names and names[0] == "fullFeed" and set(names) != {"fullFeed"}:
        names.pop(0)  # it was on its way before the mode changed
    return Counter(names)


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


def _list(words: Any) -> str:
    return ", ".join(map(str, sorted(words))) or "none"


_STATUSES: Final = frozenset(MarketStatus.values())
_PARTS: Final = ("ltpc", "marketLevel", "marketOHLC", "optionGreeks")

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
    Assumption("frames.levels", "a full packet tells five levels of a stock's book", _levels),
    Assumption("frames.index", "an index has neither book nor volume", _index),
    Assumption("frames.grid", "prices lie on the tick grid, books are not crossed", _grid),
    Assumption("frames.partial", "a packet leaves out the parts that did not change", _partial),
    Assumption("frames.volume", "the day's volume never falls", _volume),
    Assumption("frames.canary", "the index is never silent for 5 s while it trades", _canary),
    Assumption(
        "frames.index_auction", "the index rests during the closing auction", _index_in_auction
    ),
    Assumption("frames.minute", "a minute's candle comes within 5 s of its end", _minute),
    Assumption("modes.ltpc", "change_mode to ltpc gives the last trade alone", _in_ltpc),
    Assumption(
        "modes.option_greeks", "option_greeks gives the first level with Greeks", _in_greeks
    ),
    Assumption("modes.full_d30", "full_d30 gives 30 levels on Plus, nothing without", _in_deep),
    Assumption("modes.unsub", "an instrument given back is not told any more", _unsubscribed),
)
