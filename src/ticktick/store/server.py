"""A Valkey or Redis server of our own: a child process on a Unix socket that only we can reach."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

from ticktick.errors import StoreError
from ticktick.store.hold import hold
from ticktick.store.link import LOST, Link

MEMORY_MB: Final = 512
APPEND_ONLY: Final = "appendonlydir"
_START_S: Final = 30.0
_STOP_S: Final = 5.0
_LOOK_S: Final = 0.01


class Program(Struct, frozen=True):
    """A server program and the module it shall load."""

    name: str
    file: Path
    module: Path | None

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"embedded {self.name} {'with' if self.module else 'without'} time series"

    @property
    def folder(self) -> str:
        """Name of its data folder: no two kinds can read each other's files."""
        return self.name.lower() + ("-timeseries" if self.module else "")


class EmbeddedServer:
    """A running server; `stop` it in the end.

    Its data lies in a folder of its own below `folder`, its socket in a fresh 0700 folder with
    a short path. The caller holds the lock of `folder`, so a server found there was left over
    from a killed run and is stopped first; `is_new` drops its data. It is a process group of
    its own, so that Ctrl-C reaches us and we stop it after our last write.
    Raises StoreError if it does not start.
    """

    def __init__(
        self, program: Program, folder: Path, memory_mb: int = MEMORY_MB, *, is_new: bool = False
    ) -> None:
        self._data = folder.absolute() / program.folder
        self._data.mkdir(parents=True, exist_ok=True, mode=0o700)
        _stop_left_over(self._data)
        if is_new:
            shutil.rmtree(self._data / APPEND_ONLY, ignore_errors=True)
        self._sockets = Path(tempfile.mkdtemp(prefix="ticktick-"))
        self.url = f"unix://{self._sockets / 's'}"
        self._program = program
        self._memory_mb = memory_mb
        self.process = self._start()
        try:
            self._wait_until_ready()
        except StoreError:
            self.stop()
            raise

    def revive(self) -> None:
        """Start the server again on the same socket and data if it has ended.

        Raises StoreError if it does not start.
        """
        if self.process.poll() is not None:
            self.process = self._start()
            self._wait_until_ready()

    def stop(self) -> None:
        """Let the server keep its data and end; kill it after 5 s."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        (self._data / "server.json").unlink(missing_ok=True)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _start(self) -> "subprocess.Popen[bytes]":
        program, socket = self._program, self._sockets / "s"
        module = [] if program.module is None else ["--loadmodule", str(program.module)]
        with (self._data / "server.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  the program is the one we installed
                [
                    str(program.file),
                    *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
                    *("--dir", str(self._data), "--save", "", "--appendonly", "yes"),
                    *("--appenddirname", APPEND_ONLY),
                    *("--appendfsync", "everysec", "--maxmemory", f"{self._memory_mb}mb"),
                    *("--maxmemory-policy", "noeviction", "--daemonize", "no"),
                    *module,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        left = _LeftOver(process.pid, str(socket))
        (self._data / "server.json").write_bytes(msgspec.json.encode(left))
        return process

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_S
        while self.process.poll() is None and time.monotonic() < deadline:
            if _answers(self.url):
                return
            time.sleep(_LOOK_S)
        raise StoreError(f"{self._program.title} did not start: {self._last_words()}")

    def _last_words(self) -> str:
        lines = (self._data / "server.log").read_text(errors="replace").splitlines()
        return lines[-1].strip() if lines else f"exit code {self.process.returncode}"


def lock(folder: Path) -> BinaryIO:
    """Hold the folder while the returned file is open; the system lets go if we are killed.

    Only its holder may start or stop servers there. Raises StoreError if another one holds it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = hold(folder / "lock")
    if file is None:
        raise StoreError(
            f"another Tick-Tick uses the store in {folder}; stop it, or set TICKTICK_HOME to "
            "another workspace"
        )
    return file


class _LeftOver(Struct):
    pid: int
    socket: str


def _stop_left_over(data: Path) -> None:
    """Stop the server of a killed run, found by its file."""
    try:
        left = msgspec.json.decode((data / "server.json").read_bytes(), type=_LeftOver)
    except (FileNotFoundError, msgspec.MsgspecError):
        return
    if _is_that_server(left):
        os.kill(left.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_S
    while _is_that_server(left):
        if time.monotonic() > deadline:
            os.kill(left.pid, signal.SIGKILL)
        time.sleep(_LOOK_S)
    shutil.rmtree(Path(left.socket).parent, ignore_errors=True)
    (data / "server.json").unlink(missing_ok=True)


def _is_that_server(left: _LeftOver) -> bool:
    """Whether that process still runs and is the server: its title names the socket."""
    titles = Path("/proc")
    try:
        if titles.is_dir():
            return left.socket.encode() in (titles / str(left.pid) / "cmdline").read_bytes()
        link = Link(f"unix://{left.socket}", timeout_s=1.0)
        told: str = link.ask("INFO", "server")
        link.close()
    except LOST:
        return False
    return f"process_id:{left.pid}\r\n" in told


def _answers(url: str) -> bool:
    link = Link(url, timeout_s=1.0)
    try:
        link.ask("PING")
    except LOST:  # not there, or still loading its data
        return False
    finally:
        link.close()
    return True
