"""`ticktick symbols`: show and change the watchlist."""

import click
import msgspec

from ticktick.brokers.upstox.wire import MasterRecord, parse_master
from ticktick.brokers.upstox.zipped import unzipped
from ticktick.domain.watchlist import WatchlistEntry
from ticktick.errors import ConfigError
from ticktick.workspace import Workspace, current_workspace

_MOST_FOUND = 20
_NEXT_START = "A running program takes the change at its next start."


@click.group(
    invoke_without_command=True,
    short_help="Show and change the watchlist.",
    epilog="Example: ticktick symbols add TATAMOTORS",
)
@click.pass_context
def command(context: click.Context) -> None:
    """Show and change the watchlist, symbols.json of the workspace.

    Without a subcommand it lists the entries.
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

    A symbol is looked up in the newest instrument list of the broker that is kept here.
    """
    workspace = current_workspace()
    entries = workspace.load_watchlist()
    entry = _by_key(workspace, what, name) if "|" in what else _by_symbol(workspace, what, name)
    workspace.save_watchlist([*entries, entry])
    click.echo(f"Added {entry.symbol or entry.name} ({entry.instrument_key}). {_NEXT_START}")


@command.command(epilog="Example: ticktick symbols remove ITC")
@click.argument("what", metavar="SYMBOL|KEY|NAME")
def remove(what: str) -> None:
    """Remove an instrument by its symbol, its key or its name."""
    workspace = current_workspace()
    entries = workspace.load_watchlist()
    wanted = what.casefold()
    kept = [
        entry
        for entry in entries
        if wanted not in (entry.name.casefold(), entry.instrument_key.casefold(), _symbol(entry))
    ]
    if len(kept) == len(entries):
        raise ConfigError(f"{what!r} is not in the watchlist; `ticktick symbols list` shows it")
    workspace.save_watchlist(kept)
    click.echo(f"Removed {what}. {_NEXT_START}")


@command.command(epilog="Example: ticktick symbols search 'tata motors'")
@click.argument("text")
def search(text: str) -> None:
    """Search shares and indices by a part of symbol, name or key."""
    words = text.casefold().split()
    found = [record for record in _master(current_workspace()) if _matches(record, words)]
    if not found:
        raise ConfigError(f"no share or index of the instrument list holds {text!r}")
    found.sort(key=lambda record: (len(record.trading_symbol), record.trading_symbol))
    _show([_entry(record, None) for record in found[:_MOST_FOUND]])
    if len(found) > _MOST_FOUND:
        click.echo(f"... and {len(found) - _MOST_FOUND} more: search for a longer text")


def _show(entries: list[WatchlistEntry]) -> None:
    rows = [("SYMBOL", "NAME", "KEY")]
    rows += [(entry.symbol or "-", entry.name, entry.instrument_key) for entry in entries]
    symbol_width, name_width = (max(len(row[i]) for row in rows) for i in (0, 1))
    for symbol, name, key in rows:
        click.echo(f"{symbol:<{symbol_width}}  {name:<{name_width}}  {key}")


def _by_key(workspace: Workspace, key: str, name: str | None) -> WatchlistEntry:
    if not workspace.master.exists():
        if name is None:
            raise ConfigError(f"give {key} a name with --name: {_no_master(workspace)}")
        return _checked(name, key, None)
    for record in _master(workspace):
        if record.instrument_key == key:
            return _entry(record, name)
    raise ConfigError(f"{key} is no share or index of the instrument list {workspace.master}")


def _by_symbol(workspace: Workspace, symbol: str, name: str | None) -> WatchlistEntry:
    wanted = symbol.upper()
    named = [record for record in _master(workspace) if record.trading_symbol.upper() == wanted]
    if not named:
        raise ConfigError(
            f"no share or index has the trading symbol {symbol!r}; "
            f"find it with `ticktick symbols search {symbol}`"
        )
    return _entry(named[0], name)


def _master(workspace: Workspace) -> list[MasterRecord]:
    try:
        records = parse_master(unzipped(workspace.master.read_bytes()))
    except FileNotFoundError as error:
        raise ConfigError(_no_master(workspace)) from error
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigError(
            f"{workspace.master} is damaged ({error}): delete it, the next start reads it anew"
        ) from error
    return [record for record in records if record.instrument_type in ("EQ", "INDEX")]


def _no_master(workspace: Workspace) -> str:
    return (
        f"there is no instrument list in {workspace.master.parent} yet; "
        "`ticktick run` and `ticktick demo` leave one there"
    )


def _matches(record: MasterRecord, words: list[str]) -> bool:
    text = f"{record.trading_symbol} {record.name} {record.instrument_key}".casefold()
    return all(word in text for word in words)


def _entry(record: MasterRecord, name: str | None) -> WatchlistEntry:
    symbol = record.trading_symbol
    return _checked(name or record.name or symbol, record.instrument_key, symbol)


def _checked(name: str, key: str, symbol: str | None) -> WatchlistEntry:
    try:
        return WatchlistEntry(name, key, symbol)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _symbol(entry: WatchlistEntry) -> str:
    return (entry.symbol or entry.name).casefold()
