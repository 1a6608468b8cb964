"""VWAP crossings of one symbol, update by update, from the definition."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Update(NamedTuple):
    """One update: when (seconds), last price, volume it added, spread or None."""

    at_s: float
    price: int
    volume: int
    spread: int | None


class Crossing(NamedTuple):
    """The side after an update, None where it cannot be told, and the crossing told with it."""

    side: int | None
    event: int | None


def crossings(updates: Sequence[Update], tick_size: int, window_s: float = 300) -> list[Crossing]:
    """What is shown and told after each update; the first one only opens the window."""
    found: list[Crossing] = []
    side, told_s = 0, -np.inf
    for place, now in enumerate(updates):
        seen = updates[: place + 1]
        within = [u for u in seen[1:] if now.at_s - window_s < u.at_s and u.volume > 0]
        if len(seen) < 20 or not within or now.spread is None:
            found.append(Crossing(None, None))
            continue
        prices, volumes = (np.array([u[n] for u in within], np.float64) for n in (1, 2))
        vwap = (prices * volumes).sum() / volumes.sum()
        gap = np.mean([u.price for u in seen[-20:]]) - vwap
        margin = max(tick_size / 2, now.spread / 4)
        new = 1 if gap >= margin else -1 if gap <= -margin else side
        event = None
        if side and new != side and len(within) >= 30 and now.at_s - told_s >= 30:
            event, told_s = new, now.at_s
        side = new
        found.append(Crossing(side, event))
    return found
