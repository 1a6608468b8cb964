"""The day's instrument master: downloaded once a trading day, kept where commands find it."""

import asyncio
import os
import tempfile
from datetime import date
from pathlib import Path

from msgspec import Struct

from ticktick.brokers.upstox.rest import UpstoxRest, read_master
from ticktick.brokers.upstox.wire import MasterRecord
from ticktick.errors import BrokerError

_DAYS_KEPT = 5


class Master(Struct, frozen=True):
    """The records of one exchange, and sentences for the user about where they come from."""

    records: list[MasterRecord]
    notes: tuple[str, ...] = ()


async def load_master(rest: UpstoxRest, folder: Path, day: date, exchange: str = "NSE") -> Master:
    """The exchange's instruments on that trading day.

    The broker's file is kept as `{exchange}-{day}.json.gz` and, newest, `{exchange}.json.gz`.
    Without an answer the newest kept one serves, and a note says so. A loopback exchange is
    always asked, and its file never takes the place of the broker's.
    Raises BrokerError if nothing can be read.
    """
    if rest.hosts.is_loopback:
        return await _of_loopback(rest, folder, exchange)
    dated = folder / f"{exchange}-{day}.json.gz"
    try:
        if dated.exists():
            return Master(await asyncio.to_thread(_read, dated))
    except BrokerError:  # a damaged copy: the broker has a good one
        dated.unlink(missing_ok=True)
    try:
        blob = await rest.instrument_file(exchange)
        records = await asyncio.to_thread(read_master, blob)
    except BrokerError as error:
        return await asyncio.to_thread(_newest_kept, folder, exchange, error)
    await asyncio.to_thread(_keep, blob, [dated, folder / f"{exchange}.json.gz"])
    await asyncio.to_thread(_forget_old, folder, exchange)
    return Master(records)


async def _of_loopback(rest: UpstoxRest, folder: Path, exchange: str) -> Master:
    blob = await rest.instrument_file(exchange)
    records = await asyncio.to_thread(read_master, blob)
    if not _dated(folder, exchange):
        await asyncio.to_thread(_keep, blob, [folder / f"{exchange}.json.gz"])
    return Master(records)


def _newest_kept(folder: Path, exchange: str, error: BrokerError) -> Master:
    kept = _dated(folder, exchange)
    if not kept:
        raise error
    records = _read(kept[-1])
    return Master(records, (f"Instruments: {kept[-1].name} is used, because {error}",))


def _dated(folder: Path, exchange: str) -> list[Path]:
    """The kept files of the broker, oldest first."""
    return sorted(folder.glob(f"{exchange}-????-??-??.json.gz"))


def _read(path: Path) -> list[MasterRecord]:
    return read_master(path.read_bytes())


def _keep(blob: bytes, paths: list[Path]) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(blob)
        Path(fresh).replace(path)


def _forget_old(folder: Path, exchange: str) -> None:
    for path in _dated(folder, exchange)[:-_DAYS_KEPT]:
        path.unlink(missing_ok=True)
