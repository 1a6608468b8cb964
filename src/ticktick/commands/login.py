"""`ticktick login`: send the user to the broker's sign-in page and keep the day's token."""

import asyncio
import secrets
import time
import webbrowser

import aiohttp
import click

from ticktick.brokers.upstox.auth import (
    Credentials,
    load_credentials,
    save_credentials,
    token_expiry_ns,
    with_token,
)
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.brokers.upstox.login import log_in
from ticktick.brokers.upstox.rest import UpstoxRest
from ticktick.config import credentials_of, load_settings
from ticktick.domain.clock import ist
from ticktick.redact import hide
from ticktick.workspace import current_workspace


@click.command(epilog="Example: ticktick login --no-browser")
@click.option("--no-browser", is_flag=True, help="Only print the address of the sign-in page.")
def command(no_browser: bool) -> None:
    """Sign in to Upstox and keep the day's access token.

    Every token ends at 03:30 IST. The browser must run on this computer: after signing in it
    comes back to redirect_uri, by default http://localhost:8000.
    """
    workspace = current_workspace()
    settings = load_settings(workspace.toml)
    credentials = credentials_of(settings, workspace.credentials)
    token = asyncio.run(_sign_in(credentials, opens_browser=not no_browser))
    hide(token)
    ends = f"{ist(token_expiry_ns(token)):%d %b %Y %H:%M} IST"
    # what the environment gives is never written down
    kept = load_credentials(workspace.credentials)
    save_credentials(workspace.credentials, with_token(kept, token))
    click.echo(f"Signed in until {ends}; the token is in {workspace.credentials}")
    if settings.upstox.access_token is not None:
        click.echo("UPSTOX_ACCESS_TOKEN is set and wins over it: unset it to use the new token.")


async def _sign_in(credentials: Credentials, opens_browser: bool) -> str:
    async def show(url: str) -> None:
        click.echo(f"Sign in here: {url}")
        if opens_browser:
            await asyncio.to_thread(webbrowser.open, url)

    async with aiohttp.ClientSession() as http:
        rest = UpstoxRest(http, Hosts.upstox(), lambda: None)
        return await log_in(rest, credentials, secrets.token_urlsafe(32), time.time_ns, show)
