"""Indicators recomputed from their definitions with plain NumPy loops; NaN is "not ready".

Everything takes float64 columns, oldest first, and returns columns of the same length. Written
from quant.md 3.2 alone.
"""

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]


def sma(x: Column, n: int) -> Column:
    """Mean of the last n."""
    return rolling(x, n, np.mean)


def rolling(x: Column, n: int, of: object) -> Column:
    """A statistic of the last n values, none of them missing."""
    out = np.full(len(x), np.nan)
    for i in range(n - 1, len(x)):
        window = x[i - n + 1 : i + 1]
        if not np.isnan(window).any():
            out[i] = of(window)  # type: ignore[operator]
    return out


def smoothed(x: Column, n: int, weight: float) -> Column:
    """Recursive average that begins with the mean of the first n values."""
    out = np.full(len(x), np.nan)
    known = np.flatnonzero(~np.isnan(x))
    if len(known) < n:
        return out
    first = known[0]
    out[first + n - 1] = x[first : first + n].mean()
    for i in range(first + n, len(x)):
        out[i] = out[i - 1] + weight * (x[i] - out[i - 1])
    return out


def ema(x: Column, n: int) -> Column:
    """Exponential average."""
    return smoothed(x, n, 2.0 / (n + 1))


def rma(x: Column, n: int) -> Column:
    """Wilder's average."""
    return smoothed(x, n, 1.0 / n)


def moves(x: Column) -> Column:
    """Change from the value before; NaN first."""
    return np.concatenate([[np.nan], np.diff(x)])


def rsi(close: Column, n: int = 14) -> Column:
    """Wilder's relative strength."""
    change = moves(close)
    up, down = rma(np.maximum(change, 0.0), n), rma(np.maximum(-change, 0.0), n)
    strength: Column = 100.0 * up / (up + down)
    return strength


def true_range(high: Column, low: Column, close: Column) -> Column:
    """From bar 1 on."""
    before = np.concatenate([[np.nan], close[:-1]])
    reach: Column = np.maximum(abs(high - before), abs(low - before))
    return np.asarray(np.maximum(high - low, reach), np.float64)


def atr(high: Column, low: Column, close: Column, n: int = 14) -> Column:
    """Wilder's average of the true range."""
    return rma(true_range(high, low, close), n)


def macd(close: Column) -> tuple[Column, Column, Column]:
    """12, 26, 9, told from where the signal begins."""
    slow = ema(close, 26)
    fast = np.full(len(close), np.nan)
    fast[25] = close[14:26].mean()
    for i in range(26, len(close)):
        fast[i] = fast[i - 1] + 2.0 / 13.0 * (close[i] - fast[i - 1])
    line = fast - slow
    signal = ema(line, 9)
    line = np.where(np.isnan(signal), np.nan, line)
    return line, signal, line - signal


def bollinger(close: Column) -> tuple[Column, Column, Column]:
    """20 and 2 population deviations: upper, middle, lower."""
    middle, deviation = sma(close, 20), rolling(close, 20, np.std)
    return middle + 2 * deviation, middle, middle - 2 * deviation


def fast_k(high: Column, low: Column, close: Column, n: int = 14) -> Column:
    """Place of the close in the range of n bars, percent."""
    top, bottom = rolling(high, n, np.max), rolling(low, n, np.min)
    return 100.0 * (close - bottom) / (top - bottom)


def roc(close: Column, n: int) -> Column:
    """Change over n bars, percent."""
    out = np.full(len(close), np.nan)
    out[n:] = 100.0 * (close[n:] / close[:-n] - 1.0)
    return out


def tsi(close: Column) -> Column:
    """25, 13."""
    change = moves(close)
    return 100.0 * ema(ema(change, 25), 13) / ema(ema(abs(change), 25), 13)


def chande(close: Column, n: int = 14) -> Column:
    """Chande's momentum."""
    change = moves(close)
    up = rolling(np.maximum(change, 0.0), n, np.sum)
    down = rolling(np.maximum(-change, 0.0), n, np.sum)
    return 100.0 * (up - down) / (up + down)


def directional(high: Column, low: Column, close: Column) -> tuple[Column, Column, Column]:
    """Plus DI, minus DI and ADX of 14.

    Wilder's sums begin one bar early with n - 1 values and the first sum is not told, so their
    ratio at bar 14 already carries a smoothing step.
    """
    n = 14
    up, down = moves(high), -moves(low)
    plus = np.where((up > down) & (up > 0), up, 0.0)
    minus = np.where((down > up) & (down > 0), down, 0.0)
    ranges = true_range(high, low, close)
    sums = np.full((3, len(close)), np.nan)
    for row, column in zip(sums, (plus, minus, ranges), strict=True):
        row[n - 1] = column[1:n].sum()
        for i in range(n, len(close)):
            row[i] = row[i - 1] - row[i - 1] / n + column[i]
    plus_di = np.where(np.arange(len(close)) >= n, 100.0 * sums[0] / sums[2], np.nan)
    minus_di = np.where(np.arange(len(close)) >= n, 100.0 * sums[1] / sums[2], np.nan)
    index = 100.0 * abs(plus_di - minus_di) / (plus_di + minus_di)
    return plus_di, minus_di, rma(index, n)


