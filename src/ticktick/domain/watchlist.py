"""What the user wants to watch: the entries of symbols.json."""

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from ticktick.errors import ConfigError

INSTRUMENT_KEY: Final = re.compile(r"[A-Z]{2,6}_[A-Z]{2,6}\|[A-Za-z0-9][A-Za-z0-9 .:&%+()_-]{0,59}")
SYMBOL: Final = re.compile(r"(?:[A-Z]{2,6}:)?[A-Z0-9][A-Z0-9 .&_-]{0,39}")

MOST_ENTRIES: Final = 50
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


def added(
    entries: Sequence[WatchlistEntry], entry: WatchlistEntry, before: str | None = None
) -> list[WatchlistEntry]:
    """The list with one entry more: before that symbol, key or name, else at its end.

    Raises ConfigError if it holds that instrument already, or as many as a list may.
    """
    for earlier in entries:
        if _names(earlier) & _names(entry):
            raise ConfigError(
                f"{entry.symbol or entry.name} is already in the list, as {earlier.name} "
                f"({earlier.instrument_key})"
            )
    if len(entries) >= MOST_ENTRIES:
        raise ConfigError(
            f"the list holds {len(entries)} instruments and {MOST_ENTRIES} are the most: "
            "remove one first"
        )
    place = len(entries) if before is None else _place(entries, before)
    return [*entries[:place], entry, *entries[place:]]


def removed(
    entries: Sequence[WatchlistEntry], what: str
) -> tuple[list[WatchlistEntry], WatchlistEntry]:
    """The list without the entry of that symbol, key or name in any case, and that entry.

    Raises ConfigError if there is none.
    """
    place = _place(entries, what)
    if place == len(entries):
        raise ConfigError(f"{what!r} is not in the watchlist; `ticktick symbols list` shows it")
    return [*entries[:place], *entries[place + 1 :]], entries[place]


def _place(entries: Sequence[WatchlistEntry], what: str) -> int:
    """Where the entry of that symbol, key or name stands; the end where there is none."""
    wanted = what.strip().casefold()
    places = (place for place, entry in enumerate(entries) if wanted in _names(entry))
    return next(places, len(entries))


def _names(entry: WatchlistEntry) -> set[str]:
    """Everything under which an entry is known, without regard to case."""
    names = (entry.name, entry.instrument_key, entry.symbol)
    return {name.casefold() for name in names if name is not None}
