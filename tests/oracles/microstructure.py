"""Metrics of closed minutes and of ten-second buckets, from their definitions in plain NumPy."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def parkinson(high: Floats, low: Floats) -> float:
    """The last 30 ranges; NaN below 20."""
    ranges = np.log(high[-30:] / low[-30:])
    return float(np.sqrt(np.mean(ranges**2) / (4 * np.log(2)))) if len(ranges) >= 20 else np.nan


def garman_klass(opened: Floats, high: Floats, low: Floats, close: Floats) -> float:
    """The last 30 ranges and bodies; NaN below 20."""
    ranges, bodies = np.log(high[-30:] / low[-30:]), np.log(close[-30:] / opened[-30:])
    if len(ranges) < 20:
        return np.nan
    return float(np.sqrt(np.mean(0.5 * ranges**2 - (2 * np.log(2) - 1) * bodies**2)))


def amihud(typical_rupees: Floats, close: Floats, volume: Floats) -> float:
    """The last 30 close-to-close returns per crore; NaN where fewer than 20 traded."""
    returns = np.abs(close[1:] / close[:-1] - 1)[-30:]
    crores = (typical_rupees[1:] * volume[1:] / 1e7)[-30:]
    traded = crores > 0
    return float(np.mean(returns[traded] / crores[traded])) if traded.sum() >= 20 else np.nan


def kyle(bought_lakh: Floats, moved_bps: Floats) -> tuple[float, float]:
    """Slope and its standard error of the last 180 pairs; NaN below 60 pairs or a t of 2."""
    pairs = np.column_stack([bought_lakh, moved_bps])[-180:]
    pairs = pairs[~np.isnan(pairs).any(axis=1)]
    if len(pairs) < 60 or np.ptp(pairs[:, 0]) == 0:
        return np.nan, np.nan
    design = np.column_stack([np.ones(len(pairs)), pairs[:, 0]])
    (_, slope), residual, *_ = np.linalg.lstsq(design, pairs[:, 1], rcond=None)
    variance = residual[0] / (len(pairs) - 2)
    error = float(np.sqrt(variance * np.linalg.inv(design.T @ design)[1, 1]))
    return (float(slope), error) if slope > 0 and slope >= 2 * error else (np.nan, np.nan)
