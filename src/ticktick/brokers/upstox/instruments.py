"""The watchlist against the day's instrument master: what each entry is today."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct

from ticktick.brokers.upstox.wire import MasterRecord
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.watchlist import WatchlistEntry

KINDS = {"INDEX": Kind.INDEX, "FUT": Kind.FUTURE, "CE": Kind.CALL, "PE": Kind.PUT}
_PAISE_TO_RUPEE = 100
_FINE_PRICE_SCALE = 10_000
_LEGAL_FORMS = frozenset({"ltd", "limited", "the"})


class Resolution(Struct, frozen=True):
    """The instruments that were found, sentences for the user, and the entries without one.

    `notes` names repairs and missing entries alike.
    """

    instruments: tuple[Instrument, ...]
    notes: tuple[str, ...]
    missing: tuple[WatchlistEntry, ...]


def resolve(entries: Sequence[WatchlistEntry], master: Sequence[MasterRecord]) -> Resolution:
    """Find each entry by its key, else by its symbol, else by its name if only one has it.

    An entry that is not found, or repeats another one, does not keep the others from working.
    """
    book = _Book(master, {_segment(entry) for entry in entries})
    found: dict[str, Instrument] = {}
    keys: dict[str, str] = {}
    notes: list[str] = []
    missing: list[WatchlistEntry] = []
    for entry in entries:
        record = book.find(entry)
        if record is None:
            notes.append(_not_listed(entry))
            missing.append(entry)
            continue
        instrument = to_instrument(record, entry)
        earlier = keys.get(instrument.instrument_key) or _name_of(found.get(instrument.symbol))
        if earlier is not None:
            notes.append(
                f"{entry.name}: {instrument.symbol} is already watched as {earlier}; left out"
            )
            continue
        if record.instrument_key != entry.instrument_key:
            notes.append(_repaired(entry, record))
        found[instrument.symbol] = instrument
        keys[instrument.instrument_key] = entry.name
    return Resolution(tuple(found.values()), tuple(notes), tuple(missing))


def to_instrument(record: MasterRecord, entry: WatchlistEntry) -> Instrument:
    """The instrument of a record under the user's names.

    The file's tick size is in paise; one finer than a paisa needs the finer price unit. An index
    has no tick size, its values have two decimals.
    """
    tick_paise = record.tick_size or 1.0
    price_scale = _PAISE_TO_RUPEE if tick_paise.is_integer() else _FINE_PRICE_SCALE
    return Instrument(
        symbol=_symbol(record, entry),
        name=entry.name,
        exchange=record.exchange,
        segment=record.segment,
        instrument_key=record.instrument_key,
        kind=KINDS.get(record.instrument_type, Kind.EQUITY),
        tick_size=max(round(tick_paise * price_scale / _PAISE_TO_RUPEE), 1),
        lot_size=max(int(record.lot_size or 1), 1),
        price_scale=price_scale,
        has_closing_auction=bool(record.cas_eligible),
    )


def normalised(name: str) -> str:
    """A company's name without its legal form, punctuation and case."""
    words = re.findall(r"[a-z0-9]+", name.casefold().replace("&", " and "))
    return " ".join(word for word in words if word not in _LEGAL_FORMS)


class _Book:
    """The master's records of some segments, found by key, symbol or name."""

    def __init__(self, master: Iterable[MasterRecord], segments: set[str]) -> None:
        self._by_key: dict[str, MasterRecord] = {}
        self._by_symbol: defaultdict[tuple[str, str], list[MasterRecord]] = defaultdict(list)
        self._by_name: defaultdict[tuple[str, str], list[MasterRecord]] = defaultdict(list)
        for record in master:
            if record.segment not in segments:
                continue
            self._by_key[record.instrument_key] = record
            self._by_symbol[record.segment, record.trading_symbol].append(record)
            names = {normalised(name) for name in (record.name, record.short_name) if name}
            for name in names:
                self._by_name[record.segment, name].append(record)

    def find(self, entry: WatchlistEntry) -> MasterRecord | None:
        listed = self._by_key.get(entry.instrument_key)
        if listed is not None:
            return listed
        segment = _segment(entry)
        if entry.symbol is not None:
            symbol = entry.symbol.rpartition(":")[2]
            named = _only(self._by_symbol.get((segment, symbol), []))
            if named is not None:
                return named
        return _only(self._by_name.get((segment, normalised(entry.name)), []))


def _only(records: list[MasterRecord]) -> MasterRecord | None:
    """The one ordinary share among them, or the only record; None when it is not clear."""
    shares = [record for record in records if record.instrument_type == "EQ"]
    best = shares or records
    return best[0] if len(best) == 1 else None


def _segment(entry: WatchlistEntry) -> str:
    return entry.instrument_key.partition("|")[0]


def _symbol(record: MasterRecord, entry: WatchlistEntry) -> str:
    symbol = entry.symbol or record.trading_symbol or entry.name
    prefix = "" if record.exchange == "NSE" else f"{record.exchange}:"
    return symbol if symbol.startswith(prefix) else prefix + symbol


def _name_of(instrument: Instrument | None) -> str | None:
    return None if instrument is None else instrument.name


def _repaired(entry: WatchlistEntry, record: MasterRecord) -> str:
    return (
        f"{entry.name}: key {entry.instrument_key} is no longer listed; "
        f"using {record.instrument_key} ({record.trading_symbol})"
    )


def _not_listed(entry: WatchlistEntry) -> str:
    return (
        f"{entry.name}: key {entry.instrument_key} is not listed today and no other instrument "
        "clearly has that name; find it with `ticktick symbols search`, or remove it"
    )
