"""Faults of account, clock and market, applied to an exchange as its time passes."""

from collections.abc import Iterator
from datetime import date

from ticktick.domain.clock import NS_PER_S
from ticktick.emulator.calendar import parse_hours
from ticktick.emulator.exchange import Exchange
from ticktick.emulator.faults import BadFaultError, Fault, Faults
from ticktick.emulator.feed import FeedConnection
from ticktick.emulator.register import Hold
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
            elif fault.verb.startswith("instrument."):
                self._exchange.symbol_of(fault.match)
        except (LookupError, ValueError) as error:
            raise BadFaultError(f"{fault.verb}: {error}") from error

    def act(self, fault: Fault) -> Iterator[tuple[FeedConnection, bytes]]:
        """Do what acts once; yields what the feed tells of it."""
        if fault.verb == "auth.expire":
            self._exchange.login.expire()
        elif fault.verb == "calendar.set":
            yield from self._exchange.set_hours(*_day_and_hours(fault))
        elif fault.verb == "instrument.split":
            symbol = self._exchange.symbol_of(fault.match)
            self._exchange.split(symbol, float(fault.args["r"]), fault.args["isin"] == "new")

    def hold(self) -> Iterator[tuple[FeedConnection, bytes]]:
        """Keep the market in the state that the active faults ask for; yields status frames."""
        now_ns = self._exchange.now_ns
        is_halted = bool(self._faults.active(now_ns, "market.halt"))
        if is_halted != self._exchange.is_halted:
            self._exchange.halt(is_halted)
        self._exchange.hold(self._holds(now_ns))
        words = dict.fromkeys(SEGMENTS, _HALTED_WORD) if is_halted else {}
        for fault in self._faults.active(now_ns, "market.phase"):
            words |= {name: str(fault.args["p"]) for name in SEGMENTS if fault.match in name}
        yield from self._exchange.force_status(words)

    def _holds(self, now_ns: int) -> dict[str, frozenset[Hold]]:
        found: dict[str, frozenset[Hold]] = {}
        for fault in self._faults.active(now_ns, "instrument."):
            symbol = self._exchange.symbol_of(fault.match)
            found[symbol] = found.get(symbol, frozenset()) | _held(fault)
        return found


def _day_and_hours(fault: Fault) -> tuple[date, tuple[tuple[str, str], ...]]:
    return date.fromisoformat(fault.args["day"]), parse_hours(fault.args["hours"])


def _held(fault: Fault) -> set[Hold]:
    """What a fault of one stock holds back."""
    match fault.verb:
        case "instrument.quiet":
            rests = fault.args["book"] == "rests"
            return {Hold.TRADES, Hold.BOOK} if rests else {Hold.TRADES}
        case "instrument.suspend":
            return {Hold.LISTING}
        case "instrument.circuit":
            return {Hold(fault.args["side"])}
    return set()
