"""`ticktick doctor`: check what the program needs, and say what to do about what it lacks."""

import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from enum import StrEnum, auto
from functools import partial
from importlib import resources
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from msgspec import Struct

from ticktick.brokers.upstox.auth import token_expiry_ns
from ticktick.config import Settings, credentials_of, load_settings
from ticktick.domain.clock import ist
from ticktick.errors import AuthError, ConfigError, StoreError
from ticktick.running import find_running
from ticktick.store.embedded import StoreWish, choose
from ticktick.workspace import Workspace, current_workspace

_OLDEST_PYTHON = (3, 11)
_LEAST_FREE_GB = 1.0


class Verdict(StrEnum):
    """How a check ended."""

    PASS = auto()
    FAIL = auto()
    SKIPPED = auto()


class Finding(Struct, frozen=True):
    """One line of the report; the text of a failure says what to do."""

    subject: str
    verdict: Verdict
    text: str


class Patient(Struct, frozen=True):
    """What the checks look at. `now_ns` is the time of this machine."""

    workspace: Workspace
    settings: Settings
    now_ns: int


@click.command(epilog="Example: ticktick doctor")
def command() -> None:
    """Check what Tick-Tick needs on this computer, without the network.

    Prints PASS, FAIL or SKIPPED for each check; the exit code is 1 if any failed.
    """
    findings = []
    for finding in examine(time.time_ns()):
        click.echo(f"{finding.verdict.upper():<8} {finding.subject:<12} {finding.text}")
        findings.append(finding)
    if any(finding.verdict is Verdict.FAIL for finding in findings):
        raise click.exceptions.Exit(1)


def examine(now_ns: int) -> Iterator[Finding]:
    """Every finding in turn; without a workspace and settings the rest cannot be looked at."""
    yield _finding("python", _python)
    yield _finding("time zone", _time_zone)
    yield _finding("compiler", _compiler)
    yield _finding("page", _page)
    try:
        workspace = current_workspace()
    except ConfigError as error:
        yield Finding("workspace", Verdict.FAIL, str(error))
        return
    yield _finding("workspace", partial(_workspace, workspace))
    yield _finding("watchlist", partial(_watchlist, workspace))
    try:
        settings = load_settings(workspace.toml)
    except ConfigError as error:
        yield Finding("settings", Verdict.FAIL, str(error))
        return
    yield Finding("settings", Verdict.PASS, _settings(workspace))
    patient = Patient(workspace, settings, now_ns)
    for subject, check in _CHECKS:
        yield _finding(subject, partial(check, patient))


class _Skip(Exception):
    """There is nothing to check, or it is not needed."""


def _finding(subject: str, check: Callable[[], str]) -> Finding:
    """Run a check: it returns what is well and raises what is not."""
    try:
        return Finding(subject, Verdict.PASS, check())
    except _Skip as reason:
        return Finding(subject, Verdict.SKIPPED, str(reason))
    except (ConfigError, AuthError, StoreError) as error:
        return Finding(subject, Verdict.FAIL, str(error))


def _python() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST_PYTHON:
        raise ConfigError(f"this is Python {version}: install 3.11 or newer")
    return f"{version} at {sys.executable}"


def _time_zone() -> str:
    try:
        return f"{ZoneInfo('Asia/Kolkata').key} is known"
    except ZoneInfoNotFoundError as error:
        raise ConfigError("Asia/Kolkata is not known here: run `python3 start.py setup`") from error


def _compiler() -> str:
    found = next(filter(None, map(shutil.which, ("cc", "gcc", "clang", "cl"))), None)
    if found is None:
        raise _Skip("no C compiler: not needed, the program runs as plain Python")
    return f"{found}; optional, the program runs as plain Python"


def _page() -> str:
    page = resources.files("ticktick").joinpath("web", "dist", "index.html")
    if not page.is_file():
        raise _Skip("not built: a plain status page is served; `python3 start.py setup` builds it")
    return "built"


def _workspace(workspace: Workspace) -> str:
    for folder in (workspace.root, workspace.data, workspace.logs):
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise ConfigError(
                f"{folder} cannot be written ({error.strerror}): "
                "give it to your user, or set TICKTICK_HOME to a folder of yours"
            ) from error
    return f"{workspace.root} is writable"


def _watchlist(workspace: Workspace) -> str:
    count = len(workspace.load_watchlist())
    if count == 0:
        raise ConfigError(f"{workspace.symbols} is empty: run `ticktick symbols add RELIANCE`")
    return f"{count} instruments in {workspace.symbols}"


def _settings(workspace: Workspace) -> str:
    return f"{workspace.toml} is valid" if workspace.toml.exists() else "defaults and environment"


def _credentials(patient: Patient) -> str:
    credentials = credentials_of(patient.settings, patient.workspace.credentials)
    if credentials.api_key is None or credentials.api_secret is None:
        raise _Skip("no API key: `ticktick demo` needs none, `ticktick login` asks for it")
    return "key and secret are there, only you can read them"


def _token(patient: Patient) -> str:
    token = credentials_of(patient.settings, patient.workspace.credentials).access_token
    if token is None:
        raise _Skip("no access token: `ticktick demo` needs none, `ticktick login` gets one")
    expiry_ns = token_expiry_ns(token)
    moment = f"{ist(expiry_ns):%d %b %Y %H:%M} IST"
    if expiry_ns <= patient.now_ns:
        raise AuthError(f"the access token ended at {moment}: run `ticktick login`")
    return f"good until {moment}"


def _disk(patient: Patient) -> str:
    free_gb = shutil.disk_usage(patient.workspace.data).free / 1e9
    if free_gb < _LEAST_FREE_GB:
        raise ConfigError(
            f"{free_gb:.1f} GB free, {_LEAST_FREE_GB:.0f} GB is the least: delete something, "
            f"for instance old files in {patient.workspace.recordings}"
        )
    return f"{free_gb:.1f} GB free, recordings take at most {patient.settings.recording.max_gb} GB"


def _port(patient: Patient) -> str:
    web = patient.settings.web
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((web.host, web.port))
        except OSError as error:
            if _is_ours(patient.workspace, web.port):
                return f"{web.port} is used by the running Tick-Tick"
            raise ConfigError(
                f"port {web.port} of {web.host} cannot be used ({error.strerror}): stop the other "
                "program, or set TICKTICK_WEB_PORT to another port"
            ) from error
    return f"{web.port} of {web.host} is free"


def _redis(patient: Patient) -> str:
    redis = patient.settings.redis
    wish = StoreWish(
        folder=patient.workspace.redis,
        url=redis.url.get_secret_value() if redis.url is not None else None,
        use_local=redis.use_local,
        time_series=redis.timeseries,
    )
    return choose(wish).reason


def _is_ours(workspace: Workspace, port: int) -> bool:
    try:
        return urlsplit(find_running(workspace.server).url).port == port
    except ConfigError:
        return False


_CHECKS: tuple[tuple[str, Callable[[Patient], str]], ...] = (
    ("credentials", _credentials),
    ("token", _token),
    ("disk", _disk),
    ("port", _port),
    ("redis", _redis),
)
