"""The broker's quotes as ours: whole price units, nanoseconds, and 0 for what it did not tell."""

from ticktick.brokers.upstox.wire import FullQuote
from ticktick.domain.clock import NS_PER_MS, parse_iso_ns
from ticktick.domain.event import Quote
from ticktick.domain.instrument import Instrument

_MOST = 2.0**53
_LATEST_MS = 2**63 // NS_PER_MS - 1


def quote_of(told: FullQuote, instrument: Instrument) -> Quote | None:
    """The quote; None if it tells neither a price nor when that was true."""
    scale = instrument.price_scale
    last_price = _units(told.last_price, scale)
    exchange_ns = _moment_ns(told.timestamp)
    if not last_price or not exchange_ns:
        return None
    return Quote(
        symbol=instrument.symbol,
        exchange_ns=exchange_ns,
        last_price=last_price,
        last_trade_ns=_millis_ns(told.last_trade_time),
        volume=_units(told.volume, 1),
        previous_close=_units(told.ohlc.close if told.ohlc is not None else None, scale),
        lower_band=_units(told.lower_circuit_limit, scale),
        upper_band=_units(told.upper_circuit_limit, scale),
    )


def _units(value: float | None, scale: int) -> int:
    """The value in whole units; 0 if it is none, or none that a market has."""
    if value is None or not 0.0 < value * scale < _MOST:
        return 0
    return round(value * scale)


def _moment_ns(text: str | None) -> int:
    try:
        return parse_iso_ns(text or "")
    except ValueError:
        return 0


def _millis_ns(told: str | int | None) -> int:
    text = str(told)
    if not text.isdecimal() or not 0 < int(text) <= _LATEST_MS:
        return 0
    return int(text) * NS_PER_MS
