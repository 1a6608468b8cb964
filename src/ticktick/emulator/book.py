"""Depth of one minute: five levels a side behind the best prices of the tape.

Sizes come from a stream of chance of their own, so they say nothing about prices, and are
drawn only for minutes that somebody looks at.
"""

from typing import Final

import numpy as np
from msgspec import Struct

from ticktick.emulator.model import (
    N_STOCKS,
    STEPS,
    TICK,
    USUAL_QUANTITY,
    Floats,
    Ints,
    Tape,
    chance,
    latest_step,
)

LEVELS: Final = 5
DEEP_LEVELS: Final = 30
_DEPTH_STREAM, _DEEP_STREAM = 1, 10
_GAP_CHANCE = 0.25
_MEMORY_STEPS = 60
_LEAN = 0.45
_TOTAL_IN_LEVELS = 400


class Depth(Struct, frozen=True):
    """Books [STEPS, stocks, side, levels], side 0 buys and 1 sells, best level first.

    `price` is paise, `quantity` shares; `total` [STEPS, stocks, side] is the whole book.
    """

    price: Ints
    quantity: Ints
    total: Ints


def _memory() -> Floats:
    ages = np.arange(STEPS)[:, None] - np.arange(STEPS)[None, :]
    keep = np.exp(-1.0 / _MEMORY_STEPS)
    kernel = np.where(ages >= 0, keep ** np.maximum(ages, 0), 0.0)
    return np.asarray(kernel * np.sqrt(1.0 - keep**2), np.float64)


_MEMORY: Final = _memory()


def depth_of(tape: Tape, levels: int = LEVELS) -> Depth:
    """Every book of the minute; a book stays as it was where it was not refreshed."""
    rng = chance(tape.seeds, _DEPTH_STREAM)
    lean = _MEMORY @ rng.standard_normal((STEPS, N_STOCKS * 2)) * _LEAN
    side_size = np.exp(lean).reshape(STEPS, N_STOCKS, 2)
    shape = (STEPS, N_STOCKS, 2, levels)
    shares = USUAL_QUANTITY * tape.shares
    usual = shares[:, None, None] * 4.0 * np.linspace(1.0, 1.8, levels)
    size = usual * side_size[..., None] * np.exp(0.7 * rng.standard_normal(shape))
    quantity = np.maximum(1, np.round(size)).astype(np.int64)
    gaps = 1 + (rng.random(shape) < _GAP_CHANCE)
    gaps[..., 0] = 0
    away: Ints = np.cumsum(gaps, axis=-1) * TICK[:, None, None]
    total = shares[:, None] * _TOTAL_IN_LEVELS * np.sqrt(side_size)
    latest = latest_step(tape.refreshed)
    held = np.take_along_axis(quantity, latest[..., None, None], axis=0)
    away = np.take_along_axis(away, latest[..., None, None], axis=0)
    total = np.take_along_axis(total, latest[..., None], axis=0)
    best = np.stack([tape.bid, tape.ask], axis=-1)[..., None]
    sign = np.array([-1, 1])[:, None]
    rest = np.round(total).astype(np.int64)
    price = np.asarray(best + sign * away, np.int64)
    return Depth(price, held, held.sum(axis=-1) + rest)


def deeper(tape: Tape, depth: Depth) -> Depth:
    """The levels behind those of `depth`, up to DEEP_LEVELS; `total` is the same."""
    rng = chance(tape.seeds, _DEEP_STREAM)
    shape = (STEPS, N_STOCKS, 2, DEEP_LEVELS - LEVELS)
    shares = USUAL_QUANTITY * tape.shares
    size = shares[:, None, None] * 4.0 * np.exp(0.7 * rng.standard_normal(shape))
    quantity = np.maximum(1, np.round(size)).astype(np.int64)
    away: Ints = np.cumsum(1 + (rng.random(shape) < _GAP_CHANCE), axis=-1) * TICK[:, None, None]
    latest = latest_step(tape.refreshed)[..., None, None]
    sign = np.array([-1, 1])[:, None]
    price = depth.price[..., -1:] + sign * np.take_along_axis(away, latest, axis=0)
    held = np.take_along_axis(quantity, latest, axis=0)
    return Depth(np.asarray(price, np.int64), held, depth.total)
