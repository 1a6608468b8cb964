"""The end of a minute in 500 symbols on six timeframes: every indicator and pattern, one step.

Ours is what the program does when the candles settle: values, patterns with their story, facts.
TA-Lib is called anew over the last 300 candles, talipp takes one value more, and pandas computes
its columns anew; the last two know only some of the indicators, and no story of a pattern.

The facts come in as the engine tells them, those of a few symbols at a step. How long a step
takes is how long a frame waits that comes in the middle of it. Steps are timed by the processor's
time of this thread, collections of garbage included: what other programs take is not theirs.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise, product
from typing import Any, Final

import numpy as np
import pandas as pd
import pandas_ta_classic as pandas_ta  # adds .ta to data frames
from talipp import indicators as talipp
from talipp.ohlcv import OHLCV

from benchmarks.race import Contender, Result, race, result, tell
from ticktick.analytics.bars import FIELDS, bars_of
from ticktick.analytics.board import AnalyticsBoard
from ticktick.analytics.catalogue import INDICATORS
from ticktick.analytics.shapes import SHAPES
from ticktick.analytics.talib import talib
from ticktick.domain.clock import NS_PER_MINUTE, parse_iso_ns
from ticktick.domain.event import CandleChanged
from ticktick.domain.market import TIMEFRAMES, Candle
from ticktick.market.candles import ROWS_AT_ONCE

BARS: Final = 300
ROUNDS: Final = 9
TIMED: Final = 60
STEPS: Final = ROUNDS + 3 + TIMED  # a race calls each contender twice before its rounds
_OPEN_NS: Final = parse_iso_ns("2026-11-20T09:15:00+05:30")
_PRICES: Final = FIELDS[:4]

Columns = Mapping[str, np.ndarray]


def walk() -> list[Candle]:
    """Candles of a random walk on the tick grid, as rich in patterns as recorded ones."""
    rng = np.random.default_rng(1)
    count = BARS + STEPS
    close = np.round(np.cumsum(rng.normal(0, 8, count)) + 100_000).astype(int)
    opened = np.concatenate([close[:1], close[:-1]]) + rng.integers(-2, 3, count)
    high = np.maximum(opened, close) + rng.integers(0, 9, count)
    low = np.minimum(opened, close) - rng.integers(0, 9, count)
    volume = rng.integers(1, 500, count)
    rows = zip(*(c.tolist() for c in (opened, high, low, close, volume)), strict=True)
    return [Candle("S", 1, _OPEN_NS + i * NS_PER_MINUTE, *row) for i, row in enumerate(rows)]


class Close:
    """Lines of the program that stand before the end of a minute."""

    def __init__(self, candles: Sequence[Candle], symbols: int) -> None:
        past = candles[: BARS - 1]
        self.board = AnalyticsBoard(lambda *_: past, lambda _: True)
        names = [f"S{n}" for n in range(symbols)]
        together = [names[n : n + ROWS_AT_ONCE] for n in range(0, symbols, ROWS_AT_ONCE)]
        lines = [list(product(some, TIMEFRAMES)) for some in together]
        self.board.hear(chain.from_iterable(_told(some, past[-1]) for some in lines))
        for _ in self._put_off():
            pass
        self._minutes = iter(
            [[list(_told(some, each)) for some in lines] for each in candles[BARS - 1 :]]
        )

    def __call__(self) -> None:
        """Let every line take its next candle, step by step."""
        for _ in self._steps():
            pass

    def timed(self) -> list[int]:
        """The processor's nanoseconds in each step of another minute."""
        moments = [time.thread_time_ns()]
        moments += [time.thread_time_ns() for _ in self._steps()]
        return [end - start for start, end in pairwise(moments)]

    def _steps(self) -> Iterator[None]:
        for facts in next(self._minutes):
            self.board.hear(facts)
            self.board.work(_OPEN_NS)
            yield
        yield from self._put_off()

    def _put_off(self) -> Iterator[None]:
        while self.board.waiting:
            self.board.hear(())
            self.board.work(_OPEN_NS)
            yield


def _told(lines: Sequence[tuple[str, int]], candle: Candle) -> Iterator[CandleChanged]:
    numbers = (candle.open, candle.high, candle.low, candle.close, candle.volume)
    for symbol, minutes in lines:
        yield CandleChanged(0, Candle(symbol, minutes, candle.start_ns, *numbers))


