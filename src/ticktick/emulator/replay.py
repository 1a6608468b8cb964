"""A recorded session as a market: the messages as they came, at the times they came."""

from collections.abc import Iterator, Sequence
from itertools import islice
from math import gcd
from typing import Final

import numpy as np

from ticktick.domain.clock import NS_PER_DAY, NS_PER_MS, ist_day, ist_midnight_ns
from ticktick.domain.instrument import Kind
from ticktick.emulator.bars import NO_BARS, Bars, daily
from ticktick.emulator.listings import LISTINGS, Listing
from ticktick.emulator.model import Ints
from ticktick.emulator.recorded_lines import Recorded
from ticktick.emulator.recording import RecordedFile, Recording
from ticktick.emulator.source import Update
from ticktick.emulator.wire import bars_of, merged
from ticktick.proto.MarketDataFeed_pb2 import Feed, MarketFullFeed

_KNOWN: Final = {listing.key: listing for listing in LISTINGS}
_HEAD_LINES = 400
_USUAL_TICK = 5
_MOST_RUPEES = 1e12
_Prices = tuple[int, int, int, int, int]


class EmptyRecordingError(ValueError):
    """No line of the files could be read."""


class Replay:
    """Recorded files played by `advance`; after the last message nothing happens any more.

    It lists the instruments it has met: those at the head of each file from the start on.
    """

    def __init__(self, files: Sequence[RecordedFile], start_ns: int) -> None:
        self._messages = Recording(files).messages()
        self._listings = dict(_head_listings(files))
        self._state: dict[str, Feed] = {}
        self._minutes: dict[str, dict[int, _Prices]] = {}
        self._next = next(self._messages, None)
        self.now_ns = 0
        for _ in self.advance(start_ns, frozenset()):
            continue

    @property
    def listings(self) -> Sequence[Listing]:
        """Every instrument met, as well as the recording tells what it is."""
        return list(self._listings.values())

    def advance(
        self, to_ns: int, wanted: frozenset[str], deep: frozenset[str] = frozenset()
    ) -> Iterator[Update]:
        """Run to the moment, yielding each recorded message as it is."""
        while self._next is not None and self._next.at_ns <= to_ns:
            message = self._next
            self._take(message)
            self.now_ns = message.at_ns
            self._next = next(self._messages, None)
            feeds = {key: feed for key, feed in message.feeds.items() if key in wanted}
            if feeds or message.status:
                told = (message.status, message.type, message.sent_ns)
                yield Update(message.at_ns, feeds, *told)
        self.now_ns = max(self.now_ns, to_ns)

    def next_ns(self) -> int | None:
        """Time of the next recorded message."""
        return None if self._next is None else self._next.at_ns

    def snapshot(self, key: str, deep: bool = False) -> Feed | None:
        """The latest of every part of an instrument; None before its first message."""
        return self._state.get(key)

    def bars(self, key: str) -> Bars:
        """The finished minutes of the day that the recording has told so far."""
        minutes = self._minutes.get(key)
        if not minutes:
            return NO_BARS
        rows = [(start, *prices) for start, prices in sorted(minutes.items())]
        return Bars(*np.array(rows, np.int64).T)

    def day_bars(self, key: str) -> Bars:
        """The day as its finished minutes make it."""
        return daily(self.bars(key))

    def halt(self, halted: bool) -> None:
        """Raise LookupError: a recorded day goes on as it went."""
        raise LookupError("a recording cannot be halted")

    def replan(self) -> None:
        """Raise LookupError: a recorded day has the hours it had."""
        raise LookupError("a recording keeps the hours it had")

    def price_band(self, listing: Listing, previous_close: int) -> tuple[int, int] | None:
        """None: a recorded feed tells no band, and one that was made up would be wrong."""
        return None

    def open_interest(self, key: str, at_ns: Ints) -> Ints:
        """Open interest at moments: what the recording told last, as it tells no history."""
        feed = self._state.get(key)
        oi = 0.0 if feed is None else feed.fullFeed.marketFF.oi
        return np.full(len(at_ns), round(oi), np.int64)

    def trades(self, key: str, from_ns: int, to_ns: int) -> list[tuple[int, int, int]]:
        """Raise LookupError: a recorded feed shows snapshots, not every trade."""
        raise LookupError("a recording holds what the feed showed, not the list of trades")

    def _take(self, message: Recorded) -> None:
        midnight = ist_midnight_ns(ist_day(message.at_ns))
        for key, feed in message.feeds.items():
            if key not in self._listings:
                self._listings[key] = _listing(key, [feed])
            self._state[key] = merged(self._state.get(key), feed)
            minutes = self._minutes.setdefault(key, {})
            for bar in bars_of(feed):
                start_ns = bar.ts * NS_PER_MS
                if bar.interval == "I1" and midnight <= start_ns < midnight + NS_PER_DAY:
                    rupees = (bar.open, bar.high, bar.low, bar.close)
                    if all(map(_is_price, rupees)):
                        first, high, low, last = map(_paise, rupees)
                        minutes[start_ns] = (first, high, low, last, bar.vol)


