"""`ticktick doctor`: a line for each check, and what to do about a failure."""

import base64
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.store_stage import Asking, serving
from ticktick.checkup import clock
from ticktick.checkup.finding import NotChecked
from ticktick.cli import run
from ticktick.domain.clock import NS_PER_S, at_ist, parse_iso_ns
from ticktick.domain.event import NoteTaken
from ticktick.engine.ports import EngineSettings
from ticktick.errors import ConfigError
from ticktick.running import Running, announce, only_one
from ticktick.store.recording import Recorder, RecordingHeader
from ticktick.workspace import Workspace, current_workspace

SUBJECTS = [
    "system", "python", "libraries", "fast parts", "decoder", "page", "time zone", "calendar",
    "workspace", "permissions", "clock", "watchlist", "recording", "settings", "credentials",
    "token", "disk", "running", "port", "login port", "redis", "store",
]  # fmt: skip
NOON_NS = parse_iso_ns("2026-11-20T12:00:00+05:30")


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
    assert needless <= {
        "decoder", "page", "clock", "recording", "credentials", "token", "login port",
    }  # fmt: skip
    assert {verdict for verdict, _ in found.values()} <= {"PASS", "SKIPPED"}


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
        (token(1_750_284_000), "FAIL", "ended 19 Jun 2025 03:30 IST; set a new one"),
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
def test_an_analytics_token_is_the_one_that_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UPSTOX_ACCESS_TOKEN", token(1_750_284_000))
    monkeypatch.setenv("UPSTOX_ANALYTICS_TOKEN", token(4_102_444_800))
    _, found = report(capsys)
    assert found["token"][0] == "PASS"
    assert "the analytics token is good until 01 Jan 2100" in found["token"][1]


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


