"""Open interest: contracts outstanding, a slow path of its own that knows nothing of prices."""

from typing import Final

import numpy as np

from ticktick.domain.clock import NS_PER_DAY
from ticktick.emulator.model import Floats, Ints, chance
from ticktick.emulator.strip import Chain

_STREAM = 9
_IST_OFFSET_NS = 19_800_000_000_000
_OPEN_NS, _LENGTH_NS = 33_300_000_000_000, 23_100_000_000_000
_DAILY_SWING = 0.12
_FUTURE_LOTS: Final[Floats] = np.array([180_000.0, 60_000.0])
_OPTION_LOTS, _LEAST_LOTS = 60_000.0, 500.0
_REACH = 0.02
_ROUND = 50_000


def open_interest(seed: int, chain: Chain, rows: Ints, at_ns: Ints) -> Ints:
    """Contracts outstanding [moments, rows]; they change during sessions only."""
    local = at_ns + _IST_OFFSET_NS
    days, where = np.unique(local // NS_PER_DAY, return_inverse=True)
    passed = np.clip((local % NS_PER_DAY - _OPEN_NS) / _LENGTH_NS, 0.0, 1.0)[:, None]
    ends = _levels(seed, days, len(chain))[:, rows]
    starts = _levels(seed, days - 1, len(chain))[:, rows]
    drift = starts[where] + (ends - starts)[where] * passed
    lots = np.round(_usual_lots(chain)[rows] * np.exp(_DAILY_SWING * drift))
    return np.asarray(lots.astype(np.int64) * chain.lot[rows], np.int64)


def _levels(seed: int, days: Ints, count: int) -> Floats:
    """How far the end of each day lies from the usual interest, in daily swings."""
    drawn = [chance((seed, int(day)), _STREAM).standard_normal(count) for day in days]
    return np.array(drawn).reshape(len(days), count)


def _usual_lots(chain: Chain) -> Floats:
    """Calls are held above the money and puts below, most of all at round strikes."""
    option = chain.sign != 0
    middle = chain.strike[option].mean()
    away = np.log(chain.strike / middle) - chain.sign * _REACH / 2
    size = _LEAST_LOTS + _OPTION_LOTS * np.exp(-((away / _REACH) ** 2))
    return np.where(
        option, size * np.where(chain.strike % _ROUND == 0, 2.0, 1.0), _FUTURE_LOTS[chain.index]
    )
