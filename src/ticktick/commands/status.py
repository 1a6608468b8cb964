"""`ticktick status`: what the running program knows, symbol by symbol."""

import json
import urllib.error
import urllib.request
from typing import Any

import click

from ticktick.commands.show import show_symbols
from ticktick.errors import ConfigError
from ticktick.running import Running, find_running
from ticktick.workspace import current_workspace

_TIMEOUT_S = 5.0


@click.command(epilog="Example: ticktick status --json")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
def command(as_json: bool) -> None:
    """Show freshness, last price and age of every symbol, and a new link to the page."""
    running = find_running(current_workspace().server)
    answer = _ask(running, "/api/v1/status")
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
    code = json.loads(_ask(running, "/api/v1/start-code", b"{}"))["code"]
    click.echo(f"Open {running.url}/#code={code}")


def _ask(running: Running, path: str, body: bytes | None = None) -> bytes:
    headers = {"Authorization": f"Bearer {running.token}", "Content-Type": "application/json"}
    request = urllib.request.Request(running.url + path, body, headers)  # noqa: S310
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=_TIMEOUT_S) as answer:
            said: bytes = answer.read()
            return said
    except (urllib.error.URLError, TimeoutError) as error:
        raise ConfigError(
            "the program that runs in this workspace does not answer; "
            "if it was killed, start it again with `ticktick demo` or `ticktick run`"
        ) from error
