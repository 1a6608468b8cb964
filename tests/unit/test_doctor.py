"""`ticktick doctor`: a line for each check, and what to do about a failure."""

import base64
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ticktick.cli import run
from ticktick.running import Running, announce
from ticktick.workspace import Workspace, current_workspace

SUBJECTS = [
    "python", "time zone", "compiler", "page", "workspace", "watchlist", "settings",
    "credentials", "token", "disk", "port", "redis",
]  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    for name in os.environ:
        if name.startswith(("TICKTICK_", "REDIS_", "UPSTOX_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TICKTICK_HOME", str(tmp_path))
    monkeypatch.setenv("TICKTICK_WEB_PORT", "0")
    return current_workspace()


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def report(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, tuple[str, str]]]:
    code = run(["doctor"])
    rows = capsys.readouterr().out.splitlines()
    return code, {row[9:22].strip(): (row[:9].strip(), row[22:]) for row in rows}


def token(exp: int) -> str:
    parts = ({"typ": "JWT"}, {"exp": exp})
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts)
    return f"{head.rstrip('=')}.{body.rstrip('=')}.c2ln"


@pytest.mark.usefixtures("workspace")
def test_a_fresh_workspace_passes_and_needs_no_account(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = report(capsys)
    assert code == 0
    assert list(found) == SUBJECTS
    needless = {subject for subject, (verdict, _) in found.items() if verdict != "PASS"}
    assert needless <= {"compiler", "page", "credentials", "token"}


def test_a_broken_watchlist_is_reported_with_the_rest(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.symbols.write_text("{")
    code, found = report(capsys)
    assert code == 1
    assert found["watchlist"][0] == "FAIL"
    assert "line 1, column 2" in found["watchlist"][1]
    assert found["disk"][0] == "PASS"


def test_an_empty_watchlist_is_reported(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.save_watchlist([])
    assert "run `ticktick symbols add RELIANCE`" in report(capsys)[1]["watchlist"][1]


def test_broken_settings_end_the_report(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.toml.write_text("[web]\nprot = 1\n")
    code, found = report(capsys)
    assert code == 1
    assert list(found)[-1] == "settings"
    assert "unknown setting 'web.prot'" in found["settings"][1]


def test_a_workspace_that_cannot_be_opened_ends_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TICKTICK_HOME", str(tmp_path / "file"))
    code, found = report(capsys)
    assert (code, found["workspace"][0], list(found)[-1]) == (1, "FAIL", "workspace")


@pytest.mark.skipif(os.name != "posix", reason="file modes are a matter of POSIX")
def test_credentials_that_others_can_read_fail_with_the_command_that_helps(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.credentials.parent.mkdir(mode=0o700)
    workspace.credentials.write_text('{"api_key": "key", "api_secret": "Qx7secret"}')
    workspace.credentials.chmod(0o604)
    code, found = report(capsys)
    assert (code, found["credentials"][0]) == (1, "FAIL")
    assert "chmod 600" in found["credentials"][1]
    workspace.credentials.chmod(0o600)
    code, found = report(capsys)
    assert (code, found["credentials"][0]) == (0, "PASS")


@pytest.mark.parametrize(
    ("value", "verdict", "text"),
    [
        (token(4_102_444_800), "PASS", "good until 01 Jan 2100 05:30 IST"),
        (token(1_750_284_000), "FAIL", "ended at 19 Jun 2025 03:30 IST: run `ticktick login`"),
        ("garbage", "FAIL", "no token of the broker; run `ticktick login`"),
    ],
)
@pytest.mark.usefixtures("workspace")
def test_the_end_of_the_token_is_read_from_the_token(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    value: str,
    verdict: str,
    text: str,
) -> None:
    monkeypatch.setenv("UPSTOX_ACCESS_TOKEN", value)
    _, found = report(capsys)
    assert found["token"][0] == verdict
    assert text in found["token"][1]


@pytest.mark.usefixtures("workspace")
def test_a_port_in_use_by_another_program_fails(
    taken_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TICKTICK_WEB_PORT", str(taken_port))
    code, found = report(capsys)
    assert (code, found["port"][0]) == (1, "FAIL")
    assert "set TICKTICK_WEB_PORT to another port" in found["port"][1]


def test_a_port_in_use_by_the_running_program_passes(
    workspace: Workspace,
    taken_port: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TICKTICK_WEB_PORT", str(taken_port))
    url = f"http://127.0.0.1:{taken_port}"
    announce(workspace.server, Running(pid=os.getpid(), mode="DEMO", url=url, token="t"))
    assert report(capsys)[1]["port"] == ("PASS", f"{taken_port} is used by the running Tick-Tick")


@pytest.mark.usefixtures("workspace")
def test_a_named_redis_that_does_not_answer_fails_and_hides_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("REDIS_URL", f"redis://:Qx7secret@127.0.0.1:{port}")
    code, found = report(capsys)
    assert (code, found["redis"][0]) == (1, "FAIL")
    assert "Qx7" not in found["redis"][1]
