"""Layout of the slot table: two records per instrument, the newest state the feed told us.

Prices are integers in the instrument's price unit, sizes are shares or contracts, times are
nanoseconds since the Unix epoch, UTC. 0 means "not told yet" in every price and time; a price
of the market is never 0. Best level first; a level with price 0 is empty. The levels behind the
fifth, which few instruments are asked for, have a record of their own, DEEP: all of it is 0 where
`told_levels` is 5 or less.
"""

from typing import Final

import numpy as np

DEPTH_LEVELS: Final = 5
DEEP_LEVELS: Final = 25  # behind them
ALL_LEVELS: Final = DEPTH_LEVELS + DEEP_LEVELS

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
        (
            "told_levels",
            "i8",
        ),  # how many the feed told of each side: 1, 5, 30, of a thin book fewer
        ("total_bid_quantity", "i8"),
        ("total_ask_quantity", "i8"),
        # the day: volume is cumulative
        ("volume", "i8"),
        ("open_interest", "i8"),
        ("average_price", "i8"),
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
        # an auction: where it would end, what bounds it, how many would change hands there, and
        # how many would be left over, of all and of those at any price, of one sign or the other
        ("auction_price", "i8"),
        ("reference_price", "i8"),
        ("auction_quantity", "i8"),
        ("auction_imbalance", "i8"),
        ("auction_imbalance_at_market", "i8"),
        ("closes_by_auction", "i8"),
        # options
        ("implied_volatility", "f8"),
        ("delta", "f8"),
        ("theta", "f8"),
        ("gamma", "f8"),
        ("vega", "f8"),
        ("rho", "f8"),
    ]
)

DEEP = np.dtype(
    [
        ("bid_price", "i8", DEEP_LEVELS),
        ("bid_quantity", "i8", DEEP_LEVELS),
        ("ask_price", "i8", DEEP_LEVELS),
        ("ask_quantity", "i8", DEEP_LEVELS),
    ]
)

AUCTION_COLUMNS: Final = (
    *("auction_price", "reference_price", "auction_quantity"),
    *("auction_imbalance", "auction_imbalance_at_market"),
)
"""What holds for one auction only."""

WORD_BYTES: Final = 8


def _words_of(record: np.dtype[np.void]) -> dict[str, int]:
    """Where a column begins when a record is read as a row of 64-bit words."""
    return {name: offset // WORD_BYTES for name, (_, offset, *_) in (record.fields or {}).items()}


WORD_OF: Final = _words_of(SLOT)
DEEP_WORD_OF: Final = _words_of(DEEP)