def first_ns(files: Sequence[RecordedFile]) -> int:
    """Time of the earliest message of the files.

    Raises EmptyRecordingError if there is none.
    """
    message = next(Recording(files, peeked=True).messages(), None)
    if message is None:
        raise EmptyRecordingError("the files hold no line of a recorded feed and no tick")
    return message.at_ns


def _head_listings(files: Sequence[RecordedFile]) -> dict[str, Listing]:
    seen: dict[str, list[Feed]] = {}
    for file in files:
        for message in islice(Recording([file], peeked=True).messages(), _HEAD_LINES):
            for key, feed in message.feeds.items():
                seen.setdefault(key, []).append(feed)
    return {key: _listing(key, feeds) for key, feeds in seen.items()}


def _listing(key: str, feeds: Sequence[Feed]) -> Listing:
    """What the feed itself tells of an instrument: kind by segment and Greeks, steps by sight."""
    if key in _KNOWN:
        return _KNOWN[key]
    segment, _, name = key.partition("|")
    kind = _kind(segment, feeds)
    books = [feed.fullFeed.marketFF for feed in feeds]
    return Listing(
        key=key,
        symbol=name,
        name=name,
        short_name=name,
        token=name,
        kind=kind,
        tick_size=_common_step([price for book in books for price in _prices(book)]),
        lot_size=1 if kind in (Kind.EQUITY, Kind.INDEX) else _lot(books),
    )


def _kind(segment: str, feeds: Sequence[Feed]) -> Kind:
    if segment.endswith("INDEX"):
        return Kind.INDEX
    if not segment.endswith("FO"):
        return Kind.EQUITY
    deltas = [feed.fullFeed.marketFF.optionGreeks.delta for feed in feeds]
    if not any(deltas):
        return Kind.FUTURE
    return Kind.CALL if max(deltas, key=abs) > 0 else Kind.PUT


def _prices(book: MarketFullFeed) -> Iterator[int]:
    told = [book.ltpc.ltp]
    for level in book.marketLevel.bidAskQuote:
        told += [level.bidP, level.askP]
    return map(_paise, filter(_is_price, told))


def _common_step(prices: Sequence[int]) -> int:
    """The largest step that explains all prices, in paise; the usual one if there are few."""
    step = gcd(*prices)
    return step if len(set(prices)) > _HEAD_LINES // 10 and step else _USUAL_TICK


def _lot(books: Sequence[MarketFullFeed]) -> int:
    sizes = [level.bidQ for book in books for level in book.marketLevel.bidAskQuote]
    return gcd(*sizes) or 1


def _is_price(rupees: float) -> bool:
    """False also for what is not a number."""
    return 0.0 <= rupees <= _MOST_RUPEES


def _paise(rupees: float) -> int:
    return round(rupees * 100)
