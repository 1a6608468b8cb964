"""What candles say, as messages of the socket: patterns, readings and closes.

Prices are integers in the instrument's price unit, times milliseconds since the Unix epoch, a
value that is not known is null. Rows are JSON arrays: every browser is told of every symbol.
"""

from msgspec import Struct

from ticktick.domain.analysis import Trend


class ListedPattern(Struct, frozen=True, array_like=True):
    """One candlestick pattern with its story: the fields of `/api/v1/patterns`.

    `start_ms` is the start of its last candle. `confirmed` is null until the next candle closed.
    """

    symbol: str
    minutes: int
    start_ms: int
    pattern: str
    revision: int
    value: int
    direction: int
    strict: bool | None
    shadow_body_ratio: float | None
    trend: Trend | None
    in_context: bool | None
    confirmation: int | None
    confirmed: bool | None
    invalidation: int | None
    cases: int
    hit_rate: float | None
    hit_rate_low: float | None
    hit_rate_high: float | None
    base_rate: float | None
    superseded: bool


class Patterns(Struct, frozen=True):
    """Patterns, oldest first; with `is_all` they replace all that was told before."""

    is_all: bool
    patterns: tuple[ListedPattern, ...]


class PatternUpdate(Struct, frozen=True):
    """A pattern was found, judged by the next candle, or superseded by a corrected one."""

    pattern: ListedPattern


class ReadingRow(Struct, frozen=True, array_like=True):
    """Some indicators after a settled candle, null while they are warming.

    `atr_percent` is the average true range in percent of the price. With `is_flat` the window of
    `rsi` did not move: its value is neutral and says nothing. `withheld` says why there are none
    although there could be, else it is empty.
    """

    symbol: str
    minutes: int
    start_ms: int
    rsi: float | None
    is_flat: bool
    atr_percent: float | None
    relative_volume: float | None
    withheld: str


class Readings(Struct, frozen=True):
    """Newest readings by symbol and timeframe; with `is_all` they replace all told before."""

    is_all: bool
    readings: tuple[ReadingRow, ...]


class CloseRow(Struct, frozen=True, array_like=True):
    """The close of a one-minute candle; null where the minute was lost."""

    symbol: str
    start_ms: int
    close: int | None


class Closes(Struct, frozen=True):
    """One-minute closes, oldest first; with `is_all` they replace all that was told before."""

    is_all: bool
    closes: tuple[CloseRow, ...]
