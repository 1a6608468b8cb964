"""The instrument master and the look-up of instrument keys."""

import gzip
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec

from ticktick.domain.clock import NS_PER_MS, at_ist
from ticktick.domain.instrument import Kind
from ticktick.emulator.answers import Refused, Response
from ticktick.emulator.listings import Contract, Listing

_KEY_FORM = re.compile(r"[A-Z]+(_[A-Z]+)?\|.+")
_DERIVATIVE_TYPES = {Kind.FUTURE: "FUT", Kind.CALL: "CE", Kind.PUT: "PE"}


def find(listings: Sequence[Listing], key: str, format_code: str) -> Listing:
    """The listing of the key.

    Raises Refused with `format_code` if it is no key, UDAPI100011 if nobody lists it.
    """
    if not _KEY_FORM.fullmatch(key):
        raise Refused(format_code, f"Instrument key is of invalid format: {key}")
    for listing in listings:
        if listing.key == key:
            return listing
    raise Refused("UDAPI100011", "Invalid Instrument key")


def master_file(listings: Sequence[Listing], known_tag: str = "") -> Response:
    """The file of all instruments: a JSON array, gzipped; only its tag to who knows it."""
    text = msgspec.json.encode([record(listing) for listing in listings])
    tag = f'"{sha256(text).hexdigest()[:32]}"'
    if tag == known_tag:
        return Response(304, b"", "application/gzip", {"ETag": tag})
    return Response(200, gzip.compress(text, mtime=0), "application/gzip", {"ETag": tag})


def record(listing: Listing) -> dict[str, Any]:
    """One instrument as the master describes it; the tick size is in paise."""
    common: dict[str, Any] = {
        "segment": listing.segment,
        "name": listing.name,
        "exchange": listing.segment.partition("_")[0],
        "instrument_key": listing.key,
        "exchange_token": listing.token,
        "trading_symbol": listing.symbol,
    }
    if listing.kind is Kind.INDEX:
        return common | {"instrument_type": "INDEX"}
    traded = {
        "lot_size": listing.lot_size,
        "tick_size": float(listing.tick_size),
        "freeze_quantity": 100000.0,
        "qty_multiplier": 1.0,
    }
    if listing.kind is not Kind.EQUITY:
        derivative = {} if listing.contract is None else _terms(listing.contract, listing.lot_size)
        return common | traded | {"instrument_type": _DERIVATIVE_TYPES[listing.kind]} | derivative
    equity = {
        "instrument_type": "EQ",
        "isin": listing.key.partition("|")[2],
        "short_name": listing.short_name,
        "security_type": "NORMAL",
    }
    eligible = {"cas_eligible": True} if listing.cas_eligible else {}
    return common | traded | equity | eligible


def expiry_ms(contract: Contract) -> int:
    """The last second of the expiry day in India, in milliseconds, as the master tells it."""
    return at_ist(contract.expiry, 23, 59, 59) // NS_PER_MS


def _terms(contract: Contract, lot_size: int) -> dict[str, Any]:
    return {
        "weekly": contract.weekly,
        "expiry": expiry_ms(contract),
        "strike_price": contract.strike / 100,
        "minimum_lot": lot_size,
        "freeze_quantity": float(contract.freeze_quantity),
        "underlying_key": contract.underlying_key,
        "underlying_symbol": contract.underlying_symbol,
        "underlying_type": "INDEX",
        "asset_key": contract.underlying_key,
        "asset_symbol": contract.underlying_symbol,
        "asset_type": "INDEX",
    }
