"""Who is told in a frame, against who was told before it."""

from ticktick.core.columns import NEVER_NS, Flags, Ints, Rows
from ticktick.domain.slots import WORD_OF

EXCHANGE = WORD_OF["exchange_ns"]


class Roll:
    """Calls the rows of frames by columns that it was given once.

    words: int64[capacity, words] of the slot table; `heard` and `seen` are uint8[capacity],
    `doubt_from_ns` (0: no doubt) and `last_ns` int64[capacity].
    """

    def __init__(
        self, words: Ints, heard: Flags, seen: Flags, doubt_from_ns: Ints, last_ns: Ints
    ) -> None:
        self._words = words
        self._heard = heard
        self._seen = seen
        self._doubt_from_ns = doubt_from_ns
        self._last_ns = last_ns

    def oldest_ns(self, rows: Rows) -> int:
        """As of when the rows were told, the oldest of them; NEVER_NS without any."""
        oldest_ns = NEVER_NS
        for i in range(rows.shape[0]):
            told_ns = self._words[rows[i], EXCHANGE]
            if told_ns < oldest_ns:
                oldest_ns = told_ns
        return oldest_ns

    def is_usual(self, rows: Rows) -> bool:
        """Whether all of the rows were heard and seen before, and nothing of them is in doubt."""
        for i in range(rows.shape[0]):
            row = rows[i]
            if self._heard[row] == 0 or self._seen[row] == 0 or self._doubt_from_ns[row] > 0:
                return False
        return True

    def note(self, rows: Rows, received_ns: int) -> int:
        """Note that the rows are heard, and as of when, at most as of the moment; the newest."""
        newest_ns = 0
        for i in range(rows.shape[0]):
            row = rows[i]
            told_ns = self._words[row, EXCHANGE]
            if told_ns > received_ns:
                told_ns = received_ns
            self._heard[row] = 1
            self._last_ns[row] = told_ns
            if told_ns > newest_ns:
                newest_ns = told_ns
        return newest_ns
