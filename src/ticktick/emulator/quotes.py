"""REST quotes: last price, bars and full quotes, read off the same state the feed sends."""

from typing import Any, Final

import numpy as np

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS, ist, ist_day, ist_midnight_ns
from ticktick.emulator.answers import Refused, Request, Response, success
from ticktick.emulator.bars import Bars
from ticktick.emulator.listings import Listing
from ticktick.emulator.master import find
from ticktick.emulator.source import Source
from ticktick.emulator.wire import bars_of, ltpc_of
from ticktick.proto.MarketDataFeed_pb2 import LTPC, MarketFullFeed

_MOST_KEYS = 500
_LEVELS = 5
_INTERVAL_MINUTES: Final = {"1d": 1440, "I1": 1, "I30": 30}
_NO_LEVEL: Final = {"quantity": 0, "price": 0.0, "orders": 0}
_SHARES_PER_ORDER = 40


def answer_ltp(request: Request, source: Source) -> Response:
    """`GET /v3/market-quote/ltp`."""
    data = {}
    for listing, trade, full in known_quotes(request, source):
        data[listing.quote_key] = {
            "last_price": trade.ltp,
            "instrument_token": listing.key,
            "ltq": trade.ltq,
            "volume": full.vtt,
            "cp": trade.cp,
        }
    return success(data)


def answer_ltp_v2(request: Request, source: Source) -> Response:
    """`GET /v2/market-quote/ltp`."""
    data = {
        listing.quote_key: {"last_price": trade.ltp, "instrument_token": listing.key}
        for listing, trade, _ in known_quotes(request, source)
    }
    return success(data)


def answer_ohlc_v2(request: Request, source: Source) -> Response:
    """`GET /v2/market-quote/ohlc`: the running bar alone."""
    minutes = _INTERVAL_MINUTES[_interval(request)]
    data = {}
    for listing, trade, _ in known_quotes(request, source):
        live, _ = _running_bars(source, listing.key, minutes)
        data[listing.quote_key] = {
            "ohlc": live and {name: live[name] for name in ("open", "high", "low", "close")},
            "last_price": trade.ltp,
            "instrument_token": listing.key,
        }
    return success(data)


def answer_ohlc(request: Request, source: Source) -> Response:
    """`GET /v3/market-quote/ohlc`: the running bar and the one before; none before a day's."""
    interval = _interval(request)
    data = {}
    for listing, trade, _ in known_quotes(request, source):
        live, before = _running_bars(source, listing.key, _INTERVAL_MINUTES[interval])
        data[listing.quote_key] = {
            "last_price": trade.ltp,
            "instrument_token": listing.key,
            "prev_ohlc": None if interval == "1d" else before,
            "live_ohlc": live,
        }
    return success(data)


def answer_full(request: Request, source: Source) -> Response:
    """`GET /v2/market-quote/quotes`: `ohlc.close` is the previous day's close."""
    data = {}
    for listing, trade, full in known_quotes(request, source):
        item = _full_item(listing, trade, full, source)
        item["ohlc"] = {**_day_ohlc(source, listing.key), "close": trade.cp}
        data[listing.quote_key] = item
    return success(data)


def answer_full_v3(request: Request, source: Source) -> Response:
    """`GET /v3/market-quote/quotes`: the full quote, the year's extremes, a running auction."""
    data = {}
    for listing, trade, full in known_quotes(request, source):
        bars = source.day_bars(listing.key)
        live, _ = _running_bars(source, listing.key, _INTERVAL_MINUTES["1d"])
        data[listing.quote_key] = _full_item(listing, trade, full, source) | {
            "ohlc": live,
            "prev_close_price": trade.cp,
            "year_high": int(bars.high.max()) / 100 if len(bars) else None,
            "year_low": int(bars.low.min()) / 100 if len(bars) else None,
            "previous_oi": _interest(source, listing.key)[0],
            "indicative_equilibrium_price": full.iep,
            "indicative_equilibrium_quantity": full.ieq,
            "reference_price": full.rp,
            "indicative_imbalance_quantity_total": full.iiqTotal,
            "indicative_imbalance_quantity_market": full.iiqM,
            "cas_eligible": listing.cas_eligible,
        }
    return success(data)


def _interval(request: Request) -> str:
    interval = request.query.get("interval")
    if not interval:
        raise Refused("UDAPI1027", "Interval is required")
    if interval not in _INTERVAL_MINUTES:
        raise Refused("UDAPI1028", f"Invalid interval {interval}")
    return interval


