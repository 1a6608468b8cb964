"""Every message of the socket; the page's types are generated from here.

On the socket prices are integers in the instrument's price unit and times are milliseconds since
the Unix epoch. A value that is not known is null, never 0.
"""

from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from ticktick.domain.market import CandleState, Freshness, Liquidity, Volatility
from ticktick.domain.sessions import Phase
from ticktick.web.chart import Series, SeriesUpdate
from ticktick.web.insights import Closes, Patterns, PatternUpdate, Readings
from ticktick.web.alert_parts import AlertEnd, AlertLine, AlertsSeen, RulesUpdate
from ticktick.web.parts import FeedState, Health, Mode, PartState, PhaseState, Pulse, TokenStatus

PROTOCOL_VERSION = 1


# parts of messages


class ColumnSpec(Struct, frozen=True):
    """One column of the binary blocks; `unit` is price, ms, shares, ratio, index or of a metric."""

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


class CandleRow(Struct, frozen=True, array_like=True):
    """One candle as a JSON array; a missing one has neither prices nor volume."""

    start_ms: int
    open: int | None
    high: int | None
    low: int | None
    close: int | None
    volume: int | None
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
    health: Health
    token: TokenStatus
    store: PartState
    recording: PartState
    clients: int
    counters: dict[str, int]


class Notice(Struct, frozen=True):
    """A line of the log; `level` is `info`, `warning`, `error`, or `alert` for one of the user's."""

    at_ms: int
    level: str
    text: str


class Hello(Struct, frozen=True):
    """First message of a connection: what the rows and columns of the blocks mean.

    `notices` and `pulses` are the last ones, oldest first.
    """

    version: str
    mode: Mode
    columns: tuple[ColumnSpec, ...]
    freshness: tuple[Freshness, ...]
    liquidity: tuple[Liquidity, ...]
    volatility: tuple[Volatility, ...]
    instruments: tuple[InstrumentRow, ...]
    timeframes: tuple[int, ...]
    status: Status
    notices: tuple[Notice, ...]
    pulses: tuple[Pulse, ...]


class Instruments(Struct, frozen=True):
    """The list changed: every instrument now followed; rows keep their numbers."""

    instruments: tuple[InstrumentRow, ...]


class Beat(Struct, frozen=True):
    """Nothing changed, and the program is still there."""


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


class Auction(Struct, frozen=True):
    """What an auction would come to if it ended now: at this price so many would change hands.

    Left over would be so many, more than 0 to buy, less than 0 to sell; of them `at_market` those
    without a limit. `reference_price` is what bounds the price, null where the session tells none.
    """

    price: int | None
    quantity: int | None
    left_over: int | None
    left_over_at_market: int | None
    reference_price: int | None


class Depth(Struct, frozen=True):
    """The book of the viewed symbol, best level first; an empty level is left out.

    Up to five levels a side, thirty where `has_thirty`, and the quantity of the whole book. The
    imbalances are of the same book: of the best level, of five, and of five weighted by nearness
    to the mid. `auction` is null outside of one.
    """

    symbol: str
    bids: tuple[DepthLevel, ...]
    asks: tuple[DepthLevel, ...]
    has_thirty: bool
    total_bid_quantity: int | None
    total_ask_quantity: int | None
    imbalance_1: float | None
    imbalance: float | None
    imbalance_w: float | None
    auction: Auction | None


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
    cause: str


Data: TypeAlias = (
    Hello
    | Instruments
    | Status
    | Beat
    | Candles
    | CandleUpdate
    | Series
    | SeriesUpdate
    | Depth
    | Notice
    | FreshnessUpdate
    | PhaseUpdate
    | FeedUpdate
    | Closes
    | Readings
    | Patterns
    | PatternUpdate
    | AlertLine
    | AlertEnd
    | AlertsSeen
    | RulesUpdate
)

ENVELOPES: dict[str, type[Data]] = {
    "hello": Hello,
    "instruments": Instruments,
    "status": Status,
    "beat": Beat,
    "candles": Candles,
    "candle": CandleUpdate,
    "forming": CandleUpdate,
    "series": Series,
    "reading": SeriesUpdate,
    "depth": Depth,
    "notice": Notice,
    "freshness": FreshnessUpdate,
    "phase": PhaseUpdate,
    "feed": FeedUpdate,
    "closes": Closes,
    "readings": Readings,
    "patterns": Patterns,
    "pattern": PatternUpdate,
    "alert": AlertLine,
    "alert_cleared": AlertEnd,
    "alerts_seen": AlertsSeen,
    "alert_rules": RulesUpdate,
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
