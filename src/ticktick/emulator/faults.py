"""Faults on demand: which are ordered, and which act at a moment of market time.

`after` and `for` are market seconds, so a fault begins and ends between the same two frames in
every run. Durations of the wire itself (`rest.delay`, `ws.slow`) are real ones.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S

BAD_VALUES: Final = (
    "zero",
    "nan",
    "inf",
    "1e9",
    "negative_volume",
    "tomorrow",
    "old_trade",
    "volume_restart",
)


class BadFaultError(ValueError):
    """An order that cannot be carried out; the message says what is wrong with it."""


class Parameter(NamedTuple):
    """One argument of a verb: its type is that of the default, None means it must be given."""

    name: str
    default: int | float | str | None
    lowest: float = 0.0
    highest: float = 1e9
    words: tuple[str, ...] = ()


_SHARE = Parameter("share", 1.0, 0.0, 1.0)
VERBS: Final[Mapping[str, tuple[Parameter, ...]]] = {
    "ws.close": (Parameter("code", 1006, 1000, 4999),),
    "ws.rst": (),
    "ws.freeze": (),
    "ws.silence": (),
    "ws.slow": (Parameter("bps", 56_000, 1),),
    "ws.bitflip": (Parameter("bits", 1, 1, 1000), _SHARE),
    "ws.truncate": (_SHARE,),
    "ws.random": (Parameter("bytes", 512, 1, 1 << 23), _SHARE),
    "ws.text": (
        Parameter("text", '{"status":"failed","method":"sub","error":"service unavailable"}'),
        _SHARE,
    ),
    "ws.dup": (Parameter("n", 2, 1, 100),),
    "ws.reorder": (Parameter("n", 8, 2, 100),),
    "ws.replay_old": (),
    "ws.drop_sub": (),
    "ws.burst": (Parameter("x", 10, 2, 1000),),
    "ws.values": (Parameter("kind", "nan", words=BAD_VALUES), _SHARE),
    "rest.status": (Parameter("code", 500, 200, 599), Parameter("body", "")),
    "rest.delay": (Parameter("s", 1.0, 0.0, 600.0),),
    "rest.rst_before_accept": (),
    "rest.hang_after_accept": (),
    "rest.rst_after_accept": (),
    "rest.badjson": (),
    "rest.partial_body": (),
    "rest.empty_list": (),
    "auth.expire": (),
    "clock.skew": (Parameter("s", None, -1e6, 1e6),),
    "market.phase": (
        Parameter(
            "p",
            None,
            words=(
                "PRE_OPEN_START",
                "PRE_OPEN_END",
                "NORMAL_OPEN",
                "NORMAL_CLOSE",
                "CLOSING_START",
                "CLOSING_END",
            ),
        ),
    ),
    "market.halt": (),
    "calendar.set": (Parameter("day", ""), Parameter("hours", "")),
    "instrument.split": (
        Parameter("r", None, 0.1, 20.0),
        Parameter("isin", "new", words=("new", "kept")),
    ),
    "instrument.quiet": (Parameter("book", "moves", words=("moves", "rests")),),
    "instrument.suspend": (),
    "instrument.circuit": (Parameter("side", None, words=("upper", "lower")),),
}
_MOMENTS: Final = ("ws.close", "ws.rst", "auth.expire", "calendar.set", "instrument.split")
_ONCE: Final = ("auth.expire", "calendar.set", "instrument.split")
_BY_MINUTE: Final = ("market.halt", "instrument.quiet", "instrument.suspend", "instrument.circuit")
_MOST_FAULTS = 100


class Fault(Struct, frozen=True):
    """One fault: it acts from `start_ns` until before `end_ns`, or until it is cleared.

    A fault that ends when it starts acts once. `match` is a text that an instrument key of the
    frame or the method and path of the request must contain.
    """

    number: int
    verb: str
    args: Mapping[str, Any]
    start_ns: int
    end_ns: int | None
    match: str
    seed: int

    @property
    def acts_once(self) -> bool:
        """Whether it is over as soon as it has acted."""
        return self.end_ns == self.start_ns

    def acts_at(self, at_ns: int) -> bool:
        """Whether it acts at the moment; one that acts once never does so for a while."""
        return self.start_ns <= at_ns and (self.end_ns is None or at_ns < self.end_ns)


class _Order(Struct, forbid_unknown_fields=True):
    verb: str
    args: dict[str, Any] | list[Any] = {}
    after: float = 0.0
    lasting: float | None = msgspec.field(default=None, name="for")
    match: str = ""
    seed: int = 1


class Faults:
    """All faults ordered and not yet over."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._count = 0

    def order(self, body: bytes, at_ns: int) -> Fault:
        """Take an order in JSON.

        Raises BadFaultError if it cannot be carried out.
        """
        if len(self._faults) >= _MOST_FAULTS:
            raise BadFaultError(f"{_MOST_FAULTS} faults are ordered already; DELETE clears them")
        fault = _fault(_read(body), self._count + 1, at_ns)
        self._count += 1
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget every fault, waiting ones too."""
        self._faults.clear()

    def forget(self, fault: Fault) -> None:
        """Forget one fault."""
        self._faults.remove(fault)

    def told(self, at_ns: int) -> list[dict[str, Any]]:
        """Every fault as `GET /_emu/fault` lists it."""
        return [
            msgspec.to_builtins(fault) | {"active": fault.acts_at(at_ns)} for fault in self._faults
        ]

    def active(self, at_ns: int, *verbs: str) -> list[Fault]:
        """The faults that act at the moment, in the order in which they were given.

        A verb that ends with a dot stands for its whole family.
        """
        return [
            fault
            for fault in self._faults
            if fault.acts_at(at_ns) and any(_is(fault.verb, verb) for verb in verbs)
        ]

    def due(self, at_ns: int) -> Iterator[Fault]:
        """The faults that act once and whose moment has come; what is over is forgotten."""
        for fault in [*self._faults]:
            if fault.end_ns is not None and fault.end_ns <= at_ns:
                self._faults.remove(fault)
                if fault.acts_once:
                    yield fault

    def next_change_ns(self, at_ns: int) -> int | None:
        """The first moment after this one at which a fault begins or ends."""
        edges = [edge for fault in self._faults for edge in (fault.start_ns, fault.end_ns)]
        return min((edge for edge in edges if edge is not None and edge > at_ns), default=None)


def _is(verb: str, wanted: str) -> bool:
    return verb.startswith(wanted) if wanted.endswith(".") else verb == wanted


def _read(body: bytes) -> _Order:
    try:
        return msgspec.json.decode(body, type=_Order)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadFaultError(
            f"a fault is JSON with verb, args, after, for, match and seed: {error}"
        ) from error


def _fault(order: _Order, number: int, at_ns: int) -> Fault:
    parameters = VERBS.get(order.verb)
    if parameters is None:
        raise BadFaultError(f"there is no verb {order.verb!r}; there are {', '.join(VERBS)}")
    if not 0.0 <= order.after <= 1e9:
        raise BadFaultError(f"after must be market seconds from now, was {order.after}")
    if order.lasting is not None and not 0.0 < order.lasting <= 1e9:
        raise BadFaultError(f"for must be market seconds above 0, was {order.lasting}")
    if order.lasting is not None and order.verb in _ONCE:
        raise BadFaultError(f"{order.verb} acts once: leave out for")
    if order.seed < 0:
        raise BadFaultError(f"seed must be 0 or more, was {order.seed}")
    start_ns, end_ns = _span(order, at_ns)
    args = _arguments(order.verb, parameters, order.args)
    return Fault(number, order.verb, args, start_ns, end_ns, order.match, order.seed)


def _span(order: _Order, at_ns: int) -> tuple[int, int | None]:
    start_ns = at_ns + round(order.after * NS_PER_S)
    end_ns = None if order.lasting is None else start_ns + round(order.lasting * NS_PER_S)
    if order.verb in _BY_MINUTE:  # trading stops and starts with a whole minute
        start_ns = _minute_after(start_ns)
        end_ns = None if end_ns is None else max(_minute_after(end_ns), start_ns + NS_PER_MINUTE)
    if end_ns is None and order.verb in _MOMENTS:
        end_ns = start_ns
    return start_ns, end_ns


def _minute_after(at_ns: int) -> int:
    return -(-at_ns // NS_PER_MINUTE) * NS_PER_MINUTE


def _arguments(
    verb: str, parameters: tuple[Parameter, ...], given: dict[str, Any] | list[Any]
) -> dict[str, Any]:
    names = [parameter.name for parameter in parameters]
    if isinstance(given, list):
        if len(given) > len(names):
            raise BadFaultError(f"{verb} takes {len(names)} arguments, got {len(given)}")
        given = dict(zip(names, given, strict=False))
    for name in given:
        if name not in names:
            takes = f"takes {', '.join(names)}" if names else "takes no arguments"
            raise BadFaultError(f"{verb} has no argument {name!r}; it {takes}")
    return {parameter.name: _argument(verb, parameter, given) for parameter in parameters}


def _argument(verb: str, parameter: Parameter, given: dict[str, Any]) -> int | float | str:
    value = given.get(parameter.name, parameter.default)
    if value is None:
        raise BadFaultError(f"{verb} needs its argument {parameter.name}")
    if parameter.words or isinstance(parameter.default, str):
        return _word(verb, parameter, value)
    wish = "a whole number" if isinstance(parameter.default, int) else "a number"
    fits = isinstance(value, int if isinstance(parameter.default, int) else int | float)
    if not fits or isinstance(value, bool) or not parameter.lowest <= value <= parameter.highest:
        bounds = f"from {parameter.lowest:g} to {parameter.highest:g}"
        raise BadFaultError(f"{verb}: {parameter.name} must be {wish} {bounds}, was {value!r}")
    number: int | float = value
    return number


def _word(verb: str, parameter: Parameter, value: Any) -> str:
    if not isinstance(value, str):
        raise BadFaultError(f"{verb}: {parameter.name} must be a text, was {value!r}")
    if parameter.words and value not in parameter.words:
        known = ", ".join(parameter.words)
        raise BadFaultError(f"{verb}: {parameter.name} must be one of {known}; was {value!r}")
    return value
