"""`ticktick doctor`: check what the program needs, and say what to do about what it lacks."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence

import aiohttp
import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from ticktick import __version__
from ticktick.brokers.upstox.auth import token_expiry_ns
from ticktick.brokers.upstox.hosts import Hosts
from ticktick.checkup.finding import Finding, Verdict
from ticktick.checkup.live import COUNT, Outcome, Wish, examine_broker
from ticktick.checkup.offline import examine
from ticktick.config import credentials_of, load_settings
from ticktick.domain.clock import iso_ist
from ticktick.emulator.control import new_token
from ticktick.errors import AuthError, ConfigError
from ticktick.login import Login, market_token
from ticktick.redact import hide, redact
from ticktick.running import is_free
from ticktick.workspace import current_workspace

_LISTEN_S = 75.0


@click.command(epilog="Example: ticktick doctor --live")
@click.option(
    "--live", is_flag=True, help="Look at the broker instead, with your login; it only reads."
)
@click.option(
    "--listen",
    type=click.FloatRange(1.0, 3600.0),
    default=_LISTEN_S,
    show_default=True,
    metavar="SECONDS",
    help="How long --live listens to the feed.",
)
@click.option("--exchange", metavar="URL", help="Let --live look at an exchange on this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def command(live: bool, listen: float, exchange: str | None, as_json: bool) -> None:
    """Check what Tick-Tick needs on this computer, without the network.

    Prints PASS, FAIL or SKIPPED for each check; the exit code is 1 if any failed. With --live it
    looks at what the broker really does, prints PASS, DIFF or SKIPPED for each assumption of this
    program, and keeps a report without anything private; the exit code is 1 if any differs.
    """
    if exchange is not None and not live:
        raise click.UsageError("--exchange goes with --live")
    passed = _survey(listen, exchange, as_json) if live else _check(as_json)
    if not passed:
        raise click.exceptions.Exit(1)


def _check(as_json: bool) -> bool:
    """Look at this computer; return whether nothing failed."""
    now_ns = time.time_ns()
    findings = []
    for finding in examine(now_ns):
        if not as_json:
            click.echo(_line(finding))
        findings.append(finding)
    passed = not any(finding.verdict is Verdict.FAIL for finding in findings)
    if as_json:
        click.echo(_answer(findings, now_ns, passed))
    return passed


def _survey(listen_s: float, exchange: str | None, as_json: bool) -> bool:
    """Look at the broker; return whether everything is as expected."""
    wish = asyncio.run(_wish(listen_s, exchange))
    console = Console(stderr=True)
    with Progress(
        console=console,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
        disable=as_json or not console.is_terminal,
    ) as progress:
        task = progress.add_task("asking the broker", total=COUNT)
        outcome = asyncio.run(
            examine_broker(
                wish,
                lambda line: None if as_json else click.echo(line),
                lambda text, done: progress.update(task, description=text, completed=done),
            )
        )
    if as_json:
        click.echo(json.dumps(outcome.content, indent=1))
    else:
        _show(outcome)
    return not outcome.differs


async def _wish(listen_s: float, exchange: str | None) -> Wish:
    """What to survey: the broker with the user's token, or an exchange with a token of its own.

    Raises ConfigError or AuthError if there is no such exchange, or no login.
    """
    workspace = current_workspace()
    folder = workspace.data / "reports"
    if exchange is not None:
        hosts = Hosts.loopback(exchange)
        token = await _token_of(hosts)
        return Wish(hosts, token, listen_s, folder, token)
    settings, now_ns = load_settings(workspace.toml), time.time_ns()
    held = market_token(settings, workspace.credentials)
    if held is None:
        raise AuthError("not logged in: there is no access token; run `ticktick login`")
    market = Login(held).bearer(now_ns)
    daily = credentials_of(settings, workspace.credentials).access_token or ""
    owner = daily if daily and token_expiry_ns(daily) > now_ns else ""
    busy = "" if is_free(workspace.server) else "Tick-Tick runs and has the feed: stop it first"
    return Wish(Hosts.upstox(), market, listen_s, folder, owner, busy)


async def _token_of(hosts: Hosts) -> str:
    async with aiohttp.ClientSession() as http:
        try:
            token = await new_token(http, hosts.api)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConfigError(
                f"no built-in exchange answers at {hosts.api}; start one with `ticktick emulator`"
            ) from error
    hide(token)
    return token


def _show(outcome: Outcome) -> None:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in outcome.content["counts"].items())
    click.echo(f"{counts}. Report: {outcome.path}")
    if outcome.differs:
        click.echo("The report holds no token, account or name: attach it to a bug report.")


def _line(finding: Finding) -> str:
    return f"{finding.verdict:<8} {finding.subject:<12} {redact(finding.text)}"


def _answer(findings: Sequence[Finding], now_ns: int, passed: bool) -> str:
    answer = {
        "version": __version__,
        "checked_at": iso_ist(now_ns),
        "passed": passed,
        "findings": [
            msgspec.to_builtins(finding) | {"text": redact(finding.text)} for finding in findings
        ],
    }
    return json.dumps(answer, indent=2)
