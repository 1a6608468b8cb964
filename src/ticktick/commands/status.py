"""`ticktick status`: what the running program knows, symbol by symbol."""

import json
import urllib.error
import urllib.request
from typing import Any

import click

from ticktick.commands.show import show_symbols
from ticktick.errors import ConfigError
from ticktick.running import find_running
from ticktick.workspace import current_workspace

_TIMEOUT_S = 5.0


@click.command(epilog="Example: ticktick status --json")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
def command(as_json: bool) -> None:
    """Show freshness, last price and age of every symbol of the running program."""
    running = find_running(current_workspace().server)
    answer = _ask(f"{running.url}/api/v1/status", running.token)
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


def _ask(url: str, token: str) -> bytes:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=_TIMEOUT_S) as answer:
            body: bytes = answer.read()
            return body
    except (urllib.error.URLError, TimeoutError) as error:
        raise ConfigError(
            "the program that runs in this workspace does not answer; "
            "if it was killed, start it again with `ticktick demo` or `ticktick run`"
        ) from error
