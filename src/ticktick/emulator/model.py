"""The market model: one minute of quotes and trades of every instrument, from a seed.

A day is generated minute by minute; only `Carry` passes from one minute to the next, and the
chance of a minute depends on nothing but (seed, day, minute). Time runs in steps of a quarter
of a second: a step has one book, its trades happen at that book's bid or ask.

The mid of every stock is a walk on the tick grid whose steps have mean zero whatever happened
before: moves are rounded to ticks at random so that the rounding has no mean, and when the
spread changes between odd and even the mid goes half a tick up or down by a fair coin. Sizes,
sides and counts are drawn apart from the moves. So nothing seen tells where the price goes;
only how much it moves follows the time of day.
"""

from typing import Final

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from ticktick.domain.clock import NS_PER_MS
from ticktick.emulator.listings import (
    BANK_BASE,
    INDICES,
    LISTINGS,
    NIFTY_BASE,
    STOCKS,
    TEMPERS,
    VIX_BASE,
    Sector,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

STEP_MS: Final = 250
STEP_NS: Final = STEP_MS * NS_PER_MS
STEPS: Final = 240
STEPS_PER_DAY: Final = STEPS * 360

NIGHT: Final = 0.35
"""Swing from close to open against that of a usual day."""

N_STOCKS: Final = len(STOCKS)
N_LISTINGS: Final = len(LISTINGS)
TICK: Final[Ints] = np.array([listing.tick_size for listing in STOCKS])
BASE_PRICE: Final[Ints] = np.array([temper.base_price for temper in TEMPERS])
BASES: Final[Ints] = np.concatenate([BASE_PRICE, [NIFTY_BASE, BANK_BASE, VIX_BASE]])

TRADES_PER_STEP: Final[Floats] = np.array([t.trades_per_s for t in TEMPERS]) * STEP_MS / 1000
USUAL_QUANTITY: Final[Ints] = np.array([temper.usual_quantity for temper in TEMPERS])
_REFRESH: Final[Floats] = np.array([temper.refresh for temper in TEMPERS])
_SWING: Final[Floats] = np.array([temper.swing for temper in TEMPERS])
_NIFTY_WEIGHT: Final[Floats] = np.array([temper.nifty for temper in TEMPERS])
_BANK_WEIGHT: Final[Floats] = np.array([temper.bank for temper in TEMPERS])

_MARKET_SWING, _SECTOR_SWING, _OWN_SWING = 0.007, 0.0045, 0.007
_SPREAD_AT_MOST_ONE, _SPREAD_AT_MOST_TWO = 0.72, 0.94
_INDEX_TICK = 5
_VIX_REVERSION_PER_MINUTE = 0.002
_VIX_SWING = 0.03
_VIX_AGAINST_MARKET = 4.0

LOADINGS: Final[Floats] = np.array(
    [
        [
            _MARKET_SWING,
            _SECTOR_SWING * (temper.sector is Sector.BANK),
            _SECTOR_SWING * (temper.sector is Sector.IT),
        ]
        for temper in TEMPERS
    ]
)


class Carry(Struct, frozen=True):
    """What one minute hands to the next.

    `half_ticks` is the mid of each stock in half ticks, `spread` its spread in ticks,
    `last_price` the last price of every listing in paise, `vix_away` the log distance of the
    volatility index from its usual level, `shares` what splits have made of one share.
    """

    half_ticks: Ints
    spread: Ints
    last_price: Ints
    vix_away: float
    shares: Floats


class Condition(Struct, frozen=True):
    """What is held of each stock in a minute.

    `mute` stocks do not trade, the books of `still` ones do not move. `limit` is the price in
    paise at which a stock is locked, 0 if it is free; `side` +1 if only buyers are left there,
    -1 if only sellers are.
    """

    mute: Flags
    still: Flags
    limit: Ints
    side: Ints


_NOBODY: Final[Flags] = np.zeros(N_STOCKS, np.bool_)
_NOWHERE: Final[Ints] = np.zeros(N_STOCKS, np.int64)
FREE: Final = Condition(_NOBODY, _NOBODY, _NOWHERE, _NOWHERE)


class Flow(Struct, frozen=True):
    """Trades and index values (quantity 0) of one minute in order of time, an entry for each.

    Those of step k are `bounds[k]:bounds[k + 1]`; prices are in paise.
    """

    start_ns: int
    row: Ints
    at_ns: Ints
    price: Ints
    quantity: Ints
    bounds: Ints


class Tape(Flow, frozen=True):
    """One minute of continuous trading: books by step beside the trades.

    `bid`, `ask` [STEPS, stocks] are the best prices in paise, `refreshed` tells where the book
    changed. `shares` is that of the carry, `side` that of the condition.
    """

    seeds: tuple[int, int, int]
    bid: Ints
    ask: Ints
    refreshed: Flags
    shares: Floats
    side: Ints


def flow_of(start_ns: int, row: Ints, offset_ms: Ints, price: Ints, quantity: Ints) -> Flow:
    """What happens in a minute at these milliseconds of it, in any order."""
    order = np.argsort(offset_ms, kind="stable")
    return Flow(
        start_ns=start_ns,
        row=row[order],
        at_ns=start_ns + offset_ms[order] * NS_PER_MS,
        price=price[order],
        quantity=quantity[order],
        bounds=np.searchsorted(offset_ms[order], np.arange(STEPS + 1) * STEP_MS),
    )


def chance(seeds: tuple[int, ...], stream: int) -> np.random.Generator:
    """The generator of one purpose in one minute."""
    return np.random.default_rng([*seeds, stream])


def opening(
    last_price: Ints, vix_away: float, overnight: float = 0.0, shares: Floats | None = None
) -> Carry:
    """The state before the first minute of a day: the mid beside the last close.

    `overnight` is the log distance by which everything opens away from it.
    """
    stocks = np.round(last_price[:N_STOCKS] * np.exp(overnight)).astype(np.int64)
    spread = np.ones(N_STOCKS, np.int64)
    if shares is None:
        shares = np.ones(N_STOCKS)
    return Carry(beside(stocks), spread, last_price, vix_away, shares)


def beside(price: Ints) -> Ints:
    """The mid in half ticks of books of one tick whose bid is the price."""
    return 2 * (price // TICK) + 1


def bustle(progress: float | Floats) -> Floats:
    """Activity over the session (0 to 1) against its average: busy open and close."""
    progress = np.asarray(progress, dtype=np.float64)
    return 0.69 + 1.7 * np.exp(-12.0 * progress) + 1.6 * np.exp(-10.0 * (1.0 - progress))


def minute_tape(
    seeds: tuple[int, int, int],
    start_ns: int,
    progress: float,
    carry: Carry,
    held: Condition = FREE,
) -> tuple[Tape, Carry]:
    """One minute of the market and the state after it.

    `seeds` are the run's seed, the day's ordinal and the minute's number.
    """
    rng = chance(seeds, 0)
    busy = float(bustle(progress))
    factors = rng.standard_normal((STEPS, 3))
    refreshed = rng.random((STEPS, N_STOCKS)) < _REFRESH
    refreshed[0] = True
    refreshed &= ~held.still
    half_ticks, spread = _walk(rng, factors, refreshed, busy, carry, held)
    bid = np.where(held.side, held.limit, (half_ticks - spread) // 2 * TICK)
    ask = np.where(held.side, held.limit, (half_ticks + spread) // 2 * TICK)
    trades = _trades(rng, bid, ask, busy, carry.shares, held.mute)
    seconds = _last_by_second(*trades[:3], carry.last_price[:N_STOCKS])
    values, vix_away = _indices(rng, factors, seconds * carry.shares, carry.vix_away)
    tape = _merge(seeds, start_ns, (bid, ask, refreshed), trades, values, carry.shares, held.side)
    last = np.concatenate([seconds[-1], values[-1]])
    return tape, Carry(half_ticks[-1], spread[-1], last, vix_away, carry.shares)


def index_values(stock_prices: Floats | Ints) -> Floats:
    """NIFTY 50 and Nifty Bank, in paise, of stock prices [..., stocks] in paise.

    The prices are those of one share of the first day, whatever splits have made of it.
    """
    relative = stock_prices / BASE_PRICE
    nifty = NIFTY_BASE * (relative @ _NIFTY_WEIGHT) / _NIFTY_WEIGHT.sum()
    bank = BANK_BASE * (relative @ _BANK_WEIGHT) / _BANK_WEIGHT.sum()
    return np.round(np.stack([nifty, bank], axis=-1) / _INDEX_TICK) * _INDEX_TICK


def swings(rng: np.random.Generator, factors: Floats) -> Floats:
    """Correlated log moves [..., stocks] that sum to a usual day over a day of unit steps."""
    own = rng.standard_normal((*factors.shape[:-1], N_STOCKS))
    return (factors @ LOADINGS.T + _OWN_SWING * own) * _SWING


def _walk(
    rng: np.random.Generator,
    factors: Floats,
    refreshed: Flags,
    busy: float,
    carry: Carry,
    held: Condition,
) -> tuple[Ints, Ints]:
    level = carry.half_ticks / 2.0
    mood = np.exp(0.3 * rng.standard_normal(N_STOCKS) + 0.25 * rng.standard_normal() - 0.08)
    scale = level * mood * np.sqrt(busy / _REFRESH / STEPS_PER_DAY)
    wish = swings(rng, factors) * scale * refreshed
    ticks = np.floor(wish + rng.random(wish.shape)).astype(np.int64)
    spread = np.where(held.still, carry.spread, _spreads(rng, refreshed))
    before = np.concatenate([carry.spread[None], spread[:-1]])
    coin = 2 * rng.integers(0, 2, spread.shape) - 1
    half_ticks = carry.half_ticks + np.cumsum(2 * ticks + coin * ((spread - before) & 1), axis=0)
    locked = held.side != 0
    return np.where(locked, beside(held.limit), half_ticks), np.where(locked, 1, spread)


def _spreads(rng: np.random.Generator, refreshed: Flags) -> Ints:
    draw = rng.random(refreshed.shape)
    spread = 1 + (draw > _SPREAD_AT_MOST_ONE) + (draw > _SPREAD_AT_MOST_TWO)
    return np.take_along_axis(spread, latest_step(refreshed), axis=0)


def latest_step(refreshed: Flags) -> Ints:
    """For each step and stock the step in which its book last changed, 0 before the first."""
    steps = np.where(refreshed, np.arange(len(refreshed))[:, None], 0)
    return np.asarray(np.maximum.accumulate(steps, axis=0), np.int64)


def _trades(
    rng: np.random.Generator, bid: Ints, ask: Ints, busy: float, shares: Floats, mute: Flags
) -> tuple[Ints, Ints, Ints, Ints]:
    rush = np.exp(0.35 * rng.standard_normal(N_STOCKS) - 0.06)
    counts = rng.poisson(TRADES_PER_STEP * busy * rush, bid.shape)
    cell = np.repeat(np.arange(counts.size), counts.ravel())
    step, row = np.divmod(cell, N_STOCKS)
    offset_ms = step * STEP_MS + rng.integers(0, STEP_MS, cell.size)
    bought = rng.random(cell.size) < 0.5
    price = np.where(bought, ask[step, row], bid[step, row])
    size = USUAL_QUANTITY[row] * shares[row] * np.exp(0.9 * rng.standard_normal(cell.size))
    quantity = np.maximum(1, np.round(size)).astype(np.int64)
    order = np.argsort(offset_ms, kind="stable")
    order = order[~mute[row[order]]]
    return row[order], offset_ms[order], price[order], quantity[order]


def _last_by_second(row: Ints, offset_ms: Ints, price: Ints, before: Ints) -> Ints:
    """Last price of each stock at the start of each second, and at the minute's end."""
    last = np.zeros((61, N_STOCKS), np.int64)
    last[0] = before
    last[offset_ms // 1000 + 1, row] = price
    known = np.maximum.accumulate(np.where(last > 0, np.arange(61)[:, None], 0), axis=0)
    return np.take_along_axis(last, known, axis=0)


def _indices(
    rng: np.random.Generator, factors: Floats, seconds: Floats, vix_away: float
) -> tuple[Ints, float]:
    market = factors[:, 0].reshape(60, -1).sum(axis=1) * _MARKET_SWING * _VIX_AGAINST_MARKET
    own = rng.standard_normal(60) * _VIX_SWING * np.sqrt(STEPS / 60)
    keep = 1.0 - _VIX_REVERSION_PER_MINUTE * np.arange(1, 61) / 60
    away = vix_away * keep + np.cumsum(own - market) / np.sqrt(STEPS_PER_DAY)
    vix = np.round(VIX_BASE * np.exp(away))
    values = np.column_stack([index_values(seconds[:60]), vix]).astype(np.int64)
    return values, float(away[-1])


def _merge(
    seeds: tuple[int, int, int],
    start_ns: int,
    book: tuple[Ints, Ints, Flags],
    trades: tuple[Ints, Ints, Ints, Ints],
    values: Ints,
    shares: Floats,
    side: Ints,
) -> Tape:
    row, offset_ms, price, quantity = trades
    flow = flow_of(
        start_ns,
        np.concatenate([row, np.tile(np.arange(N_STOCKS, N_LISTINGS), 60)]),
        np.concatenate([offset_ms, np.repeat(np.arange(60) * 1000, len(INDICES))]),
        np.concatenate([price, values.ravel()]),
        np.concatenate([quantity, np.zeros(values.size, np.int64)]),
    )
    return Tape(
        **structs.asdict(flow),
        seeds=seeds,
        bid=book[0],
        ask=book[1],
        refreshed=book[2],
        shares=shares,
        side=side,
    )
