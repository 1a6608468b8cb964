"""Frames, time and history in; metrics, candles, phases and freshness out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ticktick.analytics.microstructure.ground import Ground
from ticktick.core.columns import NO_ROWS, Flags, union
from ticktick.domain.clock import NS_PER_S
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
    QuotesRead,
    TimerFired,
    WatchlistChanged,
    WorkGoesOn,
)
from ticktick.domain.market import Candle, Freshness
from ticktick.domain.sessions import Calendar, Phase
from ticktick.engine.frame_path import FramePath
from ticktick.engine.market_parts import MarketParts
from ticktick.engine.ports import Change, Decoder, EngineSettings, Stopwatch


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
        parts = self._parts = MarketParts(calendar, settings)
        self._frames = FramePath(decoder, parts)
        self.quiet_limit_ns = NS_PER_S * min(
            settings.quiet_limit_s, settings.quiet_derivative_limit_s
        )
        self.table = parts.table
        self.rejections = parts.rejections
        self.wishes = parts.wishes
        self.metrics = parts.metrics.values
        self.warm = parts.metrics.warm
        self.freshness = parts.ages.freshness
        self.extras: frozenset[str] = frozenset()
        self.link_reason = "not connected yet"
        self._gap_minutes_open = 0

    def time_with(self, stopwatch: Stopwatch) -> None:
        """Tell this stopwatch of every stage of a frame from now on."""
        self._frames.stopwatch = stopwatch

    @property
    def ground(self) -> Ground:
        """What the microstructure reads of the market, and writes its metrics into."""
        parts = self._parts
        return Ground(
            parts.table,
            parts.metrics,
            parts.windows,
            parts.phases,
            parts.watch,
            parts.screen,
            parts.candles,
            self.freshness,
            parts.fresh_ns,
        )

    @property
    def link_up(self) -> bool:
        """Whether the feed's link is up."""
        return self._parts.link_up

    @property
    def phases(self) -> dict[str, Phase]:
        """The phase of each segment on the watchlist."""
        return self._parts.phases.by_segment

    @property
    def phase_sources(self) -> dict[str, str]:
        """Who told the phase of each segment: `feed` or `calendar`."""
        return self._parts.phases.sources

    @property
    def row_phases(self) -> Sequence[Phase]:
        """The phase of each row, which may differ inside a segment."""
        return self._parts.phases.rows

    @property
    def continuous(self) -> Flags:
        """Which rows trade continuously now: 1, else 0."""
        return self._parts.phases.continuous

    @property
    def last_frame_ns(self) -> int:
        """The newest moment of which the feed told anything."""
        return self._parts.watch.newest_ns

    @property
    def counters(self) -> dict[str, int]:
        """What was counted since the start, by name."""
        return {
            **self._frames.counts,
            "repeats": self._parts.screen.repeats,
            **self.rejections.counters,
            **self._parts.metrics.counters,
            **self._parts.candles.counters,
            "gap_minutes_open": self._gap_minutes_open,
            "symbols_in_gap": self.freshness.count(Freshness.GAP),
        }

    def forming(self, symbol: str, minutes: int) -> Candle | None:
        """The running candle of one of the six timeframes; None between trades and sessions."""
        row = self.table.row_of_symbol.get(symbol)
        return None if row is None else self._parts.candles.forming(row, minutes)

    def candles(self, symbol: str, minutes: int) -> Sequence[Candle]:
        """The closed candles, oldest first: the newest 1000 minutes, 450 of other timeframes."""
        row = self.table.row_of_symbol.get(symbol)
        return () if row is None else self._parts.candles.closed(row, minutes)

    def has_volume(self, symbol: str) -> bool:
        """Whether the exchange counts volume for the symbol."""
        return self.table.instruments[self.table.row_of_symbol[symbol]].has_volume

    def window(self, symbol: str) -> NDArray[np.int64]:
        """The last 300 updates since the last gap, as `Windows.newest`."""
        return self._parts.windows.newest(self.table.row_of_symbol[symbol])

    def resolve(self, event: InstrumentsResolved) -> Change:
        """Follow these instruments and no others; say what was repaired or not found."""
        before = tuple(self.table.row_of_symbol)
        gone = self._parts.follow(event)
        self.extras = frozenset(event.extras)
        change = _list_change(before, event)
        restated = [self.table.row_of_symbol[symbol] for symbol in change.restated]
        self._parts.forget(union(gone, np.array(restated, np.int32)))
        self.wishes.expect((*change.added, *change.restated))
        facts: list[Fact] = [Noticed(event.at_ns, "info", note) for note in event.notes]
        if change.added or change.removed or change.restated:
            facts.append(change)
        segments = self._parts.phases.watch(self.table.instruments, event.at_ns)
        self._parts.requote(segments, event.at_ns, facts)
        self._parts.judge(self._parts.all_rows(), event.at_ns, facts)
        return self._parts.all_rows(), facts

    def link(self, event: LinkChanged) -> Change:
        """The socket came up or went away; either way nothing spans the moment."""
        if (event.up, event.reason) == (self.link_up, self.link_reason):
            return NO_ROWS, []
        self._parts.watch.cut()
        self._parts.link_up, self.link_reason = event.up, event.reason
        if event.up:
            self._parts.metrics.restart(self._parts.all_rows())
        facts: list[Fact] = [FeedChanged(event.at_ns, event.up, event.reason, event.cause)]
        self._parts.judge(self._parts.all_rows(), event.at_ns, facts)
        return self._parts.all_rows(), facts

    def frame(self, event: FrameArrived) -> Change:
        """Decode, screen, measure and fold one frame."""
        return self._frames.take((event,))

    def frames(self, event: FramesArrived) -> Change:
        """Decode and screen frame after frame; measure and fold once a minute what they came to.

        Within a minute only the last price of each symbol is seen; no volume is lost.
        """
        return self._frames.take(event.frames)

    @property
    def has_work(self) -> bool:
        """Whether something was told that waits for its turn."""
        return self._parts.candles.waiting > 0

    def go_on(self, event: WorkGoesOn) -> Change:
        """Take more of what waits for its turn."""
        at_ns = event.at_ns
        return NO_ROWS, [CandleChanged(at_ns, candle) for candle in self._parts.candles.go_on()]

    def timer(self, event: TimerFired) -> Change:
        """Let time pass: phases, candle ends, windows and freshness."""
        at_ns, facts = event.at_ns, list[Fact]()
        begun = self._parts.begin_day(at_ns)
        flipped = self._parts.requote(self._parts.phases.advance(at_ns), at_ns, facts)
        self._parts.watch.look(at_ns)
        facts += [CandleChanged(at_ns, candle) for candle in self._parts.candles.advance(at_ns)]
        self._gap_minutes_open = self._parts.watch.count_open_minutes(at_ns)
        expired = self._parts.metrics.expire(at_ns)
        aged = self._parts.judge(self._parts.all_rows(), at_ns, facts)
        return union(begun, flipped, expired, aged), facts

    def calendar(self, event: CalendarRead) -> Change:
        """Plan the phases by what the broker says of some days."""
        at_ns, facts = event.at_ns, list[Fact]()
        flipped = self._parts.requote(self._parts.phases.replan(event.days, at_ns), at_ns, facts)
        return union(flipped, self._parts.judge(self._parts.all_rows(), at_ns, facts)), facts

    def history(self, event: HistoryRead) -> Change:
        """Merge the broker's finished minutes of one symbol."""
        row = self.table.row_of_symbol.get(event.symbol)
        if row is None and self.table.known(event.symbol) is not None:
            return NO_ROWS, []  # it was removed while its history was on the way
        if row is None:
            text = f"history of {event.symbol} was read, but nobody watches it; it is not kept"
            return NO_ROWS, [Noticed(event.at_ns, "warning", text)]
        if event.told_ns[0] < event.told_ns[1]:
            self.wishes.fulfil(event.symbol)
        changed = self._parts.candles.merge(row, event.candles, event.told_ns, event.at_ns)
        facts: list[Fact] = [CandleChanged(event.at_ns, candle) for candle in changed]
        return self._parts.judge(np.array([row], np.int32), event.at_ns, facts), facts

    def quotes(self, event: QuotesRead) -> Change:
        """Take what was asked for because the feed did not tell it."""
        rows, facts = list[int](), list[Fact]()
        for quote in event.quotes:
            row = self.table.row_of_symbol.get(quote.symbol)
            if row is None:
                continue
            rows.append(row)
            if 0 < quote.lower_band < quote.upper_band:
                self._parts.screen.learn_band(row, quote.lower_band, quote.upper_band)
            if self.link_up:
                self._parts.watch.hear_quote(row, quote.volume, quote.last_trade_ns)
                self._parts.ages.hear_quote(row, quote, event.at_ns)
            elif self._parts.screen.take_quote(row, quote, event.at_ns):
                self._parts.metrics.clear(row)
        quoted = np.array(sorted(rows), np.int32)
        changed = self._parts.judge(quoted, event.at_ns, facts)
        return (changed if self.link_up else quoted), facts

    def note(self, event: NoteTaken) -> Change:
        """Pass on what the surroundings must tell the user."""
        return NO_ROWS, [Noticed(event.at_ns, event.level, event.text)]


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
