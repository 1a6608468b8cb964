"""Let through what can be true of a frame: judge, tell apart, and copy what is believed."""

from ticktick.core import copy, screen
from ticktick.core.columns import Flags, Ints, Rows


class Gate:
    """Judges packets on columns that it was given once, named and shaped as in `screen`.

    `good`, `news` and `bad` (int32[capacity]) are where it puts the rows of the last frame that
    were believed, those of them that told something new, and those that were not believed.
    """

    def __init__(
        self,
        words: tuple[Ints, Ints, Ints, Ints],
        continuous: Flags,
        is_option: Flags,
        tick_size: Ints,
        band_low: Ints,
        band_high: Ints,
        suspect_price: Ints,
        suspect_close: Ints,
        verdicts: Flags,
        values: Ints,
        good: Rows,
        news: Rows,
        bad: Rows,
    ) -> None:
        self._incoming, self._known, self._incoming_deep, self._known_deep = words
        self._continuous = continuous
        self._is_option = is_option
        self._tick_size = tick_size
        self._band_low = band_low
        self._band_high = band_high
        self._suspect_price = suspect_price
        self._suspect_close = suspect_close
        self._verdicts = verdicts
        self._values = values
        self._good = good
        self._news = news
        self._bad = bad

    def take(self, rows: Rows, received_ns: int, latest_ns: int) -> tuple[int, int]:
        """Judge each touched row, believe the good ones; how many are good, and how many news."""
        screen.screen(
            rows,
            received_ns,
            latest_ns,
            self._incoming,
            self._known,
            self._incoming_deep,
            self._known_deep,
            self._continuous,
            self._is_option,
            self._tick_size,
            self._band_low,
            self._band_high,
            self._suspect_price,
            self._suspect_close,
            self._verdicts,
            self._values,
        )
        good = 0
        news = 0
        bad = 0
        for i in range(rows.shape[0]):
            row = rows[i]
            verdict = self._verdicts[row]
            if verdict > screen.REPEATED:
                self._bad[bad] = row
                bad += 1
                continue
            self._good[good] = row
            good += 1
            if verdict == screen.CHANGED:
                self._news[news] = row
                news += 1
        copy.copy_rows(
            self._good[:good], self._incoming, self._known, self._incoming_deep, self._known_deep
        )
        return good, news
