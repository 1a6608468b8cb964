"""What a run watches: the user's list, and what it is by the instruments of the day."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ticktick.brokers.upstox.finder import expiry_day, find, search, to_entry
from ticktick.brokers.upstox.instruments import KINDS, Resolution, resolve
from ticktick.brokers.upstox.master import Master, Masters
from ticktick.brokers.upstox.wire import MasterRecord
from ticktick.domain.event import InstrumentsResolved
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.watchlist import WatchlistEntry, added, removed
from ticktick.errors import BrokerError, ConfigError
from ticktick.market.table import CAPACITY
from ticktick.origin.differences import differences, restated
from ticktick.origin.watchlist import Watchlist
from ticktick.web.steering import Found, SearchResult, Wanted

_MOST_FOUND: Final = 20


class _Plan(Struct, frozen=True):
    """A list and what it is by a master, before anything is changed.

    `canary` are the index and no other, or nothing where it is not listed. `held` are followed
    although this master leaves them out. `suspended` are keys that the exchange suspended.
    """

    master: Master
    entries: Sequence[WatchlistEntry]
    resolution: Resolution
    canary: Sequence[Instrument]
    held: tuple[Instrument, ...] = ()
    suspended: frozenset[str] = frozenset()

    @property
    def listed(self) -> tuple[Instrument, ...]:
        """What is followed of the list, in its order."""
        places = {entry.name: place for place, entry in enumerate(self.entries)}
        every = (*self.resolution.instruments, *self.held)
        return tuple(sorted(every, key=lambda instrument: places[instrument.name]))

    @property
    def notes(self) -> list[str]:
        """Sentences about what was repaired or not found."""
        better = {
            one.name: f"{one.name}: {one.instrument_key} is suspended by the exchange; it is "
            "followed again as soon as it is listed"
            for one in self.resolution.missing
            if one.instrument_key in self.suspended
        } | {
            one.name: f"{one.name}: the broker's newest instruments leave {one.instrument_key} "
            "out; it is followed until the day ends"
            for one in self.held
        }
        replaced = tuple(f"{name}: " for name in better)
        told = [note for note in self.resolution.notes if not note.startswith(replaced)]
        return [*told, *better.values()]

    @property
    def extras(self) -> list[Instrument]:
        """What is followed without being in the list."""
        keys = {instrument.instrument_key for instrument in self.listed}
        return [index for index in self.canary if index.instrument_key not in keys]

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Everything that is followed."""
        return (*self.listed, *self.extras)