def recompute(columns: Columns, lines: int) -> Contender:
    """TA-Lib's functions over the whole window, for every line."""
    calls = [
        (getattr(talib, i.function), [columns[name] for name in i.inputs], i.parameters)
        for i in INDICATORS
    ]
    prices = [columns[name] for name in _PRICES]
    calls += [(getattr(talib, shape.function), prices, shape.parameters) for shape in SHAPES]

    def run() -> None:
        for _ in range(lines):
            for function, inputs, parameters in calls:
                function(*inputs, *parameters)

    return run


def check(board: AnalyticsBoard, columns: Columns) -> None:
    """Raise ValueError unless ours are TA-Lib's values and verdicts, bit for bit."""
    reading = board.reading("S0", 1)
    if reading is None:
        raise ValueError("our line has no reading")
    for indicator in INDICATORS:
        found = getattr(talib, indicator.function)(
            *(columns[name] for name in indicator.inputs), *indicator.parameters
        )
        outputs = found if isinstance(found, tuple) else (found,)
        for name, output in zip(indicator.names, outputs, strict=True):
            if reading.values[name] != output[-1]:
                raise ValueError(f"{name}: ours {reading.values[name]}, TA-Lib's {output[-1]}")
    prices = [columns[name] for name in _PRICES]
    verdicts = {s.name: int(getattr(talib, s.function)(*prices, *s.parameters)[-1]) for s in SHAPES}
    ours = {p.name: p.value for p in board.patterns("S0", 1) if p.start_ns == reading.start_ns}
    if ours != {name: value for name, value in verdicts.items() if value}:
        raise ValueError(f"patterns: ours {ours}, TA-Lib's {verdicts}")


def incremental() -> dict[str, Any]:
    """What talipp has of our indicators, by the name of ours that it must equal."""
    averages = {f"sma_{n}": talipp.SMA(n) for n in (20, 50, 200)}
    averages |= {f"ema_{n}": talipp.EMA(n) for n in (9, 10, 20, 21, 50)}
    changes = {f"roc_{n}": talipp.ROC(n) for n in (5, 10, 15, 30)}
    return {
        **averages,
        **changes,
        "rsi_14": talipp.RSI(14),
        "macd": talipp.MACD(12, 26, 9),
        "bb_upper": talipp.BB(20, 2),
        "atr_14": talipp.ATR(14),
        "natr_14": talipp.NATR(14),
        "stoch_fast_k": talipp.Stoch(14, 3),
        "adx_14": talipp.ADX(14, 14),
        "supertrend": talipp.SuperTrend(10, 3),
        "donchian_upper": talipp.DonchianChannels(20),
        "cci_20": talipp.CCI(20),
        "willr_14": talipp.Williams(14),
        "aroon_up_25": talipp.Aroon(25),
        "obv": talipp.OBV(),
    }


_OF_BARS: Final = frozenset(
    ("atr_14", "natr_14", "stoch_fast_k", "adx_14", "supertrend", "donchian_upper")
) | {"cci_20", "willr_14", "aroon_up_25", "obv"}
_TALIPP: Final[dict[str, Callable[[Any], float]]] = {
    "macd": lambda told: told.macd,
    "bb_upper": lambda told: told.ub,
    "donchian_upper": lambda told: told.ub,
    "adx_14": lambda told: told.adx,
    "stoch_fast_k": lambda told: told.k,
    "supertrend": lambda told: told.value,
    "aroon_up_25": lambda told: told.up,
}
# how each library lets a series begin has worn off after 300 candles, but not wholly
_NEAR: Final = 2e-3
_DIFFERENT: Final = frozenset({"obv"})  # begins at 0 elsewhere


def push(lines: Sequence[Mapping[str, Any]], candles: Iterator[Candle]) -> Contender:
    """talipp takes the next candle in every line."""

    def run() -> None:
        candle = next(candles)
        bar = OHLCV(candle.open, candle.high, candle.low, candle.close, candle.volume)
        for line in lines:
            for name, indicator in line.items():
                indicator.add(bar if name in _OF_BARS else candle.close)

    return run


