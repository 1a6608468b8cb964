"""The whole series of a chart: indicators and patterns of its stored candles, ready to send."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

from ticktick.analytics.history import History, indicator_history, pattern_history
from ticktick.analytics.leaps import is_leap
from ticktick.analytics.volumes import SessionVolumes
from ticktick.domain.analysis import BARS_NEEDED, Pattern, Reading
from ticktick.domain.clock import NS_PER_MS, ist_day_number
from ticktick.domain.market import Candle, CandleState
from ticktick.web.live import SETTLED
from ticktick.web.chart import Series, SeriesRow, Studies
from ticktick.web.insights import ListedPattern
from ticktick.web.news import pattern_row



class Wish(NamedTuple):
    """The chart, and what is drawn over its candles."""

    symbol: str
    minutes: int
    studies: Studies


class Made(Struct, frozen=True):
    """A whole series in its wire form, and what it was made for."""

    wish: Wish
    data: bytes


def make(
    wish: Wish,
    candles: Sequence[Candle],
    reading: Reading | None,
    told: Sequence[Pattern],
    *,
    has_volume: bool,
    volumes: SessionVolumes | None,
) -> Made:
    """The whole series of the stored candles.

    The newest candle has the analytics' own `reading`, and the patterns that they `told` stand as
    told; both may know more of the past than is stored.
    """
    settled = [candle for candle in candles if candle.state in SETTLED]
    names, wants_patterns = wish.studies.names, wish.studies.patterns
    rows: list[SeriesRow] = []
    if names:
        history = indicator_history(settled, names, has_volume=has_volume, volumes=volumes)
        rows = _rows(settled, names, history)
    if rows and reading is not None and reading.start_ns == settled[-1].start_ns:
        rows[-1] = row_of(reading, names)
    patterns = _patterns(settled, told) if wants_patterns else []
    series = Series(
        symbol=wish.symbol,
        minutes=wish.minutes,
        names=names,
        bars_needed=BARS_NEEDED,
        rows=tuple(rows),
        patterns=tuple(patterns),
    )
    return Made(wish, msgspec.json.encode(series))


def _rows(
    settled: Sequence[Candle], names: Sequence[str], history: History
) -> list[SeriesRow]:
    _leave_out_half_a_day(settled, history)
    columns = [_nullable(history.values[name].tolist()) for name in names]
    flat: list[list[str]] = [[] for _ in settled]
    for name, marks in history.degenerate.items():
        for place in np.flatnonzero(marks).tolist():
            flat[place].append(name)
    rows = zip(settled, zip(*columns, strict=True), flat, history.withheld, strict=True)
    return [
        SeriesRow(candle.start_ns // NS_PER_MS, place + 1, values, tuple(degenerate), withheld)
        for place, (candle, values, degenerate, withheld) in enumerate(rows)
    ]


def _leave_out_half_a_day(settled: Sequence[Candle], history: History) -> None:
    """The oldest day may lack its morning: of it no VWAP can be told once a later day is there."""
    days = np.array([ist_day_number(candle.start_ns) for candle in settled])
    for name, column in history.values.items():
        if name.startswith("vwap") and len(days) and days[0] != days[-1]:
            column[days == days[0]] = np.nan


def row_of(reading: Reading, names: Sequence[str]) -> SeriesRow:
    """The named values of a reading."""
    return SeriesRow(
        reading.start_ns // NS_PER_MS,
        reading.bars,
        tuple(reading.values.get(name) for name in names),
        tuple(name for name in names if name in reading.degenerate),
        reading.withheld,
    )


def _patterns(settled: Sequence[Candle], told: Sequence[Pattern]) -> list[ListedPattern]:
    first_ns = told[0].start_ns if told else None
    older = [p for p in pattern_history(settled) if first_ns is None or p.start_ns < first_ns]
    closes = {
        one.start_ns: after.close
        for one, after in pairwise(settled)
        if not is_leap(one.close, after.open)
    }
    shown = {candle.start_ns for candle in settled}
    return [
        pattern_row(pattern, _confirmed(pattern, closes.get(pattern.start_ns)), superseded=False)
        for pattern in (*older, *told)
        if pattern.start_ns in shown
    ]


def _confirmed(pattern: Pattern, next_close: int | None) -> bool | None:
    beyond = pattern.confirmation
    if beyond is None or next_close is None:
        return None
    return (next_close - beyond) * pattern.direction > 0


def _nullable(values: Sequence[float]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values]
