"""Names, labels and retention of everything in Redis (docs/reference/redis-keys.md)."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from msgspec import Struct

from ticktick.domain.market import timeframe_name
from ticktick.domain.metric import METRICS

CANDLE_DATABASE: Final = 0
TICK_DATABASE: Final = 1
ANALYSIS_DATABASE: Final = 2
OWNER_KEY: Final = "ticktick:market"  # in the database of candles: whose prices these are

CANDLE_FIELDS: Final = {
    "open": "rupees",
    "high": "rupees",
    "low": "rupees",
    "close": "rupees",
    "volume": "shares",
    "oi": "contracts",
}
MANY_SYMBOLS: Final = 50

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_UNITS = {"price": "rupees"}
_TICK_UNITS: Final = {m.name: _UNITS.get(m.unit, m.unit) for m in METRICS} | {
    "last_price": "rupees"
}
# Calendar days that hold 300 candles of each timeframe, with holidays to spare; one-minute
# candles: 60 sessions, or 5 sessions of many symbols.
_CANDLE_DAYS_FEW = dict.fromkeys((1, 3, 5, 10, 15, 60), 95)
_CANDLE_DAYS_MANY = {1: 10, 3: 10, 5: 12, 10: 18, 15: 26, 60: 80}


class Family(Struct, frozen=True):
    """Values that share their times: the ticks of a symbol, or its candles of one timeframe.

    `key` is the plain encoding's key; `keys` maps each field to its time series, `units` to its
    unit, `retention_ms` to how far back it goes from its newest sample (the plain encoding keeps
    all fields as long as the longest). `whose` are the labels of all its series. A `daily` family
    is overwritten in place, the other only grows.
    """

    key: str
    keys: Mapping[str, str]
    whose: tuple[str, ...]
    units: Mapping[str, str]
    retention_ms: Mapping[str, int]
    daily: bool

    def labels(self, name: str) -> tuple[str, ...]:
        """What the time series of a field carries."""
        return (*self.whose, "metric", name, "unit", self.units[name])


@cache
def tick_price(symbol: str) -> str:
    """Series of the last price."""
    return f"symbol:{symbol}"


@cache
def tick_latest(symbol: str) -> str:
    """Hash of the latest row."""
    return f"tick:{symbol}"


@cache
def candle_latest(symbol: str, minutes: int) -> str:
    """Hash of the latest candle; the series and day hashes are named after it."""
    return f"candle:{symbol}:{timeframe_name(minutes)}"


@cache
def indicators_latest(symbol: str) -> str:
    """Hash of the indicators of all timeframes; fields `5m:rsi_14`."""
    return f"indicators:{symbol}"


ALERTS_STREAM: Final = "alerts"
"""Stream of what was raised and what holds no more, of all symbols."""


@cache
def patterns_stream(symbol: str) -> str:
    """Stream of what was said about candlestick patterns."""
    return f"patterns:{symbol}"


def crossings_stream(symbol: str) -> str:
    """Where the price crossed its VWAP."""
    return f"crossings:{symbol}"


def tick_family(symbol: str, *, many: bool) -> Family:
    """Metrics and last price of a symbol, in this order."""
    key = tick_price(symbol)
    return Family(
        key=key,
        keys={name: f"{key}:{name}" for name in _TICK_UNITS} | {"last_price": key},
        whose=("symbol", symbol),
        units=_TICK_UNITS,
        retention_ms=_tick_retention_ms(many=many),
        daily=False,
    )


def candle_family(symbol: str, minutes: int, *, many: bool) -> Family:
    """Candles of a symbol and timeframe."""
    key = candle_latest(symbol, minutes)
    return Family(
        key=key,
        keys={name: f"{key}:{name}" for name in CANDLE_FIELDS},
        whose=("symbol", symbol, "timeframe", timeframe_name(minutes)),
        units=CANDLE_FIELDS,
        retention_ms=_candle_retention_ms(minutes, many=many),
        daily=True,
    )


@cache
def _tick_retention_ms(*, many: bool) -> Mapping[str, int]:
    metric_ms = _HOUR_MS if many else _DAY_MS
    return dict.fromkeys(_TICK_UNITS, metric_ms) | {"last_price": _DAY_MS}


@cache
def _candle_retention_ms(minutes: int, *, many: bool) -> Mapping[str, int]:
    days = (_CANDLE_DAYS_MANY if many else _CANDLE_DAYS_FEW)[minutes]
    return dict.fromkeys(CANDLE_FIELDS, days * _DAY_MS)
