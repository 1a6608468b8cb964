"""Looking an instrument up in the broker's list: by symbol, key or words, with near matches."""

import difflib
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from ticktick.brokers.upstox.wire import MasterRecord
from ticktick.domain.clock import NS_PER_MS, ist_day
from ticktick.domain.watchlist import WatchlistEntry
from ticktick.errors import ConfigError

PLAIN_TYPES: Final = frozenset({"EQ", "BE", "BZ", "SM", "ST", "INDEX"})
"""Shares of every series, and indices: not the bonds, funds of states and bills beside them."""

DERIVATIVE_TYPES: Final = frozenset({"FUT", "CE", "PE"})
_NEAR: Final = 3


def find(records: Sequence[MasterRecord], what: str) -> MasterRecord:
    """The share, index or derivative with that trading symbol or instrument key.

    Raises ConfigError, naming symbols that are nearly the same, where there is none.
    """
    if "|" in what:
        return _by_key(records, what)
    wanted = what.strip().upper()
    named = [record for record in records if record.trading_symbol.upper() == wanted]
    usable = [record for record in named if record.instrument_type in PLAIN_TYPES]
    usable += [record for record in named if record.instrument_type in DERIVATIVE_TYPES]
    if usable:
        return min(usable, key=lambda record: record.instrument_type != "EQ")
    raise ConfigError(f"no instrument has the trading symbol {what!r}; {_hint(records, wanted)}")


def search(
    records: Sequence[MasterRecord],
    text: str,
    *,
    derivatives: bool = False,
    expiry: date | None = None,
    strike: float | None = None,
) -> list[MasterRecord]:
    """Records whose symbol, name or key holds every word of the text, the best first.

    Futures and options are among them only with `derivatives`, and alone where an expiry or a
    strike (rupees) is wanted.
    """
    words = text.casefold().split()
    is_wanted = _kind_filter(derivatives, expiry, strike)
    found = [record for record in records if is_wanted(record) and _holds(record, words)]
    found.sort(key=lambda record: _rank(record, text.strip().upper()))
    return found


def to_entry(record: MasterRecord, name: str | None = None) -> WatchlistEntry:
    """The watchlist's line for a record; `name` is what the user calls it.

    Raises ConfigError where the name or the record cannot be one.
    """
    symbol = record.trading_symbol
    try:
        return WatchlistEntry(name or record.name or symbol, record.instrument_key, symbol)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def expiry_day(record: MasterRecord) -> date | None:
    """The last day of a derivative in India."""
    return None if record.expiry is None else ist_day(record.expiry * NS_PER_MS)


def _by_key(records: Sequence[MasterRecord], key: str) -> MasterRecord:
    for record in records:
        if record.instrument_key == key:
            return record
    raise ConfigError(
        f"{key} is not listed today; find the instrument with `ticktick symbols search`"
    )


def _hint(records: Sequence[MasterRecord], wanted: str) -> str:
    plain = {r.trading_symbol.upper() for r in records if r.instrument_type in PLAIN_TYPES}
    begins = sorted(symbol for symbol in plain if wanted and symbol.startswith(wanted))
    alike = difflib.get_close_matches(wanted, sorted(plain), _NEAR)
    near = dict.fromkeys([*begins[:_NEAR], *alike])
    if near:
        return f"nearly the same: {', '.join(near)}"
    return f"find it with `ticktick symbols search {wanted}`"


def _kind_filter(
    derivatives: bool, expiry: date | None, strike: float | None
) -> Callable[[MasterRecord], bool]:
    if expiry is None and strike is None:
        types = PLAIN_TYPES | DERIVATIVE_TYPES if derivatives else PLAIN_TYPES
        return lambda record: record.instrument_type in types
    return lambda record: (
        record.instrument_type in DERIVATIVE_TYPES
        and (expiry is None or expiry_day(record) == expiry)
        and (strike is None or record.strike_price == strike)
    )


def _holds(record: MasterRecord, words: Sequence[str]) -> bool:
    parts = (record.trading_symbol, record.name, record.short_name, record.instrument_key)
    text = " ".join(part for part in parts if part).casefold()
    return all(word in text for word in words)


def _rank(record: MasterRecord, wanted: str) -> tuple[bool, bool, int, float, int, str]:
    """Exact symbols first, then those that begin so; derivatives last, the next to expire first."""
    symbol = record.trading_symbol.upper()
    return (
        symbol != wanted,
        not symbol.startswith(wanted),
        record.expiry or 0,
        record.strike_price or 0.0,
        len(symbol),
        symbol,
    )
