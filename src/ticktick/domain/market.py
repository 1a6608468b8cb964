"""What the market did: candles, freshness and the words for them."""

from enum import StrEnum

from msgspec import Struct

from ticktick.domain.clock import NS_PER_MINUTE

TIMEFRAMES = (1, 3, 5, 10, 15, 60)


def timeframe_name(minutes: int) -> str:
    """The name people and keys use: `5m`."""
    return f"{minutes}m"


class CandleState(StrEnum):
    """How far a candle can be trusted."""

    FORMING = "forming"
    PROVISIONAL = "provisional"
    FINAL = "final"
    BACKFILLED = "backfilled"
    MISSING = "missing"


class Freshness(StrEnum):
    """How old a value may be, in the order in which the rules are asked."""

    UNKNOWN = "unknown"
    STALE = "stale"
    GAP = "gap"
    CLOSED = "closed"
    FRESH = "fresh"
    QUIET = "quiet"

    def when_late(self) -> "Freshness":
        """What the word is worth from an engine that lags: nothing it says is timely."""
        return Freshness.STALE if self in (Freshness.FRESH, Freshness.QUIET) else self


class Liquidity(StrEnum):
    """How easily an order of the intended size is filled, from good to bad."""

    LIQUID = "LIQUID"
    THIN = "THIN"
    ILLIQUID = "ILLIQUID"
    NO_QUOTE = "NO_QUOTE"


class Volatility(StrEnum):
    """How much the price moves against what is usual at that time of day."""

    LOW = "LOW"
    NORMAL = "NORMAL"
    HIGH = "HIGH"
    EXTREME = "EXTREME"
    UNKNOWN = "UNKNOWN"


class Candle(Struct, frozen=True, gc=False):
    """One candle of one instrument and timeframe.

    Prices are integers in the instrument's price unit and never zero; volume is shares and may
    be zero; `start_ns` labels the candle; `open_interest` is 0 where there is none.
    `confirmed` says whether the broker's own candle was seen. `revision` rises with each
    correction after the candle first became final.
    """

    symbol: str
    minutes: int
    start_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    open_interest: int = 0
    state: CandleState = CandleState.FINAL
    confirmed: bool = True
    revision: int = 0

    @property
    def end_ns(self) -> int:
        """First moment after the candle, if its session runs that long."""
        return self.start_ns + self.minutes * NS_PER_MINUTE


class Minutes(Struct, frozen=True):
    """Finished one-minute candles of one symbol as the broker told them, oldest first.

    Of `span` [from, until) they are all that it has; (0, 0) claims nothing.
    """

    candles: tuple[Candle, ...]
    span: tuple[int, int] = (0, 0)


class QuarterHour(Struct, frozen=True, array_like=True, gc=False):
    """What a quarter of an hour of continuous trading was like for one symbol.

    `day` counts days since 1 January 1970 in India, `minute` is its start as minutes of the day.
    The medians of spread (basis points of the mid) and of the 300 s volatility (basis points per
    square root of a minute) are None where less than half of it was seen.
    """

    symbol: str
    day: int
    minute: int
    spread_bps: float | None
    rv: float | None
