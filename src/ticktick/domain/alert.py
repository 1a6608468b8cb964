"""What a trader wants to be told of: the rules of alerts."""

from enum import StrEnum
from math import isfinite
from typing import Final

from msgspec import Struct

EVERY_SYMBOL: Final = "*"
DEFAULT_COOLDOWN_S: Final = 60
MOST_COOLDOWN_S: Final = 86_400
MOST_RULES: Final = 1_000
MOST_ID: Final = 1_000_000_000


class Comparison(StrEnum):
    """How a value is held against the threshold.

    `above` and `below` hold as long as the value lies strictly beyond it; `crosses` is the moment
    at which the value, coming from either side, reaches it; `becomes` is for words.
    """

    ABOVE = "above"
    BELOW = "below"
    CROSSES = "crosses"
    BECOMES = "becomes"


class Level(StrEnum):
    """How much an alert matters to the trader."""

    INFO = "info"
    WARNING = "warning"
    URGENT = "urgent"


class Rule(Struct, frozen=True, omit_defaults=True):
    """One wish to be told: of which symbol, what, and when.

    `symbol` is a trading symbol, or `*` for each one on the watchlist. `source` names what is
    looked at, `threshold` is in the trader's units (rupees, percent, ...) or a word for `becomes`.
    A value must come back by `hysteresis`, in the same units, before the rule is raised again,
    None for the default of its unit; nor is it raised again within `cooldown_s` seconds of
    market time. `sound`, `browser` and `services` say where it is told besides the log and the
    page. A rule that is `muted` is not looked at; one that is snoozed is not raised before that
    moment.
    Raises ValueError, saying what was found and what is expected, for values of another form.
    """

    id: int
    symbol: str
    source: str
    comparison: Comparison
    threshold: float | str
    hysteresis: float | None = None
    cooldown_s: int = DEFAULT_COOLDOWN_S
    level: Level = Level.WARNING
    sound: bool = True
    browser: bool = True
    services: bool = False
    muted: bool = False
    snoozed_until_ns: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.id <= MOST_ID:
            raise ValueError(f"id is {self.id}, expected a whole number from 1 to {MOST_ID}")
        if isinstance(self.threshold, float) and not isfinite(self.threshold):
            raise ValueError(f"threshold is {self.threshold}, expected a number")
        if self.hysteresis is not None and not 0 <= self.hysteresis < float("inf"):
            raise ValueError(f"hysteresis is {self.hysteresis}, expected a number from 0")
        if not 0 <= self.cooldown_s <= MOST_COOLDOWN_S:
            raise ValueError(
                f"cooldown_s is {self.cooldown_s}, expected seconds from 0 to {MOST_COOLDOWN_S}"
            )

    @property
    def condition(self) -> tuple[object, ...]:
        """What it looks at and how: two rules that differ here share no past."""
        return self.id, self.symbol, self.source, self.comparison, self.threshold, self.hysteresis


class Told(Struct, frozen=True):
    """The newest alert of a rule and symbol, and whether what it told still held when last seen."""

    rule: Rule
    symbol: str
    number: int
    raised_ns: int
    holds: bool
