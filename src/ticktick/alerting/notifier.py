"""Sends alerts to services from a thread of its own: nobody waits for a slow one.

What waits while a message is on its way goes out as one. A service that does not answer is tried
again a few times; then the message counts as failed, and the page, the log and `ticktick alerts`
say so.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import stamina

from ticktick.alerting.services import SendFailed, Service
from ticktick.domain.event import AlertRaised
from ticktick.engine.alerts.words import news
from ticktick.engine.ports import Outputs
from ticktick.engine.supervisor import Guard
from ticktick.web.alert_parts import ServicesState

MOST_WAITING: Final = 200
MOST_LINES: Final = 10
ATTEMPTS: Final = 4
FIRST_PAUSE_S: Final = 1.0
PAUSE_S: Final = 5.0
"""Between two messages, so that a stormy market is one message and not a hundred."""

_TO_SERVICES: Final = "set notify.services in ticktick.toml to send alerts to Telegram, mail, ..."
_log = logging.getLogger(__name__)


class Notifier:
    """A sink that sends the alerts of rules that ask for it; each message names the mode.

    `now_ns` is market time, by which a message says how late it is. `troubles` are sentences
    about services that cannot be used at all. `news` are sentences for the user since it was
    asked last.
    """

    def __init__(
        self,
        services: Sequence[Service],
        mode: str,
        troubles: Sequence[str] = (),
        *,
        guard: Guard | None = None,
        now_ns: Callable[[], int] = lambda: 0,
        most_waiting: int = MOST_WAITING,
        first_pause_s: float = FIRST_PAUSE_S,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._services = services
        self._mode = mode
        self._now_ns = now_ns
        self._troubles = tuple(troubles)
        self._guard = guard or Guard("the notifier")
        self._most_waiting = most_waiting
        self._first_pause_s = first_pause_s
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self._waiting: deque[AlertRaised] = deque()
        self._wake, self._closing = threading.Event(), threading.Event()
        self._failing: dict[str, str] = {}
        self._news: list[str] = list(troubles)
        self.sent = self.failed = self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)
        self._thread.start()

    @property
    def counters(self) -> dict[str, int]:
        """Messages that arrived and that did not, and alerts that were never tried."""
        return {
            "alert_messages_sent": self.sent,
            "alert_messages_failed": self.failed,
            "alerts_dropped": self.dropped,
        }

    @property
    def state(self) -> ServicesState:
        """How the services do, for people."""
        troubles = [*self._troubles, *self._failing.values()]
        names = tuple(service.name for service in self._services)
        told = f"{', '.join(names)}: {_count(self.sent, 'message')} sent" if names else _TO_SERVICES
        if self.failed:
            told += f", {self.failed} not delivered"
        if self.dropped:
            told += f", {_count(self.dropped, 'alert')} never tried: too many waited"
        return ServicesState(
            state="degraded" if troubles else "on" if names else "off",
            text="; ".join([*troubles, told]) if names else "; ".join(troubles) or told,
            names=names,
            sent=self.sent,
            failed=self.failed,
            dropped=self.dropped,
            waiting=len(self._waiting),
        )

    def take(self, outputs: Outputs) -> None:
        """Queue the alerts that are to be sent; never wait."""
        alerts = [f for f in outputs.facts if isinstance(f, AlertRaised) and f.rule.services]
        if not alerts or not self._services:
            return
        with self._lock:
            self._waiting.extend(alerts)
            while len(self._waiting) > self._most_waiting:
                self._waiting.popleft()
                self.dropped += 1
        self._wake.set()

    def take_news(self) -> list[str]:
        """What the user should hear of since the last call."""
        with self._lock:
            news, self._news = self._news, []
        return news

    def close(self, timeout_s: float = 3.0) -> None:
        """Send what waits; give up after `timeout_s`, and say so in the log."""
        self._closing.set()
        self._wake.set()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            waiting = _count(len(self._waiting), "alert")
            _log.warning("%s waited and one message was under way at the end", waiting)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            self._guard.attempt(self._send_waiting)
            self._closing.wait(self._pause_s)
        self._guard.attempt(self._send_waiting)

    def _send_waiting(self) -> None:
        with self._lock:
            alerts = list(self._waiting)
            self._waiting.clear()
        if not alerts:
            return
        title, text = message(alerts, self._mode, self._now_ns())
        for service in self._services:
            if not self._guard.attempt(partial(self._deliver, service, title, text)):
                self.failed += 1
                self._tell(service.name, f"{service.name} failed, logs/error.log tells why")

    def _deliver(self, service: Service, title: str, text: str) -> None:
        try:
            for attempt in stamina.retry_context(
                on=SendFailed,
                attempts=1 if self._closing.is_set() else ATTEMPTS,
                wait_initial=self._first_pause_s,
                wait_max=8 * self._first_pause_s,
                timeout=60.0,
            ):
                with attempt:
                    service.send(title, text)
        except SendFailed as error:
            self.failed += 1
            self._tell(service.name, f"{error}, although it was tried {ATTEMPTS} times")
        else:
            self.sent += 1
            if self._failing.pop(service.name, None) is not None:
                _log.info("%s takes alerts again", service.name)

    def _tell(self, name: str, trouble: str) -> None:
        """Say once that a service fails, until it works again."""
        _log.warning("an alert was not delivered: %s", trouble)
        with self._lock:
            if name not in self._failing:
                self._news.append(f"alerts do not arrive: {trouble}; look at notify.services")
            self._failing[name] = trouble


def message(alerts: Sequence[AlertRaised], mode: str, now_ns: int) -> tuple[str, str]:
    """Title and text of what goes out as one: the newest alerts, and how many more there were."""
    lines = [f"{_glyph(alert)} {news(alert, now_ns)}" for alert in alerts[-MOST_LINES:]]
    more = len(alerts) - len(lines)
    if more:
        lines.append(f"and {more} earlier ones: see the page")
    title = f"{mode} · Tick-Tick: {_count(len(alerts), 'alert')}"
    return title, "\n".join(lines)


def send_test(services: Sequence[Service], tell: Callable[[str], None]) -> bool:
    """Send a test to each service, once, and tell how it went; whether all took it."""
    arrived = True
    for service in services:
        try:
            service.send("Tick-Tick: a test", "This is a test: alerts arrive here.")
        except SendFailed:
            arrived = False
            tell(f"{service.name}: not delivered; check the address and the network")
        else:
            tell(f"{service.name}: delivered")
    return arrived


def _glyph(alert: AlertRaised) -> str:
    return {"info": "i", "warning": "!", "urgent": "!!"}[alert.rule.level.value]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