def supertrend(high: Column, low: Column, close: Column) -> tuple[Column, Column]:
    """10, 3: the line and the side."""
    reach, middle = 3.0 * atr(high, low, close, 10), (high + low) / 2.0
    line, side = np.full(len(close), np.nan), np.full(len(close), np.nan)
    upper = lower = np.nan
    way = 1.0
    for i in range(10, len(close)):
        top, bottom = middle[i] + reach[i], middle[i] - reach[i]
        if i == 10:
            upper, lower = top, bottom
        else:
            upper = top if top < upper or close[i - 1] > upper else upper
            lower = bottom if bottom > lower or close[i - 1] < lower else lower
            if way > 0 and close[i] < lower:
                way = -1.0
            elif way < 0 and close[i] > upper:
                way = 1.0
        line[i], side[i] = (lower if way > 0 else upper), way
    return line, side


def money_flow(high: Column, low: Column, close: Column, volume: Column) -> Column:
    """MFI 14."""
    typical = (high + low + close) / 3.0
    change, flow = moves(typical), typical * volume
    up = rolling(np.where(change > 0, flow, np.where(np.isnan(change), np.nan, 0)), 14, np.sum)
    down = rolling(np.where(change < 0, flow, np.where(np.isnan(change), np.nan, 0)), 14, np.sum)
    return 100.0 * up / (up + down)


def session_vwap(
    day: NDArray[np.int64], high: Column, low: Column, close: Column, volume: Column
) -> tuple[Column, Column]:
    """Mean and deviation of typical prices by volume, restarting with each day."""
    typical = (high + low + close) / 3.0
    mean, deviation = np.full(len(close), np.nan), np.full(len(close), np.nan)
    for i in range(len(close)):
        own = (day == day[i]) & (np.arange(len(close)) <= i)
        weight = volume[own]
        if weight.sum() > 0:
            mean[i] = np.average(typical[own], weights=weight)
            deviation[i] = np.sqrt(np.average((typical[own] - mean[i]) ** 2, weights=weight))
    return mean, deviation


def all_of(
    day: NDArray[np.int64], high: Column, low: Column, close: Column, volume: Column
) -> dict[str, Column]:
    """Every indicator recomputed here, by its published name."""
    k = fast_k(high, low, close)
    slow = sma(k, 3)
    vwap, deviation = session_vwap(day, high, low, close, volume)
    plus_di, minus_di, adx = directional(high, low, close)
    found = {
        "rsi_14": rsi(close),
        "atr_14": atr(high, low, close),
        "natr_14": 100.0 * atr(high, low, close) / close,
        "stoch_k": np.where(np.isnan(sma(slow, 3)), np.nan, slow),
        "stoch_d": sma(slow, 3),
        "stoch_fast_k": np.where(np.isnan(slow), np.nan, k),
        "stoch_fast_d": slow,
        "tsi_25_13": tsi(close),
        "cmo_14": chande(close),
        "plus_di_14": plus_di,
        "minus_di_14": minus_di,
        "adx_14": adx,
        "mfi_14": money_flow(high, low, close, volume),
        "willr_14": fast_k(high, low, close) - 100.0,
        "donchian_upper": rolling(high, 20, np.max),
        "donchian_lower": rolling(low, 20, np.min),
        "vwap": vwap,
    }
    found |= {f"sma_{n}": sma(close, n) for n in (20, 50, 200)}
    found |= {f"ema_{n}": ema(close, n) for n in (9, 21, 50)}
    found |= {f"roc_{n}": roc(close, n) for n in (5, 10, 15, 30)}
    found |= dict(zip(("macd", "macd_signal", "macd_hist"), macd(close), strict=True))
    found |= dict(zip(("bb_upper", "bb_middle", "bb_lower"), bollinger(close), strict=True))
    found |= dict(zip(("supertrend", "supertrend_side"), supertrend(high, low, close), strict=True))
    middle, reach = ema(close, 20), 2.0 * atr(high, low, close, 10)
    found |= {"keltner_upper": middle + reach, "keltner_lower": middle - reach}
    for band in (1, 2, 3):
        found[f"vwap_upper_{band}"] = vwap + band * deviation
        found[f"vwap_lower_{band}"] = vwap - band * deviation
    scores = [
        np.clip(found[f"roc_{n}"] / (found["natr_14"] * np.sqrt(n)), -3, 3) / 3 for n in (5, 15, 30)
    ]
    found["momentum"] = np.mean(scores, axis=0)
    return found
