"""`ticktick demo`: the whole program against the built-in exchange."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from math import ceil
from pathlib import Path

import aiohttp
import click
from msgspec.structs import replace

from ticktick.app import Plan
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.commands import options
from ticktick.commands.live import until_stopped, watch_and_show
from ticktick.config import load_settings
from ticktick.domain.watchlist import WatchlistEntry
from ticktick.emulator.control import new_token
from ticktick.emulator.process import ExchangeFailedError, exchange_process
from ticktick.engine.ports import EngineSettings
from ticktick.errors import ConfigError
from ticktick.login import Login
from ticktick.origin.broker import BrokerOrigin
from ticktick.origin.signing import ExchangeTokens
from ticktick.origin.watchlist import FileWatchlist, RunWatchlist, Watchlist
from ticktick.workspace import Workspace, current_workspace

_AT_FULL_SPEED_S = 3600


@click.command(epilog="Example: ticktick demo --speed 5")
@options.port
@click.option("--seed", default=1, show_default=True, help="Which market the exchange makes up.")
@click.option("--speed", default="1", show_default=True, help="Market seconds per second, or max.")
@click.option("--start", metavar="MOMENT", help="Market time to start at, as 2026-11-20T10:00.")
@options.duration
@options.no_browser
@click.option("--exchange", metavar="URL", help="Use this exchange on this machine.")
@click.option("--symbols", metavar="KEY,...", help="Watch these keys instead of your list.")
@options.outputs
def command(
    port: int | None,
    seed: int,
    speed: str,
    start: str | None,
    duration: float | None,
    no_browser: bool,
    exchange: str | None,
    symbols: str | None,
    outputs: Path | None,
) -> None:
    """Watch a live market of the built-in exchange in the browser; nothing in it is real."""
    workspace = current_workspace()
    settings = load_settings(workspace.toml)
    kept = _watchlist(workspace, symbols)
    arguments = ["--port", "0", "--seed", str(seed), "--speed", speed]
    arguments += ["--start", start] if start else []

    async def run(stop: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            url = exchange
            if url is None:
                url = await _started(stack, arguments, workspace.logs / "exchange.log")
            http = await stack.enter_async_context(aiohttp.ClientSession())
            hosts = Hosts.loopback(url)
            tokens = ExchangeTokens(lambda: new_token(http, hosts.api))
            login = await _login(tokens, hosts)
            origin = await BrokerOrigin.connect(
                http, hosts, login, tokens, kept, settings.watch.canary, workspace.master.parent
            )
            plan = Plan(
                mode="DEMO",
                settings=_for_speed(settings.engine.for_engine(), origin.clock.rate),
                data=workspace.data / "demo",
                server_file=workspace.server,
                records=settings.recording.enabled,
                keeps_store=True,
                port=settings.web.port if port is None else port,
                login=login,
                alerts=workspace.alerts,
                duration_s=duration,
                outputs=outputs,
                note=f"seed {seed}" if exchange is None else "another exchange",
            )
            await watch_and_show(plan, settings, origin, stop, opens_browser=not no_browser)

    until_stopped(workspace, run)


def _for_speed(settings: EngineSettings, rate: float) -> EngineSettings:
    """The settings with room for what a hiccup of this computer is in a fast market.

    One that stands is about to run, perhaps as fast as it can.
    """
    return replace(
        settings,
        ahead_limit_s=max(settings.ahead_limit_s, ceil(rate)) if rate else _AT_FULL_SPEED_S,
        silence_limit_s=max(settings.silence_limit_s, ceil(rate / 2)),
    )


async def _started(stack: AsyncExitStack, arguments: Sequence[str], log_path: Path) -> str:
    try:
        return await stack.enter_async_context(exchange_process(arguments, log_path))
    except ExchangeFailedError as error:
        raise ConfigError(str(error)) from error


async def _login(tokens: ExchangeTokens, hosts: Hosts) -> Login:
    held = await tokens.newest(is_needed=True)
    if held is None:
        raise ConfigError(
            f"no built-in exchange answers at {hosts.api}; start one with `ticktick emulator`"
        )
    return Login(held)


def _watchlist(workspace: Workspace, symbols: str | None) -> Watchlist:
    if symbols is None:
        return FileWatchlist(workspace)
    keys = [key.strip() for key in symbols.split(",") if key.strip()]
    try:
        return RunWatchlist([WatchlistEntry(key.rpartition("|")[2], key) for key in keys])
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--symbols") from error
