"""`ticktick symbols`: show and change the watchlist, of a running program at once."""

import json
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote, urlencode

import click
import msgspec

from ticktick.brokers.upstox.finder import find, search, to_entry
from ticktick.brokers.upstox.wire import MasterRecord, parse_master
from ticktick.brokers.upstox.zipped import unzipped
from ticktick.commands.asking import ask
from ticktick.commands.steering import NEXT_START, steered, told_by_program
from ticktick.domain.watchlist import WatchlistEntry, added, removed
from ticktick.errors import ConfigError
from ticktick.workspace import Workspace, current_workspace

_MOST_FOUND = 20
_API = "/api/v1/symbols"


@click.group(
    invoke_without_command=True,
    short_help="Show and change the watchlist.",
    epilog="Example: ticktick symbols add TATAMOTORS",
)
@click.pass_context
def command(context: click.Context) -> None:
    """Show and change the watchlist, symbols.json of the workspace.

    A program that runs in the workspace takes a change at once. Without a subcommand it lists
    the entries.
    """
    if context.invoked_subcommand is None:
        _show(current_workspace().load_watchlist())


@command.command("list", epilog="Example: ticktick symbols list")
def list_entries() -> None:
    """List symbol, name and instrument key of each entry."""
    _show(current_workspace().load_watchlist())


@command.command(epilog="Example: ticktick symbols add 'NSE_EQ|INE155A01022' --name 'Tata Motors'")
@click.argument("what", metavar="SYMBOL|KEY")
@click.option("--name", help="What to call it; otherwise the exchange's name is taken.")
def add(what: str, name: str | None) -> None:
    """Add an instrument by its trading symbol or its instrument key.

    A running program looks it up in its instruments of the day; without one the newest
    instrument list of the broker that is kept here is used.
    """
    workspace = current_workspace()
    wish = {"what": what} if name is None else {"what": what, "name": name}
    if not told_by_program(workspace, _API, wish, "POST"):
        entries = workspace.load_watchlist()
        entry = _entry(workspace, what, name)
        workspace.save_watchlist(added(entries, entry))
        click.echo(f"Added {entry.symbol or entry.name} ({entry.instrument_key}). {NEXT_START}")


@command.command(epilog="Example: ticktick symbols remove ITC")
@click.argument("what", metavar="SYMBOL|KEY|NAME")
def remove(what: str) -> None:
    """Remove an instrument by its symbol, its key or its name."""
    workspace = current_workspace()
    if not told_by_program(workspace, f"{_API}/{quote(what, safe='')}", {}, "DELETE"):
        kept, gone = removed(workspace.load_watchlist(), what)
        workspace.save_watchlist(kept)
        click.echo(f"Removed {gone.symbol or gone.name}. {NEXT_START}")


@command.command("search", epilog="Example: ticktick symbols search nifty --expiry 2026-12-03")
@click.argument("text")
@click.option("--derivatives", is_flag=True, help="Futures and options too.")
@click.option(
    "--expiry", type=click.DateTime(["%Y-%m-%d"]), help="Only those that expire on that day."
)
@click.option(
    "--strike",
    type=click.FloatRange(min=0, min_open=True),
    metavar="RUPEES",
    help="Only options at that strike.",
)
def search_entries(
    text: str, derivatives: bool, expiry: datetime | None, strike: float | None
) -> None:
    """Search shares and indices by parts of symbol, name or key; derivatives if asked."""
    workspace = current_workspace()
    day = None if expiry is None else expiry.date()
    running = steered(workspace)
    if running is not None:
        wish = {"q": text, "derivatives": derivatives, "expiry": day, "strike": strike}
        given = {name: str(value) for name, value in wish.items() if value is not None}
        answer = json.loads(ask(running, f"{_API}/search?{urlencode(given)}"))
        rows = [(one["symbol"], one["name"], one["instrument_key"]) for one in answer["found"]]
        total = answer["total"]
    else:
        found = search(_master(workspace), text, derivatives=derivatives, expiry=day, strike=strike)
        rows = [(r.trading_symbol, r.name or "", r.instrument_key) for r in found[:_MOST_FOUND]]
        total = len(found)
    if not rows:
        raise ConfigError(f"nothing in the instrument list holds {text!r}")
    _table(rows)
    if total > len(rows):
        click.echo(f"... and {total - len(rows)} more: search for a longer text")


def _show(entries: Sequence[WatchlistEntry]) -> None:
    _table([(entry.symbol or "-", entry.name, entry.instrument_key) for entry in entries])


def _table(rows: Sequence[tuple[str, str, str]]) -> None:
    rows = [("SYMBOL", "NAME", "KEY"), *rows]
    symbol_width, name_width = (max(len(row[i]) for row in rows) for i in (0, 1))
    for symbol, name, key in rows:
        click.echo(f"{symbol:<{symbol_width}}  {name:<{name_width}}  {key}")


def _entry(workspace: Workspace, what: str, name: str | None) -> WatchlistEntry:
    """The new line of the list; a key that has a name needs no instrument list."""
    if "|" not in what or workspace.master.exists():
        return to_entry(find(_master(workspace), what), name)
    if name is None:
        raise ConfigError(f"give {what} a name with --name: {_no_master(workspace)}")
    try:
        return WatchlistEntry(name, what)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _master(workspace: Workspace) -> list[MasterRecord]:
    try:
        return parse_master(unzipped(workspace.master.read_bytes()))
    except FileNotFoundError as error:
        raise ConfigError(_no_master(workspace)) from error
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigError(
            f"{workspace.master} is damaged ({error}): delete it, the next start reads it anew"
        ) from error


def _no_master(workspace: Workspace) -> str:
    return (
        f"there is no instrument list in {workspace.master.parent} yet; "
        "`ticktick run` and `ticktick demo` leave one there"
    )
