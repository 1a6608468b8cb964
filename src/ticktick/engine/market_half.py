"""Frames, time and history in; metrics, candles, phases and freshness out."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ticktick.core.columns import Flags, Rows
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S, ist_day_number
from ticktick.domain.event import (
    CalendarRead,
    CandleChanged,
    Fact,
    FeedChanged,
    FrameArrived,
    FramesArrived,
    HistoryRead,
    InstrumentsResolved,
    LinkChanged,
    NoteTaken,
    Noticed,
    PhaseChanged,
    QuotesRead,
    TimerFired,
    WatchlistChanged,
)
from ticktick.domain.instrument import Kind
from ticktick.domain.market import Candle, Freshness
from ticktick.domain.sessions import Calendar, Phase
from ticktick.engine.ports import Decoded, Decoder, EngineSettings, MarketWords
from ticktick.errors import DecodeError
from ticktick.market.ages import Ages
from ticktick.market.candles import Candles
from ticktick.market.metrics import TickMetrics
from ticktick.market.phases import Phases
from ticktick.market.rejections import Rejection, Rejections
from ticktick.market.screen import Screen
from ticktick.market.table import SlotTable
from ticktick.market.watch import Watch
from ticktick.market.windows import Windows
from ticktick.market.wishes import Wishes

Change: TypeAlias = tuple[Rows, list[Fact]]
_NONE: Rows = np.empty(0, np.int32)


class _Read(Struct, frozen=True, gc=False):
    """What is left of one frame: rows told, rows with news, rows whose market began or ended.

    `is_first`: some row is told for the first time, or again after a hole.
    """

    exchange_ns: int
    rows: Rows
    news: Rows
    flipped: Rows
    is_first: bool


class MarketHalf:
    """The state of the market as the feed, the broker's history and the clock told it.

    `metrics` is float64[len(METRICS), capacity] in the order of METRICS, NaN = not known, prices
    in price units; `warm` (bool[capacity]) says whose time windows are full. `freshness` is by
    row, `phases` by segment. `extras` are symbols that are followed but not on the user's list;
    `wishes` are what the broker should be asked; `quiet_limit_ns` is how long a symbol may be
    silent, at least, before it needs a proof that nothing happened. Every method takes one event
    and returns the rows it touched and the facts, in a fixed order.
    """

    def __init__(self, decoder: Decoder, calendar: Calendar, settings: EngineSettings) -> None:
        self._decoder = decoder
        self._fresh_ns = settings.fresh_limit_s * NS_PER_S
        self.quiet_limit_ns = NS_PER_S * min(
            settings.quiet_limit_s, settings.quiet_derivative_limit_s
        )
        self.table = SlotTable()
        capacity = self.table.capacity
        self._windows = Windows(capacity)
        self._phases = Phases(calendar, capacity)
        self.rejections = Rejections()
        self._screen = Screen(
            self.table,
            self._phases.continuous,
            self.rejections,
            settings.ahead_limit_s * NS_PER_S,
        )
        self._candles = Candles(
            self.table,
            self._windows,
            self._phases,
            settings.close_grace_s * NS_PER_S,
            settings.confirm_limit_s * NS_PER_S,
        )
        self._metrics = TickMetrics(
            self.table,
            self._windows,
            self._phases.continuous,
            settings.vwap_window_s * NS_PER_S,
        )
        self._watch = Watch(
            self.table, self._phases, self._candles, settings.silence_limit_s * NS_PER_S
        )
        self._ages = Ages(
            self.table,
            self._phases,
            self._watch,
            settings.fresh_limit_s * NS_PER_S,
            settings.quiet_limit_s * NS_PER_S,
            settings.quiet_derivative_limit_s * NS_PER_S,
        )
        self.wishes = Wishes(self.table, self._watch, self._candles)
        self._gap_minutes_open = 0
        self.extras: frozenset[str] = frozenset()
        self.metrics = self._metrics.values
        self.warm = self._metrics.warm
        self._day = 0
        self.freshness = self._ages.freshness
        self.link_up = False
        self.link_reason = "not connected yet"
        self._counts = dict.fromkeys(("frames", "unknown_parts", "unknown_words"), 0)

    @property
    def phases(self) -> dict[str, Phase]:
        """The phase of each segment on the watchlist."""
        return self._phases.by_segment

    @property
    def phase_sources(self) -> dict[str, str]:
        """Who told the phase of each segment: `feed` or `calendar`."""
        return self._phases.sources

    @property
    def row_phases(self) -> Sequence[Phase]:
        """The phase of each row, which may differ inside a segment."""
        return self._phases.rows

    @property
    def continuous(self) -> Flags:
        """Which rows trade continuously now: 1, else 0."""
        return self._phases.continuous

    @property
    def last_frame_ns(self) -> int:
        """The newest moment of which the feed told anything."""
        return self._watch.newest_ns

    @property
    def counters(self) -> dict[str, int]:
        """What was counted since the start, by name."""
        return {
            **self._counts,
            "repeats": self._screen.repeats,
            **self.rejections.counters,
            **self._metrics.counters,
            **self._candles.counters,
            "gap_minutes_open": self._gap_minutes_open,
            "symbols_in_gap": self.freshness.count(Freshness.GAP),
        }

    def forming(self, symbol: str, minutes: int) -> Candle | None:
        """The running candle of one of the six timeframes; None between trades and sessions."""
        row = self.table.row_of_symbol.get(symbol)
        return None if row is None else self._candles.forming(row, minutes)

    def candles(self, symbol: str, minutes: int) -> Sequence[Candle]:
        """The closed candles, oldest first: the newest 800 minutes, 400 of other timeframes."""
        row = self.table.row_of_symbol.get(symbol)
        return () if row is None else self._candles.closed(row, minutes)

    def has_volume(self, symbol: str) -> bool:
        """Whether the exchange counts volume for the symbol."""
        return self.table.instruments[self.table.row_of_symbol[symbol]].has_volume

    def window(self, symbol: str) -> NDArray[np.int64]:
        """The last 300 updates since the link came up, as `Windows.newest`."""
        return self._windows.newest(self.table.row_of_symbol[symbol])

    def resolve(self, event: InstrumentsResolved) -> Change:
        """Follow these instruments and no others; say what was repaired or not found."""
        before = tuple(self.table.row_of_symbol)
        gone = self.table.follow(event.instruments)
        instruments = self.table.instruments
        self._ages.watch()
        self._screen.watch()
        self._metrics.watch()
        self._candles.watch()
        self._watch.trust(self._canaries(event.canary))
        self.extras = frozenset(event.extras)
        change = _list_change(before, event)
        restated = [self.table.row_of_symbol[symbol] for symbol in change.restated]
        self._forget(_union(gone, np.array(restated, np.int32)))
        self.wishes.expect((*change.added, *change.restated))
        facts: list[Fact] = [Noticed(event.at_ns, "info", note) for note in event.notes]
        if change.added or change.removed or change.restated:
            facts.append(change)
        self._requote(self._phases.watch(instruments, event.at_ns), event.at_ns, facts)
        self._judge(self._all_rows(), event.at_ns, facts)
        return self._all_rows(), facts

    def link(self, event: LinkChanged) -> Change:
        """The socket came up or went away; either way nothing spans the moment."""
        if (event.up, event.reason) == (self.link_up, self.link_reason):
            return _NONE, []
        self._watch.cut()
        self.link_up, self.link_reason = event.up, event.reason
        if event.up:
            self._metrics.restart(self._all_rows())
        facts: list[Fact] = [FeedChanged(event.at_ns, event.up, event.reason, event.cause)]
        self._judge(self._all_rows(), event.at_ns, facts)
        return self._all_rows(), facts

    def frame(self, event: FrameArrived) -> Change:
        """Decode, screen, measure and fold one frame."""
        return self._take((event,))

    def frames(self, event: FramesArrived) -> Change:
        """Decode and screen frame after frame; measure and fold once a minute what they came to.

        Within a minute only the last price of each symbol is seen; no volume is lost.
        """
        return self._take(event.frames)

    def _take(self, frames: Sequence[FrameArrived]) -> Change:
        facts, reads = list[Fact](), list[_Read]()
        touched = [self._begin_day(frames[0].received_ns)]
        for frame in frames:
            decoded = self._decode(frame, facts)
            if decoded is None:
                continue
            if reads and self._is_apart(reads[-1].exchange_ns, decoded.exchange_ns):
                touched.append(self._measure(reads, frame.received_ns, facts))
                reads.clear()
            reads.append(self._believe(decoded, frame.received_ns, facts))
            if reads[-1].is_first:  # its volume is where the next one's is counted from
                touched.append(self._measure(reads, frame.received_ns, facts))
                reads.clear()
        if reads:
            touched.append(self._measure(reads, frames[-1].received_ns, facts))
        return _union(*touched), facts

    def _decode(self, event: FrameArrived, facts: list[Fact]) -> Decoded | None:
        """The frame as decoded, None if it is none."""
        at_ns = event.received_ns
        try:
            decoded = self._decoder.decode(event.data, self.table, at_ns, event.seq)
        except DecodeError as error:
            facts += self.rejections.add(Rejection("unreadable", "", str(error), at_ns))
            return None
        facts += self._count(decoded, at_ns)
        return decoded

    def _believe(self, decoded: Decoded, at_ns: int, facts: list[Fact]) -> _Read:
        """Screen a frame and see whose trades it shows."""
        screened = self._screen.take(decoded.rows, at_ns, facts)
        rows = screened.rows
        is_timely = self._screen.is_timely(decoded.exchange_ns, at_ns)
        words = decoded.words if is_timely else None
        flipped = self._requote(self._told_phases(words, at_ns), at_ns, facts)
        newly_heard, broken = self._watch.arrive(rows, _is_whole(decoded, rows), at_ns)
        self._metrics.restart(np.array(broken, np.int32))
        news = _union(screened.news, newly_heard)
        is_first = len(newly_heard) > 0 or len(broken) > 0
        return _Read(decoded.exchange_ns, rows, news, flipped, is_first)

    def _is_apart(self, before_ns: int, at_ns: int) -> bool:
        """Whether a candle or a silence ends between two frames."""
        is_other_minute = before_ns // NS_PER_MINUTE != at_ns // NS_PER_MINUTE
        return is_other_minute or at_ns - before_ns > self._fresh_ns

    def _measure(self, reads: Sequence[_Read], at_ns: int, facts: list[Fact]) -> Rows:
        """Measure, fold and judge what some frames came to; return the touched rows."""
        rows = _union(*(read.rows for read in reads))
        news = _union(*(read.news for read in reads))
        self._metrics.take(news, max(read.exchange_ns for read in reads))
        facts += [CandleChanged(at_ns, candle) for candle in self._candles.take(news, rows)]
        touched = _union(rows, *(read.flipped for read in reads))
        self._judge(touched, at_ns, facts)
        return touched

    def timer(self, event: TimerFired) -> Change:
        """Let time pass: phases, candle ends, windows and freshness."""
        at_ns, facts = event.at_ns, list[Fact]()
        begun = self._begin_day(at_ns)
        flipped = self._requote(self._phases.advance(at_ns), at_ns, facts)
        self._watch.look(at_ns)
        facts += [CandleChanged(at_ns, candle) for candle in self._candles.advance(at_ns)]
        self._gap_minutes_open = self._watch.count_open_minutes(at_ns)
        expired = self._metrics.expire(at_ns)
        aged = self._judge(self._all_rows(), at_ns, facts)
        return _union(begun, flipped, expired, aged), facts

    def calendar(self, event: CalendarRead) -> Change:
        """Plan the phases by what the broker says of some days."""
        at_ns, facts = event.at_ns, list[Fact]()
        flipped = self._requote(self._phases.replan(event.days, at_ns), at_ns, facts)
        return _union(flipped, self._judge(self._all_rows(), at_ns, facts)), facts

    def history(self, event: HistoryRead) -> Change:
        """Merge the broker's finished minutes of one symbol."""
        row = self.table.row_of_symbol.get(event.symbol)
        if row is None and self.table.known(event.symbol) is not None:
            return _NONE, []  # it was removed while its history was on the way
        if row is None:
            text = f"history of {event.symbol} was read, but nobody watches it; it is not kept"
            return _NONE, [Noticed(event.at_ns, "warning", text)]
        if event.told_ns[0] < event.told_ns[1]:
            self.wishes.fulfil(event.symbol)
        changed = self._candles.merge(row, event.candles, event.told_ns, event.at_ns)
        facts: list[Fact] = [CandleChanged(event.at_ns, candle) for candle in changed]
        return self._judge(np.array([row], np.int32), event.at_ns, facts), facts

    def quotes(self, event: QuotesRead) -> Change:
        """Take what was asked for because the feed did not tell it."""
        rows, facts = list[int](), list[Fact]()
        for quote in event.quotes:
            row = self.table.row_of_symbol.get(quote.symbol)
            if row is None:
                continue
            rows.append(row)
            if 0 < quote.lower_band < quote.upper_band:
                self._screen.learn_band(row, quote.lower_band, quote.upper_band)
            if self.link_up:
                self._watch.hear_quote(row, quote.volume, quote.last_trade_ns)
                self._ages.hear_quote(row, quote, event.at_ns)
            elif self._screen.take_quote(row, quote, event.at_ns):
                self._metrics.clear(row)
        quoted = np.array(sorted(rows), np.int32)
        changed = self._judge(quoted, event.at_ns, facts)
        return (changed if self.link_up else quoted), facts

    def note(self, event: NoteTaken) -> Change:
        """Pass on what the surroundings must tell the user."""
        return _NONE, [Noticed(event.at_ns, event.level, event.text)]

    def _begin_day(self, at_ns: int) -> Rows:
        """Forget what holds for a day only when another one begins; whose metrics that changed."""
        day = ist_day_number(at_ns)
        if day == self._day:
            return _NONE
        is_first, self._day = not self._day, day
        if is_first:  # what was told before the first frame is of this day
            return _NONE
        self._screen.forget()
        self._metrics.begin_day()
        return self._all_rows()

    def _told_phases(self, words: MarketWords | None, at_ns: int) -> Sequence[str]:
        """Let the phases move to the moment and hear the feed; whose segments' phase changed."""
        if words is None:
            return self._phases.advance(at_ns)
        return self._phases.hear(words.phases, words.auctions, words.pre_opens, at_ns)

    def _count(self, decoded: Decoded, at_ns: int) -> list[Noticed]:
        """Count what the decoder left out or did not know."""
        self._counts["frames"] += 1
        self._counts["unknown_parts"] += decoded.unknown_parts
        self._counts["unknown_words"] += decoded.words.unlisted if decoded.words else 0
        counts = {"unknown": decoded.unknown_keys, "impossible": decoded.refused}
        notices = []
        for reason, who, value in decoded.samples:
            sample = Rejection(reason, who, value, at_ns)
            notices += self.rejections.add(sample, counts[reason])
        return notices

    def _requote(self, segments: Iterable[str], at_ns: int, facts: list[Fact]) -> Rows:
        """Tell the changed phases; measure the quotes of rows that began or ceased to trade."""
        for segment in segments:
            phase, source = self.phases[segment], self.phase_sources[segment]
            facts.append(PhaseChanged(at_ns, segment, phase, source))
        flipped = self._phases.take_flipped()
        self._metrics.requote(flipped)
        return flipped

    def _judge(self, rows: Rows, now_ns: int, facts: list[Fact]) -> Rows:
        """Tell whose freshness changed; return their rows."""
        return self._ages.judge(rows, now_ns, facts, link_up=self.link_up)

    def _canaries(self, named: str | None) -> list[int]:
        """The rows that move all day: the one named so, and every index."""
        followed = [(row, self.table.instruments[row]) for row in self.table.followed]
        return [row for row, i in followed if i.symbol == named or i.kind is Kind.INDEX]

    def _forget(self, rows: Rows) -> None:
        """Know nothing of these rows any more."""
        self.table.forget(rows)
        self._screen.forget_rows(rows)
        self._metrics.forget(rows)
        self._candles.forget(rows)
        self._watch.forget(rows)
        self._ages.forget(rows)

    def _all_rows(self) -> Rows:
        return np.array(sorted(self.table.followed), np.int32)


def _is_whole(decoded: Decoded, rows: Rows) -> NDArray[np.bool_]:
    """Which of the rows were told with their last trade."""
    if decoded.whole is None or len(decoded.whole) == len(decoded.rows):
        return np.ones(len(rows), np.bool_)
    return np.isin(rows, decoded.whole)


def _list_change(before: Sequence[str], event: InstrumentsResolved) -> WatchlistChanged:
    """What a new list changes against the symbols that were followed before."""
    followed = tuple(instrument.symbol for instrument in event.instruments)
    return WatchlistChanged(
        event.at_ns,
        followed,
        added=tuple(symbol for symbol in followed if symbol not in before),
        removed=tuple(symbol for symbol in before if symbol not in followed),
        restated=tuple(s for s in followed if s in event.restated and s in before),
    )


def _union(*rows: Rows) -> Rows:
    """Every row once, in order; each part has no repeats and is in order itself."""
    parts = [part for part in rows if len(part)]
    if len(parts) > 1:
        return np.unique(np.concatenate(parts))
    return parts[0] if parts else _NONE
