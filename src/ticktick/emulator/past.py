"""Minute bars of a contract before the first day it ran here: its worth along the indices' bars."""

from typing import Final

import numpy as np

from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, ist_day
from ticktick.domain.sessions import Calendar, SessionClass
from ticktick.emulator.bars import NO_BARS, Bars, columns, joined
from ticktick.emulator.lead import VOLATILITY_PER_UNIT
from ticktick.emulator.model import Floats, Ints, chance
from ticktick.emulator.strip import Chain, values

_STREAM = 6
_IST_OFFSET_NS: Final = 19_800_000_000_000


def past_bars(
    seed: int, chain: Chain, row: int, index: Bars, vix: Bars, calendar: Calendar
) -> Bars:
    """Bars of one contract along the given bars of its index, of whole sessions.

    After the stocks' close it rests at the index level they ended with.
    """
    if not len(index):
        return NO_BARS
    index, vix = _with_evenings(index, calendar), _with_evenings(vix, calendar)
    volatility = vix.close[np.searchsorted(vix.start_ns, index.start_ns, "right") - 1]
    corners = [
        _worth(chain, row, index.start_ns, levels, np.asarray(volatility * VOLATILITY_PER_UNIT))
        for levels in (index.open, index.high, index.low, index.close)
    ]
    identity = int(chain.expiry_ns[row] // NS_PER_DAY)
    noise = chance((seed, identity, row), _STREAM).standard_normal(len(index))
    usual = chain.trades_per_s[row] * 60 * 1.5 * np.exp(0.5 * noise)
    lots = np.maximum(1, np.round(usual)).astype(np.int64)
    return Bars(
        index.start_ns,
        corners[0],
        np.maximum.reduce(corners),
        np.minimum.reduce(corners),
        corners[3],
        lots * chain.lot[row],
    )


def _worth(chain: Chain, row: int, at_ns: Ints, spot: Ints, volatility: Floats) -> Ints:
    rows = np.full(len(at_ns), row)
    ticks = values(chain, rows, at_ns, spot.astype(np.float64), volatility) / chain.tick[row]
    return np.asarray(np.maximum(1, np.round(ticks)) * chain.tick[row], np.int64)


def _with_evenings(bars: Bars, calendar: Calendar) -> Bars:
    """The bars with flat ones from each day's last to the close of derivatives."""
    days = (bars.start_ns + _IST_OFFSET_NS) // NS_PER_DAY
    ends = np.append(np.flatnonzero(np.diff(days)), len(days) - 1)
    parts: list[Bars] = []
    first = 0
    for last in ends.tolist():
        parts.append(Bars(*(column[first : last + 1] for column in columns(bars))))
        parts.append(_evening(int(bars.start_ns[last]), int(bars.close[last]), calendar))
        first = last + 1
    return joined(parts)


def _evening(last_ns: int, close: int, calendar: Calendar) -> Bars:
    session = calendar.session(ist_day(last_ns), SessionClass.DERIVATIVE)
    end_ns = last_ns if session is None else session.close_ns
    starts = np.arange(last_ns + NS_PER_MINUTE, end_ns, NS_PER_MINUTE, dtype=np.int64)
    flat = np.full(len(starts), close)
    return Bars(starts, flat, flat, flat, flat, np.zeros(len(starts), np.int64))
