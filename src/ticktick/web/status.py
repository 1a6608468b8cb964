"""What the page and the API say about the system and each symbol, read from the live engine."""

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.health import LinkHealth
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.market import Candle, CandleState, Freshness
from ticktick.domain.metric import METRICS
from ticktick.domain.sessions import Phase
from ticktick.market.freshness import FreshnessColumn
from ticktick.market.rejections import Rejections
from ticktick.market.table import SlotTable
from ticktick.web.auction import auction
from ticktick.web.blocks import COLUMNS, Columns, column_values
from ticktick.web.bodies import CandleAnswer, RupeeAuction, RupeeLevel, SymbolAnswer, SymbolStatus
from ticktick.web.depth import Side, levels
from ticktick.web.messages import CandleRow, InstrumentRow
from ticktick.web.parts import FeedState, Mode, PartState, TokenStatus

_PRICES = {
    "change",
    *(column.name for column in COLUMNS if column.unit == "price"),
    *(metric.name for metric in METRICS if metric.unit == "price"),
}
_WORDS = {metric.name: metric.words for metric in METRICS if metric.words}


class LiveMarket(Protocol):
    """What the web reads of the engine's market half."""

    @property
    def table(self) -> SlotTable: ...
    @property
    def metrics(self) -> NDArray[np.float64]: ...
    @property
    def freshness(self) -> FreshnessColumn: ...
    @property
    def warm(self) -> NDArray[np.bool_]: ...
    @property
    def row_phases(self) -> Sequence[Phase]: ...
    @property
    def extras(self) -> Set[str]: ...
    @property
    def phases(self) -> Mapping[str, Phase]: ...
    @property
    def phase_sources(self) -> Mapping[str, str]: ...
    @property
    def link_up(self) -> bool: ...
    @property
    def link_reason(self) -> str: ...
    @property
    def last_frame_ns(self) -> int: ...
    @property
    def rejections(self) -> Rejections: ...
    @property
    def counters(self) -> Mapping[str, int]: ...

    def window(self, symbol: str) -> NDArray[np.int64]:
        """The last updates since the last gap, in the order of TICK_COLUMNS, oldest first."""
        ...

    def forming(self, symbol: str, minutes: int) -> Candle | None:
        """The running candle of one of the six timeframes."""
        ...

    def candles(self, symbol: str, minutes: int) -> Sequence[Candle]:
        """The closed candles, oldest first."""
        ...


class LiveEngine(Protocol):
    """The engine as far as the web sees it."""

    @property
    def market(self) -> LiveMarket: ...


class SystemStatus(Struct, frozen=True):
    """What the surroundings of the engine know: clock, login, stores, link.

    `now_ms` is market time, `loop_lag_ms` how late this program's own tasks run.
    """

    mode: Mode
    now_ms: int
    rate: float
    token: TokenStatus
    store: PartState
    recording: PartState
    counters: Mapping[str, int] = {}
    link: LinkHealth = LinkHealth()
    loop_lag_ms: float | None = None


