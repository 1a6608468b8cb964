"""How far a clock is from the exchange's, as the exchange's own words bound it."""

from statistics import median
from typing import Final

from msgspec import Struct

from ticktick.domain.clock import NS_PER_S

# two clocks part by this much: the worst a machine was seen to do is a second in a minute
_DRIFT: Final = 0.02
_WINDOW_NS: Final = NS_PER_S
_LEAST_FRAMES: Final = 3
_MOST_FRAMES: Final = 64


class Bounds(Struct, frozen=True):
    """The exchange's time minus the clock's lies between these."""

    low_ns: float
    high_ns: float

    @property
    def middle_ns(self) -> int:
        """The best guess."""
        return round((self.low_ns + self.high_ns) / 2)

    def __contains__(self, error_ns: float) -> bool:
        return self.low_ns <= error_ns <= self.high_ns

    def widened(self, by_ns: float) -> "Bounds":
        """The same after the clocks could part by so much."""
        return Bounds(self.low_ns - by_ns, self.high_ns + by_ns)

    def shifted(self, by_ns: int) -> "Bounds":
        """The same seen from a clock that is set ahead by so much."""
        return Bounds(self.low_ns - by_ns, self.high_ns - by_ns)

    def within(self, other: "Bounds") -> "Bounds | None":
        """What both allow, if there is anything."""
        low_ns, high_ns = max(self.low_ns, other.low_ns), min(self.high_ns, other.high_ns)
        return Bounds(low_ns, high_ns) if low_ns <= high_ns else None


class ClockCheck:
    """Judges a clock and says by how much to set it ahead.

    An answer's `Date` (whole seconds) bounds the exchange's time from both sides. A frame bounds
    it from below alone: it cannot come from the future, but it may be late for any reason, and
    a late feed is no wrong clock. While the clock is within the bounds it is left alone. What
    contradicts them counts only when it is said twice. All times are readings of the clock that
    is judged; whoever sets it by what was returned goes on with its new readings.
    """

    def __init__(self) -> None:
        self._bounds: Bounds | None = None
        self._doubt: Bounds | None = None
        self._at_ns = 0
        self._lags: list[int] = []
        self._window_ns = 0

    @property
    def is_doubtful(self) -> bool:
        """Whether an answer contradicted what was known, and another one must decide."""
        return self._doubt is not None

    @property
    def width_ns(self) -> float | None:
        """How far the bounds lie apart, None before the first answer."""
        return None if self._bounds is None else self._bounds.high_ns - self._bounds.low_ns

    def dated(self, asked_ns: int, answered_ns: int, date_ns: int) -> int:
        """Hear the `Date` of an answer; return the nanoseconds to set the clock ahead by."""
        told = Bounds(date_ns - answered_ns, date_ns + NS_PER_S - asked_ns)
        self._grow_older(answered_ns)
        known = self._bounds
        if known is None and 0.0 in told:  # the clock itself is the other witness
            known = told
        agreed = None if known is None else known.within(told)
        if agreed is None and self._doubt is not None:
            agreed = self._doubt.within(told)
        self._doubt = told if agreed is None else None
        return 0 if agreed is None else self._settle(agreed)

    def framed(self, sent_ns: int, received_ns: int) -> int:
        """Hear a frame's own time; return the nanoseconds to set the clock ahead by."""
        if not self._lags:
            self._window_ns = received_ns
        if len(self._lags) < _MOST_FRAMES:
            self._lags.append(received_ns - sent_ns)
        if received_ns - self._window_ns < _WINDOW_NS or len(self._lags) < _LEAST_FRAMES:
            return 0
        lag_ns = median(self._lags)  # one mad frame moves nothing
        self._lags.clear()
        self._grow_older(received_ns)
        known = self._bounds
        agreed = None if known is None else known.within(Bounds(-lag_ns, known.high_ns))
        return 0 if agreed is None else self._settle(agreed)

    def _grow_older(self, now_ns: int) -> None:
        drift_ns = max(now_ns - self._at_ns, 0) * _DRIFT
        self._at_ns = now_ns
        self._bounds = None if self._bounds is None else self._bounds.widened(drift_ns)
        self._doubt = None if self._doubt is None else self._doubt.widened(drift_ns)

    def _settle(self, bounds: Bounds) -> int:
        ahead_ns = 0 if 0.0 in bounds else bounds.middle_ns
        self._bounds = bounds.shifted(ahead_ns)
        if ahead_ns:
            self._at_ns += ahead_ns
            self._lags.clear()
        return ahead_ns
