"""The user's folder: can it be written, who else can, is there room, what did the last run keep."""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ticktick.checkup.finding import NotChecked
from ticktick.checkup.patient import Patient
from ticktick.domain.clock import ist
from ticktick.errors import ConfigError
from ticktick.running import is_free
from ticktick.store.recording import SUFFIX, read_recording
from ticktick.workspace import Workspace

_LEAST_FREE_GB = 1.0
_TRIAL_BYTES = 4 << 20
_SLOWEST_S = 5.0


def workspace(folder: Workspace) -> str:
    """The folder and those in it that are written to."""
    for path in (folder.root, folder.data, folder.logs):
        try:
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be written ({error.strerror}): "
                "give it to your user, or set TICKTICK_HOME to a folder of yours"
            ) from error
    return f"{folder.root} is writable"


def permissions(folder: Workspace) -> str:
    """Nobody else may write where we do, or read what holds a key."""
    if os.name != "posix":
        raise NotChecked("file modes mean nothing on this system")
    for path in (folder.root, folder.data, folder.logs):
        _refuse(path, stat.S_IWOTH, "can be written by anybody", "chmod o-w")
    for path in (folder.server, folder.credentials):
        if path.exists():
            _refuse(
                path, stat.S_IRWXG | stat.S_IRWXO, "holds a key and is open to others", "chmod 600"
            )
    return "others can neither change the folder nor read a key in it"


def watchlist(folder: Workspace) -> str:
    """The list of instruments."""
    count = len(folder.load_watchlist())
    if count == 0:
        raise ConfigError(f"{folder.symbols} is empty: run `ticktick symbols add RELIANCE`")
    return f"{count} instruments in {folder.symbols}"


def settings(folder: Workspace) -> str:
    """Where the settings came from; that they are valid is known when this is asked."""
    return f"{folder.toml} is valid" if folder.toml.exists() else "defaults and environment"


def disk(patient: Patient) -> str:
    """Room for recordings, and that the disk takes what it is given."""
    data = patient.workspace.data
    free_gb = shutil.disk_usage(data).free / 1e9
    if free_gb < _LEAST_FREE_GB:
        raise ConfigError(
            f"{free_gb:.1f} GB free, {_LEAST_FREE_GB:.0f} GB is the least: delete something, "
            f"for instance old files in {patient.workspace.recordings}"
        )
    spent_s = _written_in_s(data)
    if spent_s > _SLOWEST_S:
        raise ConfigError(
            f"the disk of {data} took {spent_s:.1f} s for {_TRIAL_BYTES >> 20} MiB: recordings "
            "would have holes; set TICKTICK_HOME to a folder on a faster one"
        )
    return (
        f"{free_gb:.1f} GB free, recordings take at most {patient.settings.recording.max_gb} GB; "
        f"{_TRIAL_BYTES >> 20} MiB kept in {spent_s * 1000:.0f} ms"
    )


def recording(folder: Workspace) -> str:
    """The newest recording of this folder: whether it is whole."""
    found = max(_recordings(folder), key=lambda path: path.stat().st_mtime_ns, default=None)
    if found is None:
        raise NotChecked("nothing was recorded here yet")
    if not is_free(folder.server):
        return f"{found.name} is being written by the running program"
    read = read_recording(found)
    when = f"{ist(read.header.started_ns):%d %b %Y %H:%M} IST"
    if not read.complete:
        raise ConfigError(
            f"{read.note}: the run of {when} was ended by force, or its disk failed. "
            f"`ticktick replay` still plays its first {read.events} events; the next whole run, "
            "or deleting the file, clears this line"
        )
    return f"{read.events} events of {when} are whole ({found.name})"


def written(folder: Workspace) -> Iterator[Path]:
    """Files of ours whose times tell when the program ran last."""
    for place in (folder.logs, folder.recordings, folder.data / "demo" / "recordings"):
        if place.is_dir():
            yield from place.iterdir()


def _refuse(path: Path, bits: int, what: str, command: str) -> None:
    found = stat.S_IMODE(path.stat().st_mode)
    if found & bits:
        raise ConfigError(f"{path} {what} (mode {found:o}): run `{command} {path}`")


def _written_in_s(folder: Path) -> float:
    """Real seconds until the disk has kept a few megabytes."""
    began = time.monotonic()
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(
            f"{folder} takes no more data ({error.strerror}): make room, or set TICKTICK_HOME to "
            "a folder on another disk"
        ) from error
    return time.monotonic() - began


def _recordings(folder: Workspace) -> Iterator[Path]:
    for place in (folder.recordings, folder.data / "demo" / "recordings"):
        yield from place.glob(f"*{SUFFIX}")
