"""`ticktick status`: what the running program knows, symbol by symbol."""

import json
from typing import Any

import click

from ticktick.commands.asking import ask
from ticktick.commands.show import show_symbols
from ticktick.running import find_running
from ticktick.workspace import current_workspace


@click.command(epilog="Example: ticktick status --json")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
def command(as_json: bool) -> None:
    """Show freshness, last price and age of every symbol, and a new link to the page."""
    running = find_running(current_workspace().server)
    answer = ask(running, "/api/v1/status")
    if as_json:
        click.echo(answer.decode())
        return
    status: dict[str, Any] = json.loads(answer)
    feed = status["feed"]
    link = "up" if feed["up"] else f"down ({feed['reason']})"
    click.echo(
        f"{status['mode']}: feed {link}, {feed['fresh']} of {feed['total']} symbols fresh; "
        f"{status['store']['text']}; {status['recording']['text']}"
    )
    show_symbols(status["symbols"])
    code = json.loads(ask(running, "/api/v1/start-code", {}))["code"]
    click.echo(f"Open {running.url}/#code={code}")
