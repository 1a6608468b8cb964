"""Alerts as messages of the socket and answers of the API.

Values and thresholds are in the trader's units: rupees, percent, or a word. Times are milliseconds
since the Unix epoch.
"""

from dataclasses import dataclass

from ticktick.domain.alert import Comparison, Level
from ticktick.web.parts import StoreState


@dataclass(frozen=True)
class AlertLine:
    """An alert that was raised; `text` says it in a sentence.

    `number` counts the alerts of a run. `exchange_ms` is when the value was true and `age_ms` how
    old it was then. `cleared_ms` is null while it holds, and of a moment for ever. `sound` and
    `browser` say how the page tells it.
    """

    number: int
    rule_id: int
    at_ms: int
    level: Level
    symbol: str
    source: str
    comparison: Comparison
    value: float | str
    threshold: float | str
    unit: str
    direction: int
    text: str
    exchange_ms: int
    age_ms: int
    sound: bool
    browser: bool
    cleared_ms: int | None = None
    acknowledged: bool = False


@dataclass(frozen=True)
class AlertEnd:
    """The alert of that number holds no more."""

    number: int
    cleared_ms: int


@dataclass(frozen=True)
class AlertsSeen:
    """Somebody acknowledged these alerts."""

    numbers: tuple[int, ...]


@dataclass(frozen=True)
class RulesUpdate:
    """Other rules hold from now on, so many: `GET /api/v1/alerts` tells them."""

    rules: int


@dataclass(frozen=True)
class ServicesState:
    """The services that alerts are sent to, such as Telegram or mail; `text` is a sentence.

    `names` say which, without their secrets. `failed` messages did not arrive after every attempt,
    `dropped` ones were never tried because too many waited.
    """

    state: StoreState
    text: str
    names: tuple[str, ...] = ()
    sent: int = 0
    failed: int = 0
    dropped: int = 0
    waiting: int = 0
