"""Layout of the slot table: one record per instrument, the newest state the feed told us.

Prices are integers in the instrument's price unit, sizes are shares or contracts, times are
nanoseconds since the Unix epoch, UTC. 0 means "not told yet" in every price and time; a price
of the market is never 0. Best level first; a level with price 0 is empty.
"""

from typing import Final

import numpy as np

DEPTH_LEVELS = 5

SLOT = np.dtype(
    [
        # time: when it was true at the exchange, when it was read, order of arrival
        ("exchange_ns", "i8"),
        ("received_ns", "i8"),
        ("seq", "i8"),
        # the latest trade and the previous close
        ("last_price", "i8"),
        ("last_trade_ns", "i8"),
        ("last_quantity", "i8"),
        ("previous_close", "i8"),
        # the book
        ("bid_price", "i8", DEPTH_LEVELS),
        ("bid_quantity", "i8", DEPTH_LEVELS),
        ("ask_price", "i8", DEPTH_LEVELS),
        ("ask_quantity", "i8", DEPTH_LEVELS),
        ("total_bid_quantity", "i8"),
        ("total_ask_quantity", "i8"),
        # the day: volume is cumulative
        ("average_price", "i8"),
        ("volume", "i8"),
        ("open_interest", "i8"),
        ("day_open", "i8"),
        ("day_high", "i8"),
        ("day_low", "i8"),
        ("day_close", "i8"),
        # the feed's own latest finished one-minute candle
        ("minute_start_ns", "i8"),
        ("minute_open", "i8"),
        ("minute_high", "i8"),
        ("minute_low", "i8"),
        ("minute_close", "i8"),
        ("minute_volume", "i8"),
        # options
        ("implied_volatility", "f8"),
        ("delta", "f8"),
        ("theta", "f8"),
        ("gamma", "f8"),
        ("vega", "f8"),
        ("rho", "f8"),
    ]
)

WORD_BYTES: Final = 8
# where a column begins when a record is read as a row of 64-bit words
WORD_OF: Final[dict[str, int]] = {
    name: offset // WORD_BYTES for name, (_, offset, *_) in (SLOT.fields or {}).items()
}
