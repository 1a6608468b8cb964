"""A run on the real broker: the user's token, read only."""

import asyncio
import time
from pathlib import Path

import aiohttp

from ticktick.app import Plan
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.commands.live import until_stopped, watch_and_show
from ticktick.config import Settings, credentials_of, load_settings
from ticktick.errors import AuthError
from ticktick.login import Held, Login
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
    login = _login(_held(settings, workspace.credentials), time.time_ns())
    renewal = CredentialsFile(workspace.credentials, lambda: _held(settings, workspace.credentials))
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


def _held(settings: Settings, path: Path) -> Held | None:
    """The token that reads market data: the analytics token, else that of the daily login.

    Raises ConfigError if the file of the credentials is wrong.
    """
    credentials, given = credentials_of(settings, path), settings.upstox
    if credentials.analytics_token:
        where = "UPSTOX_ANALYTICS_TOKEN" if given.analytics_token else str(path)
        advice = f"make a new one in the broker's developer console and put it into {where}"
        return Held(credentials.analytics_token, "the analytics token", advice)
    if not credentials.access_token:
        return None
    if given.access_token:
        advice = "set a new one, or unset it and run `ticktick login`, and start again"
        return Held(credentials.access_token, "the token in UPSTOX_ACCESS_TOKEN", advice)
    return Held(credentials.access_token)


def _login(held: Held | None, now_ns: int) -> Login:
    """The login if it still holds at that moment, as far as one can see."""
    if held is None:
        raise AuthError("not logged in: there is no access token; run `ticktick login`")
    login = Login(held)
    login.bearer(now_ns)
    return login
