"""The broker's JSON, parsed leniently: absent, null and unknown fields never break a reply.

Prices are rupees as the broker writes them; instruments and candles become ours elsewhere.
"""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct, field

from ticktick.domain.clock import NS_PER_MS, iso_ist

T = TypeVar("T")

CandleRow = Sequence[Any]
"""`[start as ISO text, open, high, low, close, volume, open interest]`, not yet trusted."""


class Envelope(Struct, Generic[T], frozen=True):
    """What surrounds every successful answer but the token's."""

    data: T


class Problem(Struct, frozen=True):
    """One refusal; the broker sends its code in two spellings."""

    error_code: str | None = None
    camel_code: str | None = field(name="errorCode", default=None)
    message: str | None = None

    @property
    def code(self) -> str:
        """The code in whichever spelling came, empty without one."""
        return self.error_code or self.camel_code or ""


class ErrorBody(Struct, frozen=True):
    """What an error answer holds when the broker itself wrote it."""

    errors: list[Problem]


class TokenReply(Struct, frozen=True):
    """The answer of the token call; it has no envelope."""

    access_token: str
    user_id: str | None = None
    user_name: str | None = None

    def __repr__(self) -> str:
        return f"TokenReply(user_id={self.user_id!r})"


class Profile(Struct, frozen=True):
    """Who is logged in."""

    user_id: str
    user_name: str | None = None
    email: str | None = None
    exchanges: list[str] | None = None
    is_active: bool | None = None


class FeedAddress(Struct, frozen=True):
    """Where to connect for the market feed; good for one connection."""

    authorized_redirect_uri: str | None = None
    camel_uri: str | None = field(name="authorizedRedirectUri", default=None)


class MarketState(Struct, frozen=True):
    """The exchange's own word on its session; `last_updated` is epoch milliseconds."""

    status: str
    exchange: str | None = None
    last_updated: int | None = None


class ExchangeHours(Struct, frozen=True):
    """When one exchange trades on one day, epoch milliseconds."""

    exchange: str
    start_time: int
    end_time: int


class Holiday(Struct, frozen=True):
    """A day on which some exchange is closed, or open at unusual times."""

    date: str
    description: str | None = None
    closed_exchanges: list[str] | None = None
    open_exchanges: list[ExchangeHours] | None = None


class QuotedDay(Struct, frozen=True):
    """The day's bar of a quote; during the session `close` is that of the day before."""

    close: float | None = None


class FullQuote(Struct, frozen=True):
    """A full market quote, as far as the product uses one; prices in rupees.

    `last_trade_time` is epoch milliseconds as text.
    """

    instrument_token: str
    last_price: float | None = None
    volume: int | float | None = None
    average_price: float | None = None
    last_trade_time: str | int | None = None
    timestamp: str | None = None
    ohlc: QuotedDay | None = None
    lower_circuit_limit: float | None = None
    upper_circuit_limit: float | None = None


class Bar(Struct, frozen=True):
    """One candle of the OHLC quotes; `ts` is the start of the bar in epoch milliseconds."""

    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float | None = None
    volume: float | None = None
    ts: int | None = None

    def row(self) -> CandleRow:
        """The bar as the candle calls write one."""
        start = iso_ist((self.ts or 0) * NS_PER_MS)
        return [start, self.open, self.high, self.low, self.close, self.volume]


class MinuteBars(Struct, frozen=True):
    """The running minute of an instrument and the one before, as far as there are trades."""

    instrument_token: str
    prev_ohlc: Bar | None = None
    live_ohlc: Bar | None = None


class MasterRecord(Struct, frozen=True):
    """One line of an instrument file; `tick_size` is in paise, `expiry` epoch milliseconds."""

    segment: str
    exchange: str
    instrument_type: str
    instrument_key: str
    trading_symbol: str
    name: str | None = None
    short_name: str | None = None
    isin: str | None = None
    lot_size: float | None = None
    tick_size: float | None = None
    expiry: int | None = None
    strike_price: float | None = None
    underlying_symbol: str | None = None
    cas_eligible: bool | None = None


def parse_master(text: bytes) -> list[MasterRecord]:
    """The readable records of an instrument file; a broken record is left out.

    Raises msgspec.DecodeError if the text is no JSON list.
    """
    records = []
    decode = msgspec.json.Decoder(MasterRecord, strict=False).decode
    for raw in msgspec.json.decode(text, type=list[msgspec.Raw]):
        try:
            records.append(decode(raw))
        except msgspec.ValidationError:
            continue
    return records
