"""What may be shown after a frame, judged from the promise P08 alone: nothing of the product in it.

P08: rejected are non-finite or <= 0 prices, negative quantities, unknown instruments, a frame time
more than 2 s ahead of exchange time or of another day, prices outside the day's price band, jumps
of more than 10 % in 1 s that no second tick confirmed. A rejected tick never reaches a metric.

The judge reads each frame itself, with protobuf's own parser, and compares what was shown before
with what is shown after. Prices are paise here, 0 is "not told". A price band is that of the day:
it binds what belongs to a day that has traded, and the book while trading is continuous.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from ticktick.proto import MarketDataFeed_pb2 as pb2

NS_PER_S: Final = 1_000_000_000
NS_PER_DAY: Final = 86_400 * NS_PER_S
IST_NS: Final = 19_800 * NS_PER_S
AHEAD_NS: Final = 2 * NS_PER_S
FRESH_NS: Final = 6 * NS_PER_S  # told at most 5 s ago, looked at once a second
TRADE_NS: Final = 15 * NS_PER_S  # beyond any clock's error, so no trade can be that much later
JUMP_TICKS: Final = 10  # less is no jump: a cheap contract moves a tenth by a tick or two
LEVELS: Final = 30
USUAL_LEVELS: Final = 5

DAY_PRICES: Final = (
    *("last_price", "average_price", "day_open", "day_high", "day_low", "day_close"),
)
MINUTE_PRICES: Final = ("minute_open", "minute_high", "minute_low", "minute_close")
BOOK_PRICES: Final = ("bid_price", "ask_price")
QUANTITIES: Final = (
    *("last_quantity", "volume", "open_interest", "total_bid_quantity", "total_ask_quantity"),
    *("minute_volume", "auction_quantity"),
)
AUCTION_PRICES: Final = ("auction_price", "reference_price")
BOOK_QUANTITIES: Final = ("bid_quantity", "ask_quantity")
PRICE_METRICS: Final = ("mid", "microprice", "vwap", "vwap_session")


class Shown(NamedTuple):
    """What a screen could show at a moment: a copy.

    `slots` are the records of the instruments in the order of `keys`, `deep` those of the levels
    behind the fifth, `metrics` a row by name for each of `names`, `freshness` and `phases` a word
    for each instrument.
    """

    slots: Any
    deep: Any
    metrics: Any
    freshness: tuple[str, ...]
    phases: tuple[str, ...]


class Told(NamedTuple):
    """What the judge itself read in a frame: its time, and the numbers of each instrument."""

    at_ns: int
    numbers: Mapping[str, Mapping[str, float]]


class Judge:
    """Follows one run; `band` maps an instrument's key to its lowest and highest price.

    `names` are those of the metrics, `tick` is a step of price of each instrument.
    """

    def __init__(
        self,
        keys: list[str],
        names: list[str],
        band: Mapping[str, tuple[int, int]],
        tick: Mapping[str, int],
    ) -> None:
        self._keys = keys
        self._names = names
        self._low = np.array([band[key][0] if key in band else 0 for key in keys])
        self._high = np.array([band[key][1] if key in band else 1 << 62 for key in keys])
        banded = np.array([key in band for key in keys])
        self._widest = np.where(banded, self._high / np.maximum(self._low, 1) - 1, np.inf)
        self._ticks = np.array([JUMP_TICKS * tick[key] for key in keys])
        self._earlier: dict[tuple[str, str], list[float]] = {}

    def verdict(
        self, frame: bytes, now_ns: int, seq: int, before: Shown, after: Shown
    ) -> Iterator[str]:
        """Everything that is shown but should not be; `now_ns` is the exchange's time."""
        told = read(frame, self._keys)
        believed = after.slots["seq"] == seq
        yield from self._untouched(believed, before, after)
        yield from self._times(told, now_ns, believed, before, after)
        yield from self._packets(told, believed)
        yield from self._prices(now_ns, believed, after)
        yield from self._quantities(after)
        yield from self._jumps(told, now_ns, before, after)
        yield from self._metrics(now_ns, after)
        yield from self._fresh(now_ns, after)
        self._remember(told, now_ns, before, after)

    def candle(self, key: str, candle: Any) -> Iterator[str]:
        """What is wrong with a candle that came out."""
        prices = (candle.open, candle.high, candle.low, candle.close)
        if not 0 < candle.low <= min(prices) or max(prices) > candle.high:
            yield f"{key}: a candle contradicts itself: {prices}"
        if candle.volume < 0:
            yield f"{key}: a candle of volume {candle.volume}"
        row = self._keys.index(key)
        if candle.low < self._low[row] or candle.high > self._high[row]:
            yield f"{key}: a candle outside the price band: {prices}"

    def _untouched(self, believed: Any, before: Shown, after: Shown) -> Iterator[str]:
        """A row that was not believed shows what it showed; so do its metrics within a phase."""
        moved = (words(before.slots) != words(after.slots)).any(axis=1)
        moved |= (words(before.deep) != words(after.deep)).any(axis=1)
        yield from self._rows(moved & ~believed, "changed without being told")
        if before.phases == after.phases:
            moved = (before.metrics.view(np.int64) != after.metrics.view(np.int64)).any(axis=0)
            yield from self._rows(moved & ~believed, "a metric changed without being told")

    def _times(
        self, told: Told | None, now_ns: int, believed: Any, before: Shown, after: Shown
    ) -> Iterator[str]:
        if told is None or not is_timely(told.at_ns, now_ns):
            if believed.any() or before.phases != after.phases:
                yield "something was believed of a frame of another time, or of none"
            return
        slots = after.slots
        older = slots["exchange_ns"] < before.slots["exchange_ns"]
        yield from self._rows(older, "an older frame was believed")
        late = believed & (slots["last_trade_ns"] > told.at_ns + TRADE_NS)
        yield from self._rows(late, "a trade later than its frame")

    def _packets(self, told: Told | None, believed: Any) -> Iterator[str]:
        """A believed packet holds no impossible number, wherever it would be shown."""
        for row in np.flatnonzero(believed).tolist():
            numbers_told = None if told is None else told.numbers.get(self._keys[row])
            if numbers_told is None:
                yield f"{self._keys[row]}: believed although the frame does not tell it"
                continue
            for name, value in numbers_told.items():
                if not math.isfinite(value) or value < 0:
                    yield f"{self._keys[row]}: believed although its {name} is {value}"

    def _prices(self, now_ns: int, believed: Any, after: Shown) -> Iterator[str]:
        """No price below nothing, none outside the band of the day that it belongs to."""
        slots, today = after.slots, day(now_ns)
        has_traded = day(slots["last_trade_ns"]) == today
        of_today = day(slots["minute_start_ns"]) == today
        continuous = np.array([phase == "continuous" for phase in after.phases])
        yield from self._outside([slots[name] for name in DAY_PRICES], has_traded)
        yield from self._outside([slots[name] for name in MINUTE_PRICES], of_today)
        book = [slots[name][:, level] for name in BOOK_PRICES for level in range(USUAL_LEVELS)]
        book += [level for name in BOOK_PRICES for level in after.deep[name].T]
        book += [slots[name] for name in AUCTION_PRICES]
        yield from self._outside(book, has_traded | (continuous & believed))
        is_told, low, high = slots["minute_start_ns"] > 0, slots["minute_low"], slots["minute_high"]
        inner = np.stack([slots["minute_open"], slots["minute_close"]])
        bad = is_told & ((low <= 0) | (low > inner) | (inner > high)).any(axis=0)
        yield from self._rows(bad, "the minute contradicts itself")

    def _outside(self, columns: list[Any], bounded: Any) -> Iterator[str]:
        prices = np.stack(columns)
        strange = (prices < 0) | bounded & ((prices < self._low) | (prices > self._high))
        bad = (prices != 0) & strange
        if bad.any():
            for column, row in np.argwhere(bad).tolist():
                yield f"{self._keys[row]}: {prices[column, row]} is no price of this day"

    def _quantities(self, after: Shown) -> Iterator[str]:
        slots = after.slots
        is_usual = slots["told_levels"] <= USUAL_LEVELS
        yield from self._rows(is_usual & words(after.deep).any(axis=1), "a level that was not told")
        flat = np.stack([slots[name] for name in QUANTITIES])
        sizes = [record[name] for record in (slots, after.deep) for name in BOOK_QUANTITIES]
        negative = (flat < 0).any(axis=0) | (np.concatenate(sizes, axis=1) < 0).any(axis=1)
        yield from self._rows(negative, "a quantity below nothing")

    def _jumps(self, told: Told | None, now_ns: int, before: Shown, after: Shown) -> Iterator[str]:
        """A last price, or a previous close, that is far from the one shown before.

        The close is that of the whole day, so it may not leap however long ago it was told.
        """
        at_ns = now_ns if told is None else told.at_ns
        recent = at_ns - before.slots["exchange_ns"] <= NS_PER_S
        same_day = day(before.slots["exchange_ns"]) == day(now_ns)
        for name, held in (("last_price", recent), ("previous_close", same_day)):
            old, new = before.slots[name], after.slots[name]
            distance = np.abs(new - old)
            leapt = (old > 0) & (new > 0) & (distance > 0.1 * old) & held
            for row in np.flatnonzero(leapt & (distance > self._ticks)).tolist():
                earlier = self._earlier.get((name, self._keys[row]), [])
                if not any(
                    abs(price - new[row]) <= 0.1 * max(price, new[row]) for price in earlier
                ):
                    yield f"{self._keys[row]}: {name} from {old[row]} to {new[row]} unconfirmed"
        lost = (before.slots["last_price"] > 0) & (after.slots["last_price"] == 0)
        yield from self._rows(lost, "the last price became nothing")

    def _metrics(self, now_ns: int, after: Shown) -> Iterator[str]:
        values = dict(zip(self._names, after.metrics, strict=True))
        has_traded = day(after.slots["last_trade_ns"]) == day(now_ns)
        for name in PRICE_METRICS:
            price = values[name]
            inside = (price >= self._low) & (price <= self._high) | ~has_traded
            bad = ~np.isnan(price) & ~((price > 0) & inside)
            yield from self._rows(bad, f"{name} is no price of this day")
        yield from self._rows(np.isinf(after.metrics).any(axis=0), "a metric is infinite")
        for name in ("imbalance", "imbalance_1", "imbalance_w", "tbq_tsq"):
            yield from self._rows(np.abs(values[name]) > 1, f"{name} is none")
        yield from self._rows(values["spread"] <= 0, "spread is none")
        wide = has_traded & (np.abs(values["tick_return"]) > self._widest)
        yield from self._rows(wide, "tick_return is more than the day's band")

    def _fresh(self, now_ns: int, after: Shown) -> Iterator[str]:
        fresh = np.array([word == "fresh" for word in after.freshness])
        old = now_ns - after.slots["exchange_ns"] > FRESH_NS
        yield from self._rows(fresh & old, "fresh although it is older than 5 s")

    def _rows(self, bad: Any, what: str) -> Iterator[str]:
        if bad.any():
            for row in np.flatnonzero(bad).tolist():
                yield f"{self._keys[row]}: {what}"

    def _remember(self, told: Told | None, now_ns: int, before: Shown, after: Shown) -> None:
        """Keep what was told since a shown price changed last: a second tick may confirm it."""
        for name in ("last_price", "previous_close"):
            for row in np.flatnonzero(before.slots[name] != after.slots[name]).tolist():
                self._earlier.pop((name, self._keys[row]), None)
        if told is None or not is_timely(told.at_ns, now_ns):
            return
        for key, numbers_told in told.numbers.items():
            for name, short in (("last_price", "ltp"), ("previous_close", "cp")):
                price = numbers_told.get(short, 0.0)
                if math.isfinite(price) and price > 0:
                    self._earlier.setdefault((name, key), []).append(price * 100)


