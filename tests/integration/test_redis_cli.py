"""`ticktick redis-cli` against real servers: it finds the right one and prints like redis-cli."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store_stage import MODULE_KINDS, Asking, serving
from ticktick.commands.redis_cli import reply_lines
from ticktick.running import Running, announce
from ticktick.store.server import EmbeddedServer

PROMPT_S = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    with serving(MODULE_KINDS[0], tmp_path_factory.mktemp("redis")) as running:
        ask = Asking(running.url)
        for minute in range(3):
            ask(1, "TS.ADD", "symbol:RELIANCE", minute * 60_000, 1412.55 + minute)
        ask(0, "HSET", "candle:RELIANCE:1m", "close", "1412.55")
        ask(0, "SET", "odd", 'a "quoted"\nline')
        yield running


@pytest.fixture
def workspace(tmp_path: Path, server: EmbeddedServer) -> Path:
    here = Running(os.getpid(), "DEMO", "http://127.0.0.1:1", "token", server.url)
    announce(tmp_path / "data" / "server.json", here)
    return tmp_path


def run(workspace: Path, *words: str, lines: str = "", **env: str) -> tuple[int, str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "ticktick", "redis-cli", *words],
        input=lines,
        capture_output=True,
        text=True,
        timeout=PROMPT_S,
        env=kept | {"TICKTICK_HOME": str(workspace)} | env,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_range_of_the_running_program_is_printed_as_numbered_pairs(workspace: Path) -> None:
    code, out, _ = run(workspace, "-n", "1", "TS.RANGE", "symbol:RELIANCE", "-", "+", "COUNT", "2")
    assert code == 0
    assert out == ("1) 1) (integer) 0\n   2) 1412.55\n2) 1) (integer) 60000\n   2) 1413.55\n")


def test_a_hash_a_missing_key_and_odd_text_look_as_in_redis_cli(workspace: Path) -> None:
    assert run(workspace, "HGETALL", "candle:RELIANCE:1m")[1] == '1) "close"\n2) "1412.55"\n'
    assert run(workspace, "GET", "nothing")[1] == "(nil)\n"
    assert run(workspace, "GET", "odd")[1] == '"a \\"quoted\\"\\nline"\n'
    assert run(workspace, "PING")[1] == "PONG\n"
    assert "redis_version:" in run(workspace, "INFO", "server")[1].splitlines()[1]


def test_a_refused_command_is_an_error_and_exit_code_1(workspace: Path) -> None:
    code, out, _ = run(workspace, "NOSUCH")
    assert code == 1
    assert out.startswith("(error) ERR unknown command")


def test_without_a_command_it_answers_line_by_line_and_follows_select(workspace: Path) -> None:
    code, out, _ = run(
        workspace, lines='DBSIZE\n\nSELECT 1\nDBSIZE\n"unbalanced\nNOSUCH\nMONITOR\nPING\nquit\n'
    )
    assert code == 0
    lines = out.splitlines()
    assert lines[:3] == ["(integer) 2", "OK", "(integer) 1"]
    assert [line.split()[0] for line in lines[3:6]] == ["(error)"] * 3
    assert lines[-1] == "PONG"


def test_when_nothing_runs_it_says_so_in_one_sentence(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, "PING")
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "not running" in err


def test_when_nothing_runs_the_configured_server_is_asked(
    tmp_path: Path, server: EmbeddedServer
) -> None:
    code, out, _ = run(tmp_path, "PING", REDIS_URL=server.url)
    assert (code, out) == (0, "PONG\n")


def test_a_program_that_died_without_a_word_is_one_sentence(tmp_path: Path) -> None:
    gone = Running(1, "DEMO", "http://127.0.0.1:1", "token", f"unix://{tmp_path / 'gone'}")
    announce(tmp_path / "data" / "server.json", gone)
    code, _, err = run(tmp_path, "PING")
    assert code == 1
    assert len(err.splitlines()) == 1
    assert "start it again" in err


def test_a_program_without_redis_is_one_sentence(tmp_path: Path) -> None:
    announce(
        tmp_path / "data" / "server.json", Running(1, "DEMO", "http://127.0.0.1:1", "token", None)
    )
    code, _, err = run(tmp_path, "PING")
    assert code == 1
    assert "works from memory" in err


def test_deep_replies_are_indented_by_the_width_of_their_numbers() -> None:
    reply = [[1, ["a", None]], {"k": 2.0}, [], *["x"] * 7]
    assert list(reply_lines(reply))[:7] == [
        " 1) 1) (integer) 1",
        '    2) 1) "a"',
        "       2) (nil)",
        ' 2) 1) "k"',
        "    2) 2",
        " 3) (empty array)",
        ' 4) "x"',
    ]
