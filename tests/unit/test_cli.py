"""The command line: light, every command helps itself, every end has its exit code."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from ticktick import __version__, cli
from ticktick.errors import BrokerError, ConfigError

HEAVY = (
    "numpy", "pandas", "numba", "talib", "sklearn", "lightgbm", "fastapi", "starlette", "uvicorn",
    "pydantic", "pydantic_settings", "msgspec", "aiohttp", "websockets", "redis", "rich",
    "stamina", "google.protobuf", "asyncio",
)  # fmt: skip
FOR_THE_PAGE = (
    "fastapi",
    "uvicorn",
    "prometheus_client",
    "ticktick.web.server",
    "ticktick.figures",
)
WRITTEN = [
    name for name in cli.SUMMARIES if find_spec(f"ticktick.commands.{name.replace('-', '_')}")
]


@pytest.fixture(autouse=True)
def _own_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKTICK_HOME", str(tmp_path))


def ticktick(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ticktick", *arguments], capture_output=True, text=True, timeout=60
    )


def failing(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], int]:
    """Runs a function as if it were `ticktick demo`; returns the exit code."""

    def run(work: Callable[[], None]) -> int:
        monkeypatch.setattr(
            cli.CommandTable, "get_command", lambda *_: click.Command("demo", callback=work)
        )
        return cli.run(["demo"])

    return run


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_nothing_heavy_is_imported_for(argument: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "ticktick", argument],
        capture_output=True,
        text=True,
        timeout=60,
    )
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert ended.returncode == 0
    assert "ticktick.cli" in imported
    assert imported.isdisjoint(HEAVY)
    assert not [name for name in imported if name.startswith("ticktick.commands.")]


def test_what_only_the_page_needs_is_not_imported_before_the_feed_is_up() -> None:
    script = "import sys, ticktick.commands.demo; print(*sys.modules, sep='\\n')"
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    imported = set(ended.stdout.split())
    assert {"ticktick.app", "ticktick.web.hub", "aiohttp"} <= imported
    assert imported.isdisjoint(FOR_THE_PAGE)


def test_the_collector_runs_in_every_command_and_not_while_it_is_imported() -> None:
    script = """
import gc, sys
from ticktick import cli
seen = []
class Watch:
    def find_spec(self, name, path, target=None):
        if name.startswith("ticktick.commands."):
            seen.append(gc.isenabled())
sys.meta_path.insert(0, Watch())
sys.argv = ["ticktick", "logs", "path"]
try:
    cli.main()
except SystemExit:
    print(seen[0], gc.isenabled(), gc.get_freeze_count() > 0)
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.splitlines()[-1] == "False True True"


def test_the_version_is_told() -> None:
    assert ticktick("--version").stdout == f"ticktick {__version__}\n"


def test_help_shows_each_command_on_one_line() -> None:
    lines = ticktick("--help").stdout.splitlines()
    for name, summary in cli.SUMMARIES.items():
        assert any(line.split() == [name, *summary.split()] for line in lines), name


@pytest.mark.parametrize("name", WRITTEN)
def test_every_command_has_help_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([name, "--help"]) == 0
    assert f"ticktick {name}" in capsys.readouterr().out.partition("Example:")[2]


@pytest.mark.parametrize(
    "arguments", [["no-such-command"], ["--no-such-option"], ["symbols", "add"], []]
)
def test_wrong_use_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == 2
    assert "Usage: ticktick" in capsys.readouterr().err


def test_an_expected_error_is_one_plain_sentence_without_secrets(
    command: Callable[[Callable[[], None]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(failing(ConfigError("port 8080 is in use, code=Qx7secret"))) == 1
    assert capsys.readouterr().err == "Error: port 8080 is in use, code=***\n"


def test_errors_of_several_tasks_are_told_once_each(
    command: Callable[[Callable[[], None]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    inner = ExceptionGroup("tasks", [ConfigError("no list"), BrokerError("no feed")])
    assert command(failing(ExceptionGroup("tasks", [inner, ConfigError("no list")]))) == 1
    assert capsys.readouterr().err == "Error: no list\nError: no feed\n"


@pytest.mark.parametrize(
    "error",
    [
        KeyError("a bug"),
        OSError("no file was involved"),
        ExceptionGroup("tasks", [ConfigError("expected"), KeyError("a bug")]),
    ],
)
def test_an_error_nobody_expected_is_not_hidden(
    command: Callable[[Callable[[], None]], int], error: Exception
) -> None:
    with pytest.raises(type(error)):
        command(failing(error))


def test_a_file_that_cannot_be_used_is_told_in_a_sentence(
    command: Callable[[Callable[[], None]], int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(lambda: (tmp_path / "no" / "file").touch()) == 1
    assert capsys.readouterr().err == (
        f"Error: {tmp_path / 'no' / 'file'} cannot be used: No such file or directory\n"
    )


def test_an_interrupted_command_ends_with_130_quietly(
    command: Callable[[Callable[[], None]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # as a program starts
    try:
        assert command(lambda: signal.raise_signal(signal.SIGINT)) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err.strip() == ""


def test_a_reader_that_has_seen_enough_ends_the_command_quietly() -> None:
    listing = subprocess.Popen(
        [sys.executable, "-m", "ticktick", "symbols"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if listing.stdout is not None:
        listing.stdout.close()
    _, complaint = listing.communicate(timeout=60)
    assert complaint == b""


def test_a_crash_shows_its_traceback_without_secrets() -> None:
    program = (
        "import sys, ticktick.cli as cli\n"
        "def crash(arguments): raise KeyError('access_token=Qx7secret')\n"
        "cli.run = crash\n"
        "cli.main()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert "Traceback" in ended.stderr
    assert "access_token=***" in ended.stderr
    assert "Qx7" not in ended.stderr


def test_worker_threads_of_libraries_wait_passively() -> None:
    program = (
        "import os, sys, ticktick.cli as cli\n"
        "cli.run = lambda _: print(os.environ['OMP_WAIT_POLICY']) or 0\n"
        "cli.main()\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=environment
    )
    assert ended.stdout == "PASSIVE\n"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda home: (home / "symbols.json").write_text("{"), "symbols.json, line 1, column 2"),
        (
            lambda home: (home / "symbols.json").write_text('{"symbols": [{"name": "ITC"}]}'),
            "symbols.json, entry 1: instrument_key is nothing, expected a text",
        ),
        (lambda home: (home / "logs").touch(), "cannot be written (File exists)"),
    ],
)
def test_a_spoilt_workspace_ends_a_command_with_1_and_one_sentence(
    tmp_path: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    spoil(tmp_path)
    ended = ticktick("symbols", "list")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("Error: ")
    assert ended.stderr.count("\n") == 1
    assert sentence in ended.stderr
