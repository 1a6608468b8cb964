"""REST answers about options: contracts, the chain of an expiry, quotes with Greeks."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final

import numpy as np

from ticktick.domain.clock import NS_PER_DAY, ist_day, ist_midnight_ns
from ticktick.domain.instrument import Kind
from ticktick.domain.sessions import Calendar
from ticktick.emulator.answers import Refused, Request, Response, success
from ticktick.emulator.black76 import RATE, chance_of_profit
from ticktick.emulator.contracts import options_of
from ticktick.emulator.listings import Contract, Listing
from ticktick.emulator.master import find, record
from ticktick.emulator.quotes import known_quotes
from ticktick.emulator.source import Source
from ticktick.emulator.strip import expiry_ns
from ticktick.emulator.wire import ltpc_of
from ticktick.proto.MarketDataFeed_pb2 import MarketFullFeed

_MOST_GREEK_KEYS = 50
_KEYWORDS: Final = ("current", "next", "far")
_YEAR_NS: Final = 365 * NS_PER_DAY


def answer_contracts(request: Request, source: Source) -> Response:
    """`GET /v2/option/contract`: the options on an underlying, of one expiry or of all."""
    contracts = _contracts(request, source)
    if request.query.get("expiry_date"):
        contracts = of_expiry(contracts, request.query["expiry_date"])
    return success([contract_record(listing) for listing in contracts])


def answer_chain(request: Request, source: Source, calendar: Calendar) -> Response:
    """`GET /v2/option/chain`: both options of each strike with their market."""
    contracts = _contracts(request, source)
    expiry = request.query.get("expiry_date")
    if not expiry:
        raise Refused("UDAPI100036", "expiry_date is required")
    underlying = source.snapshot(request.query["instrument_key"])
    trade = None if underlying is None else ltpc_of(underlying)
    if trade is None:
        return success([])
    pairs = groupby(of_expiry(contracts, expiry), key=lambda one: _contract(one).strike)
    return success([_strike(source, calendar, list(pair), trade.ltp) for _, pair in pairs])


def answer_greeks(request: Request, source: Source) -> Response:
    """`GET /v3/market-quote/option-greek`; Greeks of what is no option are 0."""
    data = {}
    for listing, trade, full in known_quotes(request, source, _MOST_GREEK_KEYS, "UDAPI100076"):
        greeks = full.optionGreeks
        data[listing.quote_key] = {
            "last_price": trade.ltp,
            "instrument_token": listing.key,
            "ltq": trade.ltq,
            "volume": full.vtt,
            "cp": trade.cp,
            "iv": full.iv,
            "vega": greeks.vega,
            "gamma": greeks.gamma,
            "theta": greeks.theta,
            "delta": greeks.delta,
            "oi": full.oi,
        }
    return success(data)


def contract_record(listing: Listing) -> dict[str, Any]:
    """The master's record with the expiry as a date, as the REST answers tell it."""
    content = record(listing)
    if listing.contract is not None:
        content["expiry"] = listing.contract.expiry.isoformat()
    return content


def of_expiry(contracts: Sequence[Listing], text: str) -> list[Listing]:
    """Those that expire on a date, or on what `current_week` or `far_month` means today.

    Raises Refused if the text is neither.
    """
    position, _, period = text.partition("_")
    if position in _KEYWORDS and period in ("week", "month"):
        weekly = period == "week"
        days = sorted({c.expiry for c in map(_contract, contracts) if c.weekly == weekly})
        wanted = days[_KEYWORDS.index(position) :][:1]
    else:
        try:
            wanted = [date.fromisoformat(text)]
        except ValueError:
            raise Refused("UDAPI100036", f"Invalid expiry_date {text}") from None
    return [one for one in contracts if _contract(one).expiry in wanted]


def _contracts(request: Request, source: Source) -> list[Listing]:
    key = request.query.get("instrument_key")
    if not key:
        raise Refused("UDAPI1009", "Instrument key is required")
    if key.startswith("MCX"):
        raise Refused("UDAPI1088", "The option chain is not available for MCX")
    find(source.listings, key, "UDAPI1011")
    return options_of(source.listings, key)


def _contract(listing: Listing) -> Contract:
    if listing.contract is None:
        raise TypeError(f"{listing.symbol} is no derivative")
    return listing.contract


def _strike(
    source: Source, calendar: Calendar, pair: Iterable[Listing], spot: float
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for listing in pair:
        contract = _contract(listing)
        found |= {
            "expiry": contract.expiry.isoformat(),
            "strike_price": contract.strike / 100,
            "underlying_key": contract.underlying_key,
        }
        side = "call_options" if listing.kind is Kind.CALL else "put_options"
        left_ns = expiry_ns(contract.expiry, calendar) - source.now_ns
        found[side] = _option(source, listing, contract, spot, left_ns / _YEAR_NS)
    interest = [found[side]["market_data"]["oi"] for side in ("call_options", "put_options")]
    pcr = round(interest[1] / interest[0], 4) if interest[0] else 0.0
    return found | {"pcr": pcr, "underlying_spot_price": spot}


def _option(
    source: Source, listing: Listing, contract: Contract, spot: float, years: float
) -> dict[str, Any]:
    feed = source.snapshot(listing.key)
    full = MarketFullFeed() if feed is None else feed.fullFeed.marketFF
    best = full.marketLevel.bidAskQuote[0] if full.marketLevel.bidAskQuote else None
    midnight_ns = ist_midnight_ns(ist_day(source.now_ns))
    return {
        "instrument_key": listing.key,
        "market_data": {
            "ltp": full.ltpc.ltp,
            "volume": full.vtt,
            "oi": full.oi,
            "close_price": full.ltpc.cp,
            "bid_price": 0.0 if best is None else best.bidP,
            "bid_qty": 0 if best is None else best.bidQ,
            "ask_price": 0.0 if best is None else best.askP,
            "ask_qty": 0 if best is None else best.askQ,
            "prev_oi": float(source.open_interest(listing.key, np.array([midnight_ns]))[0]),
        },
        "option_greeks": {
            "vega": full.optionGreeks.vega,
            "theta": full.optionGreeks.theta,
            "gamma": full.optionGreeks.gamma,
            "delta": full.optionGreeks.delta,
            "iv": round(full.iv * 100, 2),
            "pop": _chance(listing, contract, full, spot, years),
        },
    }


def _chance(
    listing: Listing, contract: Contract, full: MarketFullFeed, spot: float, years: float
) -> float:
    """Probability in per cent that who buys at the last price gains; 0 while nothing is known."""
    if years <= 0 or full.iv <= 0:
        return 0.0
    sign = 1 if listing.kind is Kind.CALL else -1
    forward = spot * np.exp(RATE * years)
    chance = chance_of_profit(forward, contract.strike / 100, years, full.iv, sign, full.ltpc.ltp)
    return round(float(chance) * 100, 2)
