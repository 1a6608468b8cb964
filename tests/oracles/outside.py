"""Indicators as somebody outside computes them from the exchange's candles: TA-Lib and NumPy.

Nothing of the program is used. Prices go in as paise and come out in rupees.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import talib
from numpy.typing import NDArray

from tests.oracles.indicators import all_of

Column = NDArray[np.float64]

_PAISE = 100
_PURE = ("rsi", "natr", "stoch", "tsi", "cmo", "plus_di", "minus_di", "adx", "mfi", "willr", "roc")
_RATIOS = (*_PURE, "momentum", "supertrend_side", "bb_width", "bb_percent", "cci", "er_", "cmf")
_SHARES = ("obv", "aroon")


def computed(rows: Sequence[Any], minutes: int, told: Mapping[str, str]) -> dict[str, float]:
    """Every value after the candle `start_ms` of `told`, from as many candles as it says.

    `rows` are one-minute candles as the exchange gives them: time, open, high, low, close, volume.
    """
    frame = pd.DataFrame([row[:6] for row in rows], columns=[*"tohlcv"]).drop_duplicates("t")
    frame.index = pd.DatetimeIndex(pd.to_datetime(frame["t"], utc=True)).tz_convert("Asia/Kolkata")
    candles = _resampled(frame.sort_index(), minutes)
    newest = pd.Timestamp(int(told["start_ms"]), unit="ms", tz="UTC")
    candles = candles[candles.index <= newest].tail(int(told["bars"]))
    assert len(candles) == int(told["bars"])
    assert candles.index[-1] == newest
    days = np.array([stamp.toordinal() for stamp in candles.index])
    columns = {name: np.ascontiguousarray(candles[name], np.float64) for name in "ohlcv"}
    prices = (columns["h"], columns["l"], columns["c"], columns["v"])
    values = by_talib(*prices) | all_of(days, *prices)
    return {
        name: float(column[-1]) / _unit(name)
        for name, column in values.items()
        if not np.isnan(column[-1])
    }


def by_talib(high: Column, low: Column, close: Column, volume: Column) -> dict[str, Column]:
    """What the NumPy loops do not recompute, by TA-Lib's batch functions."""
    down, up = talib.AROON(high, low, 25)
    upper, middle, lower = talib.BBANDS(close, 20, 2.0, 2.0)
    return {
        "ema_10": talib.EMA(close, 10),
        "ema_20": talib.EMA(close, 20),
        "atr_10": talib.ATR(high, low, close, 10),
        "cci_20": talib.CCI(high, low, close, 20),
        "er_10": talib.ER(close, 10),
        "cmf_20": talib.CMF(high, low, close, volume, 20),
        "obv": talib.OBV(close, volume),
        "aroon_down_25": down,
        "aroon_up_25": up,
        "donchian_middle": talib.DONCHIAN(high, low, 20)[1],
        "bb_width": (upper - lower) / middle,
        "bb_percent": (close - lower) / (upper - lower),
    }


def _resampled(frame: pd.DataFrame, minutes: int) -> pd.DataFrame:
    """Candles of the timeframe in paise, day by day from the first minute of its session."""
    how = {"o": "first", "h": "max", "l": "min", "c": "last", "v": "sum"}
    found = []
    for _, day in frame.groupby([stamp.date() for stamp in frame.index]):
        opened = day.index[0].replace(hour=9, minute=15)
        opened = day.index[0] if day.index[0].hour >= 16 else opened
        found.append(day.resample(f"{minutes}min", origin=opened).agg(how).dropna())
    joined = pd.concat(found)
    joined[[*"ohlc"]] = (joined[[*"ohlc"]] * _PAISE).round()
    return joined


def _unit(name: str) -> int:
    """How many of our units are one of theirs: prices are rupees there."""
    return 1 if name.startswith((*_RATIOS, *_SHARES)) else _PAISE
