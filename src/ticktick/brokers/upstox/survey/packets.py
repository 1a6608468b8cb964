"""What a packet of one instrument holds and leaves out, in each of the feed's modes."""

from collections import Counter
from typing import Final

from ticktick.brokers.upstox.survey.assumption import Assumption
from ticktick.brokers.upstox.survey.heard import Message, market_packets, packets
from ticktick.brokers.upstox.survey.subject import INDEX, STOCK, STOCKS, Subject
from ticktick.brokers.upstox.survey.verdict import NotSeen, listed, require
from ticktick.domain.sessions import Phase, SessionClass
from ticktick.proto.MarketDataFeed_pb2 import Feed, RequestMode, Type

_LEVELS, _DEEP_LEVELS = 5, 30
_ENOUGH_PACKETS = 20
_PARTS: Final = ("ltpc", "marketLevel", "marketOHLC", "optionGreeks")


async def _partial(subject: Subject) -> str:
    """What live packets of stocks and contracts leave out."""
    left_out: Counter[str] = Counter()
    count = 0
    for message, _, full in market_packets((await subject.heard()).messages):
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
    for _, key, full in market_packets((await subject.heard()).messages):
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
        for _, key, full in market_packets(heard.messages)
        if key in STOCKS and full.HasField("marketLevel")
    )
    if not sizes:
        raise NotSeen("no book of a stock came")
    return require(set(sizes) == {_LEVELS}, f"levels {listed(sizes)}")


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
    for _, key, full in market_packets(heard.messages):
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


async def _in_ltpc(subject: Subject) -> str:
    heard = await subject.heard()
    members = _members(heard.in_ltpc, STOCK)
    if not members:
        raise NotSeen("nothing came of it in these seconds")
    return require(set(members) == {"ltpc"}, f"members {listed(members)}")


async def _in_greeks(subject: Subject) -> str:
    heard = await subject.heard()
    key = heard.asked_keys[-1]
    members = _members(heard.in_greeks, key)
    if not key.startswith("NSE_FO") or not members:
        raise NotSeen("nothing came of an option in these seconds")
    return require(set(members) == {"firstLevelWithGreeks"}, f"members {listed(members)}")


async def _in_deep(subject: Subject) -> str:
    """A deep book, or nothing where the plan does not have it."""
    heard = await subject.heard()
    deep = [
        feed.fullFeed.marketFF
        for _, key, feed in packets(heard.in_deep)
        if key == STOCK and feed.requestMode == RequestMode.full_d30
    ]
    sizes = {len(full.marketLevel.bidAskQuote) for full in deep if full.HasField("marketLevel")}
    found = f"{len(deep)} packets, levels {listed(sizes)}"
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


def _members(messages: list[Message], key: str) -> Counter[str]:
    """How often each member of a packet of the key came, from the first of the new mode on."""
    found: list[Feed] = [feed for _, one, feed in packets(messages) if one == key]
    names = [str(feed.WhichOneof("FeedUnion")) for feed in found]
    while names and names[0] == "fullFeed" and set(names) != {"fullFeed"}:
        names.pop(0)  # it was on its way before the mode changed
    return Counter(names)


PACKETS: Final = (
    Assumption("frames.levels", "a full packet tells five levels of a stock's book", _levels),
    Assumption("frames.index", "an index has neither book nor volume", _index),
    Assumption("frames.grid", "prices lie on the tick grid, books are not crossed", _grid),
    Assumption("frames.partial", "a packet leaves out the parts that did not change", _partial),
    Assumption("frames.volume", "the day's volume never falls", _volume),
    Assumption("modes.ltpc", "change_mode to ltpc gives the last trade alone", _in_ltpc),
    Assumption(
        "modes.option_greeks", "option_greeks gives the first level with Greeks", _in_greeks
    ),
    Assumption("modes.full_d30", "full_d30 gives 30 levels on Plus, nothing without", _in_deep),
    Assumption("modes.unsub", "an instrument given back is not told any more", _unsubscribed),
)