class DayList:
    """The instruments of a run: `open` it first, then let one caller at a time change it.

    `latest` is what the list resolved to last. A method that changes it returns the event which
    says so; the caller passes it on. Nothing has changed where it raises.
    """

    def __init__(self, masters: Masters, kept: Watchlist, canary_key: str) -> None:
        self._masters = masters
        self._kept = kept
        self._canary = WatchlistEntry("Index", canary_key)
        self._said: set[str] = set()
        self._seen: set[str] = set()
        self._plan: _Plan
        self.latest = InstrumentsResolved(0, ())

    @property
    def place(self) -> str:
        """What a sentence calls the list."""
        return self._kept.place

    @property
    def listed(self) -> Sequence[Instrument]:
        """The instruments of the user's list that are listed, in its order."""
        return self._plan.listed

    @property
    def master_day(self) -> date:
        """The trading day for which the instruments were told."""
        return self._plan.master.day

    async def open(self, day: date, now_ns: int) -> InstrumentsResolved:
        """Read the day's master and the list.

        Raises ConfigError if nothing of the list is listed, BrokerError if there is no master.
        """
        master = await self._masters.first(day)
        plan = await self._planned(master, await asyncio.to_thread(self._kept.load))
        if plan.entries and not plan.resolution.instruments:
            raise ConfigError(
                "none of the watchlist's instruments is listed today; see `ticktick symbols`"
            )
        return self._take(plan, now_ns, master.notes)

    async def add(
        self, what: str, name: str | None, now_ns: int, before: str | None = None
    ) -> InstrumentsResolved:
        """List one more, before that one or last. Raises ConfigError where that is not possible."""
        master = self._plan.master
        entry = to_entry(await asyncio.to_thread(_record, master, what), name)
        following = None if before is None else self._name_of(before)
        entries = added(await asyncio.to_thread(self._kept.load), entry, following)
        plan = await self._planned(master, entries)
        _require_found(plan.resolution, entry)
        await asyncio.to_thread(self._kept.save, entries)
        return self._take(plan, now_ns)

    async def remove(self, what: str, now_ns: int) -> InstrumentsResolved:
        """List one less. Raises ConfigError if it is not in the list."""
        entries, _ = removed(await asyncio.to_thread(self._kept.load), self._name_of(what))
        plan = await self._planned(self._plan.master, entries)
        await asyncio.to_thread(self._kept.save, entries)
        return self._take(plan, now_ns)

    async def renew(self, day: date, now_ns: int) -> InstrumentsResolved | None:
        """Resolve the list by the broker's present instruments; None if they are the same.

        Raises BrokerError if they cannot be had: the last ones stay in use.
        """
        is_new_day = day != self._plan.master.day
        master = await self._masters.newer(day)
        if master is None and not (is_new_day and self._plan.held):
            return None
        master = master or self._plan.master
        entries, notes = await self._entries_or_last()
        plan = await self._planned(master, entries)
        if plan.entries and not plan.resolution.instruments:
            raise BrokerError("the broker's new instruments hold nothing of the list")
        if not is_new_day:
            plan = _holding(plan, self._plan)
        before = self.latest.instruments
        notes += [*master.notes, *_renamed(self._plan.master, plan)]
        notes += differences(before, plan.instruments)
        return self._take(plan, now_ns, notes)

    def restate(self, symbols: Sequence[str], now_ns: int) -> InstrumentsResolved:
        """Let the past of these symbols be void: the broker tells it at another price level."""
        notes = tuple(
            f"{symbol}: the broker tells its past prices at another level, as after a split, a "
            "bonus or a dividend; they are read again"
            for symbol in symbols
        )
        news = replace(self.latest, at_ns=now_ns, notes=notes, restated=tuple(symbols))
        self.latest = news
        return news

    async def search(self, wanted: Wanted) -> SearchResult:
        """Instruments of the day that fit, the best first."""
        return await asyncio.to_thread(self._search, wanted)

    def _search(self, wanted: Wanted) -> SearchResult:
        master = self._plan.master
        is_plain = not wanted.derivatives and wanted.expiry is None and wanted.strike is None
        found = search(
            master.cash if is_plain else master.every(),
            wanted.text,
            derivatives=wanted.derivatives,
            expiry=wanted.expiry,
            strike=wanted.strike,
        )
        watched = {instrument.instrument_key for instrument in self.listed}
        return SearchResult([_found(one, watched) for one in found[:_MOST_FOUND]], len(found))

    async def _entries_or_last(self) -> tuple[Sequence[WatchlistEntry], list[str]]:
        """The list as it is kept; the last one, and a sentence, where that cannot be read."""
        try:
            return await asyncio.to_thread(self._kept.load), []
        except ConfigError as error:
            return self._plan.entries, [f"the list stays as it was read last: {error}"]

    async def _planned(self, master: Master, entries: Sequence[WatchlistEntry]) -> _Plan:
        """What the entries are by the master. Raises ConfigError if there is no room for them."""
        plan = await asyncio.to_thread(_plan, master, entries, self._canary)
        if plan.resolution.missing:
            plan = replace(plan, suspended=await self._masters.suspended())
        most = len(self._seen | {instrument.symbol for instrument in plan.instruments})
        if most > CAPACITY:
            raise ConfigError(
                f"one run has room for {CAPACITY} instruments, those it ceased to watch counted, "
                f"and these would be {most}: start again with a shorter list"
            )
        return plan

    def _take(self, plan: _Plan, now_ns: int, notes: Sequence[str] = ()) -> InstrumentsResolved:
        """Follow what was planned; say what was not said before."""
        before, instruments = self.latest.instruments, plan.instruments
        news = [note for note in (*notes, *plan.notes) if note not in self._said]
        self._said |= {*news}
        self._seen |= {instrument.symbol for instrument in instruments}
        self._plan = plan
        keys = {index.instrument_key for index in plan.canary}
        canaries = [one.symbol for one in instruments if one.instrument_key in keys]
        self.latest = InstrumentsResolved(
            at_ns=now_ns,
            instruments=instruments,
            canary=canaries[0] if canaries else None,
            extras=tuple(instrument.symbol for instrument in plan.extras),
            notes=tuple(news),
            restated=restated(before, instruments),
        )
        return self.latest

    def _name_of(self, what: str) -> str:
        """What the list calls an instrument that is watched under that symbol or today's key."""
        wanted = what.strip().casefold()
        for instrument in self.listed:
            if wanted in (instrument.symbol.casefold(), instrument.instrument_key.casefold()):
                return instrument.name
        return what


def _plan(master: Master, entries: Sequence[WatchlistEntry], canary: WatchlistEntry) -> _Plan:
    segments = {entry.instrument_key.partition("|")[0] for entry in entries}
    resolution = resolve(entries, master.of(segments))
    return _Plan(master, entries, resolution, resolve([canary], master.cash).instruments)


def _holding(plan: _Plan, last: _Plan) -> _Plan:
    """The plan with what it misses of the last one: nothing is delisted within a day."""
    missing = {entry.name for entry in plan.resolution.missing}
    keys = {instrument.instrument_key for instrument in plan.resolution.instruments}
    held = [i for i in last.listed if i.name in missing and i.instrument_key not in keys]
    return replace(plan, held=tuple(held))


def _renamed(last: Master, plan: _Plan) -> Iterator[str]:
    """A sentence for each share of the list that the exchange calls otherwise than before."""
    before = {record.instrument_key: record.trading_symbol for record in last.cash}
    now = {record.instrument_key: record.trading_symbol for record in plan.master.cash}
    for one in plan.listed:
        old, new = before.get(one.instrument_key), now.get(one.instrument_key)
        if old is not None and new is not None and old != new:
            yield f"{one.name}: the exchange calls it {new} now, it was {old}"


def _record(master: Master, what: str) -> MasterRecord:
    """The record of a symbol or key: a share or index if there is one, else a derivative."""
    try:
        return find(master.cash, what)
    except ConfigError:
        return find(master.every(), what)


def _require_found(resolution: Resolution, entry: WatchlistEntry) -> None:
    """Raise ConfigError if the entry is left out, as one that another entry stands for."""
    if any(instrument.name == entry.name for instrument in resolution.instruments):
        return
    notes = [note for note in resolution.notes if note.startswith(f"{entry.name}: ")]
    raise ConfigError(notes[-1] if notes else f"{entry.name} is not listed today")


def _found(record: MasterRecord, watched: set[str]) -> Found:
    return Found(
        symbol=record.trading_symbol,
        name=record.name or record.trading_symbol,
        instrument_key=record.instrument_key,
        exchange=record.exchange,
        kind=KINDS.get(record.instrument_type, Kind.EQUITY),
        lot_size=max(int(record.lot_size or 1), 1),
        is_watched=record.instrument_key in watched,
        expiry=expiry_day(record),
        strike=record.strike_price or None,
    )
