"""What one browser has not been told yet: rows where the newest wins, facts that all count."""

from collections import deque
from collections.abc import Iterable
from typing import Final, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import CandleChanged, IndicatorsRead
from ticktick.domain.market import Candle
from ticktick.web.live import LiveAnalysis
from ticktick.web.blocks import Press, Rows
from ticktick.web.depth import depth
from ticktick.web.messages import (
    PROTOCOL_VERSION,
    Beat,
    Candles,
    CandleUpdate,
    Data,
    Envelope,
    Instruments,
    View,
)
from ticktick.web.news import KINDS, News
from ticktick.web.overlays import Overlays
from ticktick.web.overview import Listing, Overview
from ticktick.web.status import all_candles, candle_row

FACT_LIMIT_BYTES: Final = 1 << 20
STATUS_EVERY_S: Final = 1.0
FORMING_EVERY_S: Final = 0.25
BEAT_EVERY_S: Final = 0.25
_CANDLES_AT_ONCE: Final = 100

Message: TypeAlias = str | bytes
Lines: TypeAlias = dict[tuple[str, int], list[CandleChanged | IndicatorsRead]]
"""Facts by symbol and timeframe in minutes, each in order."""


class Queued(Struct, frozen=True):
    """A fact in its wire form, encoded once for all browsers."""

    type: str
    data: bytes


