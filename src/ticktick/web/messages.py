"""Every message between this server and a browser; the page's types are generated from here.

On the socket prices are integers in the instrument's price unit and times are milliseconds since
the Unix epoch. REST bodies carry rupees. A value that is not known is null, never 0.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from ticktick.domain.market import CandleState, Freshness
from ticktick.domain.sessions import Phase

PROTOCOL_VERSION = 1

Mode: TypeAlias = Literal["DEMO", "VIEW", "PAPER", "LIVE", "REPLAY"]
TokenState: TypeAlias = Literal["valid", "expiring", "expired", "missing"]
StoreState: TypeAlias = Literal["on", "off", "degraded"]


# parts of messages; dataclasses where socket and REST share them, since both encoders read those


class ColumnSpec(Struct, frozen=True):
    """One column of the binary blocks; `unit` is price, ms, shares, fraction, ratio or index."""

    name: str
    unit: str
    dtype: Literal["f8", "i4", "f4"]


class InstrumentRow(Struct, frozen=True):
    """An instrument and its row in the blocks; `tick_size` is in price units.

    An index that is only followed is not watched: it is no row of the user's list.
    """

    row: int
    symbol: str
    name: str
    exchange: str
    segment: str
    kind: str
    price_scale: int
    tick_size: int
    has_volume: bool
    is_watched: bool


@dataclass(frozen=True)
class PhaseState:
    """The session phase of one segment; `source` is `feed` or `calendar`."""

    phase: Phase
    source: str


@dataclass(frozen=True)
class FeedState:
    """The link to the broker and how true its data is.

    `fresh` of `total` symbols are fresh or quiet. `canary_age_ms` is the age of the freshest
    index, in market time.
    """

    up: bool
    reason: str
    fresh: int
    total: int
    canary_age_ms: int | None
    last_frame_ms: int | None


@dataclass(frozen=True)
class TokenStatus:
    """The broker login."""

    state: TokenState
    expires_ms: int | None = None


@dataclass(frozen=True)
class PartState:
    """A part that may be away: Redis, the recording. `text` is a sentence for the user."""

    state: StoreState
    text: str


class CandleRow(Struct, frozen=True, array_like=True):
    """One candle as a JSON array."""

    start_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    state: CandleState
    confirmed: bool
    revision: int


class DepthLevel(Struct, frozen=True, array_like=True):
    """One level of the book as a JSON array."""

    price: int
    quantity: int


# data of the envelopes


class Status(Struct, frozen=True):
    """The state of the system; `rate` market seconds pass in one real second."""

    now_ms: int
    rate: float
    phases: dict[str, PhaseState]
    feed: FeedState
    token: TokenStatus
    store: PartState
    recording: PartState
    clients: int
    counters: dict[str, int]


class Notice(Struct, frozen=True):
    """A line of the log."""

    at_ms: int
    level: str
    text: str


class Hello(Struct, frozen=True):
    """First message of a connection: what the rows and columns of the blocks mean."""

    version: str
    mode: Mode
    columns: tuple[ColumnSpec, ...]
    freshness: tuple[Freshness, ...]
    instruments: tuple[InstrumentRow, ...]
    timeframes: tuple[int, ...]
    status: Status
    notices: tuple[Notice, ...]


class Candles(Struct, frozen=True):
    """Closed candles oldest first, then the forming one if there is one."""

    symbol: str
    minutes: int
    candles: tuple[CandleRow, ...]


class CandleUpdate(Struct, frozen=True):
    """One candle that closed, changed (`candle`) or still runs (`forming`)."""

    symbol: str
    minutes: int
    candle: CandleRow


class Depth(Struct, frozen=True):
    """The book of the viewed symbol, best level first; an empty level is left out.

    Up to five levels a side, and the quantity of the whole book.
    """

    symbol: str
    bids: tuple[DepthLevel, ...]
    asks: tuple[DepthLevel, ...]
    total_bid_quantity: int | None
    total_ask_quantity: int | None


class FreshnessUpdate(Struct, frozen=True):
    """A symbol's data became older or newer by a class."""

    symbol: str
    freshness: Freshness


class PhaseUpdate(Struct, frozen=True):
    """A segment's session phase changed."""

    segment: str
    phase: Phase
    source: str


class FeedUpdate(Struct, frozen=True):
    """The link to the broker came up or went away."""

    up: bool
    reason: str


Data: TypeAlias = (
    Hello
    | Status
    | Candles
    | CandleUpdate
    | Depth
    | Notice
    | FreshnessUpdate
    | PhaseUpdate
    | FeedUpdate
)

ENVELOPES: dict[str, type[Data]] = {
    "hello": Hello,
    "status": Status,
    "candles": Candles,
    "candle": CandleUpdate,
    "forming": CandleUpdate,
    "depth": Depth,
    "notice": Notice,
    "freshness": FreshnessUpdate,
    "phase": PhaseUpdate,
    "feed": FeedUpdate,
}


class Envelope(Struct, frozen=True):
    """The frame of every text message; `seq` counts all messages of one connection, blocks too."""

    v: int
    seq: int
    ts: int
    mode: Mode
    type: str
    data: msgspec.Raw


# what a browser may send


class SocketHello(Struct, frozen=True, forbid_unknown_fields=True):
    """First message of a browser: the single-use code from `POST /api/v1/socket-code`."""

    code: str


class View(Struct, frozen=True, tag="view", forbid_unknown_fields=True):
    """The chart now shows this symbol and timeframe."""

    symbol: str
    minutes: int


# REST bodies


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


class SymbolStatus(BaseModel):
    """One symbol, prices in rupees; null is not known. `change_fraction` 0.01 is one percent.

    `bids` and `asks` are up to five levels, best first; an empty level is left out.
    """

    symbol: str
    name: str
    freshness: Freshness
    last_price: float | None
    age_ms: int | None
    exchange_ms: int | None
    previous_close: float | None
    change: float | None
    change_fraction: float | None
    bid: float | None
    ask: float | None
    bids: list[RupeeLevel]
    asks: list[RupeeLevel]
    spread: float | None
    mid: float | None
    imbalance: float | None
    tick_return: float | None
    vwap: float | None
    vwap_session: float | None
    vwap_distance: float | None
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


class CandleAnswer(BaseModel):
    """One candle, prices in rupees."""

    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: int
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
