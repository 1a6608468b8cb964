"""What the page asks of everything around the engine: store, recording, login, link, services."""

from msgspec import Struct

from ticktick.alerting.notifier import Notifier
from ticktick.domain.clock import NS_PER_MS
from ticktick.engine.loop_lag import LoopLag
from ticktick.login import Login
from ticktick.origin.ports import Origin
from ticktick.store.embedded import Store
from ticktick.store.recordings import Recordings
from ticktick.store.redis_store import RedisWriter
from ticktick.web.parts import Mode, PartState, Stamp, StoreState, TokenStatus
from ticktick.web.status import SystemStatus


class Surroundings(Struct, frozen=True):
    """The parts of a run that tell how they do; those that are None are not wanted in it."""

    mode: Mode
    login: Login | None
    origin: Origin
    loop_lag: LoopLag
    store: Store
    writer: RedisWriter | None
    recordings: Recordings | None
    notifier: Notifier | None

    def stamp(self) -> Stamp:
        """Mode and market time at this moment."""
        return Stamp(self.mode, self.origin.clock.now_ns() // NS_PER_MS)

    def status(self) -> SystemStatus:
        """How everything does at this moment."""
        now_ns = self.origin.clock.now_ns()
        return SystemStatus(
            mode=self.mode,
            now_ms=now_ns // NS_PER_MS,
            rate=self.origin.clock.rate,
            token=_token_status(self.login, now_ns),
            store=_store_state(self.store, self.writer),
            recording=_recording_state(self.recordings),
            counters=_counters(self.writer, self.notifier),
            link=self.origin.health(),
            loop_lag_ms=self.loop_lag.recent_ms,
        )


def _counters(writer: RedisWriter | None, notifier: Notifier | None) -> dict[str, int]:
    stored = {} if writer is None else writer.counters
    return stored if notifier is None else stored | notifier.counters


def _token_status(login: Login | None, now_ns: int) -> TokenStatus:
    if login is None:
        return TokenStatus("missing")
    return TokenStatus(login.state(now_ns), login.expires_ns // NS_PER_MS)


def _store_state(store: Store, writer: RedisWriter | None) -> PartState:
    if writer is None:
        return PartState("off", store.text)
    states: dict[str, StoreState] = {"on": "on", "degraded": "degraded"}
    return PartState(states.get(writer.state, "off"), writer.text)


def _recording_state(recordings: Recordings | None) -> PartState:
    if recordings is None:
        return PartState("off", "recording off")
    return PartState("on" if recordings.is_on else "degraded", recordings.text)
