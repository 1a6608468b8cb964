"""Whether a frame may have to take a flag away, or give one back that it took."""

from ticktick.core.columns import Flags, Floats, Rows


class Doubt:
    """Looks at columns that it was given once.

    `judged` is a flag that every row has which has any, `spread_bps` the metric; both are
    float64[capacity], NaN where there is none. `codes` (uint8[capacity]) are places in
    `is_timely`. `is_withheld` (uint8[capacity]) says which rows have flags that are not shown.
    """

    def __init__(
        self,
        judged: Floats,
        spread_bps: Floats,
        codes: Flags,
        is_timely: Flags,
        is_withheld: Flags,
    ) -> None:
        self._judged = judged
        self._spread_bps = spread_bps
        self._codes = codes
        self._is_timely = is_timely
        self._is_withheld = is_withheld

    def is_any(self, rows: Rows) -> bool:
        """Whether a flag of the rows is withheld, or has no quote or nothing timely behind it."""
        for i in range(rows.shape[0]):
            row = rows[i]
            if self._is_withheld[row] != 0:
                return True
            has_flag = self._judged[row] == self._judged[row]  # what is not known equals nothing
            has_quote = self._spread_bps[row] == self._spread_bps[row]
            if has_flag and not (has_quote and self._is_timely[self._codes[row]] != 0):
                return True
        return False
