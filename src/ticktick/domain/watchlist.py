"""What the user wants to watch: the entries of symbols.json."""

from msgspec import Struct


class WatchlistEntry(Struct, frozen=True):
    """One line of the watchlist, as the user wrote it.

    `instrument_key` may be stale: every start resolves it against the day's instrument master.
    `symbol` is the trading symbol and the name that Redis and the screen use; None means the
    master's trading symbol of the key.
    """

    name: str
    instrument_key: str
    symbol: str | None = None
