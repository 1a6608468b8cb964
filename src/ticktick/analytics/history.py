"""The indicators and patterns of many settled candles at once: what a chart draws.

The values are those of `Indicators` and `Patterns` fed the same candles one by one, bit for bit;
a chart of a thousand candles cannot wait for a thousand steps.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple, get_args

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ticktick.analytics.bars import CLOSE, FIELDS, Bars, bars_of
from ticktick.analytics.catalogue import INDICATORS, Flat, Indicator
from ticktick.analytics.kernels import (
    Flatness,
    RelativeVolume,
    SessionVwap,
    bollinger,
    keltner,
    momentum,
)
from ticktick.analytics.leaps import withheld
from ticktick.analytics.patterns import Patterns
from ticktick.analytics.talib import talib
from ticktick.analytics.volumes import SessionVolumes
from ticktick.domain.analysis import Pattern
from ticktick.domain.market import Candle

Floats = NDArray[np.float64]


class _Made(NamedTuple):
    """Values made of others, candle by candle: of those and the close."""

    names: frozenset[str]
    parts: tuple[str, ...]
    make: Callable[[Mapping[str, float], float], Mapping[str, float]]


_MADE: Final = (
    _Made(
        frozenset({"keltner_upper", "keltner_middle", "keltner_lower"}),
        ("ema_20", "atr_10"),
        lambda values, _: keltner(values),
    ),
    _Made(frozenset({"bb_percent", "bb_width"}), ("bb_upper", "bb_middle", "bb_lower"), bollinger),
    _Made(
        frozenset({"momentum"}),
        ("natr_14", "roc_5", "roc_15", "roc_30"),
        lambda values, _: momentum(values),
    ),
)


class History(Struct, frozen=True):
    """What was asked for, of every candle: `values` by name, float64[n], NaN is not ready.

    Prices in price units. `degenerate` marks, by name, bool[n], where a window was flat: the value
    there is neutral and says nothing. `withheld` says of each why there are none, mostly nothing.
    """

    values: Mapping[str, Floats]
    degenerate: Mapping[str, NDArray[np.bool_]]
    withheld: Sequence[str]


def indicator_history(
    candles: Sequence[Candle],
    names: Collection[str],
    *,
    has_volume: bool,
    volumes: SessionVolumes | None = None,
) -> History:
    """The named indicators after each of the settled candles, oldest first.

    `volumes` as `Indicators` takes them. After a leap values are missing as they are withheld.
    """
    bars = bars_of(candles)
    made = [each for each in _MADE if each.names & set(names)]
    needed = {*names, *(part for each in made for part in each.parts)}
    wanted = [i for i in INDICATORS if needed & set(i.names)]
    wanted = [i for i in wanted if has_volume or "volume" not in i.inputs]
    flat = _flatness(bars) if any(i.flat for i in wanted) else {}
    values: dict[str, Floats] = {}
    degenerate: dict[str, NDArray[np.bool_]] = {}
    for indicator in wanted:
        outputs = _outputs(indicator, bars.columns)
        if indicator.flat is not None:
            is_flat = flat[indicator.flat].copy()
            is_flat[: indicator.first] = False
            outputs = [np.where(is_flat, indicator.flat_value, output) for output in outputs]
            degenerate |= dict.fromkeys(indicator.names, is_flat)
        values |= zip(indicator.names, outputs, strict=True)
    values |= _own(bars, names, volumes)
    for each in made:
        values |= _derived(bars, each, values)
    missing, why = np.full(len(bars.rows), np.nan), withheld(bars)
    is_withheld = np.array(why, np.bool_)
    return History(
        {name: np.where(is_withheld, np.nan, values.get(name, missing)) for name in names},
        {name: degenerate[name] & ~is_withheld for name in names if name in degenerate},
        why,
    )


def pattern_history(candles: Sequence[Candle]) -> list[Pattern]:
    """Every pattern of the settled candles, oldest first, each with its record up to then."""
    if not candles:
        return []
    return Patterns(candles[0].symbol, candles[0].minutes).seed(bars_of(candles), 0)


def _outputs(indicator: Indicator, columns: Floats) -> list[Floats]:
    if columns.shape[1] <= indicator.first:
        return [np.full(columns.shape[1], np.nan) for _ in indicator.names]
    function = getattr(talib, indicator.function)
    inputs = (columns[FIELDS.index(name)] for name in indicator.inputs)
    found = function(*inputs, *indicator.parameters)
    several = found if isinstance(found, tuple) else (found,)
    outputs = [np.asarray(output, np.float64).copy() for output in several]
    for output in outputs:
        output[: indicator.first] = np.nan
    return outputs


def _flatness(bars: Bars) -> dict[Flat, NDArray[np.bool_]]:
    state = Flatness()
    steps = [state.update(bar) for bar in bars.rows]
    return {kind: np.array([step[kind] for step in steps], np.bool_) for kind in get_args(Flat)}


def _own(bars: Bars, names: Collection[str], volumes: SessionVolumes | None) -> dict[str, Floats]:
    """The values that are no function of TA-Lib, where they are wanted."""
    found: dict[str, Floats] = {}
    if any(name == "vwap" or name.startswith("vwap_") for name in names):
        vwap = SessionVwap()
        found |= _columns([vwap.update(bar) for bar in bars.rows])
    if "rvol" in names:
        ratio = RelativeVolume().update if volumes is None else volumes.ratio
        ratios = [ratio(bar) for bar in bars.rows]
        found["rvol"] = np.array([np.nan if ratio is None else ratio for ratio in ratios])
    return found


def _derived(bars: Bars, made: _Made, known: Mapping[str, Floats]) -> dict[str, Floats]:
    columns = [known[part].tolist() for part in made.parts]
    rows = [
        {part: value for part, value in zip(made.parts, row, strict=True) if not math.isnan(value)}
        for row in zip(*columns, strict=True)
    ]
    closes = bars.columns[CLOSE].tolist()
    return _columns([made.make(row, close) for row, close in zip(rows, closes, strict=True)])


def _columns(rows: Sequence[Mapping[str, float]]) -> dict[str, Floats]:
    names = {name for row in rows for name in row}
    return {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}
