"""The messages that draw indicators and patterns over the candles of the viewed chart.

Prices are in the instrument's price unit and not always whole; what is not ready is null.
"""

from msgspec import Struct

from ticktick.web.insights import ListedPattern


class Studies(Struct, frozen=True, tag="studies", forbid_unknown_fields=True):
    """A browser's wish: the indicators its chart draws, and whether it shows patterns."""

    names: tuple[str, ...]
    patterns: bool


class SeriesRow(Struct, frozen=True, array_like=True):
    """The indicators of one candle as a JSON array, in the order of the names.

    `bars` is how many candles went into them. Those that are `degenerate` had a flat window:
    their value is neutral and says nothing. `withheld` says why there are none, else it is empty.
    """

    start_ms: int
    bars: int
    values: tuple[float | None, ...]
    degenerate: tuple[str, ...]
    withheld: str


class Series(Struct, frozen=True):
    """Indicators of every settled candle of the chart, oldest first, and its valid patterns.

    Below `bars_needed` bars a value is warming: another start of the history would change it.
    """

    symbol: str
    minutes: int
    names: tuple[str, ...]
    bars_needed: int
    rows: tuple[SeriesRow, ...]
    patterns: tuple[ListedPattern, ...]


class SeriesUpdate(Struct, frozen=True):
    """The indicators of the candle that settled last (null: nothing new), and as the next forms.

    The order of the values is that of the `series` before.
    """

    symbol: str
    minutes: int
    settled: SeriesRow | None
    forming: SeriesRow | None
