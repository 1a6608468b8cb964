"""What `demo`, `run` and `record` share: logs, signals, the start link and the last table."""

import asyncio
import signal
import webbrowser
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import click

from ticktick.app import Plan, operate
from ticktick.commands.show import show_symbols
from ticktick.config import Settings
from ticktick.errors import TickTickError
from ticktick.logs import FileLogs
from ticktick.origin.ports import Origin
from ticktick.running import only_one
from ticktick.workspace import Workspace

_LINK = "Open "


def until_stopped(
    workspace: Workspace, main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]
) -> None:
    """Run `main`, alone in the workspace, with an event that Ctrl-C and SIGTERM set.

    Raises ConfigError if another program runs there.
    """

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows: Ctrl-C ends the run at once
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await main(stop)

    with only_one(workspace.server), FileLogs(workspace.logs, TickTickError):
        asyncio.run(run())


async def watch_and_show(
    plan: Plan, settings: Settings, origin: Origin, stop: asyncio.Event, *, opens_browser: bool
) -> None:
    """Operate as planned, then show the last state of every symbol."""

    def tell(sentence: str) -> None:
        click.echo(sentence)
        if opens_browser and sentence.startswith(_LINK):
            webbrowser.open(sentence.removeprefix(_LINK))

    last = await operate(plan, settings, origin, stop, tell)
    feed = last.feed
    click.echo(f"{last.mode} ended: {feed.fresh} of {feed.total} symbols were fresh")
    show_symbols([symbol.model_dump() for symbol in last.symbols])