def columns_anew(frame: pd.DataFrame) -> dict[str, float]:
    """What pandas has of our indicators, computed over the window; the newest values."""
    ta, own = frame.ta, {"talib": False}
    found = {f"sma_{n}": ta.sma(n, **own) for n in (20, 50, 200)}
    found |= {f"ema_{n}": ta.ema(n, **own) for n in (9, 10, 20, 21, 50)}
    found |= {f"roc_{n}": ta.roc(n, **own) for n in (5, 10, 15, 30)}
    found["rsi_14"] = ta.rsi(14, **own)
    found["macd"] = ta.macd(12, 26, 9, **own).iloc[:, 0]
    found["bb_upper"] = ta.bbands(20, 2, ddof=0, **own).iloc[:, 2]
    found["atr_14"], found["natr_14"] = ta.atr(14, **own), ta.natr(14, **own)
    found["adx_14"] = ta.adx(14, **own).iloc[:, 0]
    found["supertrend"] = ta.supertrend(10, 3, **own).iloc[:, 0]
    found["donchian_upper"] = ta.donchian(20, 20).iloc[:, 2]
    found["willr_14"] = ta.willr(14, **own)
    found["cci_20"], found["obv"] = ta.cci(20, **own), ta.obv(**own)
    return {name: float(column.iloc[-1]) for name, column in found.items()}


def agree(peer: str, ours: Mapping[str, float], theirs: Mapping[str, float]) -> None:
    """Raise ValueError where a peer says something else."""
    for name, value in theirs.items():
        if name in _DIFFERENT:
            continue
        if not math.isclose(ours[name], value, rel_tol=_NEAR, abs_tol=_NEAR):
            raise ValueError(f"{name}: ours {ours[name]}, {peer}'s {value}")


def whole_market(candles: Sequence[Candle], symbols: int) -> Iterator[Result]:
    """All lines, against TA-Lib over 300 candles."""
    close = Close(candles, symbols)
    close()
    window = dict(zip(FIELDS, bars_of(candles[:BARS]).columns, strict=True))
    check(close.board, window)
    lines = symbols * len(TIMEFRAMES)
    peers = {f"TA-Lib, {BARS} candles": recompute(window, lines)}
    yield from race("indicators", f"{lines:,} lines", close, peers, ROUNDS, 1)
    minutes = [close.timed() for _ in range(ROUNDS)]
    yield _bounded("longest step of a minute", map(max, minutes), 5_000_000, "5 ms")
    every = sorted(chain.from_iterable(minutes))
    yield _bounded("99 of 100 steps", [_p99(every)], 5_000_000, "5 ms")


def _p99(values: Sequence[int]) -> int:
    return sorted(values)[len(values) * 99 // 100]


def _bounded(case: str, ours: Iterable[float], limit_ns: int, limit: str) -> Result:
    """Measured nanoseconds, by their median, against what they may be."""
    return result("indicators", case, f"limit of {limit}", ours, [limit_ns])


def few_lines(candles: Sequence[Candle]) -> Iterator[Result]:
    """Six lines, against libraries that have some of the indicators only."""
    close = Close(candles, 1)
    close()
    reading = close.board.reading("S0", 1)
    if reading is None:
        raise ValueError("our line has no reading")
    lines = [incremental() for _ in TIMEFRAMES]
    more = push(lines, iter(candles))
    for _ in range(BARS):
        more()
    latest = {name: line[-1] for name, line in lines[0].items()}
    theirs = {name: _TALIPP.get(name, float)(told) for name, told in latest.items()}
    agree("talipp", reading.values, theirs)
    columns = dict(zip(FIELDS, bars_of(candles[:BARS]).columns, strict=True))
    frame = pd.DataFrame(columns, pd.date_range("2026-11-20", periods=BARS, freq="min"))
    agree("pandas", reading.values, columns_anew(frame))
    peers: dict[str, Contender] = {
        f"talipp, {len(theirs)} of 59": more,
        f"pandas, {len(columns_anew(frame))} of 59": lambda: [
            columns_anew(frame) for _ in TIMEFRAMES
        ],
    }
    yield from race("indicators", "6 lines", close, peers, ROUNDS, 1)
    taken = [sum(close.timed()) for _ in range(TIMED)]
    yield _bounded("6 lines, one minute", taken, 300_000, "0.3 ms")
    yield _bounded("6 lines, 99 of 100", [_p99(taken)], 1_000_000, "1 ms")


def results() -> Iterator[Result]:
    """Every race."""
    candles = walk()
    yield from whole_market(candles, 500)
    yield from few_lines(candles)


def main() -> None:
    """Measure and tell."""
    print_name = f"one settled candle for every line (pandas_ta_classic {pandas_ta.version})"
    tell(print_name, results())


if __name__ == "__main__":
    main()
