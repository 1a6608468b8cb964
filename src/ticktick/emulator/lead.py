"""What leads derivatives: the indices by the books of their stocks, and after the stocks' close.

Stocks stop at 15:15, derivatives go on to 15:40. They move by one common walk without memory,
along which the closing auction finds its price and the next day's pre-open begins, so nobody
gains by knowing both.
"""

from datetime import date
from typing import Final

import numpy as np

from ticktick.domain.clock import NS_PER_MINUTE
from ticktick.domain.sessions import Calendar, SessionClass
from ticktick.emulator.model import (
    N_LISTINGS,
    STEPS,
    STEPS_PER_DAY,
    Floats,
    Tape,
    chance,
    index_values,
)

VOLATILITY_PER_UNIT: Final = 0.00009
"""At-the-money volatility (fraction a year) per unit of the volatility index's integer value."""

_STREAM = 8
_SWING: Final = 0.0075
_STEPS_PER_VALUE = 4

Path = tuple[Floats, Floats]
"""A minute of the indices: levels [STEPS, indices] in paise, at-the-money volatility [STEPS]."""


def index_path(tape: Tape) -> Path:
    """Where the mids of the stocks put the indices at each step of a minute.

    The volatility is that of options at the money, from the volatility index of the second.
    """
    vix = tape.price[tape.row == N_LISTINGS - 1]
    volatility = np.repeat(vix * VOLATILITY_PER_UNIT, _STEPS_PER_VALUE)
    return index_values((tape.bid + tape.ask) / 2 * tape.shares), volatility


def after_hours_walk(seed: int, day: date, calendar: Calendar) -> Floats:
    """Log distance [minutes, STEPS] from the last value with stocks; no minutes on some days."""
    stocks = calendar.session(day, SessionClass.AUCTION_CASH)
    derivatives = calendar.session(day, SessionClass.DERIVATIVE)
    if stocks is None or derivatives is None:
        return np.zeros((0, STEPS))
    minutes = max(0, derivatives.close_ns - stocks.close_ns) // NS_PER_MINUTE
    moves = chance((seed, day.toordinal()), _STREAM).standard_normal(minutes * STEPS)
    walk = np.cumsum(moves) * (_SWING / np.sqrt(STEPS_PER_DAY))
    return np.asarray(walk.reshape(minutes, STEPS), np.float64)
