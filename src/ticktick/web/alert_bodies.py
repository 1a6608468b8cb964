"""The JSON bodies of the routes for alerts."""

from pydantic import BaseModel, ConfigDict, Field

from ticktick.domain.alert import (
    DEFAULT_COOLDOWN_S,
    MOST_COOLDOWN_S,
    Comparison,
    Level,
)
from ticktick.web.alert_parts import AlertLine, ServicesState
from ticktick.web.parts import Mode

MOST_SNOOZE_MINUTES = 24 * 60


class RuleRequest(BaseModel):
    """A rule to keep; `threshold` and `hysteresis` in the unit of the source, or a word.

    Without `hysteresis` the default of the source's unit holds.
    """

    model_config = ConfigDict(extra="forbid")
    symbol: str = Field(min_length=1, max_length=60)
    source: str = Field(min_length=1, max_length=60)
    comparison: Comparison
    threshold: float | str = Field(union_mode="left_to_right")
    hysteresis: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    cooldown_s: int = Field(default=DEFAULT_COOLDOWN_S, ge=0, le=MOST_COOLDOWN_S)
    level: Level = Level.WARNING
    sound: bool = True
    browser: bool = True
    services: bool = False
    muted: bool = False


class RuleAnswer(BaseModel):
    """A rule that is kept; `text` says what it waits for.

    `holds` are the symbols for which it is true at this moment. `is_watched` is false while its
    symbol is on no list. `snoozed_until_ms` is null unless it is snoozed.
    """

    id: int
    text: str
    symbol: str
    source: str
    comparison: Comparison
    threshold: float | str
    unit: str
    hysteresis: float | None
    cooldown_s: int
    level: Level
    sound: bool
    browser: bool
    services: bool
    muted: bool
    snoozed_until_ms: int | None
    is_watched: bool
    holds: list[str]


class AlertsAnswer(BaseModel):
    """The rules that hold, what is wrong with the others, and the services."""

    mode: Mode
    server_time_ms: int
    rules: list[RuleAnswer]
    troubles: list[str]
    services: ServicesState


class SourceAnswer(BaseModel):
    """Something an alert may look at; `words` where it becomes one of them."""

    name: str
    kind: str
    unit: str
    words: list[str]


class SourcesAnswer(BaseModel):
    """Everything an alert may look at."""

    sources: list[SourceAnswer]


class AlertHistoryAnswer(BaseModel):
    """The newest alerts of this run, newest first."""

    mode: Mode
    server_time_ms: int
    alerts: list[AlertLine]


class RuleChangeAnswer(BaseModel):
    """The rule's id, and one sentence that says what happened."""

    id: int
    text: str


class SnoozeRequest(BaseModel):
    """For how many minutes of market time the rule is quiet; 0 wakes it."""

    model_config = ConfigDict(extra="forbid")
    minutes: int = Field(ge=0, le=MOST_SNOOZE_MINUTES)


class SeenRequest(BaseModel):
    """The numbers of the alerts to acknowledge; none for all."""

    model_config = ConfigDict(extra="forbid")
    numbers: list[int] = Field(default=[], max_length=1_000)
