"""What a user can get wrong before a run: one plain sentence each, and the right exit code."""

import asyncio
import json
import socket
from pathlib import Path

import pytest

from tests.program_stage import START, program, status, ticktick
from tests.store_stage import serving
from tests.upstox_stage import Stub, listening
from ticktick.domain.clock import parse_iso_ns
from ticktick.emulator.auth import DEMO_APP, Login
from ticktick.store.link import Link

DEMO = ("demo", "--no-browser", "--port", "0", "--start", START, "--duration", "3")


def refusal(home: Path, *arguments: str, **variables: str) -> str:
    """The one sentence that a failing command leaves on stderr."""
    done = ticktick(home, *arguments, **variables)
    assert done.returncode == 1, done.stdout
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("Error: ")
    return lines[0]


def watch(home: Path, *entries: dict[str, str]) -> None:
    (home / "symbols.json").write_text(json.dumps({"symbols": list(entries)}))


def test_a_malformed_watchlist_is_named_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "symbols.json").write_text('{"symbols": [{"name": "X",}]}')
    sentence = refusal(tmp_path, *DEMO)
    assert "symbols.json, line 1" in sentence


def test_a_list_of_unknown_keys_alone_is_refused(tmp_path: Path) -> None:
    watch(tmp_path, {"name": "Nobody", "instrument_key": "NSE_EQ|INE000A00000"})
    assert "none of the watchlist's instruments is listed" in refusal(tmp_path, *DEMO)


def test_an_unknown_key_among_others_is_named_and_the_others_work(tmp_path: Path) -> None:
    watch(
        tmp_path,
        {"name": "Reliance Industries", "instrument_key": "NSE_EQ|INE002A01018"},
        {"name": "Nobody", "instrument_key": "NSE_EQ|INE000A00000"},
    )
    done = ticktick(tmp_path, *DEMO)
    assert done.returncode == 0, done.stderr
    assert "Nobody: key NSE_EQ|INE000A00000 is not listed today" in done.stdout
    assert "RELIANCE      fresh" in done.stdout


@pytest.mark.parametrize(
    "token",
    [
        "\u20b9.\u20b9.\u20b9",
        *(pytest.param(t, marks=pytest.mark.slow) for t in ("garbage", "a.b.c")),
    ],
)
def test_a_garbage_token_asks_for_a_login(tmp_path: Path, token: str) -> None:
    assert "ticktick login" in refusal(tmp_path, "run", UPSTOX_ACCESS_TOKEN=token)


def test_an_expired_token_says_when_it_ended(tmp_path: Path) -> None:
    token = Login(1, DEMO_APP).mint(parse_iso_ns("2026-01-08T10:00:00+05:30"))
    sentence = refusal(tmp_path, "run", UPSTOX_ACCESS_TOKEN=token)
    assert "UPSTOX_ACCESS_TOKEN ended 09 Jan 2026 03:30 IST" in sentence
    assert "ticktick login" in sentence
    assert token not in sentence


def test_an_analytics_token_goes_before_the_login_and_is_called_by_its_name(tmp_path: Path) -> None:
    exchange = Login(1, DEMO_APP)
    analytics = exchange.mint(parse_iso_ns("2026-01-08T10:00:00+05:30"))
    daily = exchange.mint(parse_iso_ns("2026-01-09T10:00:00+05:30"))
    sentence = refusal(tmp_path, "run", UPSTOX_ANALYTICS_TOKEN=analytics, UPSTOX_ACCESS_TOKEN=daily)
    assert "the analytics token ended 09 Jan 2026 03:30 IST" in sentence
    assert "UPSTOX_ANALYTICS_TOKEN" in sentence
    assert "ticktick login" not in sentence
    assert analytics not in sentence


def test_no_token_asks_for_a_login(tmp_path: Path) -> None:
    for command in ("run", "record"):
        assert "ticktick login" in refusal(tmp_path, command)


def test_a_wrong_redis_password_is_said_without_the_password(tmp_path: Path) -> None:
    with serving("Valkey without time series", tmp_path / "store") as server:
        Link(server.url).ask("CONFIG", "SET", "requirepass", "right")
        path = server.url.removeprefix("unix://")
        sentence = refusal(tmp_path, *DEMO, REDIS_URL=f"unix://:wrong@{path}")
    assert "refuses the password" in sentence
    assert "wrong" not in sentence


def test_an_unreachable_redis_is_never_replaced_in_silence(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        sentence = refusal(tmp_path, *DEMO, REDIS_PORT=str(port))
    assert "cannot be reached" in sentence


def test_demo_prices_never_mix_with_real_ones(tmp_path: Path) -> None:
    with serving("Valkey without time series", tmp_path / "store") as server:
        Link(server.url).ask("SET", "ticktick:market", "real")
        sentence = refusal(tmp_path, *DEMO, REDIS_URL=server.url)
    assert "holds prices of the real market" in sentence


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        sentence = refusal(tmp_path, "demo", "--no-browser", "--port", port, "--duration", "3")
        assert f"port {port} " in sentence
        assert f"port {port} " in refusal(tmp_path, "emulator", "--port", port)


def test_credentials_that_others_can_read_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "authentication"
    folder.mkdir(mode=0o700)
    (folder / "credentials.json").write_text('{"api_key": "k", "api_secret": "s"}')
    (folder / "credentials.json").chmod(0o644)
    for command in ("run", "login", "record"):
        sentence = refusal(tmp_path, command)
        assert "chmod 600" in sentence


def test_an_exchange_on_another_machine_is_refused(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, "demo", "--exchange", "http://192.0.2.1:80", "--no-browser")
    assert "must run on this machine" in sentence


async def test_a_server_that_is_no_exchange_is_named(tmp_path: Path) -> None:
    stub = Stub()
    async with listening(stub.answer) as port:
        for body in (b"<html>", b'{"hello": 1}'):
            for arguments in (("history",), DEMO):
                stub.says(200, body)
                url = f"http://127.0.0.1:{port}"
                sentence = await asyncio.to_thread(refusal, tmp_path, *arguments, "--exchange", url)
                assert f"no built-in exchange answers at {url}" in sentence


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a recording")
    assert "is not a Tick-Tick recording" in refusal(
        tmp_path, "replay", str(tmp_path / "notes.txt")
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("demo", "--port", "99999"),
        ("replay",),
        ("demo", "--duration", "0"),
        ("demo", "--symbols", "RELIANCE"),
    ],
)
def test_wrong_use_exits_with_two(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = ticktick(tmp_path, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_second_program_in_a_workspace_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with program(tmp_path, "demo", "--no-browser", "--port", "0", "--start", START) as demo:
        demo.line_with("are fresh")
        sentence = refusal(tmp_path, *DEMO, REDIS_URL="redis://127.0.0.1:1")
        assert f"another Tick-Tick uses {tmp_path / 'data'} (DEMO at http://127.0.0.1:" in sentence
        assert status(tmp_path)["feed"]["up"]
        assert (tmp_path / "logs" / "error.log").read_text() == ""


def test_why_a_run_ended_is_one_plain_line_of_the_error_log(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, *DEMO, REDIS_URL="redis://127.0.0.1:1")
    (line,) = (tmp_path / "logs" / "error.log").read_text().splitlines()
    assert line.endswith(sentence.removeprefix("Error: "))


def test_nothing_running_is_said_plainly(tmp_path: Path) -> None:
    for command in (("status",), ("redis-cli", "PING")):
        assert "not running" in refusal(tmp_path, *command)
