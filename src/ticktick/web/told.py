"""What the slot table tells of each row, as columns of numbers; NaN is "not known"."""

import numpy as np

from ticktick.core import numbers
from ticktick.core.columns import Flags, Floats, Ints, Narrow, Rows
from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.slots import WORD_OF

NAN = float("nan")
EXCHANGE = WORD_OF["exchange_ns"]
RECEIVED = WORD_OF["received_ns"]
SEQ = WORD_OF["seq"]
TRADED = WORD_OF["last_trade_ns"]
VOLUME = WORD_OF["volume"]
LAST_PRICE = WORD_OF["last_price"]
PREVIOUS_CLOSE = WORD_OF["previous_close"]
BID = WORD_OF["bid_price"]
ASK = WORD_OF["ask_price"]
DAY_HIGH = WORD_OF["day_high"]
DAY_LOW = WORD_OF["day_low"]

# the rows of what `tell` writes
TOLD = (
    *("exchange_ms", "received_ms", "last_trade_ms", "seq", "volume"),
    *("last_price", "previous_close", "bid", "ask", "day_high", "day_low"),
    *("freshness", "warm"),
)
COUNT = len(TOLD)

MISSING = -(2**31)
_END = 2.0**31 - 0.5  # what is as large or larger has no place in 32 bits


class Plate:
    """Prints the columns of a block, from columns that it was given once.

    `sources` (int32[columns]) says where each comes from, a row of TOLD or, behind those, one of
    `metrics`, float64[metrics, capacity]. The first `wides` of them are 64 bits wide, the next
    `wholes` whole numbers of 32 bits, the others 32 bits wide. `wide`, `whole` and `narrow`
    (float64, int32 and float32) are the same memory, where a block without its header begins;
    `told` is float64[len(TOLD), capacity]. Others as in `tell`.
    """

    def __init__(
        self,
        words: Ints,
        codes: Flags,
        warm: Flags,
        has_volume: Flags,
        metrics: Floats,
        sources: Rows,
        wides: int,
        wholes: int,
        wide: Floats,
        whole: Rows,
        narrow: Narrow,
        told: Floats,
    ) -> None:
        self._words = words
        self._codes = codes
        self._warm = warm
        self._has_volume = has_volume
        self._metrics = metrics
        self._sources = sources
        self._wides = wides
        self._wholes = wholes
        self._wide = wide
        self._whole = whole
        self._narrow = narrow
        self._told = told
        self._column = np.zeros(told.shape[1])

    def print(self, rows: Rows) -> int:
        """Print the rows' numbers and columns; how many bytes they take."""
        count = rows.shape[0]
        told = self._told[:, :count]
        tell(rows, self._words, self._codes, self._warm, self._has_volume, told)
        for i in range(count):
            self._whole[i] = rows[i]
        if count % 2 != 0:
            self._whole[count] = 0
        at = (count + 1) // 2 * 2  # in steps of 32 bits, here and below
        for column in range(self._sources.shape[0]):
            source = self._sources[column]
            if source < COUNT:
                _copy(self._told[source, :count], self._column)
            else:
                _gather(rows, self._metrics[source - COUNT], self._column)
            if column < self._wides:
                _copy(self._column[:count], self._wide[at // 2 :])
                at += 2 * count
            elif column < self._wides + self._wholes:
                _round(self._column[:count], self._whole[at:])
                at += count
            else:
                _narrow(self._column[:count], self._narrow[at:])
                at += count
        size: int = 4 * at
        return size


def _gather(rows: Rows, metric: Floats, column: Floats) -> None:
    for i in range(rows.shape[0]):
        column[i] = metric[rows[i]]


def _copy(column: Floats, printed: Floats) -> None:
    for i in range(column.shape[0]):
        printed[i] = column[i]


def _round(column: Floats, printed: Rows) -> None:
    for i in range(column.shape[0]):
        value = column[i]
        printed[i] = numbers.nearest(value) if -_END < value < _END else MISSING


def _narrow(column: Floats, printed: Narrow) -> None:
    for i in range(column.shape[0]):
        printed[i] = column[i]


def tell(
    rows: Rows, words: Ints, codes: Flags, warm: Flags, has_volume: Flags, out: Floats
) -> None:
    """Write every column of TOLD of the rows to `out`, float64[len(TOLD), len(rows)].

    words: int64[capacity, words] of the slot table, where 0 means "not told yet"; `codes`, `warm`
    and `has_volume` are uint8[capacity]. High, low and volume are the day's: where the last trade
    was on another day than the row was told, they are not known, but for a volume of 0.
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        exchange_ns = words[row, EXCHANGE]
        traded_ns = words[row, TRADED]
        day = numbers.ist_day(exchange_ns)
        is_today = numbers.ist_day(traded_ns) == day
        volume = words[row, VOLUME]
        out[0, i] = _known(numbers.milliseconds(exchange_ns))
        out[1, i] = _known(numbers.milliseconds(words[row, RECEIVED]))
        out[2, i] = _known(numbers.milliseconds(traded_ns))
        out[3, i] = words[row, SEQ] if words[row, RECEIVED] > 0 else NAN
        out[4, i] = NAN
        if has_volume[row] != 0 and exchange_ns >= NS_PER_MS and (is_today or volume == 0):
            out[4, i] = volume
        out[5, i] = _known(words[row, LAST_PRICE])
        out[6, i] = _known(words[row, PREVIOUS_CLOSE])
        out[7, i] = _known(words[row, BID])
        out[8, i] = _known(words[row, ASK])
        out[9, i] = _known(words[row, DAY_HIGH]) if is_today else NAN
        out[10, i] = _known(words[row, DAY_LOW]) if is_today else NAN
        out[11, i] = codes[row]
        out[12, i] = warm[row]


def _known(value: int) -> float:
    """The value as a number, NaN for 0."""
    return value * 1.0 if value != 0 else NAN
