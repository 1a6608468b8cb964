"""The parts of the market half, wired to each other, and what several kinds of events do."""

from collections.abc import Iterable

import numpy as np

from ticktick.core.columns import NO_ROWS, Rows
from ticktick.domain.clock import NS_PER_S, ist_day_number
from ticktick.domain.event import Fact, InstrumentsResolved, PhaseChanged
from ticktick.domain.instrument import Kind
from ticktick.domain.sessions import Calendar
from ticktick.engine.ports import EngineSettings
from ticktick.market.ages import Ages
from ticktick.market.candles import Candles
from ticktick.market.metrics import TickMetrics
from ticktick.market.phases import Phases
from ticktick.market.rejections import Rejections
from ticktick.market.screen import Screen
from ticktick.market.table import SlotTable
from ticktick.market.watch import Watch
from ticktick.market.windows import Windows
from ticktick.market.wishes import Wishes


class MarketParts:
    """Everything the market half knows, by who keeps it, and whether the link is up.

    `fresh_ns` is how old the data of a fresh symbol may be.
    """

    def __init__(self, calendar: Calendar, settings: EngineSettings) -> None:
        self.fresh_ns = settings.fresh_limit_s * NS_PER_S
        self.table = SlotTable()
        capacity = self.table.capacity
        self.windows = Windows(capacity)
        self.phases = Phases(calendar, capacity)
        self.rejections = Rejections()
        self.screen = Screen(
            self.table,
            self.phases.continuous,
            self.rejections,
            settings.ahead_limit_s * NS_PER_S,
        )
        self.candles = Candles(
            self.table,
            self.windows,
            self.phases,
            settings.close_grace_s * NS_PER_S,
            settings.confirm_limit_s * NS_PER_S,
        )
        self.metrics = TickMetrics(
            self.table,
            self.windows,
            self.phases.continuous,
            settings.vwap_window_s * NS_PER_S,
        )
        self.watch = Watch(
            self.table, self.phases, self.candles, settings.silence_limit_s * NS_PER_S
        )
        self.ages = Ages(
            self.table,
            self.phases,
            self.watch,
            self.fresh_ns,
            settings.quiet_limit_s * NS_PER_S,
            settings.quiet_derivative_limit_s * NS_PER_S,
        )
        self.wishes = Wishes(self.table, self.watch, self.candles)
        self.link_up = False
        self._day = 0

    def all_rows(self) -> Rows:
        """The rows of everything that is followed, in order."""
        return np.array(sorted(self.table.followed), np.int32)

    def follow(self, event: InstrumentsResolved) -> Rows:
        """Follow these instruments and no others; return the rows that are left."""
        gone = self.table.follow(event.instruments)
        self.ages.watch()
        self.screen.watch()
        self.metrics.watch()
        self.candles.watch()
        self.watch.trust(self._canaries(event.canary))
        return gone

    def forget(self, rows: Rows) -> None:
        """Know nothing of these rows any more."""
        self.table.forget(rows)
        self.screen.forget_rows(rows)
        self.metrics.forget(rows)
        self.candles.forget(rows)
        self.watch.forget(rows)
        self.ages.forget(rows)

    def begin_day(self, at_ns: int) -> Rows:
        """Forget what holds for a day only when another one begins; whose metrics that changed."""
        day = ist_day_number(at_ns)
        if day == self._day:
            return NO_ROWS
        is_first, self._day = not self._day, day
        if is_first:  # what was told before the first frame is of this day
            return NO_ROWS
        self.screen.forget()
        self.metrics.begin_day()
        rows = self.all_rows()
        self.table.forget_auctions(rows)
        return rows

    def requote(self, segments: Iterable[str], at_ns: int, facts: list[Fact]) -> Rows:
        """Tell the changed phases; measure the quotes of rows that began or ceased to trade."""
        for segment in segments:
            phase, source = self.phases.by_segment[segment], self.phases.sources[segment]
            facts.append(PhaseChanged(at_ns, segment, phase, source))
        flipped = self.phases.take_flipped()
        if len(flipped):
            self.metrics.requote(flipped, at_ns)
            self.table.forget_auctions(flipped[self.phases.continuous[flipped] != 0])
        return flipped

    def judge(self, rows: Rows, now_ns: int, facts: list[Fact]) -> Rows:
        """Tell whose freshness changed; return their rows."""
        return self.ages.judge(rows, now_ns, facts, link_up=self.link_up)

    def _canaries(self, named: str | None) -> list[int]:
        """The rows that move all day: the one named so, and every index."""
        followed = [(row, self.table.instruments[row]) for row in self.table.followed]
        return [row for row, i in followed if i.symbol == named or i.kind is Kind.INDEX]
