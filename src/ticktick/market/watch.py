"""Whose trades are being seen: the link, the silence of the feed, and the holes both leave."""

from collections.abc import Iterable

import numpy as np

from ticktick.core.columns import NO_ROWS, Rows
from ticktick.core.kernels import Roll
from ticktick.domain.clock import NS_PER_MINUTE
from ticktick.market.candles import Candles
from ticktick.market.coverage import Span
from ticktick.market.phases import Phases
from ticktick.market.table import SlotTable


class Watch:
    """What the feed let us see of each instrument.

    `heard` (bool[capacity]) says who was told over the present link, `last_ns` (int64[capacity])
    as of when, `newest_ns` the newest of these. `gap_until_ns` (int64[capacity]) is up to when
    minutes that were over when the row was seen again are still to be told, 0 for none.
    The feed lives while a canary is told, an index that moves all day, or anything at all where
    no canary trades. A symbol whose trades were not seen for a while, because the link was down
    or the feed silent in continuous trading, has a hole, unless its next whole packet proves by
    an unchanged volume and trade time that nothing happened.
    """

    def __init__(
        self, table: SlotTable, phases: Phases, candles: Candles, silence_limit_ns: int
    ) -> None:
        capacity = table.capacity
        self._table = table
        self._phases = phases
        self._candles = candles
        self._silence_ns = silence_limit_ns
        self._canaries: list[int] = []
        self.newest_ns = 0
        self._seen = np.zeros(capacity, np.bool_)
        self._lost_ns = np.zeros(capacity, np.int64)
        self._lost_volume = np.zeros(capacity, np.int64)
        self._lost_trade_ns = np.zeros(capacity, np.int64)
        self._doubt_from_ns = np.zeros(capacity, np.int64)
        self._doubt_until_ns = np.zeros(capacity, np.int64)
        self.gap_until_ns = np.zeros(capacity, np.int64)
        self._gapped: set[int] = set()
        self._holed: set[int] = set()
        self._open_minutes = 0
        self._counted = 0, 0
        self._is_silent = False
        self._unseen: set[int] = set()
        self.heard = np.zeros(capacity, np.bool_)
        self.last_ns = np.zeros(capacity, np.int64)
        self._roll = Roll(
            table.words,
            self.heard.view(np.uint8),
            self._seen.view(np.uint8),
            self._doubt_from_ns,
            self.last_ns,
        )

    @property
    def life_ns(self) -> int:
        """The newest moment at which the feed proved that it lives."""
        continuous, last_ns = self._phases.continuous, self.last_ns
        told_ns = [int(last_ns[row]) for row in self._canaries if continuous[row]]
        return max(told_ns, default=0) or self.newest_ns

    def trust(self, canaries: Iterable[int]) -> None:
        """Take over the rows whose silence means a silent feed."""
        self._canaries = sorted(canaries)

    def forget(self, rows: Rows) -> None:
        """Know nothing of these rows any more."""
        for values in (self._lost_ns, self._doubt_from_ns, self.gap_until_ns, self.last_ns):
            values[rows] = 0
        self._seen[rows] = self.heard[rows] = False
        self._holed.difference_update(rows.tolist())
        self._gapped.difference_update(rows.tolist())

    def cut(self) -> None:
        """The link changed: nothing is seen from the last sign of life on."""
        life_ns = self.life_ns
        for row in np.flatnonzero(self._seen).tolist():
            self._pause(row, max(life_ns, int(self.last_ns[row])))
        self.heard.fill(False)

    def look(self, now_ns: int) -> None:
        """Notice who is not seen any more because the feed is silent while it should not be."""
        life_ns = self.life_ns
        if not life_ns or now_ns - life_ns <= self._silence_ns:
            return
        opens_ns = self._phases.opens_ns
        since_ns = np.where(opens_ns <= now_ns, opens_ns, 0).max(axis=1)
        since_ns = np.maximum(np.maximum(since_ns, self.last_ns), life_ns)
        since_ns = np.maximum(since_ns, self._phases.began_ns)
        is_silent = now_ns - since_ns > self._silence_ns
        trades = self._phases.continuous > 0
        for row in np.flatnonzero(self._seen & trades & is_silent).tolist():
            self._pause(row, int(since_ns[row]))
            self._is_silent = True

    def arrive(self, rows: Rows, whole: Rows | None, received_ns: int) -> tuple[Rows, list[int]]:
        """Packets of these rows were believed; `whole` are those that told the last trade.

        None stands for all of them. Returns the rows heard for the first time over this link, and
        those whose windows must begin anew because trades of theirs were not seen.
        """
        if not len(rows):
            return rows, []
        self.look(int(self._roll.oldest_ns(rows)))
        newly_heard, broken = NO_ROWS, list[int]()
        if not self._roll.is_usual(rows):
            newly_heard, broken = self._meet(rows, whole)
        self.newest_ns = max(self.newest_ns, int(self._roll.note(rows, received_ns)))
        if self._is_silent:
            self._revive()
        return newly_heard, broken

    def _meet(self, rows: Rows, whole: Rows | None) -> tuple[Rows, list[int]]:
        """See the rows that were not heard or seen before, or are in doubt; as `arrive`."""
        told_ns = self._table.records["exchange_ns"][rows]
        are_whole = np.ones(len(rows), np.bool_) if whole is None else np.isin(rows, whole)
        newly_heard = rows[~self.heard[rows]]
        unsure = ~self._seen[rows] | (self._doubt_from_ns[rows] > 0)
        packets = zip(
            rows[unsure].tolist(), told_ns[unsure].tolist(), are_whole[unsure].tolist(), strict=True
        )
        broken = [row for row, at_ns, is_whole in packets if self._see(row, at_ns, is_whole)]
        return newly_heard, broken

    def take_unseen(self) -> Rows:
        """The rows whose book was not seen for a while that is over, traded or not; each once."""
        if not self._unseen:
            return NO_ROWS
        unseen = np.array(sorted(self._unseen), np.int32)
        self._unseen.clear()
        return unseen

    def hear_quote(self, row: int, volume: int, trade_ns: int) -> None:
        """A quote was asked for: it may prove that a symbol in doubt did not trade."""
        if self._doubt_from_ns[row] and self._is_unchanged(row, volume, trade_ns):
            self._prove(row)

    def close_gaps(self, rows: Rows) -> None:
        """Close the gap of each of these rows whose every minute was told by now."""
        if not self._gapped:
            return
        for row in self._gapped.intersection(rows.tolist()):
            if not self._candles.lost_minutes(row, int(self.gap_until_ns[row])):
                self.gap_until_ns[row] = 0
                self._gapped.discard(row)

    def lost(self, until_ns: int) -> dict[int, Span]:
        """First start and last end of the lost minutes that ended by the moment, by row."""
        whole_ns = until_ns // NS_PER_MINUTE * NS_PER_MINUTE
        found = {row: self._candles.lost_minutes(row, whole_ns) for row in sorted(self._holed)}
        return {
            row: (starts[0], starts[-1] + NS_PER_MINUTE) for row, starts in found.items() if starts
        }

    def count_open_minutes(self, now_ns: int) -> int:
        """How many minutes up to now were lost and not told yet, of all rows."""
        as_of = self._candles.coverage_changes, now_ns // NS_PER_MINUTE
        if self._holed and as_of != self._counted:
            lost = {row: len(self._candles.lost_minutes(row, now_ns)) for row in self._holed}
            self._holed = {row for row, count in lost.items() if count or not self._seen[row]}
            self._open_minutes, self._counted = sum(lost.values()), as_of
        return self._open_minutes

    def _see(self, row: int, at_ns: int, is_whole: bool) -> bool:
        """The row is told again, or was in doubt; return whether trades were not seen."""
        if self._seen[row]:
            return bool(self._doubt_from_ns[row]) and is_whole and self._settle(row, at_ns)
        lost_ns, self._seen[row] = int(self._lost_ns[row]), True
        if not lost_ns:
            self._candles.resume(row, at_ns)
            return False
        is_short = self.heard[row] and at_ns - lost_ns <= self._silence_ns
        if not is_short:
            self._unseen.add(row)
        if is_short or (is_whole and self._has_not_traded(row)):
            self._candles.resume(row, lost_ns)
            return False
        self._dig(row, at_ns)
        if is_whole:
            self._doubt_from_ns[row] = 0
        return is_whole

    def _revive(self) -> None:
        """The feed lives again: the rows it had let go are seen, though nothing told of them."""
        life_ns = self.life_ns
        asleep = self.heard & ~self._seen
        for row in np.flatnonzero(asleep & (self._lost_ns < life_ns)).tolist():
            self._seen[row] = True
            if life_ns - self._lost_ns[row] <= self._silence_ns:
                self._candles.resume(row, int(self._lost_ns[row]))
            else:
                self._unseen.add(row)
                self._dig(row, life_ns)
        self._is_silent = bool((self.heard & ~self._seen).any())

    def _pause(self, row: int, at_ns: int) -> None:
        if self._doubt_from_ns[row]:  # what was doubtful stays a hole
            self._doubt_from_ns[row] = 0
        record = self._table.records[row]
        self._candles.pause(row, at_ns)
        self._holed.add(row)
        self._seen[row] = False
        self._lost_ns[row] = at_ns
        self._lost_volume[row] = record["volume"]
        self._lost_trade_ns[row] = record["last_trade_ns"]

    def _dig(self, row: int, until_ns: int) -> None:
        """Leave a hole up to the moment, and doubt whether anything traded in it."""
        self._candles.resume(row, until_ns)
        self._doubt_from_ns[row] = self._lost_ns[row]
        self._doubt_until_ns[row] = until_ns
        self.gap_until_ns[row] = until_ns // NS_PER_MINUTE * NS_PER_MINUTE
        self._gapped.add(row)

    def _settle(self, row: int, at_ns: int) -> bool:
        """A whole packet ends the doubt; return whether trades were not seen."""
        if self._has_not_traded(row):
            self._prove(row)
            return False
        # what traded since then cannot be told from what traded in the hole
        self._candles.pause(row, int(self._doubt_until_ns[row]))
        self._candles.resume(row, at_ns)
        self._doubt_from_ns[row] = 0
        return True

    def _prove(self, row: int) -> None:
        span = int(self._doubt_from_ns[row]), int(self._doubt_until_ns[row])
        self._candles.prove(row, span)
        self._doubt_from_ns[row] = 0

    def _has_not_traded(self, row: int) -> bool:
        record = self._table.records[row]
        return self._is_unchanged(row, int(record["volume"]), int(record["last_trade_ns"]))

    def _is_unchanged(self, row: int, volume: int, trade_ns: int) -> bool:
        known = int(self._lost_volume[row]), int(self._lost_trade_ns[row])
        return known == (volume, trade_ns)
