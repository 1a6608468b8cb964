"""Alerts on their way to services: in one message, tried again, counted, never waited for."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from tests.alert_stage import rule
from tests.market_stage import OPEN
from tests.program_stage import eventually
from ticktick.alerting.notifier import ATTEMPTS, MOST_LINES, Notifier, message, send_test
from ticktick.alerting.services import SendFailed, open_services
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import AlertRaised
from ticktick.engine.ports import Outputs


class Phone:
    """A service that refuses the first messages, or waits until it is let go."""

    def __init__(self, name: str = "Phone (1)", refuses: int = 0) -> None:
        self.name = name
        self.refuses = refuses
        self.tries = 0
        self.got: list[tuple[str, str]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def send(self, title: str, text: str) -> None:
        self.tries += 1
        self.may_answer.wait(20)
        if self.refuses:
            self.refuses -= 1
            raise SendFailed(f"{self.name} did not take it")
        self.got.append((title, text))


def raised(*numbers: int, services: bool = True) -> Outputs:
    one = rule(symbol="ACME", services=services)
    facts = [AlertRaised(OPEN, n, one, "ACME", 2.0 + n, OPEN) for n in numbers]
    return Outputs(OPEN, np.empty(0, np.int32), facts)


@contextmanager
def notifying(*phones: Phone, **more: Any) -> Iterator[Notifier]:
    notifier = Notifier(phones, "DEMO", first_pause_s=0.001, pause_s=0.001, **more)
    try:
        yield notifier
    finally:
        for phone in phones:
            phone.may_answer.set()
        notifier.close()


def comes(claim: Callable[[], bool]) -> None:
    assert eventually(claim)


def test_an_alert_arrives_with_the_mode_the_value_and_the_threshold() -> None:
    phone = Phone()
    with notifying(phone) as notifier:
        notifier.take(raised(1))
        comes(lambda: len(phone.got) == 1)
        assert phone.got == [
            ("DEMO · Tick-Tick: 1 alert", "! ACME last price is ₹3.00, above ₹2.00")
        ]
        comes(lambda: notifier.state.sent == 1)
        assert notifier.state.state == "on"
        assert notifier.state.text == "Phone (1): 1 message sent"


def test_a_message_that_goes_out_late_says_when_it_was_so() -> None:
    alerts = [fact for fact in raised(1).facts if isinstance(fact, AlertRaised)]
    title, text = message(alerts, "DEMO", OPEN + 90 * NS_PER_S)
    assert title == "DEMO · Tick-Tick: 1 alert"
    assert text.endswith("above ₹2.00 (at 09:15:00, told 90 s late)")
    phone = Phone()
    with notifying(phone, now_ns=lambda: OPEN + 90 * NS_PER_S) as notifier:
        notifier.take(raised(1))
        comes(lambda: len(phone.got) == 1)
    assert phone.got == [(title, text)]


def test_a_rule_that_does_not_ask_for_services_is_sent_nowhere() -> None:
    phone = Phone()
    with notifying(phone) as notifier:
        notifier.take(raised(1, services=False))
    assert phone.got == []


def test_what_waits_for_a_slow_service_is_one_message_and_nobody_waits() -> None:
    phone = Phone()
    phone.may_answer.clear()
    with notifying(phone) as notifier:
        notifier.take(raised(1))
        comes(lambda: phone.tries == 1)
        notifier.take(raised(*range(2, 30)))
        phone.may_answer.set()
        comes(lambda: len(phone.got) == 2)
    title, text = phone.got[1]
    assert title == "DEMO · Tick-Tick: 28 alerts"
    assert len(text.splitlines()) == MOST_LINES + 1
    assert text.splitlines()[-1] == "and 18 earlier ones: see the page"


def test_too_many_alerts_cost_the_oldest_and_are_counted() -> None:
    phone = Phone()
    phone.may_answer.clear()
    with notifying(phone, most_waiting=10) as notifier:
        notifier.take(raised(1))
        comes(lambda: phone.tries == 1)
        notifier.take(raised(*range(2, 20)))
        assert notifier.counters["alerts_dropped"] == 8
        assert "8 alerts never tried" in notifier.state.text


def test_a_service_that_fails_for_a_moment_is_tried_again() -> None:
    phone = Phone(refuses=2)
    with notifying(phone) as notifier:
        notifier.take(raised(1))
        comes(lambda: len(phone.got) == 1)
        comes(lambda: notifier.state.sent == 1)
        assert phone.tries == 3
        assert notifier.state.failed == 0
        assert notifier.take_news() == []


def test_a_service_that_fails_for_good_is_told_once_and_keeps_no_other_waiting() -> None:
    broken, sound = Phone("Broken (1)", refuses=2 * ATTEMPTS), Phone("Sound (2)")
    with notifying(broken, sound) as notifier:
        for number in (1, 2):
            notifier.take(raised(number))
            comes(lambda number=number: len(sound.got) == number)  # type: ignore[misc]
        assert notifier.state.state == "degraded"
        assert notifier.counters["alert_messages_failed"] == 2
        assert notifier.take_news() == [
            f"alerts do not arrive: Broken (1) did not take it, although it was tried {ATTEMPTS} "
            "times; look at notify.services"
        ]
        notifier.take(raised(3))
        comes(lambda: len(broken.got) == 1)
        comes(lambda: notifier.state.state == "on")
        assert notifier.state.text.endswith("2 not delivered")


def test_without_a_service_the_state_says_how_to_have_one() -> None:
    with notifying() as notifier:
        notifier.take(raised(1))
        assert notifier.state.state == "off"
        assert "set notify.services in ticktick.toml" in notifier.state.text


def test_without_apprise_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    services, troubles = open_services(["json://127.0.0.1:9"])
    assert services == []
    (trouble,) = troubles
    assert "pip install 'ticktick[notify]'" in trouble
    assert "127.0.0.1" not in trouble


def test_the_test_message_tells_of_each_service() -> None:
    told: list[str] = []
    assert not send_test([Phone("A"), Phone("B", refuses=1)], told.append)
    assert told == ["A: delivered", "B: not delivered; check the address and the network"]


def test_a_service_that_fails_as_nobody_expected_costs_the_others_nothing() -> None:
    class Faulty(Phone):
        def send(self, title: str, text: str) -> None:
            raise KeyError("token")

    sound = Phone("Sound (2)")
    with notifying(Faulty("Faulty (1)"), sound) as notifier:
        notifier.take(raised(1))
        comes(lambda: len(sound.got) == 1)
        comes(lambda: notifier.state.sent == 1)
        assert notifier.state.failed == 1
        assert notifier.take_news() == [
            "alerts do not arrive: Faulty (1) failed, logs/error.log tells why; "
            "look at notify.services"
        ]


def test_an_alert_that_is_still_under_way_at_the_end_is_told_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    phone = Phone()
    phone.may_answer.clear()
    with notifying(phone) as notifier:
        notifier.take(raised(1))
        comes(lambda: phone.tries == 1)
        notifier.take(raised(2, 3))
        notifier.close(timeout_s=0.0)
        assert "2 alerts waited and one message was under way" in caplog.text
