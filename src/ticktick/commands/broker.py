"""A run on the real broker: the user's token, read only."""

import asyncio
import time
from pathlib import Path

import aiohttp

from ticktick.app import Plan
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.commands.live import until_stopped, watch_and_show
from ticktick.config import load_settings
from ticktick.errors import AuthError
from ticktick.login import Held, Login, market_token
from ticktick.origin.broker import BrokerOrigin
from ticktick.origin.signing import CredentialsFile
from ticktick.origin.watchlist import FileWatchlist
from ticktick.workspace import current_workspace


def view(
    *,
    has_page: bool,
    port: int | None = None,
    opens_browser: bool = False,
    duration_s: float | None = None,
    outputs: Path | None = None,
) -> None:
    """Watch the workspace's list on Upstox; without a page it records and does nothing else.

    Raises AuthError without a login that still holds, ConfigError for files that are wrong.
    """
    workspace = current_workspace()
    settings = load_settings(workspace.toml)
    login = _login(market_token(settings, workspace.credentials), time.time_ns())
    renewal = CredentialsFile(
        workspace.credentials, lambda: market_token(settings, workspace.credentials)
    )
    page_port = settings.web.port if port is None else port
    plan = Plan(
        mode="VIEW",
        settings=settings.engine.for_engine(),
        data=workspace.data,
        server_file=workspace.server,
        records=settings.recording.enabled or not has_page,
        keeps_store=has_page,
        port=page_port if has_page else None,
        login=login,
        alerts=workspace.alerts,
        duration_s=duration_s,
        outputs=outputs,
    )

    async def run(stop: asyncio.Event) -> None:
        async with aiohttp.ClientSession() as http:
            origin = await BrokerOrigin.connect(
                http,
                Hosts.upstox(),
                login,
                renewal,
                FileWatchlist(workspace),
                settings.watch.canary,
                workspace.master.parent,
            )
            await watch_and_show(plan, settings, origin, stop, opens_browser=opens_browser)

    until_stopped(workspace, run)


def _login(held: Held | None, now_ns: int) -> Login:
    """The login if it still holds at that moment, as far as one can see."""
    if held is None:
        raise AuthError("not logged in: there is no access token; run `ticktick login`")
    login = Login(held)
    login.bearer(now_ns)
    return login