def feed_state(
    market: LiveMarket,
    now_ms: int,
    cause: str = "",
    since_ms: int | None = None,
    behind_ms: int = 0,
) -> FeedState:
    """The link, how many symbols are fresh, and the age of the freshest index.

    `behind_ms` is how far the engine lags, 0 while it keeps up.
    """
    table = market.table
    freshness = [freshness_now(market, row, behind_ms) for row in watched_rows(market)]
    indices = [row for row in table.followed if table.instruments[row].kind is Kind.INDEX]
    newest_ns = int(table.records["exchange_ns"][indices].max(initial=0))
    return FeedState(
        up=market.link_up,
        reason=_behind_sentence(behind_ms) if behind_ms else market.link_reason,
        cause=cause,
        since_ms=since_ms,
        fresh=freshness.count(Freshness.FRESH),
        total=len(freshness),
        canary_age_ms=max(0, now_ms - newest_ns // NS_PER_MS) if newest_ns else None,
        last_frame_ms=market.last_frame_ns // NS_PER_MS if market.last_frame_ns else None,
    )


def followed_rows(market: LiveMarket) -> list[int]:
    """The rows that somebody follows: the user's list in its order, the indices beside it."""
    return list(market.table.followed)


def watched_rows(market: LiveMarket) -> list[int]:
    """The rows of the user's list."""
    table, extras = market.table, market.extras
    return [row for row in table.followed if table.instruments[row].symbol not in extras]


def extra_rows(market: LiveMarket) -> list[int]:
    """The rows that are followed but not on the user's list, such as the canary index."""
    table, extras = market.table, market.extras
    return [row for row in table.followed if table.instruments[row].symbol in extras]


def freshness_now(market: LiveMarket, row: int, behind_ms: int) -> Freshness:
    """The engine's word; from an engine that lags it is too old to call anything fresh."""
    word = market.freshness[row]
    return word.when_late() if behind_ms else word


def symbol_statuses(
    market: LiveMarket, rows: Iterable[int], now_ms: int, behind_ms: int = 0
) -> list[SymbolStatus]:
    """The symbols of these rows, prices in rupees; `behind_ms` as in `feed_state`."""
    known = _rupee_columns(market)
    instruments = market.table.instruments
    return [
        SymbolStatus.model_validate(
            {name: values[row] for name, values in known.items()}
            | {name: _word(words, known[name][row]) for name, words in _WORDS.items()}
            | {
                "symbol": instruments[row].symbol,
                "name": instruments[row].name,
                "freshness": freshness_now(market, row, behind_ms),
                "phase": market.row_phases[row],
                "age_ms": _age_ms(known["exchange_ms"][row], now_ms),
                "bids": _rupee_levels(market.table, row, "bid"),
                "asks": _rupee_levels(market.table, row, "ask"),
                "auction": _rupee_auction(market, row),
            }
        )
        for row in rows
    ]


def symbol_answer(instrument: Instrument) -> SymbolAnswer:
    """The instrument for people: tick size in rupees."""
    return SymbolAnswer(
        symbol=instrument.symbol,
        name=instrument.name,
        exchange=instrument.exchange,
        segment=instrument.segment,
        kind=instrument.kind,
        tick_size=float(instrument.rupees(instrument.tick_size)),
        lot_size=instrument.lot_size,
        has_volume=instrument.has_volume,
    )


def instrument_row(market: LiveMarket, row: int) -> InstrumentRow:
    """The instrument of a row for the page: tick size in price units."""
    instrument = market.table.instruments[row]
    return InstrumentRow(
        row=row,
        symbol=instrument.symbol,
        name=instrument.name,
        exchange=instrument.exchange,
        segment=instrument.segment,
        kind=instrument.kind,
        price_scale=instrument.price_scale,
        tick_size=instrument.tick_size,
        has_volume=instrument.has_volume,
        is_watched=instrument.symbol not in market.extras,
    )


def all_candles(market: LiveMarket, symbol: str, minutes: int) -> list[Candle]:
    """The closed candles oldest first, then the forming one if there is one."""
    forming = market.forming(symbol, minutes)
    closed = list(market.candles(symbol, minutes))
    return closed if forming is None else [*closed, forming]


def candle_row(candle: Candle) -> CandleRow:
    """The candle for the page: price units."""
    known = candle.state is not CandleState.MISSING
    return CandleRow(
        start_ms=candle.start_ns // NS_PER_MS,
        open=candle.open if known else None,
        high=candle.high if known else None,
        low=candle.low if known else None,
        close=candle.close if known else None,
        volume=candle.volume if known else None,
        state=candle.state,
        confirmed=candle.confirmed,
        revision=candle.revision,
    )


def candle_answer(candle: Candle, instrument: Instrument) -> CandleAnswer:
    """The candle for programs: rupees."""
    row = candle_row(candle)

    def rupees(units: int | None) -> float | None:
        return None if units is None else float(instrument.rupees(units))

    return CandleAnswer(
        start_ms=row.start_ms,
        open=rupees(row.open),
        high=rupees(row.high),
        low=rupees(row.low),
        close=rupees(row.close),
        volume=row.volume,
        state=candle.state,
        confirmed=candle.confirmed,
        revision=candle.revision,
    )


def _behind_sentence(behind_ms: int) -> str:
    return (
        f"Tick-Tick is {behind_ms / 1000:.0f} s of market time behind: the computer is too busy, "
        "or the market runs too fast for it"
    )


def _rupee_columns(market: LiveMarket) -> dict[str, list[float | None]]:
    table = market.table
    rows = np.arange(len(table), dtype=np.int32)
    columns = column_values(Columns(table, market.metrics, market.freshness, market.warm), rows)
    columns["change"] = columns["last_price"] - columns["previous_close"]
    columns["change_fraction"] = columns["change"] / columns["previous_close"]
    for name in _PRICES:
        columns[name] = columns[name] / table.price_scales()
    return {
        name: [None if math.isnan(value) else value for value in values.tolist()]
        for name, values in columns.items()
        if name != "freshness"
    }


def _word(words: Sequence[str], code: float | None) -> str | None:
    return None if code is None else words[int(code)]


def _rupee_auction(market: LiveMarket, row: int) -> RupeeAuction | None:
    told = auction(market.table, row, market.row_phases[row])
    if told is None:
        return None
    instrument = market.table.instruments[row]

    def rupees(units: int | None) -> float | None:
        return None if units is None else float(instrument.rupees(units))

    return RupeeAuction(
        price=rupees(told.price),
        quantity=told.quantity,
        left_over=told.left_over,
        left_over_at_market=told.left_over_at_market,
        reference_price=rupees(told.reference_price),
    )


def _rupee_levels(table: SlotTable, row: int, side: Side) -> list[RupeeLevel]:
    scale = table.instruments[row].price_scale
    return [RupeeLevel(level.price / scale, level.quantity) for level in levels(table, row, side)]


def _age_ms(exchange_ms: float | None, now_ms: int) -> int | None:
    return None if exchange_ms is None else max(0, now_ms - int(exchange_ms))
