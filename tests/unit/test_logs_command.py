"""`ticktick logs`: sizes, and emptying the files while a program writes into them."""

import logging
from pathlib import Path

import pytest

from ticktick.cli import run
from ticktick.logs import FileLogs
from ticktick.workspace import Workspace, current_workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("TICKTICK_HOME", str(tmp_path))
    return current_workspace()


def test_the_files_and_their_sizes_are_listed(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.logs / "system.log").write_bytes(b"x" * 2_500_000)
    assert run(["logs"]) == 0
    assert f"{workspace.logs / 'system.log'}  2.5 MB" in capsys.readouterr().out


def test_clear_empties_our_files_and_deletes_the_older_ones(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (
        "system.log",
        "system.1.log",
        "trade.log",
        "exchange.log",
        "error.12.log",
        "mine.log",
        "a.txt",
    ):
        (workspace.logs / name).write_bytes(b"x" * 300)
    assert run(["logs", "clear"]) == 0
    assert capsys.readouterr().out == "Cleared 5 log files, 1.5 kB.\n"
    left = {path.name: path.stat().st_size for path in workspace.logs.iterdir()}
    assert left == {
        "system.log": 0,
        "trade.log": 0,
        "exchange.log": 0,
        "mine.log": 300,
        "a.txt": 300,
    }


def test_a_running_program_goes_on_writing_after_a_clear(workspace: Workspace) -> None:
    with FileLogs(workspace.logs) as _:
        logging.getLogger("ticktick").error("before")
        assert run(["logs", "clear"]) == 0
        logging.getLogger("ticktick").error("after")
    text = (workspace.logs / "error.log").read_text()
    assert text.splitlines()[-1].endswith("ERROR ticktick after")
    assert not text.startswith("\0")
