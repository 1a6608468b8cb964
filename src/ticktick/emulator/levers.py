"""Faults of account, clock and market, applied to an exchange as its time passes."""

from collections.abc import Iterator
from datetime import date

from ticktick.domain.clock import NS_PER_S
from ticktick.emulator.calendar import parse_hours
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.faults import BadFaultError, Fault, Faults
from ticktick.emulator.feed import FeedConnection
from ticktick.emulator.timetable import SEGMENTS

_HALTED_WORD = "NORMAL_CLOSE"


class Levers:
    """Makes an exchange do what the active faults say."""

    def __init__(self, exchange: Exchange, faults: Faults) -> None:
        self._exchange = exchange
        self._faults = faults

    @property
    def skew_ns(self) -> int:
        """How far ahead the clock is told; the market itself keeps the right time."""
        active = self._faults.active(self._exchange.now_ns, "clock.skew")
        return round(sum(float(fault.args["s"]) for fault in active) * NS_PER_S)

    def check(self, fault: Fault) -> None:
        """Raise BadFaultError if this exchange cannot do what the fault asks."""
        try:
            if fault.verb == "market.halt":
                self._exchange.halt(self._exchange.is_halted)
            elif fault.verb == "calendar.set":
                day, _ = _day_and_hours(fault)
                self._exchange.check_day(day)
        except (LookupError, ValueError) as error:
            raise BadFaultError(f"{fault.verb}: {error}") from error

    def act(self, fault: Fault) -> Iterator[tuple[FeedConnection, bytes]]:
        """Do what acts once; yields what the feed tells of it."""
        if fault.verb == "auth.expire":
            self._exchange.login.expire()
        elif fault.verb == "calendar.set":
            yield from self._exchange.set_hours(*_day_and_hours(fault))

    def hold(self) -> Iterator[tuple[FeedConnection, bytes]]:
        """Keep the market in the state that the active faults ask for; yields status frames."""
        now_ns = self._exchange.now_ns
        is_halted = bool(self._faults.active(now_ns, "market.halt"))
        if is_halted != self._exchange.is_halted:
            self._exchange.halt(is_halted)
        words = dict.fromkeys(SEGMENTS, _HALTED_WORD) if is_halted else {}
        for fault in self._faults.active(now_ns, "market.phase"):
            words |= {name: str(fault.args["p"]) for name in SEGMENTS if fault.match in name}
        yield from self._exchange.force_status(words)


def _day_and_hours(fault: Fault) -> tuple[date, tuple[tuple[str, str], ...]]:
    return date.fromisoformat(fault.args["day"]), parse_hours(fault.args["hours"])
