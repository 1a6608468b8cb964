"""The indicators that TA-Lib computes: names, inputs, parameters, units, flat windows.

Definitions and first valid candles: quant.md 3.2. An indicator of the unit `price` is in the
instrument's price unit inside and in rupees at the edges.
"""

from typing import Final, Literal

from msgspec import Struct

Unit = Literal["price", "percent", "ratio", "shares", "side"]
Flat = Literal["slow_range", "fast_range", "range", "strength", "double", "change", "money"]
"""What must not be all zero for the value to mean anything; the rules are in flat.py."""


class Indicator(Struct, frozen=True):
    """One streaming function and the names under which its outputs are published.

    An output without a name is not published. `flat_value` stands where the window of `flat`
    was flat: TA-Lib says 0 there, which would read as oversold. `first` is the place of the
    first valid candle, counted from 0.
    """

    names: tuple[str, ...]
    function: str
    inputs: tuple[str, ...]
    parameters: tuple[float, ...]
    unit: Unit
    first: int
    flat: Flat | None = None
    flat_value: float = 0.0


_C: Final = ("close",)
_HL: Final = ("high", "low")
_HLC: Final = ("high", "low", "close")
_HLCV: Final = (*_HLC, "volume")


def _averages() -> tuple[Indicator, ...]:
    simple = [Indicator((f"sma_{n}",), "SMA", _C, (n,), "price", n - 1) for n in (20, 50, 200)]
    exponential = [
        Indicator((f"ema_{n}",), "EMA", _C, (n,), "price", n - 1) for n in (9, 10, 21, 50)
    ]
    return (*simple, *exponential)


INDICATORS: Final[tuple[Indicator, ...]] = (
    *_averages(),
    Indicator(("rsi_14",), "RSI", _C, (14,), "percent", 14, "strength", 50.0),
    Indicator(("atr_14",), "ATR", _HLC, (14,), "price", 14),
    Indicator(("natr_14",), "NATR", _HLC, (14,), "percent", 14),
    Indicator(("macd", "macd_signal", "macd_hist"), "MACD", _C, (12, 26, 9), "price", 33),
    Indicator(("bb_upper", "bb_middle", "bb_lower"), "BBANDS", _C, (20, 2.0, 2.0, 0), "price", 19),
    Indicator(
        ("stoch_k", "stoch_d"), "STOCH", _HLC, (14, 3, 0, 3, 0), "percent", 17, "slow_range", 50.0
    ),
    Indicator(
        ("stoch_fast_k", "stoch_fast_d"),
        "STOCHF",
        _HLC,
        (14, 3, 0),
        "percent",
        15,
        "fast_range",
        50.0,
    ),
    *(Indicator((f"roc_{n}",), "ROC", _C, (n,), "percent", n) for n in (5, 10, 15, 30)),
    Indicator(("tsi_25_13",), "TSI", _C, (25, 13), "percent", 37, "double", 0.0),
    Indicator(("cmo_14",), "CMOU", _C, (14,), "percent", 14, "change", 0.0),
    Indicator(("adx_14",), "ADX", _HLC, (14,), "percent", 27),
    Indicator(("plus_di_14",), "PLUS_DI", _HLC, (14,), "percent", 14),
    Indicator(("minus_di_14",), "MINUS_DI", _HLC, (14,), "percent", 14),
    Indicator(("supertrend", "supertrend_side"), "SUPERTREND", _HLC, (10, 3.0), "price", 10),
    Indicator(("obv",), "OBV", ("close", "volume"), (), "shares", 0),
    Indicator(("mfi_14",), "MFI", _HLCV, (14,), "percent", 14, "money", 50.0),
    Indicator(("atr_10",), "ATR", _HLC, (10,), "price", 10),
    Indicator(("ema_20",), "EMA", _C, (20,), "price", 19),
    Indicator(
        ("donchian_upper", "donchian_middle", "donchian_lower"), "DONCHIAN", _HL, (20,), "price", 19
    ),
    Indicator(("cci_20",), "CCI", _HLC, (20,), "ratio", 19),
    Indicator(("willr_14",), "WILLR", _HLC, (14,), "percent", 13, "range", -50.0),
    Indicator(("aroon_down_25", "aroon_up_25"), "AROON", _HL, (25,), "percent", 25),
    Indicator(("er_10",), "ER", _C, (10,), "ratio", 10),
    Indicator(("cmf_20",), "CMF", _HLCV, (20,), "ratio", 19),
)

_OWN: Final[dict[str, Unit]] = {
    "bb_percent": "ratio",
    "bb_width": "ratio",
    "keltner_upper": "price",
    "keltner_middle": "price",
    "keltner_lower": "price",
    "vwap": "price",
    **{f"vwap_{side}_{k}": "price" for side in ("upper", "lower") for k in (1, 2, 3)},
    "momentum": "ratio",
    "rvol": "ratio",
}

UNITS: Final[dict[str, Unit]] = {
    name: "side" if name == "supertrend_side" else indicator.unit
    for indicator in INDICATORS
    for name in indicator.names
} | _OWN
"""Every published name and its unit."""

VOLUME_NAMES: Final = frozenset(
    name for indicator in INDICATORS if "volume" in indicator.inputs for name in indicator.names
) | {name for name in _OWN if name.startswith(("vwap", "rvol"))}
"""The names of what needs volume."""
