"""`ticktick history`: read the latest finished one-minute candles from the broker."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import aiohttp
import click
from msgspec import Struct

from ticktick.brokers.upstox.files import InstrumentFiles
from ticktick.brokers.upstox.history import UpstoxHistory
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.instruments import Resolution, resolve
from ticktick.brokers.upstox.master import Masters
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.domain.clock import iso_ist, ist
from ticktick.domain.instrument import Instrument
from ticktick.domain.market import Candle
from ticktick.domain.sessions import Calendar
from ticktick.errors import ConfigError
from ticktick.origin.broker import timekeeper_of
from ticktick.origin.clock import boot_ns
from ticktick.workspace import Workspace, current_workspace

_MOST = 20_000


class _Read(Struct, frozen=True):
    """What the broker had for one instrument."""

    instrument: Instrument
    candles: Sequence[Candle]


@click.command(epilog="Example: ticktick history RELIANCE TCS --count 10")
@click.argument("symbols", metavar="[SYMBOL]...", nargs=-1)
@click.option(
    "--count", type=click.IntRange(1, _MOST), default=5, show_default=True, help="Candles each."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, prices in rupees.")
@click.option("--exchange", "exchange", metavar="URL", help="A built-in exchange to ask instead.")
def command(symbols: tuple[str, ...], count: int, as_json: bool, exchange: str | None) -> None:
    """Show the latest finished one-minute candles of the watchlist, or of some symbols.

    It needs no login. Notes about the watchlist go to the error output.
    """
    notes: list[str] = []
    hosts = Hosts.upstox() if exchange is None else Hosts.loopback(exchange)
    reads = asyncio.run(_read_all(current_workspace(), hosts, symbols, count, notes))
    for note in notes:
        click.echo(note, err=True)
    if as_json:
        click.echo(json.dumps({"symbols": [_plain(read) for read in reads], "notes": notes}))
    else:
        for read in reads:
            _show(read)


async def _read_all(
    workspace: Workspace,
    hosts: Hosts,
    symbols: Sequence[str],
    count: int,
    notes: list[str],
) -> list[_Read]:
    calendar = Calendar()
    async with aiohttp.ClientSession() as http:
        rest = UpstoxRest(http, hosts, lambda: None, counter_ns=boot_ns)
        clock = (await timekeeper_of(http, rest)).clock
        masters = Masters(InstrumentFiles(http, hosts, rest.budget), workspace.master.parent)
        master = await masters.first(calendar.master_day(clock.now_ns()))
        resolution = resolve(workspace.load_watchlist(), master.every())
        notes += [*master.notes, *resolution.notes]
        chosen = _chosen(resolution, symbols)
        history = UpstoxHistory(rest, chosen, clock, calendar, notes.append)
        return [_Read(one, (await history.minutes(one.symbol, count)).candles) for one in chosen]


def _chosen(resolution: Resolution, symbols: Sequence[str]) -> list[Instrument]:
    """The instruments named, in that order; all of them without a name."""
    found = {one.symbol.casefold(): one for one in resolution.instruments}
    unknown = [symbol for symbol in symbols if symbol.casefold() not in found]
    if unknown:
        raise ConfigError(
            f"{', '.join(unknown)} cannot be read: not in the watchlist, or not listed today; "
            "`ticktick symbols` shows the list"
        )
    if not found:
        raise ConfigError("nothing of the watchlist is listed today; see `ticktick symbols`")
    return [found[symbol.casefold()] for symbol in symbols] or list(found.values())


def _show(read: _Read) -> None:
    one = read.instrument
    click.echo(f"{one.symbol}  {one.name}, {one.instrument_key}")
    if not read.candles:
        click.echo("  no candles")
    for candle in read.candles:
        prices = (candle.open, candle.high, candle.low, candle.close)
        columns = "".join(f"{one.rupees(units):>12,.2f}" for units in prices)
        click.echo(f"  {ist(candle.start_ns):%d %b %Y %H:%M}{columns}{candle.volume:>14,}")


def _plain(read: _Read) -> dict[str, Any]:
    one = read.instrument
    return {
        "symbol": one.symbol,
        "name": one.name,
        "instrument_key": one.instrument_key,
        "candles": [
            {
                "start": iso_ist(candle.start_ns),
                "open": float(one.rupees(candle.open)),
                "high": float(one.rupees(candle.high)),
                "low": float(one.rupees(candle.low)),
                "close": float(one.rupees(candle.close)),
                "volume": candle.volume,
                "open_interest": candle.open_interest,
            }
            for candle in read.candles
        ],
    }
