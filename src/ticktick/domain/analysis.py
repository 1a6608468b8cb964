"""What final candles say: readings of indicators, candlestick patterns and their record."""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

Trend = Literal["up", "down", "none"]

BARS_NEEDED: Final = 250


class Reading(Struct, frozen=True, gc=False):
    """The indicators after one final candle.

    `values` holds what is ready, by name; prices in price units. `degenerate` names those whose
    window was flat: their value is neutral and says nothing. With fewer than BARS_NEEDED `bars`
    the values are still `warming`: another start of the history would change them. `withheld` says
    why there are no values although there could be some; empty where nothing is withheld.
    """

    symbol: str
    minutes: int
    start_ns: int
    bars: int
    values: Mapping[str, float]
    degenerate: tuple[str, ...] = ()
    withheld: str = ""

    @property
    def warming(self) -> bool:
        """Whether the history is too short for values that no longer depend on its start."""
        return self.bars < BARS_NEEDED


class Record(Struct, frozen=True, gc=False):
    """How often a close lay in the foretold direction ten candles later.

    `low` and `high` bound the rate with 95 % confidence; `base_rate` is the rate of all candles in
    that direction. All are None where there are too few cases: not enough history.
    """

    cases: int
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    base_rate: float | None = None


class Pattern(Struct, frozen=True, gc=False):
    """One pattern that ended with the candle at `start_ns`; it never changes afterwards.

    `value` is TA-Lib's; `direction` 1, -1 or 0. `shadow_ratio` is the shape's shadow over the
    body (None without a body), `strict` says whether the textbook agrees; both None for shapes
    without such a shadow. `in_context` says whether the trend before it was against it, None for
    what is no reversal or while the trend is not known. `invalidation` is the price beyond which
    it failed, `confirmation` the close that confirms it, in price units, None without direction.
    `revision` rises when a corrected candle makes it anew.
    """

    symbol: str
    minutes: int
    start_ns: int
    name: str
    value: int
    direction: int
    strict: bool | None
    shadow_ratio: float | None
    trend: Trend | None
    in_context: bool | None
    confirmation: int | None
    invalidation: int | None
    record: Record
    revision: int = 0


class Confirmation(Struct, frozen=True, gc=False):
    """Whether the candle after a pattern closed beyond its extreme; `start_ns` is the pattern's."""

    symbol: str
    minutes: int
    start_ns: int
    name: str
    confirmed: bool
