"""The instrument master and the search: units, dates and classes as this program reads them."""

import json
from importlib import resources
from typing import Any, Final

from ticktick.brokers.upstox.instruments import resolve
from ticktick.brokers.upstox.survey.assumption import Assumption
from ticktick.brokers.upstox.survey.quotes import full_quotes
from ticktick.brokers.upstox.survey.subject import INDEX, MASTER, STOCKS, Subject
from ticktick.brokers.upstox.survey.verdict import NotSeen, Otherwise, listed, require
from ticktick.domain.clock import NS_PER_MS, ist
from ticktick.domain.watchlist import WatchlistEntry

_PAGE: Final = {"page_number", "total_pages", "records", "total_records"}


async def _open_file(subject: Subject) -> str:
    answer = await subject.asker.file(MASTER)
    if answer.status != 200:
        raise Otherwise(answer.refusal())
    return f"{len(await subject.records())} instruments in {len(answer.body) / 1e6:.1f} MB"


async def _paise(subject: Subject) -> str:
    """Prices lie on the grid that the tick size gives if it is read as paise."""
    records, quotes = await subject.records(), await full_quotes(subject)
    off, steps = [], []
    for key in STOCKS:
        step = records[key].tick_size if key in records else None
        price = quotes.get(key, {}).get("last_price")
        if not step or not price:
            continue
        steps.append(step)
        paise = round(price * 100)
        if step < 1 or paise % step:
            off.append(f"{records[key].trading_symbol} {price} with a tick size of {step}")
    if not steps:
        raise NotSeen("no price is known of any stock looked at")
    found = f"tick sizes {', '.join(f'{step:g}' for step in sorted(set(steps)))}"
    return require(not off, found + (f"; off the grid: {'; '.join(off)}" if off else ""))


async def _auction_stocks(subject: Subject) -> str:
    """The default watchlist against the file: all of it closes by auction."""
    text = resources.files("ticktick").joinpath("symbols.json").read_text()
    entries = [WatchlistEntry(**entry) for entry in json.loads(text)["symbols"]]
    found = resolve(entries, list((await subject.records()).values()))
    missing = [entry.name for entry in found.missing]
    others = [one.symbol for one in found.instruments if not one.has_closing_auction]
    text = f"{len(found.instruments)} found, missing {listed(missing)}, without {listed(others)}"
    return require(not missing and not others, text)


async def _index(subject: Subject) -> str:
    record = (await subject.records()).get(INDEX)
    if record is None:
        raise Otherwise(f"{INDEX} is not listed")
    found = f"{record.instrument_type}, tick size {record.tick_size}, lot size {record.lot_size}"
    plain = record.tick_size is None and record.lot_size is None
    return require(record.instrument_type == "INDEX" and plain, found)


async def _expiry(subject: Subject) -> str:
    record = await subject.derivative("FUT")
    moment = ist((record.expiry or 0) * NS_PER_MS)
    return require(f"{moment:%H:%M:%S}" == "23:59:59", f"{moment:%d %b %Y %H:%M:%S} IST")


async def _strikes(subject: Subject) -> str:
    future, call = await subject.derivative("FUT"), await subject.derivative("CE")
    found = f"future {future.strike_price}, call {call.strike_price}, lot {call.lot_size}"
    return require(not future.strike_price and bool(call.strike_price), found)


async def _search(subject: Subject) -> str:
    answer = await subject.asker.get(
        "/v2/instruments/search", query="NIFTY", exchanges="NSE", segments="FO", records="1"
    )
    rows: Any = answer.data()
    if not rows:
        raise NotSeen("nothing was found")
    expiry = rows[0]["expiry"]
    missing = _PAGE - answer.content()["meta_data"]["page"].keys()
    is_day = isinstance(expiry, str) and len(expiry) == len("2026-11-24")
    return require(is_day and not missing, f"expiry {expiry!r}; missing {listed(missing)}")


LISTING: Final = (
    Assumption("master.open", "the instrument file needs no token", _open_file),
    Assumption("master.paise", "its tick size is in paise", _paise),
    Assumption(
        "master.auction", "every stock of the default list closes by auction", _auction_stocks
    ),
    Assumption("master.index", "an index has neither tick nor lot size", _index),
    Assumption("master.expiry", "a contract ends at 23:59:59 IST of its day", _expiry),
    Assumption("master.strike", "an option has a strike price, a future none", _strikes),
    Assumption("search.expiry", "the search tells an expiry as YYYY-MM-DD", _search),
)
