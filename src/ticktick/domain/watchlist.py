"""What the user wants to watch: the entries of symbols.json."""

import re
from typing import Final

from msgspec import Struct

INSTRUMENT_KEY: Final = re.compile(r"[A-Z]{2,6}_[A-Z]{2,6}\|[A-Za-z0-9][A-Za-z0-9 .:&%+()_-]{0,59}")
SYMBOL: Final = re.compile(r"(?:[A-Z]{2,6}:)?[A-Z0-9][A-Z0-9 .&_-]{0,39}")

_LONGEST_NAME = 100


class WatchlistEntry(Struct, frozen=True):
    """One line of the watchlist, as the user wrote it.

    `instrument_key` may be stale: every start resolves it against the day's instrument master.
    `symbol` is the trading symbol and the name that Redis and the screen use; None means the
    master's trading symbol of the key.
    Raises ValueError, saying what was found and what is expected, for a value of another form.
    """

    name: str
    instrument_key: str
    symbol: str | None = None

    def __post_init__(self) -> None:
        if not (self.name.isprintable() and 0 < len(self.name.strip()) <= _LONGEST_NAME):
            raise ValueError(
                f"name is {self.name!r:.80}, expected 1 to {_LONGEST_NAME} printable characters"
            )
        if not INSTRUMENT_KEY.fullmatch(self.instrument_key):
            raise ValueError(
                f"instrument_key is {self.instrument_key!r:.80}, "
                "expected SEGMENT|ID such as 'NSE_EQ|INE002A01018'"
            )
        if self.symbol is not None and not SYMBOL.fullmatch(self.symbol):
            raise ValueError(
                f"symbol is {self.symbol!r:.80}, "
                "expected the exchange's trading symbol such as 'RELIANCE'"
            )