@pytest.mark.usefixtures("workspace")
def test_the_json_answer_holds_every_line_and_the_verdict(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["doctor", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"version", "checked_at", "passed", "findings"}
    assert answer["passed"] is True
    assert [finding["subject"] for finding in answer["findings"]] == SUBJECTS
    assert {tuple(finding) for finding in answer["findings"]} == {("subject", "verdict", "text")}
    monkeypatch.setenv("UPSTOX_ACCESS_TOKEN", token(1_750_284_000))
    assert run(["doctor", "--json"]) == 1
    told = capsys.readouterr().out
    failed = [one["subject"] for one in json.loads(told)["findings"] if one["verdict"] == "FAIL"]
    assert failed == ["token"]
    assert token(1_750_284_000) not in told


@pytest.mark.usefixtures("workspace")
def test_a_library_that_is_too_old_is_named_with_the_version_that_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = tmp_path / "libraries" / "numpy-1.26.4.dist-info" / "METADATA"
    facts.parent.mkdir(parents=True)
    facts.write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 1.26.4\n")
    monkeypatch.syspath_prepend(tmp_path / "libraries")
    code, found = report(capsys)
    assert (code, found["libraries"][0]) == (1, "FAIL")
    assert "numpy is 1.26.4, needed is >=2.4" in found["libraries"][1]


@pytest.mark.skipif(os.name != "posix", reason="file modes are a matter of POSIX")
def test_a_folder_that_anybody_may_change_fails_with_the_command_that_helps(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.data.chmod(0o707)
    code, found = report(capsys)
    assert (code, found["permissions"][0]) == (1, "FAIL")
    assert f"chmod o-w {workspace.data}" in found["permissions"][1]


@pytest.mark.skipif(os.name != "posix", reason="file modes are a matter of POSIX")
def test_the_key_to_the_running_program_must_be_private(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    announce(workspace.server, Running(os.getpid(), "DEMO", "http://127.0.0.1:1", "t"))
    workspace.server.chmod(0o640)
    assert report(capsys)[1]["permissions"][0] == "FAIL"


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_credentials_that_git_keeps_fail(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.credentials.parent.mkdir(mode=0o700)
    workspace.credentials.write_text('{"api_key": "key", "api_secret": "Qx7secret"}')
    workspace.credentials.chmod(0o600)
    subprocess.run(["git", "init", "--quiet"], cwd=workspace.root, check=True)
    assert report(capsys)[1]["credentials"][0] == "PASS"
    subprocess.run(["git", "add", "authentication"], cwd=workspace.root, check=True)
    _, found = report(capsys)
    assert found["credentials"][0] == "FAIL"
    assert "git rm --cached" in found["credentials"][1]


def test_a_clock_that_is_behind_the_files_it_wrote_is_wrong(workspace: Workspace) -> None:
    log = workspace.logs / "system.log"
    log.touch()
    os.utime(log, ns=(NOON_NS, NOON_NS + 61 * NS_PER_S))
    with pytest.raises(ConfigError, match=r"system.log was written at 20 Nov 2026 12:01:01"):
        clock.clock(NOON_NS, [log])
    assert "20 Nov 2026 12:00:10" in told_time(NOON_NS + 10 * NS_PER_S, [log])


def test_a_clock_that_is_years_behind_is_wrong() -> None:
    with pytest.raises(ConfigError, match="before this program was made"):
        clock.clock(0, [])


def test_a_year_whose_holidays_are_not_known_fails() -> None:
    with pytest.raises(ConfigError, match="holidays of 2031 are not in this version"):
        clock.calendar(at_ist(date(2031, 5, 5), 12))
    assert "2026 are known" in clock.calendar(NOON_NS)


def test_a_whole_recording_passes_and_one_that_was_cut_off_fails(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace.recordings / "2026-11-20_120000_view.ttrec"
    record(path)
    assert report(capsys)[1]["recording"] == (
        "PASS", f"1 events of 20 Nov 2026 12:00 IST are whole ({path.name})"
    )  # fmt: skip
    path.write_bytes(path.read_bytes()[:-5])
    code, found = report(capsys)
    assert (code, found["recording"][0]) == (1, "FAIL")
    assert "plays its first 1 events" in found["recording"][1]
    path.write_bytes(b"no recording")
    assert report(capsys)[1]["recording"][0] == "FAIL"


def test_the_program_that_runs_in_the_folder_is_named(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    record(workspace.recordings / "2026-11-20_120000_view.ttrec")
    with only_one(workspace.server):
        assert report(capsys)[1]["running"][1] == "a program without a page runs in this folder"
        announce(workspace.server, Running(4711, "VIEW", "http://127.0.0.1:8080", "t"))
        _, found = report(capsys)
    assert found["running"] == ("PASS", "VIEW runs at http://127.0.0.1:8080, process 4711")
    assert "is being written" in found["recording"][1]
    left = "nothing runs in this folder (the last run was ended by force, the next start clears up)"
    assert report(capsys)[1]["running"] == ("PASS", left)


def test_the_port_of_the_login_must_be_free_and_on_this_computer(
    workspace: Workspace, taken_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def found_with(redirect_uri: str) -> tuple[str, str]:
        content = {"api_key": "key", "api_secret": "Qx7secret", "redirect_uri": redirect_uri}
        workspace.credentials.write_text(json.dumps(content))
        workspace.credentials.chmod(0o600)
        return report(capsys)[1]["login port"]

    workspace.credentials.parent.mkdir(mode=0o700)
    verdict, text = found_with(f"http://localhost:{taken_port}")
    assert verdict == "FAIL"
    assert f"port {taken_port}" in text
    assert found_with("https://example.com/back")[0] == "FAIL"


@pytest.mark.usefixtures("workspace")
def test_the_encoding_of_our_own_redis_is_told_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TICKTICK_TIMESERIES", "off")
    verdict, text = report(capsys)[1]["store"]
    assert verdict == "PASS"
    assert text.startswith("valkey-server started on trial in ")
    assert text.endswith("metrics into streams, because TICKTICK_TIMESERIES is off")


@pytest.mark.usefixtures("workspace")
def test_a_redis_of_the_user_is_looked_at_and_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving("Valkey without time series", tmp_path / "server") as server:
        ask = Asking(server.url)
        monkeypatch.setenv("REDIS_URL", server.url)
        verdict, text = report(capsys)[1]["store"]
        assert verdict == "PASS"
        assert text.endswith("metrics into streams, because it has no TS.ADD")
        assert ask(0, "DBSIZE") == 0
        ask(0, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        assert "history would lose candles" in report(capsys)[1]["store"][1]
        ask(0, "CONFIG", "SET", "maxmemory-policy", "noeviction")
        ask(0, "REPLICAOF", "127.0.0.1", "1")
        verdict, text = report(capsys)[1]["store"]
        assert verdict == "FAIL"
        assert "is a read-only copy: name the main server" in text


def told_time(now_ns: int, files: list[Path]) -> str:
    try:
        return clock.clock(now_ns, files)
    except NotChecked as reason:
        return str(reason)


def record(path: Path) -> None:
    header = RecordingHeader("d", "upstox", "", "0", "VIEW", NOON_NS, EngineSettings())
    recorder = Recorder(path, header)
    recorder.write(NoteTaken(NOON_NS, "info", "hello"))
    recorder.close()
