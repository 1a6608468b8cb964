"""The path of a frame: decode, screen, measure, fold, judge."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from ticktick.core.columns import Rows, union
from ticktick.domain.clock import NS_PER_MINUTE
from ticktick.domain.event import CandleChanged, Fact, FrameArrived, Noticed
from ticktick.engine.market_parts import MarketParts
from ticktick.engine.ports import Change, Decoded, Decoder, MarketWords, NoStopwatch, Stopwatch
from ticktick.errors import DecodeError
from ticktick.market.rejections import Rejection


class _Read(Struct, frozen=True, gc=False):
    """What is left of one frame: rows told, rows with news, rows that something else changed.

    `exchange_ns` is 0 where the frame's own time is not believed. `is_first`: some row is told for
    the first time, or again after a hole.
    """

    exchange_ns: int
    rows: Rows
    news: Rows
    changed: Rows
    is_first: bool


class FramePath:
    """Takes frames of the feed through all parts of the market half.

    `counts` are the frames and what the decoder did not know in them. `stopwatch` is told where
    a frame is on its way.
    """

    def __init__(self, decoder: Decoder, parts: MarketParts) -> None:
        self._decoder = decoder
        self._parts = parts
        self.stopwatch: Stopwatch = NoStopwatch()
        self.counts = dict.fromkeys(
            ("frames", "unknown_parts", "unknown_words", "off_grid_prices"), 0
        )

    def take(self, frames: Sequence[FrameArrived]) -> Change:
        """Decode and screen frame after frame; measure, fold and judge what they came to."""
        facts, reads = list[Fact](), list[_Read]()
        touched = [self._parts.begin_day(frames[0].received_ns)]
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
        return union(*touched), facts

    def _decode(self, event: FrameArrived, facts: list[Fact]) -> Decoded | None:
        """The frame as decoded, None if it is none."""
        at_ns = event.received_ns
        try:
            decoded = self._decoder.decode(event.data, self._parts.table, at_ns, event.seq)
        except DecodeError as error:
            facts += self._parts.rejections.add(Rejection("unreadable", "", str(error), at_ns))
            return None
        facts += self._count(decoded, at_ns)
        self.stopwatch.lap("decode")
        return decoded

    def _believe(self, decoded: Decoded, at_ns: int, facts: list[Fact]) -> _Read:
        """Screen a frame and see whose trades it shows."""
        screened = self._parts.screen.take(decoded.rows, at_ns, facts)
        rows = screened.rows
        is_timely = self._parts.screen.is_timely(decoded.exchange_ns, at_ns)
        words = decoded.words if is_timely else None
        flipped = self._parts.requote(self._told_phases(words, at_ns), at_ns, facts)
        newly_heard, broken = self._parts.watch.arrive(rows, decoded.whole, at_ns)
        if broken:
            self._parts.metrics.restart(np.array(broken, np.int32))
        unseen = self._parts.watch.take_unseen()
        if len(unseen):
            self._parts.metrics.restart_quotes(unseen)
        news = union(screened.news, newly_heard)
        is_first = len(newly_heard) > 0 or len(broken) > 0
        self.stopwatch.lap("screen")
        believed_ns = decoded.exchange_ns if is_timely else 0
        return _Read(believed_ns, rows, news, union(flipped, unseen), is_first)

    def _is_apart(self, before_ns: int, at_ns: int) -> bool:
        """Whether a candle or a silence ends between two frames."""
        is_other_minute = before_ns // NS_PER_MINUTE != at_ns // NS_PER_MINUTE
        return is_other_minute or at_ns - before_ns > self._parts.fresh_ns

    def _measure(self, reads: Sequence[_Read], at_ns: int, facts: list[Fact]) -> Rows:
        """Measure, fold and judge what some frames came to; return the touched rows."""
        rows = union(*[read.rows for read in reads])
        news = union(*[read.news for read in reads])
        self._parts.metrics.take(news, max(read.exchange_ns for read in reads))
        self.stopwatch.lap("measure")
        facts += [CandleChanged(at_ns, candle) for candle in self._parts.candles.take(news, rows)]
        self.stopwatch.lap("fold")
        touched = union(rows, *[read.changed for read in reads])
        self._parts.judge(touched, at_ns, facts)
        return touched

    def _told_phases(self, words: MarketWords | None, at_ns: int) -> Sequence[str]:
        """Let the phases move to the moment and hear the feed; whose segments' phase changed."""
        phases = self._parts.phases
        if words is None:
            changed = phases.advance(at_ns)
        else:
            changed = phases.hear(words.phases, words.auctions, words.pre_opens, at_ns)
        if phases.is_in_doubt:
            newest_ns = int(self._parts.table.records["last_trade_ns"].max())
            changed = sorted({*changed, *phases.hear_trades(newest_ns, at_ns)})
        return changed

    def _count(self, decoded: Decoded, at_ns: int) -> list[Noticed]:
        """Count what the decoder left out or did not know."""
        self.counts["frames"] += 1
        self.counts["unknown_parts"] += decoded.unknown_parts
        self.counts["off_grid_prices"] += decoded.off_grid
        self.counts["unknown_words"] += decoded.words.unlisted if decoded.words else 0
        counts = {"unknown": decoded.unknown_keys, "impossible": decoded.refused}
        notices = []
        for reason, who, value in decoded.samples:
            sample = Rejection(reason, who, value, at_ns)
            notices += self._parts.rejections.add(sample, counts[reason])
        return notices
