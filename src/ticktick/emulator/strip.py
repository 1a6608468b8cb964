"""One minute of every derivative: books that follow the indices, trades at bid or ask.

A book is quoted anew at steps common to all contracts, from the same level of the index, so
that put-call parity holds between the mids of a pair to half a tick each. What a contract is
worth is worked out only where it is asked for: at the trades, and for books that somebody sees.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from ticktick.domain.clock import NS_PER_DAY, NS_PER_MS, ist_midnight_ns
from ticktick.domain.instrument import Kind
from ticktick.domain.sessions import Calendar, SessionClass
from ticktick.emulator.black76 import RATE, Greeks, greeks, price, smile
from ticktick.emulator.contracts import TERMS
from ticktick.emulator.listings import Listing
from ticktick.emulator.model import (
    STEP_MS,
    STEP_NS,
    STEPS,
    Flags,
    Floats,
    Ints,
    bustle,
    chance,
    latest_step,
)

LEVELS: Final = 30
_STREAM, _DEPTH_STREAM = 3, 4
_REFRESH = 0.7
_SPREAD_AT_MOST_ONE, _SPREAD_AT_MOST_TWO = 0.6, 0.9
_FUTURE_SPREAD = 5
_SPREAD_PER_TICKS = 0.001
_GAP_CHANCE = 0.35
_FUTURE_TRADES_PER_S: Final = (3.0, 1.5)
_OPTION_TRADES_PER_S = 1.2
_OPTION_REACH = 0.012
_LOTS_IN_BOOK = 6.0
_DAYS_PER_YEAR = 365


class Chain(Struct, frozen=True):
    """The contracts of a day in columns; prices in paise, `sign` 0 for a future.

    `index` is the row of the underlying among `TERMS`, `trades_per_s` a day average.
    """

    index: Ints
    strike: Floats
    sign: Floats
    tick: Ints
    lot: Ints
    expiry_ns: Ints
    trades_per_s: Floats

    def __len__(self) -> int:
        return len(self.index)


class Strip(Struct, frozen=True):
    """One minute; `spot` [STEPS, indices] in paise and `volatility` [STEPS] lead its books.

    Trade columns have one entry per trade; those of step k are `bounds[k]:bounds[k + 1]`.
    """

    start_ns: int
    seeds: tuple[int, int, int]
    chain: Chain
    spot: Floats
    volatility: Floats
    refreshed: Flags
    latest: Ints
    spread: Ints
    row: Ints
    at_ns: Ints
    price: Ints
    quantity: Ints
    bounds: Ints


def chain_of(listings: Sequence[Listing], calendar: Calendar) -> Chain:
    """The columns of the day's contracts."""
    keys = [terms.index.key for terms in TERMS]
    found = [(one, one.contract) for one in listings if one.contract is not None]
    index = np.array([keys.index(contract.underlying_key) for _, contract in found])
    strike = np.array([float(contract.strike) for _, contract in found])
    sign = np.array([_SIGNS[one.kind] for one, _ in found])
    middle = strike[sign != 0].mean()
    reach = np.exp(-np.abs(np.log(np.maximum(strike, 1.0) / middle)) / _OPTION_REACH)
    futures = np.array(_FUTURE_TRADES_PER_S)[index]
    return Chain(
        index=index,
        strike=np.where(sign == 0, 1.0, strike),
        sign=sign,
        tick=np.array([one.tick_size for one, _ in found]),
        lot=np.array([one.lot_size for one, _ in found]),
        expiry_ns=np.array([expiry_ns(contract.expiry, calendar) for _, contract in found]),
        trades_per_s=np.where(sign == 0, futures, 0.02 + _OPTION_TRADES_PER_S * reach),
    )


_SIGNS: Final = {Kind.FUTURE: 0.0, Kind.CALL: 1.0, Kind.PUT: -1.0}


def expiry_ns(day: date, calendar: Calendar) -> int:
    """The moment at which contracts end: the close of their last session."""
    session = calendar.session(day, SessionClass.DERIVATIVE)
    return ist_midnight_ns(day) + NS_PER_DAY if session is None else session.close_ns


