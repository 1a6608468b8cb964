"""What must be there when the program starts: its ports, no other program, and Redis."""

import socket
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ticktick.checkup.finding import NotChecked
from ticktick.checkup.patient import Patient
from ticktick.config import credentials_of
from ticktick.errors import ConfigError, StoreError
from ticktick.running import find_running, is_free
from ticktick.store.embedded import Choice, StoreWish, choose
from ticktick.store.link import LOST, Link, masked, sentence
from ticktick.store.series import has_time_series
from ticktick.store.server import EmbeddedServer
from ticktick.workspace import Workspace

_WITH: Final = "candles and metrics go into time series"
_WITHOUT: Final = "candles go into hashes, metrics into streams"
_OLDEST_SERVER: Final = 6


def running(patient: Patient) -> str:
    """The program that runs in this folder, of which there can be one."""
    file = patient.workspace.server
    if is_free(file):
        left = (
            " (the last run was ended by force, the next start clears up)" if file.exists() else ""
        )
        return f"nothing runs in this folder{left}"
    try:
        found = find_running(file)
    except ConfigError:
        return "a program without a page runs in this folder"
    return f"{found.mode} runs at {found.url}, process {found.pid}"


def page_port(patient: Patient) -> str:
    """The port of the page."""
    web = patient.settings.web
    try:
        _take(web.host, web.port)
    except OSError as error:
        if _is_ours(patient.workspace, web.port):
            return f"{web.port} is used by the running Tick-Tick"
        raise ConfigError(
            f"port {web.port} of {web.host} cannot be used ({error.strerror}): stop the other "
            "program, or set TICKTICK_WEB_PORT to another port"
        ) from error
    return f"{web.port} of {web.host} is free"


def login_port(patient: Patient) -> str:
    """The port at which the browser comes back from the broker's login."""
    found = credentials_of(patient.settings, patient.workspace.credentials)
    if not found.api_key:
        raise NotChecked("no API key, so nobody logs in")
    target = urlsplit(found.redirect_uri)
    if target.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ConfigError(
            f"the redirect address {found.redirect_uri} is not this computer: register "
            "http://localhost:8000 with the broker, and write it as redirect_uri"
        )
    port = target.port or 80
    try:
        _take("127.0.0.1", port)
    except OSError as error:
        raise ConfigError(
            f"port {port}, where the broker's login comes back, cannot be used ({error.strerror}): "
            "stop the other program before `ticktick login`"
        ) from error
    return f"{port} is free for the way back from the broker's login"


def redis(patient: Patient) -> str:
    """Which Redis will be used, and why."""
    return choose(_wish(patient)).reason


def store(patient: Patient) -> str:
    """Whether that Redis works, and which encoding it will hold.

    A server of our own is started for a moment, in a folder that is thrown away.
    """
    choice = choose(_wish(patient))
    if choice.url is not None:
        return _of_the_user(choice.url)
    if not choice.programs:
        raise NotChecked("no server runs here, nothing to try")
    return _of_our_own(choice, patient.settings.redis.timeseries)


def _of_the_user(url: str) -> str:
    with closing(Link(url)) as link:
        try:
            facts = {section: _facts(link.ask("INFO", section)) for section in _SECTIONS}
            with_series = has_time_series(link)
        except LOST as error:
            raise StoreError(f"Redis at {masked(url)} {sentence(error)}") from error
    server, copies, memory = (facts[section] for section in _SECTIONS)
    version = server.get("valkey_version") or server.get("redis_version", "")
    name = "Valkey" if "valkey_version" in server else "Redis"
    if version.partition(".")[0].isdecimal() and int(version.partition(".")[0]) < _OLDEST_SERVER:
        raise StoreError(f"{name} {version} is too old: install version {_OLDEST_SERVER} or newer")
    if copies.get("role") == "slave":
        raise StoreError(f"{name} at {masked(url)} is a read-only copy: name the main server")
    policy = memory.get("maxmemory_policy", "noeviction")
    if memory.get("maxmemory", "0") != "0" and policy != "noeviction":
        raise StoreError(
            f"{name} drops keys when its memory is full ({policy}): history would lose candles; "
            "set maxmemory-policy to noeviction"
        )
    why = "it has TS.ADD" if with_series else "it has no TS.ADD"
    return f"{name} {version} answers; {_WITH if with_series else _WITHOUT}, because {why}"


def _of_our_own(choice: Choice, wants_series: bool) -> str:
    failures: list[str] = []
    for program in choice.programs:
        with tempfile.TemporaryDirectory(prefix="ticktick-") as folder:
            began = time.monotonic()
            try:
                server = EmbeddedServer(program, Path(folder))
            except StoreError as error:
                failures.append(str(error))
                continue
            spent_ms = (time.monotonic() - began) * 1000
            with closing(Link(server.url)) as link:
                with_series = has_time_series(link)
            server.stop()
        encoding = (
            _WITH if with_series else f"{_WITHOUT}, because {_why_not(wants_series, failures)}"
        )
        return f"{program.file.name} started on trial in {spent_ms:.0f} ms; {encoding}"
    raise StoreError(
        f"no server of our own starts: {'; '.join(failures)}; set REDIS_URL, or set up anew"
    )


def _why_not(wants_series: bool, failures: list[str]) -> str:
    if not wants_series:
        return "TICKTICK_TIMESERIES is off"
    return failures[0] if failures else "the module for time series is not installed"


def _wish(patient: Patient) -> StoreWish:
    redis = patient.settings.redis
    return StoreWish(
        folder=patient.workspace.redis,
        url=redis.url.get_secret_value() if redis.url is not None else None,
        use_local=redis.use_local,
        time_series=redis.timeseries,
    )


def _facts(told: Any) -> dict[str, str]:
    """Name and value of each line of INFO."""
    pairs = (line.partition(":") for line in str(told).splitlines())
    return {name: value.strip() for name, _, value in pairs if value}


def _take(host: str, port: int) -> None:
    """Listen on a port for a moment. Raises OSError if that cannot be done."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _is_ours(workspace: Workspace, port: int) -> bool:
    try:
        return urlsplit(find_running(workspace.server).url).port == port
    except ConfigError:
        return False


_SECTIONS: Final = ("server", "replication", "memory")
