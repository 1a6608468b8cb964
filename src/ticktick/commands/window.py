"""`ticktick window`: the last updates of a symbol, as the running program keeps them."""

import csv
import json
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import click
import msgspec

from ticktick.commands.asking import ask
from ticktick.commands.show import show_window
from ticktick.errors import ConfigError
from ticktick.running import find_running
from ticktick.workspace import current_workspace


@click.command(epilog="Example: ticktick window RELIANCE --csv > reliance.csv")
@click.argument("symbol")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each update.")
@click.option("--csv", "as_csv", is_flag=True, help="A header and one line for each update.")
def command(symbol: str, as_json: bool, as_csv: bool) -> None:
    """Show the last 300 updates of a symbol since the last gap, oldest first.

    Its tick metrics can be computed again from them. Prices in rupees, times in India; null, an
    empty field and `-` are not known.
    """
    if as_json and as_csv:
        raise click.UsageError("choose --json or --csv, not both")
    running = find_running(current_workspace().server)
    path = f"/api/v1/window/{quote(symbol.upper(), safe='')}"
    rows: list[dict[str, Any]] = json.loads(ask(running, path))["rows"]
    if not rows:
        raise ConfigError(f"{symbol.upper()} was not told of since the last gap; try again soon")
    if as_json:
        for row in rows:
            click.echo(msgspec.json.encode(row))
    elif as_csv:
        _write_csv(rows)
    else:
        show_window(rows)


def _write_csv(rows: Sequence[dict[str, Any]]) -> None:
    writer = csv.DictWriter(sys.stdout, [*rows[0]], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