class Client:
    """The sender's side of one browser: `take` what changed, then `batch` what to send.

    It never waits and never skips a fact: once the waiting facts outgrow the bound, `is_behind`
    says so, nothing more is kept, and only a new connection helps. `place` is its number among the
    connected ones.
    """

    def __init__(
        self,
        overview: Overview,
        analysis: LiveAnalysis,
        news: News,
        press: Press,
        place: int,
    ) -> None:
        self.place = place
        self._overview = overview
        self._news = news
        self._news_is_new = True
        self._press = press
        self._market = overview.market
        self.overlays = Overlays(overview.market, analysis)
        self._pending = np.zeros(overview.market.table.capacity, np.bool_)
        self._announced: Listing | None = None
        self._facts: deque[Queued] = deque()
        self._fact_bytes = 0
        self.is_behind = False
        self._seq = 0
        self._status_due_s = 0.0
        self._beat_due_s = 0.0
        self._view: View | None = None
        self._view_is_new = False
        self._changed_candles: list[Candle] = []
        self._forming: Candle | None = None
        self._forming_due_s = 0.0
        self._depth_is_new = False

    def look_at(self, view: View) -> None:
        """Show another chart: its candles and its depth come with the next batch."""
        self._view = view
        self._view_is_new = True
        self._depth_is_new = True
        self.overlays.look_at(view.symbol, view.minutes)

    def look_again(self) -> None:
        """Send the chart, its depth and the news anew: another past may stand behind a symbol."""
        self._view_is_new = self._depth_is_new = self._news_is_new = True
        self._forming = None
        if self._view is not None:
            self.overlays.look_at(self._view.symbol, self._view.minutes)

    def hurry_status(self) -> None:
        """Send the status with the next batch."""
        self._status_due_s = 0.0

    def take(self, touched: Rows, facts: Iterable[Queued], lines: Lines) -> int:
        """Remember what changed; return how many rows were merged with an unsent update."""
        conflated = int(np.count_nonzero(self._pending[touched]))
        self._pending[touched] = True
        self._queue(facts)
        view = self._view
        if lines and view is not None:
            shown = lines.get((view.symbol, view.minutes), [])
            changed = (fact.candle for fact in shown if isinstance(fact, CandleChanged))
            self._changed_candles += changed
            self.overlays.hear(shown)
        return conflated

    def batch(self, now_s: float) -> list[Message]:
        """Everything to send now, in order; `now_s` is any steady counter.

        Where nothing is to be said for a while, that is said: a browser that hears nothing
        cannot tell a quiet market from a dead program.
        """
        messages = [
            *self._instruments(now_s),
            *self._all_news(),
            *self._queued_facts(),
            *self._chart(now_s),
            *(self._raw_envelope(*told) for told in self.overlays.messages(now_s)),
            *self._depth(),
            *self._status(now_s),
            *self._block(),
        ]
        return messages + self._beat(now_s, said=bool(messages))

    def _instruments(self, now_s: float) -> list[Message]:
        known, self._announced = self._announced, self._overview.listing()
        if known == self._announced:
            return []
        if known is not None:
            self._relist(known)
            return [self._envelope("instruments", Instruments(self._overview.instruments()))]
        self._pending[: len(self._market.table)] = True
        self._status_due_s = now_s + STATUS_EVERY_S
        return [self._envelope("hello", self._overview.hello())]

    def _relist(self, known: Listing) -> None:
        """Owe the rows that stand for another instrument, and nothing of those that are gone."""
        table, old = self._market.table, frozenset(known[0])
        fresh = [row for row in table.followed if table.instruments[row] not in old]
        is_followed = np.zeros_like(self._pending)
        is_followed[table.followed] = True
        self._pending &= is_followed
        self._pending[fresh] = True
        if self._view is not None and self._view.symbol not in table.row_of_symbol:
            self._view = None
            self.overlays.look_away()

    def _queue(self, facts: Iterable[Queued]) -> None:
        for fact in facts:
            self._facts.append(fact)
            self._fact_bytes += len(fact.data)
        if self._fact_bytes > FACT_LIMIT_BYTES:
            self.is_behind = True
        if self.is_behind:
            self._facts.clear()

    def _queued_facts(self) -> list[Message]:
        messages = [self._raw_envelope(fact.type, fact.data) for fact in self._facts]
        self._facts.clear()
        self._fact_bytes = 0
        return messages

    def _all_news(self) -> list[Message]:
        if not self._news_is_new:
            return []
        self._news_is_new = False
        told = self._news.everything(self._overview.stamp().now_ms * NS_PER_MS)
        return [self._envelope(KINDS[type(one)], one) for one in told]

    def _chart(self, now_s: float) -> list[Message]:
        view, changed = self._view, self._changed_candles
        if view is None:
            return []
        self._changed_candles = []
        if self._view_is_new or len(changed) > _CANDLES_AT_ONCE:
            self._view_is_new = False
            return [self._candles(view, now_s)]
        updates = [self._candle("candle", candle) for candle in changed]
        return updates + self._running(view, now_s)

    def _candles(self, view: View, now_s: float) -> Message:
        self._forming = self._market.forming(view.symbol, view.minutes)
        self._forming_due_s = now_s + FORMING_EVERY_S
        rows = tuple(map(candle_row, all_candles(self._market, view.symbol, view.minutes)))
        return self._envelope("candles", Candles(view.symbol, view.minutes, rows))

    def _running(self, view: View, now_s: float) -> list[Message]:
        if now_s < self._forming_due_s:
            return []
        forming = self._market.forming(view.symbol, view.minutes)
        if forming is None or forming == self._forming:
            return []
        self._forming = forming
        self._forming_due_s = now_s + FORMING_EVERY_S
        return [self._candle("forming", forming)]

    def _candle(self, kind: str, candle: Candle) -> Message:
        return self._envelope(kind, CandleUpdate(candle.symbol, candle.minutes, candle_row(candle)))

    def _depth(self) -> list[Message]:
        if self._view is None:
            return []
        row = self._market.table.row_of_symbol[self._view.symbol]
        self._depth_is_new |= bool(self._pending[row])
        if not self._depth_is_new:
            return []
        self._depth_is_new = False
        market = self._market
        told = depth(market.table, market.metrics, row, market.row_phases[row])
        return [self._envelope("depth", told)]

    def _status(self, now_s: float) -> list[Message]:
        if now_s < self._status_due_s:
            return []
        self._status_due_s = now_s + STATUS_EVERY_S
        return [self._envelope("status", self._overview.status())]

    def _block(self) -> list[Message]:
        rows = np.flatnonzero(self._pending).astype(np.int32)
        if not len(rows):
            return []
        self._pending[rows] = False
        return [self._press.block(rows, self._next_seq(), self._overview.stamp().now_ms)]

    def _beat(self, now_s: float, said: bool) -> list[Message]:
        if not said and now_s < self._beat_due_s:
            return []
        self._beat_due_s = now_s + BEAT_EVERY_S
        return [] if said else [self._envelope("beat", Beat())]

    def _envelope(self, kind: str, data: Data) -> Message:
        return self._raw_envelope(kind, msgspec.json.encode(data))

    def _raw_envelope(self, kind: str, data: bytes) -> Message:
        stamp = self._overview.stamp()
        envelope = Envelope(
            v=PROTOCOL_VERSION,
            seq=self._next_seq(),
            ts=stamp.now_ms,
            mode=stamp.mode,
            type=kind,
            data=msgspec.Raw(data),
        )
        return msgspec.json.encode(envelope).decode()

    def _next_seq(self) -> int:
        self._seq += 1
        return self._seq
