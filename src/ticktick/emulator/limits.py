"""The documented limits: sockets, keys by mode, requests in three windows, hours of funds."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S, at_ist, ist_day
from ticktick.emulator.answers import Refused, Request
from ticktick.emulator.modes import DEEP_MODE
from ticktick.emulator.switches import Switches

_WINDOWS: Final = ((NS_PER_S, 50), (NS_PER_MINUTE, 500), (30 * NS_PER_MINUTE, 2000))
_CLOSED_AT_NIGHT: Final = ("/v2/user/get-funds-and-margin", "/v3/user/get-funds-and-margin")


class _Keys(NamedTuple):
    """Most keys of a mode on one connection: alone, and of all modes when several are in use."""

    alone: int
    mixed: int


_KEYS: Final[Mapping[str, _Keys]] = {
    "ltpc": _Keys(5000, 2000),
    "option_greeks": _Keys(3000, 2000),
    "full": _Keys(2000, 1500),
    DEEP_MODE: _Keys(50, 1500),
}


def most_sockets(switches: Switches) -> int:
    """Sockets of the market feed that one user may hold."""
    if switches.is_on("feed.one_socket"):
        return 1
    return 5 if switches.is_on("account.plus") else 2


def admitted(modes: Mapping[str, str], keys: Iterable[str], mode: str, plus: bool) -> list[str]:
    """Those of the keys that a connection may have in the mode; `modes` is what it has.

    Where several modes are in use, all keys together stay within the smallest of their figures.
    """
    if mode == DEEP_MODE and not plus:
        return []
    held, taken = Counter(modes.values()), dict(modes)
    found = []
    for key in keys:
        before = taken.get(key)
        counts = held.copy() if before is None else held - Counter([before])
        counts[mode] += 1
        if _fits(counts):
            held, taken[key] = counts, mode
            found.append(key)
    return found


def check_hour(path: str, at_ns: int) -> None:
    """Raise Refused for what the broker closes from 00:00 to 05:30."""
    if path in _CLOSED_AT_NIGHT and at_ns < at_ist(ist_day(at_ns), 5, 30):
        raise Refused("UDAPI100072", "The service is available from 5:30 AM to 12 AM", 423)


class RequestLimits:
    """Requests of one user by API: 50 a second, 500 a minute, 2000 in half an hour.

    Its time passes as fast as the faster of real and market time, so a market that stands
    still and one that races are both limited as documented.
    """

    def __init__(self) -> None:
        self._seen_ns: tuple[int, int] | None = None
        self._now_ns = 0
        self._taken: dict[str, deque[int]] = {}

    def check(self, api: str, request: Request, market_ns: int) -> None:
        """Count a request that arrived over a socket; raise Refused if it is one too many."""
        if request.arrived_ns is None:
            return
        self._pass(request.arrived_ns, market_ns)
        taken = self._taken.setdefault(api, deque(maxlen=_WINDOWS[-1][1]))
        for window_ns, most in _WINDOWS:
            if len(taken) >= most and taken[-most] > self._now_ns - window_ns:
                raise Refused("UDAPI10005", "Too Many Request Sent", 429)
        taken.append(self._now_ns)

    def _pass(self, real_ns: int, market_ns: int) -> None:
        if self._seen_ns is not None:
            real, market = self._seen_ns
            self._now_ns += max(real_ns - real, market_ns - market, 0)
        self._seen_ns = (real_ns, market_ns)


def _fits(counts: Counter[str]) -> bool:
    if any(count > _KEYS[mode].alone for mode, count in counts.items()):
        return False
    in_use = [mode for mode, count in counts.items() if count]
    return len(in_use) == 1 or counts.total() <= min(_KEYS[mode].mixed for mode in in_use)
