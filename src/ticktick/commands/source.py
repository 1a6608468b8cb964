"""Where `indicators` and `patterns` read from: the running program, or a file of candles."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import click
import msgspec

from ticktick.commands.asking import ask
from ticktick.commands.candle_file import CandleFile, read_candles
from ticktick.running import find_running
from ticktick.workspace import current_workspace

Command = TypeVar("Command", bound=Callable[..., None])
Told = dict[str, Any]


def options(command: Command) -> Command:
    """SYMBOL, --from and --json, as both commands have them."""
    symbol = click.argument("symbol", required=False)
    path = click.option(
        "--from",
        "path",
        metavar="CANDLES.csv",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="One-minute candles: timestamp,open,high,low,close,volume in rupees.",
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
    return symbol(path(as_json(command)))


def candles_of(path: Path) -> CandleFile:
    """The candles of a file; what was put right about it is told on stderr."""
    file = read_candles(path)
    for note in file.notes:
        click.echo(note, err=True)
    return file


def ask_running(path: str, symbol: str | None, *, as_query: bool) -> Any:
    """What the running program answers about a symbol, or about all."""
    name = "" if symbol is None else quote(symbol.upper(), safe="")
    ending = f"?symbol={name}" if as_query and name else "" if as_query else f"/{name}"
    return json.loads(ask(find_running(current_workspace().server), f"/api/v1/{path}{ending}"))


def tell(told: Iterator[Told], *, as_json: bool) -> Iterator[Told]:
    """Pass everything on, as JSON lines where they are wanted."""
    for each in told:
        if as_json:
            click.echo(msgspec.json.encode(each))
        yield each
