"""A stage for the whole program: real processes of exchange and demo in an empty workspace."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from ticktick.running import find_running

LIMIT_S = 30.0
START = "2026-11-20T11:00"
FORM_SETTINGS = ("TICKTICK_PURE", "TICKTICK_REQUIRE_EXT")


class Program:
    """A running `ticktick` command and the lines it prints."""

    def __init__(self, home: Path, arguments: Sequence[str]) -> None:
        self.home = home
        self.lines: list[str] = []
        self._fresh: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ticktick", *arguments],
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def line_with(self, text: str) -> str:
        """The first line with that text, waited for."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            found = next((line for line in self.lines if text in line), None)
            if found is not None:
                return found
            line = self._fresh.get(timeout=max(deadline - time.monotonic(), 0.01))
            if line is None:
                raise AssertionError(f"ended without saying {text!r}: {self.lines}")
            self.lines.append(line)

    def must_run(self) -> None:
        """Fail with its exit code and what it said, if the command has ended by itself."""
        code = self.process.poll()
        if code is not None:
            self.lines += iter(self._fresh.get, None)
            raise AssertionError(f"ended with {code} after saying {self.lines}")

    def end(self) -> int:
        """Ask the command to stop; its exit code."""
        self.process.terminate()
        return self.process.wait(LIMIT_S)

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            self._fresh.put(line.rstrip())
        self._fresh.put(None)


@contextmanager
def program(home: Path, *arguments: str) -> Iterator[Program]:
    """Run a command until the block ends."""
    running = Program(home, arguments)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.end()


@contextmanager
def exchange(home: Path, *arguments: str, port: int = 0) -> Iterator[tuple[Program, str]]:
    """Run the built-in exchange; yields it and its address."""
    with program(home, "emulator", "--port", str(port), *arguments) as running:
        yield running, running.line_with("ready ").removeprefix("ready ")


def ticktick(home: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "ticktick", *arguments],
        env=environment(home) | variables,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=LIMIT_S * 2,
    )


def status(home: Path) -> dict[str, Any]:
    """What `ticktick status --json` says."""
    done = ticktick(home, "status", "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def fetch(url: str, body: bytes | None = None) -> Any:
    """JSON of a loopback address."""
    return json.loads(_answer(Request(url, body, {"Content-Type": "application/json"})))


def ask(home: Path, path: str, body: Any = None) -> bytes:
    """What the program running there answers a command of its user."""
    running = find_running(home / "data" / "server.json")
    headers = {"Authorization": f"Bearer {running.token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    return _answer(Request(running.url + path, data, headers))


def figures(home: Path) -> dict[str, str]:
    """What the program running there tells Prometheus, by name and labels."""
    lines = ask(home, "/metrics").decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines)


def _answer(request: Request) -> bytes:
    with build_opener(ProxyHandler({})).open(request, timeout=LIMIT_S) as answer:
        return bytes(answer.read())


def eventually(is_so: Callable[[], bool], limit_s: float = LIMIT_S) -> bool:
    """Whether the claim about another process comes true within the limit."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if is_so():
            return True
        threading.Event().wait(0.05)
    return False


def environment(home: Path) -> dict[str, str]:
    """The environment of a user who has only this workspace, and programs of the wanted form."""
    mine = {"TICKTICK_HOME": str(home), "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in FORM_SETTINGS or not name.startswith(("REDIS_", "UPSTOX_", "TICKTICK_"))
    }
    return kept | mine
