"""Alerts through apprise to receivers on this machine: HTTP and mail, sound and broken ones."""

import json
import logging
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default as default_policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from tests.alert_stage import rule
from tests.market_stage import OPEN
from tests.program_stage import eventually
from tests.upstox_stage import free_port
from ticktick.alerting.notifier import Notifier
from ticktick.alerting.services import open_services
from ticktick.cli import run
from ticktick.config import load_settings
from ticktick.domain.event import AlertRaised
from ticktick.engine.ports import Outputs
from ticktick.errors import ConfigError
from ticktick.redact import redact
from ticktick.workspace import current_workspace


@pytest.fixture(autouse=True)
def _apprise(lacking: Callable[[str], NoReturn]) -> None:
    if find_spec("apprise") is None:
        lacking("apprise is not installed: pip install 'ticktick[notify]'")


class Receiver:
    """A web hook on loopback that answers with a status, after a while."""

    def __init__(self) -> None:
        self.status = 200
        self.pause_s = 0.0
        self.got: list[dict[str, Any]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(receiver.pause_s)
                if receiver.status == 200:
                    receiver.got.append(json.loads(body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"json://127.0.0.1:{self._server.server_port}/hook-s3cret-path"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


@contextmanager
def notifying(*addresses: str) -> Iterator[Notifier]:
    services, troubles = open_services(addresses)
    notifier = Notifier(services, "DEMO", troubles, first_pause_s=0.01, pause_s=0.01)
    yield notifier
    notifier.close()


def send(notifier: Notifier) -> None:
    fact = AlertRaised(OPEN, 1, rule(services=True), "ACME", 3.0, OPEN)
    notifier.take(Outputs(OPEN, np.empty(0, np.int32), [fact]))


def test_an_alert_reaches_a_web_hook(receiver: Receiver) -> None:
    with notifying(receiver.address) as notifier:
        send(notifier)
        assert eventually(lambda: bool(receiver.got))
    assert receiver.got[0]["title"] == "DEMO · Tick-Tick: 1 alert"
    assert receiver.got[0]["message"] == "! ACME last price is ₹3.00, above ₹2.00"


def test_a_receiver_that_answers_500_or_is_gone_is_counted_and_told(receiver: Receiver) -> None:
    receiver.status = 500
    with notifying(receiver.address, f"json://127.0.0.1:{free_port()}") as notifier:
        send(notifier)
        assert eventually(lambda: notifier.state.failed == 2)
        assert notifier.state.state == "degraded"
        assert len(notifier.take_news()) == 2
        assert "s3cret" not in notifier.state.text


def test_a_slow_receiver_keeps_nobody_waiting(receiver: Receiver) -> None:
    receiver.pause_s = 1.0
    with notifying(receiver.address) as notifier:
        begun = time.monotonic()
        for _ in range(50):
            send(notifier)
        assert time.monotonic() - begun < 0.5
        assert eventually(lambda: bool(receiver.got))


def test_an_address_of_no_kind_is_told_without_its_secrets_and_the_others_work(
    receiver: Receiver,
) -> None:
    with notifying("nonsense://t0ken-abc", receiver.address) as notifier:
        send(notifier)
        assert eventually(lambda: bool(receiver.got))
        (news,) = notifier.take_news()
    assert news.startswith("service 1 of notify.services (nonsense) is no address that apprise")
    assert "t0ken" not in news


class _Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as a sender needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                letter = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.letters.append(letter)  # type: ignore[attr-defined]
            if word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 fine\r\n")


@contextmanager
def mailbox() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a mail server on this machine, and the letters it gets."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        letters = server.letters = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        people = "from=me@example.com&to=you@example.com"
        yield f"mailto://127.0.0.1:{port}?{people}&mode=insecure", letters
        server.shutdown()


def test_an_alert_reaches_a_mailbox_with_its_signs_and_lines() -> None:
    one = rule(symbol="M&M", services=True)
    facts = [AlertRaised(OPEN, n, one, "M&M", 2.0 + n, OPEN) for n in (1, 2)]
    with mailbox() as (address, letters), notifying(address) as notifier:
        notifier.take(Outputs(OPEN, np.empty(0, np.int32), facts))
        assert eventually(lambda: bool(letters))
    letter = message_from_bytes(letters[0], policy=default_policy)
    assert letter["To"] == "you@example.com"
    assert letter.get_content_type() == "text/plain"
    assert letter.get_content().splitlines() == [
        "! M&M last price is ₹3.00, above ₹2.00",
        "! M&M last price is ₹4.00, above ₹2.00",
    ]


def test_addresses_come_from_the_environment_or_a_private_file_and_are_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    toml = tmp_path / "ticktick.toml"
    toml.write_text('[notify]\nservices = ["tgram://123456:AAbotToken99/-100200300"]\n')
    toml.chmod(0o644)
    with pytest.raises(ConfigError, match="others may read it: chmod 600"):
        load_settings(toml)
    toml.chmod(0o600)
    settings = load_settings(toml)
    assert "AAbotToken99" not in repr(settings)
    with caplog.at_level(logging.INFO):
        logging.getLogger("apprise").warning("could not reach %s", "https://x/botAAbotToken99/y")
    assert "AAbotToken99" not in redact("tgram://123456:AAbotToken99/-100200300")
    assert "-100200300" not in redact("chat -100200300 not found")
    monkeypatch.setenv("TICKTICK_NOTIFY_SERVICES", "json://one.example/p mailto://u:pw@two.example")
    toml.unlink()
    assert len(load_settings(toml).notify.services) == 2
    monkeypatch.setenv("TICKTICK_NOTIFY_SERVICES", "no address at all")
    with pytest.raises(ConfigError, match=r"notify\.services is hidden"):
        load_settings(toml)


def test_the_test_command_tells_whether_each_service_took_it(
    receiver: Receiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TICKTICK_HOME", str(tmp_path))
    current_workspace()
    assert run(["alerts", "test"]) == 1
    assert "set notify.services in ticktick.toml" in capsys.readouterr().err
    monkeypatch.setenv("TICKTICK_NOTIFY_SERVICES", receiver.address)
    assert run(["alerts", "test"]) == 0
    assert capsys.readouterr().out == "JSON (1): delivered\n"
    receiver.status = 500
    assert run(["alerts", "test"]) == 1
    shown = capsys.readouterr()
    assert "JSON (1): not delivered" in shown.out
    assert "s3cret" not in shown.out + shown.err
