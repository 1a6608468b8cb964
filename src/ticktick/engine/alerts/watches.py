"""Which rule waits on which symbol, and whether what it sees there raises an alert."""

from msgspec import Struct

from ticktick.domain.alert import Comparison, Rule, Told
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import AlertCleared, AlertRaised
from ticktick.domain.instrument import Instrument
from ticktick.engine.alerts.sources import Source
from ticktick.engine.alerts.trigger import RAISING, Outcome, State, calm, crossing, level

_DIRECTION = {Outcome.ROSE: 1, Outcome.FELL: -1}
_HALF = 0.5  # a word is 1 where it is so, 0 where it is not


class Seen(Struct, frozen=True, gc=False):
    """A value in the engine's units, and when it was true."""

    value: float
    exchange_ns: int
    at_ns: int


class Watch(Struct):
    """One rule on one symbol: where its value was last, and when it was raised last.

    `x = sign * value` is held against `threshold`, both in the engine's units; `code` is that of
    the word waited for, None for numbers. `row` is -1 for the feed.
    """

    rule: Rule
    source: Source
    symbol: str
    row: int
    scale: float
    sign: float
    threshold: float
    hysteresis: float
    code: int | None = None
    state: State = State.UNKNOWN
    raised_ns: int = 0
    number: int = 0

    @property
    def calm(self) -> tuple[float, float]:
        """The x (low, high] at which nothing happens."""
        return calm(self.state, self.threshold, self.hysteresis)

    def may_raise(self, at_ns: int) -> bool:
        """Whether neither cool-down nor snooze forbid it."""
        is_cool = not self.number or at_ns >= self.raised_ns + self.rule.cooldown_s * NS_PER_S
        return is_cool and at_ns >= self.rule.snoozed_until_ns

    def x(self, value: float) -> float:
        """The value as it is held against the threshold."""
        return float(value == self.code) if self.code is not None else self.sign * value

    def take(self, seen: Seen, number: int) -> AlertRaised | AlertCleared | None:
        """Hold one value that is known against the rule; `number` is that of a new alert.

        A level that may not be raised yet waits; a crossing that may not is passed over.
        """
        is_moment = self.rule.comparison is Comparison.CROSSES
        step = crossing if is_moment else level
        state, outcome = step(self.state, self.x(seen.value), self.threshold, self.hysteresis)
        if outcome in RAISING and self._is_first_word:
            outcome = Outcome.NOTHING
        if outcome in RAISING and not self.may_raise(seen.at_ns):
            self.state = state if is_moment else self.state
            return None
        self.state = state
        if outcome in RAISING:
            return self.raise_(seen, number, _DIRECTION.get(outcome, 0))
        return self._cleared(seen) if outcome is Outcome.CLEARED else None

    def note(self, value: float) -> None:
        """Know a state that nobody need be told of, where none was known."""
        if self.state is State.UNKNOWN:
            self.state = level(self.state, self.x(value), self.threshold, self.hysteresis)[0]

    @property
    def told(self) -> Told | None:
        """Its newest alert, for whoever begins where it ends."""
        if not self.number:
            return None
        holds = self.state is State.ON
        return Told(self.rule, self.symbol, self.number, self.raised_ns, holds)

    def remember(self, told: Told) -> None:
        """Begin where another watch on the same ended."""
        self.number, self.raised_ns = told.number, told.raised_ns
        if told.holds:
            self.state = State.ON

    def raise_(self, seen: Seen, number: int, direction: int, name: str = "") -> AlertRaised:
        """Raise the alert; `name` is the pattern's."""
        self.raised_ns, self.number = seen.at_ns, number
        told = name or self._told(seen.value)
        return AlertRaised(
            seen.at_ns, number, self.rule, self.symbol, told, seen.exchange_ns, direction, name
        )

    @property
    def _is_first_word(self) -> bool:
        """Whether nothing else was seen before, so that nothing became anything."""
        return self.code is not None and self.state is State.UNKNOWN

    def _cleared(self, seen: Seen) -> AlertCleared | None:
        if not self.number:
            return None
        told = self._told(seen.value)
        return AlertCleared(seen.at_ns, self.number, self.rule.id, self.symbol, told)

    def _told(self, value: float) -> float | str:
        return self.source.words[int(value)] if self.source.words else value / self.scale


def watch_of(rule: Rule, source: Source, symbol: str, row: int, one: Instrument | None) -> Watch:
    """The rule on one instrument, None for the feed; nothing was seen yet."""
    if source.words:
        code = source.words.index(str(rule.threshold))
        return Watch(rule, source, symbol, row, 1.0, 1.0, _HALF, 0.0, code)
    price_scale, tick = (1, 0) if one is None else (one.price_scale, one.tick_size)
    scale, threshold = source.scale(price_scale), float(rule.threshold)
    back = rule.hysteresis
    if back is None:
        back = source.hysteresis(threshold, tick / price_scale)
    sign = -1.0 if rule.comparison is Comparison.BELOW else 1.0
    # what is written in rupees stands for whole price units: 2500.35 is 250035, not a bit less
    return Watch(
        rule, source, symbol, row, scale, sign, sign * round(threshold * scale, 9), back * scale
    )
