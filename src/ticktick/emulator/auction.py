"""Call auctions: the pre-open and the closing session, from the first order to the match.

While orders are collected nothing trades. The exchange tells at which price most would trade
(the equilibrium price), how much, and what is left over. That price is a walk without memory
like the mid: what is told says nothing about where the match will be. Orders stop at a random
moment, the same for all stocks, and the match is at the price told last.
"""

from datetime import date
from typing import Final

import numpy as np
from msgspec import Struct

from ticktick.emulator.day import Auction
from ticktick.emulator.model import (
    N_STOCKS,
    NIGHT,
    STEP_NS,
    STEPS,
    TICK,
    USUAL_QUANTITY,
    Flags,
    Floats,
    Ints,
    chance,
    latest_step,
    swings,
)

_CLOSING_SWING = 0.06
_OPENING_STREAM, _CLOSING_STREAM, _WALK_STREAM, _BOOK_STREAM = 11, 12, 13, 14
_REFRESH = 0.08
_ORDERS = 300.0
_LEFT_OVER = 0.25
_AT_MARKET = 0.3
LEVELS: Final = 5
_LEVEL_ORDERS = 8.0
_TOWARDS: Final[Ints] = np.array([[1], [-1]])


class Call(Struct, frozen=True):
    """One auction: a row for each step from `start_ns` on, a column for each stock.

    `price` is the equilibrium price in paise, `quantity` what would trade at it, `left_over`
    what would not (more to buy is positive), `at_market` the part of that without a limit.
    `latest` is the step in which they were told last, -1 before the first orders. `reference`
    is the price the session refers to, 0 where it tells none.
    """

    seeds: tuple[int, int, int]
    start_ns: int
    price: Ints
    quantity: Ints
    left_over: Ints
    at_market: Ints
    refreshed: Flags
    latest: Ints
    reference: Ints
    shares: Floats


class Terms(Struct, frozen=True):
    """What an auction starts from: a price in paise, the lowest and highest allowed, shares.

    `reference` is 0 where the session tells none.
    """

    base: Floats
    lowest: Ints
    highest: Ints
    reference: Ints
    shares: Floats


def opening_call(seed: int, day: date, auction: Auction, terms: Terms) -> Call:
    """The pre-open: what the night has done to prices comes out as orders arrive."""
    seeds = (seed, day.toordinal(), _OPENING_STREAM)
    path = _walk(seeds, auction) * NIGHT
    return _call(seeds, auction, terms, path, random_minutes=1)


def closing_call(seed: int, day: date, auction: Auction, terms: Terms, market: Floats) -> Call:
    """The closing session, along the walk of the whole market (log distance by minute and step)."""
    seeds = (seed, day.toordinal(), _CLOSING_STREAM)
    path = _walk(seeds, auction) * _CLOSING_SWING + market.reshape(-1)[:, None]
    return _call(seeds, auction, terms, path, random_minutes=2)


def matched(call: Call) -> tuple[Ints, Ints]:
    """Price and quantity of each stock at the match; 0 where nobody gave an order."""
    latest, rows = call.latest[-1], np.arange(N_STOCKS)
    told = latest >= 0
    return np.where(told, call.price[latest, rows], 0), np.where(
        told, call.quantity[latest, rows], 0
    )


def _walk(seeds: tuple[int, int, int], auction: Auction) -> Floats:
    """Log distance of each stock from where it starts; a usual day's swing by the end."""
    steps = (auction.match_ns - auction.start_ns) // STEP_NS
    rng = chance(seeds, _WALK_STREAM)
    moves = swings(rng, rng.standard_normal((steps, 3)))
    return np.asarray(np.cumsum(moves, axis=0) / np.sqrt(steps), np.float64)


def _call(
    seeds: tuple[int, int, int], auction: Auction, terms: Terms, path: Floats, random_minutes: int
) -> Call:
    rng = chance(seeds, 0)
    steps = len(path)
    refreshed = rng.random(path.shape) < _REFRESH
    refreshed[steps - int(rng.integers(0, random_minutes * STEPS)) :] = False
    price = np.round(terms.base * np.exp(path) / TICK) * TICK
    orders = USUAL_QUANTITY * terms.shares * _ORDERS * np.exp(0.4 * rng.standard_normal(N_STOCKS))
    grown = orders * (np.arange(1, steps + 1) / steps)[:, None]
    left = grown * _LEFT_OVER * rng.standard_normal(path.shape)
    return Call(
        seeds=seeds,
        start_ns=auction.start_ns,
        price=np.clip(price, terms.lowest, terms.highest).astype(np.int64),
        quantity=np.maximum(1, np.round(grown)).astype(np.int64),
        left_over=np.round(left).astype(np.int64),
        at_market=np.round(left * _AT_MARKET * rng.random(path.shape)).astype(np.int64),
        refreshed=refreshed,
        latest=np.where(np.logical_or.accumulate(refreshed, axis=0), latest_step(refreshed), -1),
        reference=terms.reference,
        shares=terms.shares,
    )


class CallDepth(Struct, frozen=True):
    """What stands in the books at each step [steps, stocks, side, levels], best level first.

    The books are crossed: the best bid lies above the equilibrium price, the best ask below
    it. `away` is the distance from that price in paise.
    """

    away: Ints
    quantity: Ints


def depth_of_call(call: Call) -> CallDepth:
    """Every book of the auction; one that was not told anew stays as it was."""
    rng = chance(call.seeds, _BOOK_STREAM)
    shape = (*call.price.shape, 2, LEVELS)
    usual = (USUAL_QUANTITY * call.shares * _LEVEL_ORDERS)[:, None, None]
    size = np.round(usual * np.exp(0.8 * rng.standard_normal(shape)))
    ticks = rng.integers(1, 4, shape[:-1])[..., None] - np.arange(LEVELS)
    away = ticks * TICK[:, None, None] * _TOWARDS
    return CallDepth(away, np.maximum(1, size).astype(np.int64))
