"""Option prices and Greeks on the forward (Black 1976), on arrays; and the smile they come from.

All inputs broadcast against each other. Forward and strike share one unit, which is the unit of
the price; `years` is calendar time to expiry, `sign` 1 for a call and -1 for a put.
"""

import math
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike

from ticktick.emulator.model import Floats

RATE: Final = 0.065
_DAYS = 365.0
_POINT = 0.01
_SHORTEST_YEARS = 1.0 / (365.0 * 24 * 60)
_SKEW, _CURVATURE = -4.0, 8.0
_LOWEST, _HIGHEST = 0.03, 1.5

_erf = np.frompyfunc(math.erf, 1, 1)


class Greeks(Struct, frozen=True):
    """Sensitivities to the spot: theta a day, vega a volatility point, rho one per cent."""

    delta: Floats
    gamma: Floats
    theta: Floats
    vega: Floats
    rho: Floats


def smile(at_the_money: ArrayLike, forward: ArrayLike, strike: ArrayLike) -> Floats:
    """Implied volatility (fraction a year) of a strike: dearer below the forward, least above."""
    away = np.log(np.asarray(strike, np.float64) / np.asarray(forward, np.float64))
    level = np.asarray(at_the_money, np.float64)
    return np.clip(level * (1.0 + _SKEW * away) + _CURVATURE * away**2, _LOWEST, _HIGHEST)


def price(
    forward: ArrayLike, strike: ArrayLike, years: ArrayLike, volatility: ArrayLike, sign: ArrayLike
) -> Floats:
    """Discounted value; at expiry what exercise pays."""
    forward, strike, sign = (np.asarray(x, np.float64) for x in (forward, strike, sign))
    d1, d2, _ = _distances(forward, strike, years, volatility)
    discount = np.exp(-RATE * np.maximum(np.asarray(years, np.float64), 0.0))
    value = sign * (forward * _normal(sign * d1) - strike * _normal(sign * d2))
    return np.asarray(discount * value, np.float64)


def greeks(
    forward: ArrayLike, strike: ArrayLike, years: ArrayLike, volatility: ArrayLike, sign: ArrayLike
) -> Greeks:
    """Greeks for a spot that grows to the forward at the rate; time is at least a minute."""
    forward, strike, sign = (np.asarray(x, np.float64) for x in (forward, strike, sign))
    years = np.maximum(np.asarray(years, np.float64), _SHORTEST_YEARS)
    volatility = np.asarray(volatility, np.float64)
    d1, d2, root = _distances(forward, strike, years, volatility)
    spot = forward * np.exp(-RATE * years)
    density = np.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
    exercised = sign * strike * np.exp(-RATE * years) * _normal(sign * d2)
    decay = -spot * density * volatility / (2.0 * np.sqrt(years)) - RATE * exercised
    return Greeks(
        delta=np.asarray(sign * _normal(sign * d1), np.float64),
        gamma=np.asarray(density / (spot * root), np.float64),
        theta=np.asarray(decay / _DAYS, np.float64),
        vega=np.asarray(spot * density * np.sqrt(years) * _POINT, np.float64),
        rho=np.asarray(years * exercised * _POINT, np.float64),
    )


def chance_of_profit(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    volatility: ArrayLike,
    sign: ArrayLike,
    paid: ArrayLike,
) -> Floats:
    """Probability (fraction) that a buyer at this price gains, held to expiry."""
    sign = np.asarray(sign, np.float64)
    even = np.maximum(np.asarray(strike, np.float64) + sign * np.asarray(paid, np.float64), 1.0)
    _, d2, _ = _distances(np.asarray(forward, np.float64), even, years, volatility)
    return _normal(sign * d2)


def _distances(
    forward: Floats, strike: Floats, years: ArrayLike, volatility: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    years = np.maximum(np.asarray(years, np.float64), 1e-12)
    root = np.asarray(volatility, np.float64) * np.sqrt(years)
    d1 = np.log(forward / strike) / root + 0.5 * root
    return np.asarray(d1, np.float64), np.asarray(d1 - root, np.float64), np.asarray(root)


def _normal(x: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.asarray(_erf(x / math.sqrt(2.0)), np.float64)), np.float64)