def read(frame: bytes, keys: list[str]) -> Told | None:
    """What a frame tells of these instruments; None if it is no frame or has no time."""
    try:
        response = pb2.FeedResponse.FromString(frame)
    except DecodeError:
        return None
    if not 0 < response.currentTs < 1 << 43:
        return None
    feeds = response.feeds
    told = {key: dict(numbers(feeds[key])) for key in keys if key in feeds}
    return Told(response.currentTs * 1_000_000, told)


def numbers(feed: pb2.Feed) -> Iterator[tuple[str, float]]:
    """Prices and quantities of a packet that would be shown, by name; times as well."""
    match feed.WhichOneof("FeedUnion"):
        case "ltpc":
            yield from _trade(feed.ltpc)
        case "firstLevelWithGreeks":
            first = feed.firstLevelWithGreeks
            yield from _trade(first.ltpc)
            yield from _level(0, first.firstDepth)
            yield from (("vtt", first.vtt), ("oi", first.oi))
        case "fullFeed" if feed.fullFeed.HasField("indexFF"):
            yield from _trade(feed.fullFeed.indexFF.ltpc)
        case "fullFeed":
            full = feed.fullFeed.marketFF
            yield from _trade(full.ltpc)
            for place, level in enumerate(full.marketLevel.bidAskQuote[:LEVELS]):
                yield from _level(place, level)
            yield from (("atp", full.atp), ("vtt", full.vtt), ("oi", full.oi))
            yield from (("tbq", full.tbq), ("tsq", full.tsq))
            yield from (("iep", full.iep), ("rp", full.rp), ("ieq", full.ieq))


def is_timely(told_ns: int, now_ns: int) -> bool:
    """Whether a frame of that time may be believed now."""
    return bool(told_ns <= now_ns + AHEAD_NS and day(told_ns) == day(now_ns))


def day(at_ns: Any) -> Any:
    """Number of the Indian day, of a moment or an array of them."""
    return (at_ns + IST_NS) // NS_PER_DAY


def words(slots: Any) -> Any:
    """The records as rows of whole words, to compare them."""
    return np.ascontiguousarray(slots).view(np.int64).reshape(len(slots), -1)


def _trade(trade: pb2.LTPC) -> Iterator[tuple[str, float]]:
    """Without price and time there was no trade, and its size is shown nowhere."""
    yield from (("cp", trade.cp), ("iep of the trade", trade.iep.value))
    if trade.ltp != 0 or trade.ltt != 0:
        yield from (("ltp", trade.ltp), ("ltq", trade.ltq), ("ltt", trade.ltt))


def _level(place: int, level: pb2.Quote) -> Iterator[tuple[str, float]]:
    yield from ((f"bidP{place}", level.bidP), (f"bidQ{place}", level.bidQ))
    yield from ((f"askP{place}", level.askP), (f"askQ{place}", level.askQ))