def known_quotes(
    request: Request, source: Source, most: int = _MOST_KEYS, code: str = "UDAPI100042"
) -> list[tuple[Listing, LTPC, MarketFullFeed]]:
    """The listings asked for of which a price is known, with that and their full state.

    One bad key refuses all; more keys than `most` are refused with `code`.
    """
    text = request.query.get("instrument_key") or request.query.get("symbol") or ""
    keys = [key for key in text.split(",") if key]
    if not keys:
        raise Refused("UDAPI1009", "Instrument key is required")
    if len(keys) > most:
        raise Refused(code, f"At most {most} instrument keys, got {len(keys)}")
    listings = [find(source.listings, key, "UDAPI1011") for key in keys]
    found = []
    for listing in listings:
        feed = source.snapshot(listing.key)
        trade = None if feed is None else ltpc_of(feed)
        if feed is not None and trade is not None:
            found.append((listing, trade, feed.fullFeed.marketFF))
    return found


def _full_item(
    listing: Listing, trade: LTPC, full: MarketFullFeed, source: Source
) -> dict[str, Any]:
    levels = full.marketLevel.bidAskQuote
    band = source.price_band(listing, round(trade.cp * 100))
    _, oi_high, oi_low = _interest(source, listing.key)
    return {
        "depth": {
            "buy": _padded([(level.bidQ, level.bidP) for level in levels]),
            "sell": _padded([(level.askQ, level.askP) for level in levels]),
        },
        "timestamp": ist(source.now_ns).isoformat(timespec="milliseconds"),
        "instrument_token": listing.key,
        "symbol": listing.symbol,
        "last_price": trade.ltp,
        "volume": full.vtt,
        "average_price": full.atp,
        "oi": full.oi,
        "net_change": round(trade.ltp - trade.cp, 2) if trade.cp else None,
        "total_buy_quantity": full.tbq,
        "total_sell_quantity": full.tsq,
        "lower_circuit_limit": None if band is None else band[0] / 100,
        "upper_circuit_limit": None if band is None else band[1] / 100,
        "last_trade_time": str(trade.ltt),
        "oi_day_high": oi_high,
        "oi_day_low": oi_low,
    }


def _interest(source: Source, key: str) -> tuple[float, float, float]:
    """Open interest before the day, and the day's highest and lowest, told minute by minute."""
    midnight = ist_midnight_ns(ist_day(source.now_ns))
    minutes = np.arange(midnight, source.now_ns + 1, NS_PER_MINUTE, dtype=np.int64)
    told = source.open_interest(key, minutes)
    return float(told[0]), float(told.max()), float(told.min())


def _padded(side: list[tuple[int, float]]) -> list[dict[str, Any]]:
    levels = [
        {"quantity": size, "price": price, "orders": 1 + size // _SHARES_PER_ORDER}
        for size, price in side
        if size
    ]
    return (levels + [_NO_LEVEL] * _LEVELS)[:_LEVELS]


def _day_ohlc(source: Source, key: str) -> dict[str, float]:
    feed = source.snapshot(key)
    day = [bar for bar in bars_of(feed) if bar.interval == "1d"] if feed is not None else []
    if not day:
        return {"open": 0.0, "high": 0.0, "low": 0.0}
    return {"open": day[0].open, "high": day[0].high, "low": day[0].low}


def _running_bars(
    source: Source, key: str, minutes: int
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    midnight = ist_midnight_ns(ist_day(source.now_ns))
    of_day = minutes == _INTERVAL_MINUTES["1d"]
    bars = source.day_bars(key) if of_day else source.bars(key)
    today = bars.between(midnight, source.now_ns + 1)
    if not len(today):
        return None, None
    width = minutes * NS_PER_MINUTE
    anchor = midnight if of_day else today.start_ns[0]
    bars = today.grouped(anchor + (today.start_ns - anchor) // width * width)
    return _ohlc(bars, len(bars) - 1), _ohlc(bars, len(bars) - 2)


def _ohlc(bars: Bars, index: int) -> dict[str, Any] | None:
    if index < 0:
        return None
    return {
        "open": int(bars.open[index]) / 100,
        "high": int(bars.high[index]) / 100,
        "low": int(bars.low[index]) / 100,
        "close": int(bars.close[index]) / 100,
        "volume": int(bars.volume[index]),
        "ts": int(bars.start_ns[index]) // NS_PER_MS,
    }
