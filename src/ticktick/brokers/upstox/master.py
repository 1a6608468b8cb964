"""The day's instrument master: read once a trading day and again whenever the broker renews it."""

import asyncio
import os
import tempfile
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from msgspec import Struct

from ticktick.brokers.upstox.files import InstrumentFile, InstrumentFiles
from ticktick.brokers.upstox.rest import read_master
from ticktick.brokers.upstox.wire import MasterRecord
from ticktick.errors import BrokerError

CASH_SEGMENTS: Final = frozenset({"NSE_EQ", "NSE_INDEX", "BSE_EQ", "BSE_INDEX"})
_SUSPENDED: Final = "suspended-instrument"
_DAYS_KEPT: Final = 5
_LEAST_SHARE: Final = 0.5


class Master(Struct, frozen=True):
    """The instruments of one exchange as they were told for one trading day.

    `cash` are the shares and indices. All others, nine of ten, are read from the `content` when
    somebody asks. `notes` are sentences for the user about where it comes from.
    """

    day: date
    content: bytes
    cash: Sequence[MasterRecord]
    size: int
    notes: tuple[str, ...] = ()

    def every(self) -> Sequence[MasterRecord]:
        """All records; takes a good part of a second."""
        return read_master(self.content)

    def of(self, segments: Collection[str]) -> Sequence[MasterRecord]:
        """All records of these segments, and maybe others."""
        return self.cash if CASH_SEGMENTS.issuperset(segments) else self.every()


class Masters:
    """The instrument masters of one exchange, day by day.

    The broker's file is kept as `{exchange}-{day}.json.gz` and, newest, `{exchange}.json.gz`. A
    loopback exchange is always asked, and its file never takes the place of the broker's.
    """

    def __init__(self, files: InstrumentFiles, folder: Path, exchange: str = "NSE") -> None:
        self._files = files
        self._folder = folder
        self._exchange = exchange
        self._latest: Master | None = None
        self._tag = ""

    async def first(self, day: date) -> Master:
        """The master of the day: the kept one, else the broker's, else the newest one kept.

        A note says where it is not the day's. Raises BrokerError if there is none at all.
        """
        if not self._files.is_loopback:
            kept = await asyncio.to_thread(self._kept_of, day)
            if kept is not None:
                self._latest = kept
                return kept
        try:
            read = await self._read(day)
        except BrokerError as error:
            read = await asyncio.to_thread(self._newest_kept, error)
        self._latest = read or self._latest
        if self._latest is None:
            raise BrokerError("the broker served no instrument file; try again later")
        return self._latest

    async def newer(self, day: date) -> Master | None:
        """The broker's present file as the master of the day; None if nothing in it is new.

        Raises BrokerError if it cannot be had or believed: the last one stays in use.
        """
        read = await self._read(day)
        if read is not None:
            self._latest = read
        return read

    async def suspended(self) -> frozenset[str]:
        """Keys of the instruments that are suspended; none where the broker does not tell."""
        try:
            file = await self._files.read(_SUSPENDED)
            records = [] if file is None else await asyncio.to_thread(read_master, file.content)
        except BrokerError:
            return frozenset()
        return frozenset(record.instrument_key for record in records)

    async def _read(self, day: date) -> Master | None:
        """The broker's file; None if it is the one that was read last."""
        file = await self._files.read(self._exchange, self._tag)
        latest = self._latest
        if file is None or (latest is not None and file.content == latest.content):
            return None
        master = await asyncio.to_thread(_parsed, day, file.content)
        if latest is not None and master.size < _LEAST_SHARE * latest.size:
            raise BrokerError(
                f"the instrument file holds {master.size} instruments where there were "
                f"{latest.size}: it is not believed, the last one stays in use"
            )
        self._tag = file.tag
        return await asyncio.to_thread(self._keep, master, file)

    def _keep(self, master: Master, file: InstrumentFile) -> Master:
        dated, newest = self._path(master.day), self._folder / f"{self._exchange}.json.gz"
        is_demo = self._files.is_loopback
        paths = [dated, newest] if not is_demo else [] if self._dated() else [newest]
        try:
            for path in paths:
                _write(path, file.content)
            for path in self._dated()[:-_DAYS_KEPT]:
                path.unlink(missing_ok=True)
        except OSError as error:
            note = f"Instruments: the list cannot be kept in {self._folder} ({error.strerror})"
            return Master(master.day, master.content, master.cash, master.size, (note,))
        return master

    def _kept_of(self, day: date) -> Master | None:
        path = self._path(day)
        try:
            return _parsed(day, path.read_bytes())
        except OSError:
            return None
        except BrokerError:  # a damaged copy: the broker has a good one
            path.unlink(missing_ok=True)
            return None

    def _newest_kept(self, error: BrokerError) -> Master:
        for path in [] if self._files.is_loopback else reversed(self._dated()):
            day = date.fromisoformat(path.name.removesuffix(".json.gz")[-10:])
            kept = self._kept_of(day)
            if kept is not None:
                note = f"Instruments: the list of {day:%d %b %Y} is used, because {error}"
                return Master(day, kept.content, kept.cash, kept.size, (note,))
        raise error

    def _path(self, day: date) -> Path:
        return self._folder / f"{self._exchange}-{day}.json.gz"

    def _dated(self) -> list[Path]:
        """The kept files of the broker, oldest first."""
        return sorted(self._folder.glob(f"{self._exchange}-????-??-??.json.gz"))


def _parsed(day: date, content: bytes) -> Master:
    records = read_master(content)
    cash = [record for record in records if record.segment in CASH_SEGMENTS]
    return Master(day, content, cash, len(records))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    Path(fresh).replace(path)
