"""What the running program tells the other commands of this workspace: `data/server.json`.

The file is readable by its owner only: it carries the key to the interface, which can
change the watchlist and place no order.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ticktick.errors import ConfigError
from ticktick.store.hold import hold


class Running(msgspec.Struct, frozen=True):
    """Where the running program answers, and with which key.

    `redis` is the address of the store it writes to (a URL, also for a Unix socket), or None.
    """

    pid: int
    mode: str
    url: str
    token: str
    redis: str | None = None


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Be the one program that runs in this workspace, until the block ends.

    `path` is that of `announce`. Two would share log files and overwrite each other's address.
    Raises ConfigError if another one runs.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    held = hold(path.with_suffix(".lock"))
    if held is None:
        found = running_now(path)
        who = "" if found is None else f" ({found.mode} at {found.url})"
        raise ConfigError(
            f"another Tick-Tick uses {path.parent}{who}; stop it, or set TICKTICK_HOME "
            "to another folder"
        )
    with held:
        yield


def is_free(path: Path) -> bool:
    """Whether no program runs in this workspace; `path` is that of `announce`."""
    held = hold(path.with_suffix(".lock"))
    if held is None:
        return False
    held.close()
    return True


def announce(path: Path, running: Running) -> None:
    """Write the file, and beside it the token alone for programs that want nothing else.

    Both are complete at every moment and readable by their owner only.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path.with_suffix(".token"), running.token.encode())
    _write(path, msgspec.json.encode(running))


def withdraw(path: Path, pid: int) -> None:
    """Remove both files if they are still ours."""
    found = running_now(path)
    if found is not None and found.pid == pid:
        path.unlink(missing_ok=True)
        path.with_suffix(".token").unlink(missing_ok=True)


def find_running(path: Path) -> Running:
    """The running program of this workspace.

    Raises ConfigError if no program announced itself.
    """
    found = running_now(path)
    if found is None:
        raise ConfigError(
            "Tick-Tick is not running in this workspace; "
            "start it with `ticktick demo` or `ticktick run`"
        )
    return found


def running_now(path: Path) -> Running | None:
    """The program that announced itself; it may have been killed since."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Running)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)
