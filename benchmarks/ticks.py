"""A made-up market for benchmarks: many instruments that trade and quote, the same at every run."""

import random

import numpy as np
from numpy.typing import NDArray

from benchmarks.by_deque import S, Tick
from ticktick.domain.slots import SLOT

START_NS = 1_765_770_300 * S  # a session's first minute
STEP_NS = S
TICK_SIZE = 100


def session(instruments: int, frames: int) -> list[list[Tick]]:
    """Frame by frame the update of each instrument, a second apart; every quote stands."""
    rng = random.Random(instruments)
    prices = [rng.randrange(50_000, 400_000) // TICK_SIZE * TICK_SIZE for _ in range(instruments)]
    volumes, values = [0] * instruments, [0] * instruments
    told: list[list[Tick]] = []
    for number in range(frames):
        at_ns = START_NS + number * STEP_NS
        told.append([])
        for i in range(instruments):
            prices[i] += rng.choice((-TICK_SIZE, 0, 0, 0, TICK_SIZE))
            bid, ask = prices[i], prices[i] + rng.choice((1, 1, 2)) * TICK_SIZE
            bought = rng.choice((0, 0, 10, 50, 400)) if number else 100
            price = rng.choice((bid, ask, bid + TICK_SIZE))
            volumes[i] += bought
            values[i] += bought * price
            told[-1].append(
                Tick(
                    at_ns,
                    price,
                    volumes[i],
                    round(values[i] / volumes[i]),
                    tuple((bid - n * TICK_SIZE, rng.randrange(1, 900)) for n in range(5)),
                    tuple((ask + n * TICK_SIZE, rng.randrange(1, 900)) for n in range(5)),
                    rng.randrange(1, 10**6),
                    rng.randrange(1, 10**6),
                )
            )
    return told


def words(frame: list[Tick]) -> NDArray[np.int64]:
    """The same updates as rows of the slot table, int64[instruments, words]."""
    rows = np.zeros(len(frame), SLOT)
    for row, tick in zip(rows, frame, strict=True):
        row["exchange_ns"] = row["last_trade_ns"] = tick.at_ns
        row["last_price"], row["average_price"] = tick.price, tick.average
        row["volume"] = tick.volume
        row["bid_price"], row["bid_quantity"] = zip(*tick.bids, strict=True)
        row["ask_price"], row["ask_quantity"] = zip(*tick.asks, strict=True)
        row["total_bid_quantity"], row["total_ask_quantity"] = tick.total_bid, tick.total_ask
    return rows.view(np.int64).reshape(len(frame), -1)
