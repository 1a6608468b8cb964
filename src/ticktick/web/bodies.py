"""Every body of the REST API: prices in rupees, times in milliseconds since the Unix epoch.

A value that is not known is null, never 0.
"""

from datetime import date
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ticktick.domain.market import CandleState, Freshness, Liquidity, Volatility
from ticktick.domain.metric import METRICS
from ticktick.domain.sessions import Phase
from ticktick.web.parts import FeedState, Health, Mode, PartState, PhaseState, TokenStatus


class HealthAnswer(BaseModel):
    """The server answers."""

    ok: bool


class SessionRequest(BaseModel):
    """The one-time code of the start link."""

    model_config = ConfigDict(extra="forbid")
    code: str = Field(max_length=200)


class SessionAnswer(BaseModel):
    """What the page sends back in `X-Ticktick-Csrf` with every POST."""

    csrf: str


class Empty(BaseModel):
    """A body without content: `{}`."""

    model_config = ConfigDict(extra="forbid")


class SocketCodeAnswer(BaseModel):
    """Opens one socket within 30 seconds."""

    code: str


class StartCodeAnswer(BaseModel):
    """Opens one session within ten minutes, as `/#code=` behind the address of the page."""

    code: str


class ErrorAnswer(BaseModel):
    """One plain sentence; `error_id` is searchable in the log."""

    error: str
    error_id: str


class RupeeLevel(NamedTuple):
    """One level of the book as a JSON array, price in rupees."""

    price: float
    quantity: int


class RupeeAuction(BaseModel):
    """What an auction would come to if it ended now, prices in rupees; null is not known.

    More than 0 left over is to buy, less than 0 to sell; `left_over_at_market` has no limit.
    """

    price: float | None
    quantity: int | None
    left_over: int | None
    left_over_at_market: int | None
    reference_price: float | None


def _with_metrics(schema: dict[str, Any]) -> None:
    """Name every metric in the schema of a symbol."""
    number = {"anyOf": [{"type": "number"}, {"type": "null"}]}
    for metric in METRICS:
        if metric.name in schema["properties"]:
            continue
        schema["properties"][metric.name] = {**number, "description": metric.help}
        schema["required"].append(metric.name)


class SymbolStatus(BaseModel):
    """One symbol and its metrics, prices in rupees; null is not known.

    `change_fraction` 0.01 is one percent.

    `received_ms` and `seq` are when and as which frame of the feed its last packet was read.
    `warm`: the time windows of its metrics are full since the last gap. A flag's `_baseline` says
    whether it was judged against what is usual at this time of day, or by fixed limits alone.
    `bids` and `asks` are up to five levels, best first; an empty level is left out. `auction` is
    null outside of one. Every metric is a field of its own.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra=_with_metrics)
    __pydantic_extra__: dict[str, float | None]
    symbol: str
    name: str
    freshness: Freshness
    phase: Phase
    last_price: float | None
    age_ms: int | None
    exchange_ms: int | None
    received_ms: int | None
    seq: int | None
    last_trade_ms: int | None
    previous_close: float | None
    change: float | None
    change_fraction: float | None
    bid: float | None
    ask: float | None
    bids: list[RupeeLevel]
    asks: list[RupeeLevel]
    auction: RupeeAuction | None
    liquidity: Liquidity | None
    liquidity_baseline: bool | None
    volatility: Volatility | None
    volatility_baseline: bool | None
    warm: bool
    day_high: float | None
    day_low: float | None
    volume: int | None


class StatusAnswer(BaseModel):
    """The whole state at one moment of market time; `indices` are followed, not watched."""

    mode: Mode
    server_time_ms: int
    rate: float
    phases: dict[str, PhaseState]
    feed: FeedState
    health: Health
    token: TokenStatus
    store: PartState
    recording: PartState
    clients: int
    counters: dict[str, int]
    symbols: list[SymbolStatus]
    indices: list[SymbolStatus]


class SymbolAnswer(BaseModel):
    """One instrument; `tick_size` in rupees."""

    symbol: str
    name: str
    exchange: str
    segment: str
    kind: str
    tick_size: float
    lot_size: int
    has_volume: bool


class SymbolsAnswer(BaseModel):
    """All instruments that are watched."""

    mode: Mode
    server_time_ms: int
    symbols: list[SymbolAnswer]


class WindowRow(BaseModel):
    """One update, prices in rupees, times in India; null was not told, or is none of an index.

    `volume` is the day's, `volume_delta` what this update added; `bid_quantity_5` and
    `ask_quantity_5` are quantities of five levels. `is_quote`: bid and ask stood.
    """

    exchange_time: str
    exchange_ms: int
    last_trade_time: str | None
    last_price: float | None
    volume: int | None
    volume_delta: int | None
    average_price: float | None
    bid: float | None
    bid_quantity: int | None
    ask: float | None
    ask_quantity: int | None
    bid_quantity_5: int | None
    ask_quantity_5: int | None
    is_quote: bool


class WindowAnswer(BaseModel):
    """The last 300 updates of a symbol since the last gap, oldest first."""

    mode: Mode
    server_time_ms: int
    symbol: str
    tick_size: float
    rows: list[WindowRow]


class CandleAnswer(BaseModel):
    """One candle, prices in rupees; a missing one has neither prices nor volume."""

    start_ms: int
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: int | None
    state: CandleState
    confirmed: bool
    revision: int


class CandlesAnswer(BaseModel):
    """Closed candles oldest first, then the forming one if there is one."""

    mode: Mode
    server_time_ms: int
    symbol: str
    minutes: int
    candles: list[CandleAnswer]


class AddRequest(BaseModel):
    """What to watch, by trading symbol or instrument key, what to call it, and before which."""

    model_config = ConfigDict(extra="forbid")
    what: str = Field(min_length=1, max_length=100)
    name: str | None = Field(default=None, min_length=1, max_length=100)
    before: str | None = Field(default=None, min_length=1, max_length=100)


class ChangeAnswer(BaseModel):
    """One sentence that says what happened."""

    text: str


class FoundSymbol(BaseModel):
    """An instrument of the broker's list; `strike` is rupees, expiry and strike of derivatives."""

    symbol: str
    name: str
    instrument_key: str
    exchange: str
    kind: str
    lot_size: int
    is_watched: bool
    expiry: date | None
    strike: float | None


class SearchAnswer(BaseModel):
    """The best of the instruments found, and how many there are in all."""

    found: list[FoundSymbol]
    total: int


class IndicatorsAnswer(BaseModel):
    """Indicators by timeframe: after the newest settled candle, and of the forming one.

    Each is an object with `timeframe`, `start`, every name (null is not ready), `bars`, `warming`
    and `degenerate`.
    """

    mode: Mode
    server_time_ms: int
    symbol: str
    readings: list[dict[str, Any]]
    forming: list[dict[str, Any]]


class PatternsAnswer(BaseModel):
    """Candlestick patterns of the day, newest first; prices in rupees."""

    mode: Mode
    server_time_ms: int
    patterns: list[dict[str, Any]]
