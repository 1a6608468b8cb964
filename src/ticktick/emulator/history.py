"""One-minute bars of the sessions before the first day, ending exactly at the base prices."""

from datetime import date
from typing import Final

import numpy as np

from ticktick.domain.clock import NS_PER_MINUTE
from ticktick.domain.sessions import Calendar, Session, SessionClass
from ticktick.emulator.bars import Bars
from ticktick.emulator.model import (
    BASE_PRICE,
    BASES,
    N_LISTINGS,
    N_STOCKS,
    NIGHT,
    TICK,
    USUAL_QUANTITY,
    Floats,
    Ints,
    bustle,
    chance,
    index_values,
    swings,
)

SESSIONS: Final = 66
_POINTS = 6
_HISTORY_STREAM = 7
_VIX_SWING = 0.04
_VIX_PULL = 0.0004
_SHARES_PER_MINUTE = 90.0


def history(seed: int, first_day: date, calendar: Calendar) -> list[Bars]:
    """Bars of every listing for the last sessions before the day, one entry per listing.

    The last close of each is its base price, so that the first day joins without a jump.
    """
    rng = chance((seed, first_day.toordinal()), _HISTORY_STREAM)
    sessions = [
        session
        for day in calendar.trading_days_before(first_day, SESSIONS)
        if (session := calendar.session(day, SessionClass.AUCTION_CASH)) is not None
    ]
    starts = np.concatenate([minute_starts(session) for session in sessions])
    progress = np.concatenate([_progress(session) for session in sessions])
    first_of_day = np.concatenate([_progress(session) == 0.0 for session in sessions])
    path = _stock_paths(rng, progress, first_of_day)
    prices = np.empty((*path.shape[:2], N_LISTINGS), np.int64)
    prices[..., :N_STOCKS] = np.round(BASE_PRICE * np.exp(path) / TICK) * TICK
    prices[..., N_STOCKS:-1] = index_values(prices[..., :N_STOCKS])
    prices[..., -1] = np.round(BASES[-1] * np.exp(_vix_path(rng, len(starts))))
    prices[-1, -1] = BASES
    volume = _volumes(rng, progress)
    return [_bars(starts, prices[..., row], volume[:, row]) for row in range(N_LISTINGS)]


def minute_starts(session: Session) -> Ints:
    """Start of every minute of continuous trading."""
    stretches = [np.arange(start, end, NS_PER_MINUTE) for start, end in session.stretches]
    return np.concatenate(stretches).astype(np.int64)


def _progress(session: Session) -> Floats:
    return np.arange(session.minutes) / session.minutes


def _stock_paths(rng: np.random.Generator, progress: Floats, first_of_day: Ints) -> Floats:
    """Log distance from the base price [minutes, points, stocks], 0 at the very end."""
    moves = swings(rng, rng.standard_normal((len(progress), _POINTS, 3)))
    moves *= np.sqrt(bustle(progress) / (360 * _POINTS))[:, None, None]
    nights = swings(rng, rng.standard_normal((len(progress), 3))) * NIGHT
    moves[:, 0] += nights * first_of_day[:, None]
    path = np.cumsum(moves.reshape(-1, N_STOCKS), axis=0)
    return np.asarray((path - path[-1]).reshape(moves.shape), np.float64)


def _vix_path(rng: np.random.Generator, minutes: int) -> Floats:
    ages = np.exp(-_VIX_PULL * np.arange(minutes))
    shocks = rng.standard_normal(minutes) * _VIX_SWING / np.sqrt(360)
    # cumulative sums of growing terms, rescaled: an autoregression without a loop
    level = np.cumsum(shocks / ages) * ages
    within = rng.standard_normal((minutes, _POINTS)) * _VIX_SWING / np.sqrt(360 * _POINTS)
    path = (level - level[-1])[:, None] + np.cumsum(within, axis=1)
    return np.asarray(path, np.float64)


def _volumes(rng: np.random.Generator, progress: Floats) -> Ints:
    volume = np.zeros((len(progress), N_LISTINGS), np.int64)
    noise = np.exp(0.5 * rng.standard_normal((len(progress), N_STOCKS)) - 0.12)
    usual = USUAL_QUANTITY * _SHARES_PER_MINUTE * bustle(progress)[:, None]
    volume[:, :N_STOCKS] = np.maximum(1, np.round(usual * noise))
    return volume


def _bars(starts: Ints, points: Ints, volume: Ints) -> Bars:
    return Bars(starts, points[:, 0], points.max(axis=1), points.min(axis=1), points[:, -1], volume)