def strip_of(
    seeds: tuple[int, int, int],
    start_ns: int,
    progress: float,
    chain: Chain,
    spot: Floats,
    volatility: Floats,
) -> Strip:
    """The minute of these contracts over the given path of the indices."""
    rng = chance(seeds, _STREAM)
    refreshed = rng.random((STEPS, 1)) < _REFRESH
    refreshed[0] = True
    latest = latest_step(refreshed)[:, 0]
    draw = rng.random((STEPS, len(chain)))
    spread = 1 + (draw > _SPREAD_AT_MOST_ONE) + (draw > _SPREAD_AT_MOST_TWO)
    row, offset_ms, bought, quantity = _trades(rng, chain, float(bustle(progress)))
    empty = np.zeros(0, np.int64)
    strip = Strip(
        start_ns=start_ns,
        seeds=seeds,
        chain=chain,
        spot=spot,
        volatility=volatility,
        refreshed=refreshed[:, 0],
        latest=latest,
        spread=spread,
        row=row,
        at_ns=start_ns + offset_ms * NS_PER_MS,
        price=empty,
        quantity=quantity,
        bounds=np.searchsorted(offset_ms, np.arange(STEPS + 1) * STEP_MS),
    )
    bid, ask = quotes(strip, offset_ms // STEP_MS, row)
    return replace(strip, price=np.where(bought, ask, bid))


def quotes(strip: Strip, step: Ints, row: Ints) -> tuple[Ints, Ints]:
    """Best bid and ask in paise after the steps, for pairs of step and contract."""
    chain = strip.chain
    step = strip.latest[step]
    tick = chain.tick[row]
    ticks = worth(strip, step, row) / tick
    drawn = strip.spread[step, row]
    option = chain.sign[row] != 0
    wide = drawn + np.floor(ticks * _SPREAD_PER_TICKS).astype(np.int64)
    spread = np.where(option, wide, drawn * _FUTURE_SPREAD)
    odd = spread & 1
    half_ticks = odd + 2 * np.round(ticks - odd / 2).astype(np.int64)
    bid = np.maximum((half_ticks - spread) // 2, 1)
    return bid * tick, (bid + spread) * tick


def worth(strip: Strip, step: Ints, row: Ints) -> Floats:
    """Fair values in paise at the steps, for pairs of step and contract."""
    chain = strip.chain
    at_ns = strip.start_ns + step * STEP_NS
    spot = strip.spot[step, chain.index[row]]
    return values(chain, row, at_ns, spot, strip.volatility[step])


def values(chain: Chain, row: Ints, at_ns: Ints, spot: Floats, volatility: Floats) -> Floats:
    """Fair values in paise of contracts at moments, given index levels and volatility."""
    years = years_left(chain, row, at_ns)
    forward = spot * np.exp(RATE * years)
    strike, sign = chain.strike[row], chain.sign[row]
    found = forward.copy()
    option = np.flatnonzero(sign)
    iv = smile(volatility[option], forward[option], strike[option])
    found[option] = price(forward[option], strike[option], years[option], iv, sign[option])
    return np.asarray(found, np.float64)


def years_left(chain: Chain, row: Ints, at_ns: Ints) -> Floats:
    """Calendar time to expiry, never negative."""
    left = np.maximum(chain.expiry_ns[row] - at_ns, 0)
    return np.asarray(left / (_DAYS_PER_YEAR * NS_PER_DAY), np.float64)


class Sight(Struct, frozen=True):
    """What every contract shows after a step, one entry each.

    Best prices in paise; forwards in paise, volatility as a fraction a year; Greeks in rupees.
    """

    bid: Ints
    ask: Ints
    forward: Floats
    years: Floats
    volatility: Floats
    greeks: Greeks


def sight(strip: Strip, step: int) -> Sight:
    """Everything quoted after a step."""
    chain = strip.chain
    rows = np.arange(len(chain))
    bid, ask = quotes(strip, np.full(len(chain), step), rows)
    at = int(strip.latest[step])
    years = years_left(chain, rows, np.full(len(chain), strip.start_ns + at * STEP_NS))
    forward = np.asarray(strip.spot[at, chain.index] * np.exp(RATE * years), np.float64)
    iv = smile(strip.volatility[at], forward, chain.strike)
    found = greeks(forward / 100, chain.strike / 100, years, iv, chain.sign)
    return Sight(bid, ask, forward, years, iv, found)


class Book(Struct, frozen=True):
    """Levels of one contract behind its best prices [STEPS, side, LEVELS].

    `away` is the distance in ticks, 0 first, `quantity` contracts; `total` [STEPS, side] is the
    whole book.
    """

    away: Ints
    quantity: Ints
    total: Ints


def book_of(strip: Strip, row: int) -> Book:
    """The book of one contract over the minute; drawn only for contracts somebody looks at."""
    rng = chance((*strip.seeds, row), _DEPTH_STREAM)
    shape = (STEPS, 2, LEVELS)
    lot = int(strip.chain.lot[row])
    size = _LOTS_IN_BOOK * np.linspace(0.6, 2.0, LEVELS) * np.exp(0.7 * rng.standard_normal(shape))
    quantity = np.maximum(1, np.round(size)).astype(np.int64) * lot
    gaps = 1 + (rng.random(shape) < _GAP_CHANCE)
    gaps[..., 0] = 0
    away: Ints = np.cumsum(gaps, axis=-1)
    rest = rng.integers(100, 200, (STEPS, 2)) * lot
    held = quantity[strip.latest]
    return Book(away[strip.latest], held, held.sum(axis=-1) + rest[strip.latest])


def _trades(rng: np.random.Generator, chain: Chain, busy: float) -> tuple[Ints, Ints, Flags, Ints]:
    rush = np.exp(0.35 * rng.standard_normal(len(chain)) - 0.06)
    counts = rng.poisson(chain.trades_per_s * 60 * busy * rush)
    row = np.repeat(np.arange(len(chain)), counts)
    offset_ms = rng.integers(0, STEPS * STEP_MS, row.size)
    order = np.argsort(offset_ms, kind="stable")
    lots = np.maximum(1, np.round(np.exp(0.9 * rng.standard_normal(row.size)))).astype(np.int64)
    bought = rng.random(row.size) < 0.5
    return row[order], offset_ms[order], bought, lots * chain.lot[row[order]]
