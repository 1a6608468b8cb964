"""What a running program tells the others of its workspace, and to whom."""

import stat
from pathlib import Path

import pytest

from ticktick.errors import ConfigError
from ticktick.running import Running, announce, find_running, withdraw

HERE = Running(7, "DEMO", "http://127.0.0.1:8080", "the-token")


def test_the_address_and_the_token_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "server.json"
    announce(path, HERE)
    assert find_running(path) == HERE
    assert path.with_suffix(".token").read_text() == "the-token"
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert (modes, len(list(path.parent.iterdir()))) == ({0o600}, 2)


def test_only_who_wrote_them_removes_them(tmp_path: Path) -> None:
    path = tmp_path / "server.json"
    announce(path, HERE)
    withdraw(path, pid=8)
    assert len(list(tmp_path.iterdir())) == 2
    withdraw(path, pid=7)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="not running"):
        find_running(path)
