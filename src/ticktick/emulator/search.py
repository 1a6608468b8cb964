"""Instrument search: `GET /v2/instruments/search`."""

from collections.abc import Callable, Sequence
from typing import Final

from ticktick.domain.instrument import Kind
from ticktick.emulator.answers import Refused, Request, Response, success
from ticktick.emulator.listings import Listing
from ticktick.emulator.options import contract_record, of_expiry
from ticktick.emulator.source import Source
from ticktick.emulator.wire import ltpc_of

_MOST_RECORDS, _USUAL_RECORDS = 30, 10
_TYPES: Final = {
    Kind.EQUITY: "EQ",
    Kind.INDEX: "INDEX",
    Kind.FUTURE: "FUT",
    Kind.CALL: "CE",
    Kind.PUT: "PE",
}


def answer_search(request: Request, source: Source) -> Response:
    """The instruments whose symbol, name or ISIN holds every word of the query."""
    query = request.query
    words = query.get("query", "").upper().split()
    if not words:
        raise Refused("UDAPI100036", "query is required")
    page = _number(query.get("page_number", "1"), "page_number", 1 << 31)
    size = _number(query.get("records", str(_USUAL_RECORDS)), "records", _MOST_RECORDS)
    found = [one for one in source.listings if all(word in _text(one) for word in words)]
    found = _of(found, query.get("exchanges"), lambda one: one.segment.partition("_")[0])
    found = _of(found, query.get("segments"), lambda one: one.segment.partition("_")[2])
    found = _of(found, query.get("instrument_types"), lambda one: _TYPES[one.kind])
    if query.get("expiry"):
        found = of_expiry([one for one in found if one.contract is not None], query["expiry"])
    if query.get("atm_offset"):
        found = _near_the_money(found, source, query["atm_offset"])
    shown = found[(page - 1) * size : page * size]
    meta = {
        "page_number": page,
        "total_pages": -(-len(found) // size),
        "records": len(shown),
        "total_records": len(found),
    }
    return success([contract_record(one) for one in shown], meta_data={"page": meta})


def _text(listing: Listing) -> str:
    isin = listing.key.partition("|")[2] if listing.kind is Kind.EQUITY else ""
    return f"{listing.symbol} {listing.name} {listing.short_name} {isin}".upper()


def _of(
    listings: list[Listing], wanted: str | None, part: Callable[[Listing], str]
) -> list[Listing]:
    """Those of which a part is among the wanted words; all of them if none is named."""
    words = {word for word in (wanted or "").upper().split(",") if word}
    return [one for one in listings if not words or part(one) in words]


def _near_the_money(listings: Sequence[Listing], source: Source, offset: str) -> list[Listing]:
    """The options so many strikes away from the one nearest to the underlying's price."""
    if not offset.lstrip("+-").isdecimal():
        raise Refused("UDAPI100036", f"Invalid atm_offset {offset}")
    options = [one for one in listings if one.kind in (Kind.CALL, Kind.PUT)]
    return [one for one in options if _away(one, source) == int(offset)]


def _away(option: Listing, source: Source) -> int | None:
    """How many strikes an option lies above the one at the money, within its expiry."""
    contract = option.contract
    feed = None if contract is None else source.snapshot(contract.underlying_key)
    trade = None if feed is None else ltpc_of(feed)
    if contract is None or trade is None:
        return None
    same = {
        one.contract.strike
        for one in source.listings
        if one.contract is not None
        and one.kind is option.kind
        and (one.contract.underlying_key, one.contract.expiry)
        == (contract.underlying_key, contract.expiry)
    }
    strikes = sorted(same)
    nearest = min(strikes, key=lambda strike: abs(strike - trade.ltp * 100))
    return strikes.index(contract.strike) - strikes.index(nearest)


def _number(text: str, name: str, most: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise Refused("UDAPI100036", f"{name} must be a number from 1 to {most}, was {text}")
    return int(text)
