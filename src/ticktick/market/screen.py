"""The screen between the decoder and everything else: only what can be true gets through."""

from typing import Final

import numpy as np
from msgspec import Struct

from ticktick.core.columns import Flags, Ints, Rows
from ticktick.core.kernels import Gate
from ticktick.core.screen import (
    AHEAD,
    JUMPED,
    OLDER,
    OTHER_DAY,
    OUT_OF_BAND,
    TRADE_AHEAD,
)
from ticktick.domain.clock import iso_ist, ist_day_number
from ticktick.domain.event import Fact, Noticed, Quote
from ticktick.domain.instrument import Kind
from ticktick.domain.slots import SLOT
from ticktick.market.rejections import Rejection, Rejections
from ticktick.market.table import SlotTable

_REASONS: Final = {
    AHEAD: "ahead",
    OTHER_DAY: "other_day",
    OLDER: "older",
    TRADE_AHEAD: "trade_ahead",
    OUT_OF_BAND: "band",
    JUMPED: "jump",
}
_PRICES: Final = frozenset({OUT_OF_BAND, JUMPED})
# what an older packet told and a newer quote does not make wrong
_KEPT: Final = ("seq", "day_open", *(name for name in SLOT.names or () if "minute_" in name))
_OPTIONS: Final = frozenset({Kind.CALL, Kind.PUT})


class Screened(Struct, frozen=True, gc=False):
    """What is left of a frame's rows; `news` are those that told something besides the time."""

    rows: Rows
    news: Rows


class Screen:
    """Compares what a frame wrote into `table.incoming` with what is known, row by row.

    What it accepts is in `table.records` afterwards; everything else is counted in `rejections`
    and restored. `repeats` counts accepted packets that told nothing new.
    """

    def __init__(
        self, table: SlotTable, continuous: Flags, rejections: Rejections, ahead_limit_ns: int
    ) -> None:
        capacity = table.capacity
        self._ahead_limit_ns = ahead_limit_ns
        self._table = table
        self._rejections = rejections
        self._tick_size = np.ones(capacity, np.int64)
        self._is_option = np.zeros(capacity, np.uint8)
        self._band_low = np.zeros(capacity, np.int64)
        self._band_high = np.zeros(capacity, np.int64)
        self._suspect_price = np.zeros(capacity, np.int64)
        self._suspect_close = np.zeros(capacity, np.int64)
        self._verdicts = np.zeros(capacity, np.uint8)
        self._values = np.zeros(capacity, np.int64)
        self._good, self._news, self._bad = (np.zeros(capacity, np.int32) for _ in range(3))
        self._gate = Gate(
            (
                table.incoming_words,
                table.words,
                table.incoming_deep_words,
                table.deep_words,
            ),
            continuous,
            self._is_option,
            self._tick_size,
            self._band_low,
            self._band_high,
            self._suspect_price,
            self._suspect_close,
            self._verdicts,
            self._values,
            self._good,
            self._news,
            self._bad,
        )
        self.repeats = 0

    def watch(self) -> None:
        """Take over the instruments of the table."""
        for row, instrument in enumerate(self._table.instruments):
            self._tick_size[row] = instrument.tick_size
            self._is_option[row] = instrument.kind in _OPTIONS

    def learn_band(self, row: int, low: int, high: int) -> None:
        """Take over the day's price band of a row."""
        self._band_low[row], self._band_high[row] = low, high

    def bands(self, rows: Rows) -> tuple[Ints, Ints]:
        """Lower and upper end of the day's price band of the rows, 0 where it is not known."""
        return self._band_low[rows], self._band_high[rows]

    def forget(self) -> None:
        """Begin a new day: its bands are not known yet, nothing is suspected."""
        self._band_high.fill(0)
        self._band_low.fill(0)
        self._suspect_price.fill(0)
        self._suspect_close.fill(0)

    def forget_rows(self, rows: Rows) -> None:
        """Know nothing of these rows any more."""
        self._band_high[rows] = 0
        self._band_low[rows] = 0
        self._suspect_price[rows] = 0
        self._suspect_close[rows] = 0

    def is_timely(self, exchange_ns: int, received_ns: int) -> bool:
        """Whether a frame that speaks of no instrument may be believed by its time."""
        is_ahead = exchange_ns > received_ns + self._ahead_limit_ns
        return not is_ahead and ist_day_number(exchange_ns) == ist_day_number(received_ns)

    def take_quote(self, row: int, quote: Quote, at_ns: int) -> bool:
        """Believe a quote that was asked for if it is newer than what the feed told last.

        The row then holds that price, its time and volume, and nothing of the older packet that
        could be taken for a part of it.
        """
        record = self._table.incoming[row]
        is_price = quote.last_price > 0 and 0 < quote.last_trade_ns <= quote.exchange_ns
        is_newer = quote.exchange_ns > record["exchange_ns"] < at_ns
        is_newer = is_newer and quote.last_trade_ns >= record["last_trade_ns"]
        if not (is_price and is_newer and self.is_timely(quote.exchange_ns, at_ns)):
            return False
        is_same_day = ist_day_number(quote.exchange_ns) == ist_day_number(record["exchange_ns"])
        kept = {name: record[name] for name in _KEPT} if is_same_day else {}
        told = {
            "exchange_ns": quote.exchange_ns,
            "received_ns": at_ns,
            "last_price": quote.last_price,
            "last_trade_ns": quote.last_trade_ns,
            "volume": quote.volume,
            "previous_close": quote.previous_close or record["previous_close"],
        }
        rows = np.array([row], np.int32)
        self._table.empty_incoming(rows)
        for name, value in (kept | told).items():
            record[name] = value
        self._table.accept(rows)
        return True

    def take(self, rows: Rows, received_ns: int, facts: list[Fact]) -> Screened:
        """Believe or refuse each touched row; append what the user must know to `facts`."""
        latest_ns = received_ns + self._ahead_limit_ns
        goods, changed = self._gate.take(rows, received_ns, latest_ns)
        self.repeats += goods - changed
        good = rows
        if goods < len(rows):
            good = self._good[:goods].copy()
            bad = self._bad[: len(rows) - goods]
            for row in bad.tolist():
                facts += self._reject(row, received_ns)
            self._table.restore(bad)
        news = good if changed == goods else self._news[:changed].copy()
        return Screened(good, news)

    def _reject(self, row: int, at_ns: int) -> list[Noticed]:
        instrument, verdict = self._table.instruments[row], int(self._verdicts[row])
        value = int(self._values[row])
        text = f"{instrument.rupees(value)} rupees" if verdict in _PRICES else iso_ist(value)
        return self._rejections.add(Rejection(_REASONS[verdict], instrument.symbol, text, at_ns))
