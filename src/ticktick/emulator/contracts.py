"""Derivatives that the built-in exchange lists on a day: two index futures and a weekly chain.

Lot, freeze and tick sizes are those of the broker's instrument master of 8 January 2026.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from msgspec import Struct

from ticktick.domain.instrument import Kind
from ticktick.domain.sessions import Calendar
from ticktick.emulator.listings import BANK_BASE, INDICES, NIFTY_BASE, Contract, Listing

STRIKES: Final = 41
STRIKE_STEP: Final = 5_000
OPTION_TICK: Final = 5
_TUESDAY = 1
_WEEK = timedelta(days=7)


class _Terms(Struct, frozen=True):
    """What all contracts on one index share; `tick_size` is that of its futures, in paise."""

    index: Listing
    base: int
    lot_size: int
    freeze_quantity: int
    tick_size: int


TERMS: Final = (
    _Terms(INDICES[0], NIFTY_BASE, 65, 1_755, 10),
    _Terms(INDICES[1], BANK_BASE, 30, 600, 20),
)


def contracts(day: date, calendar: Calendar, nifty: int) -> tuple[Listing, ...]:
    """The futures of the month and the options of the week, in order of the market's rows.

    `nifty` is the level (paise) around which the strikes of the chain are listed.
    """
    month, week = monthly_expiry(day, calendar), weekly_expiry(day, calendar)
    futures = [_future(i, terms, month) for i, terms in enumerate(TERMS)]
    return (*futures, *_chain(week, nifty))


def monthly_expiry(day: date, calendar: Calendar) -> date:
    """The current month's expiry: its last Tuesday, or the trading day before a closed one."""
    last = _last_tuesday(day.year, day.month)
    expiry = _on_or_before(last, calendar)
    if expiry >= day:
        return expiry
    year, month = divmod(day.year * 12 + day.month, 12)
    return _on_or_before(_last_tuesday(year, month + 1), calendar)


def weekly_expiry(day: date, calendar: Calendar) -> date:
    """The next Tuesday's expiry that is not the month's, moved before a closed day."""
    tuesday = day + timedelta(days=(_TUESDAY - day.weekday()) % 7)
    while (
        tuesday == _last_tuesday(tuesday.year, tuesday.month)
        or _on_or_before(tuesday, calendar) < day
    ):
        tuesday += _WEEK
    return _on_or_before(tuesday, calendar)


def _future(i: int, terms: _Terms, expiry: date) -> Listing:
    return _listing(
        terms,
        kind=Kind.FUTURE,
        symbol=f"{terms.index.symbol} FUT {_written(expiry)}",
        token=30_000 + expiry.toordinal() % 250 * 10 + i,
        tick_size=terms.tick_size,
        expiry=expiry,
    )


def _chain(expiry: date, nifty: int) -> Iterator[Listing]:
    """Call and put of each strike, lowest strike first."""
    lowest = round(nifty / STRIKE_STEP) - STRIKES // 2
    first_token = 40_000 + expiry.toordinal() % 250 * 100
    for i in range(STRIKES):
        strike = (lowest + i) * STRIKE_STEP
        for j, (kind, word) in enumerate(((Kind.CALL, "CE"), (Kind.PUT, "PE"))):
            yield _listing(
                TERMS[0],
                kind=kind,
                symbol=f"NIFTY {strike // 100} {word} {_written(expiry)}",
                token=first_token + 2 * i + j,
                tick_size=OPTION_TICK,
                expiry=expiry,
                strike=strike,
                weekly=True,
            )


def _listing(
    terms: _Terms,
    *,
    kind: Kind,
    symbol: str,
    token: int,
    tick_size: int,
    expiry: date,
    strike: int = 0,
    weekly: bool = False,
) -> Listing:
    return Listing(
        key=f"NSE_FO|{token}",
        symbol=symbol,
        name=terms.index.symbol,
        short_name=terms.index.symbol,
        token=str(token),
        kind=kind,
        tick_size=tick_size,
        lot_size=terms.lot_size,
        contract=Contract(
            underlying_key=terms.index.key,
            underlying_symbol=terms.index.symbol,
            expiry=expiry,
            strike=strike,
            weekly=weekly,
            freeze_quantity=terms.freeze_quantity,
        ),
    )


def options_of(listings: Sequence[Listing], underlying_key: str) -> list[Listing]:
    """The listed options on an underlying, in order of the listings."""
    return [
        listing
        for listing in listings
        if listing.contract is not None
        and listing.kind is not Kind.FUTURE
        and listing.contract.underlying_key == underlying_key
    ]


def _written(day: date) -> str:
    return day.strftime("%d %b %y").upper()


def _last_tuesday(year: int, month: int) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    last = following - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - _TUESDAY) % 7)


def _on_or_before(day: date, calendar: Calendar) -> date:
    while not calendar.is_trading_day(day):
        day -= timedelta(days=1)
    return day
