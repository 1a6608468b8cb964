"""The series port on real servers: both encodings hold the same points."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from redis.exceptions import OutOfMemoryError

from tests.store_stage import MODULE_KINDS, OPEN_MS, PLAIN_KINDS, Asking
from ticktick.store import resp
from ticktick.store.columns import PointColumns
from ticktick.store.keys import Family, candle_family, tick_family
from ticktick.store.link import Link
from ticktick.store.series import (
    PlainEncoding,
    Point,
    Series,
    SeriesLost,
    TimeSeriesModule,
    series_of,
)
from ticktick.store.server import EmbeddedServer

DAY_MS = 86_400_000
TICKS = tick_family("RELIANCE", many=False)
CANDLES = candle_family("RELIANCE", 1, many=False)


@pytest.fixture
def series(server: EmbeddedServer, ask: Asking) -> Iterator[Series]:
    link = Link(server.url)
    yield series_of(link)
    link.close()


def ticks(*prices: float, first_ms: int = OPEN_MS) -> list[Point]:
    return [Point(TICKS, first_ms + i, {"last_price": p, "mid": p}) for i, p in enumerate(prices)]


def bar(at_ms: int, close: float, family: Family = CANDLES) -> Point:
    values = {"open": 1410.0, "high": 1420.5, "low": 1400.05, "close": close, "volume": 7, "oi": 0}
    return Point(family, at_ms, values)


@pytest.mark.parametrize("server", MODULE_KINDS, indirect=True)
def test_a_server_that_knows_the_commands_gets_time_series(series: Series) -> None:
    assert isinstance(series, TimeSeriesModule)


@pytest.mark.parametrize("server", PLAIN_KINDS, indirect=True)
def test_F34_a_server_without_time_series_gets_the_plain_encoding(series: Series) -> None:
    assert isinstance(series, PlainEncoding)


@pytest.mark.parametrize("family", [TICKS, CANDLES])
def test_points_come_back_in_order_whatever_is_read(series: Series, family: Family) -> None:
    prices = [1412.5 + i for i in range(400)]
    if family is TICKS:
        points = ticks(*prices)
    else:
        points = [bar(OPEN_MS + i * 60_000, price) for i, price in enumerate(prices)]
    assert series.append(points) == 0
    assert series.range(family) == points
    assert series.latest(family, 3) == points[-3:]
    inner = series.range(family, points[10].at_ms, points[20].at_ms)
    assert inner == points[10:21]


def columns(points: list[Point]) -> PointColumns:
    """The same points of ticks as columns; prices in paise."""
    names = list(TICKS.keys)
    is_price = np.array([name in ("last_price", "mid") for name in names])
    told = [[point.values.get(name, math.nan) for name in names] for point in points]
    return PointColumns(
        keys=[TICKS.key] * len(points),
        at_ms=np.array([point.at_ms for point in points]),
        values=np.array(told).T * np.where(is_price, 100, 1)[:, None],
        kinds=np.where(is_price, resp.UNITS, resp.NUMBER).astype(np.uint8),
        scales=np.full(len(points), 100),
        family_of=lambda _: TICKS,
    )


def test_points_in_columns_are_the_same_points(series: Series) -> None:
    points = [
        Point(TICKS, OPEN_MS + i, {"last_price": 1412.5 + i, "mid": 1412.05, "spread_bps": i / 7})
        for i in range(1_000)
    ]
    points[3] = Point(TICKS, OPEN_MS + 3, {"last_price": 1.5})
    nothing = Point(TICKS, OPEN_MS + 2_000, {})
    for _ in range(2):
        assert series.append(columns([*points, nothing])) == 0
    assert series.range(TICKS) == points


def test_a_foreign_key_is_left_alone_by_columns_too(series: Series, ask: Asking) -> None:
    ask(0, "SET", "symbol:RELIANCE", "not ours")
    assert series.append(columns(ticks(1.0))) == 1
    assert series.append(columns(ticks(2.0))) == 1
    assert ask(0, "GET", "symbol:RELIANCE") == "not ours"


@pytest.mark.parametrize("server", MODULE_KINDS, indirect=True)
def test_columns_notice_that_series_vanished(series: Series, ask: Asking) -> None:
    series.append(columns(ticks(1.0)))
    ask(0, "FLUSHALL")
    with pytest.raises(SeriesLost):
        series.append(columns(ticks(2.0)))


def test_nothing_written_is_nothing_read(series: Series) -> None:
    for family in (TICKS, CANDLES):
        assert series.range(family) == series.latest(family, 5) == []
        series.trim(family, OPEN_MS)


def test_a_metric_that_is_not_known_is_absent(series: Series) -> None:
    points = [*ticks(1.5), Point(TICKS, OPEN_MS + 9, {"last_price": 2.5})]
    series.append(points)
    assert series.range(TICKS) == points


def test_a_correction_overwrites_the_candle(series: Series) -> None:
    series.append([bar(OPEN_MS, 1412.5), bar(OPEN_MS + 60_000, 1413.0)])
    series.append([bar(OPEN_MS, 1411.95)])
    assert [point.values["close"] for point in series.range(CANDLES)] == [1411.95, 1413.0]


def test_F36_an_older_sample_may_come_later(series: Series) -> None:
    days = [OPEN_MS - 3 * DAY_MS, OPEN_MS - DAY_MS, OPEN_MS]
    series.append([bar(days[2], 3.0)])
    series.append([bar(days[0], 1.0), bar(days[1], 2.0)])
    assert [point.at_ms for point in series.range(CANDLES)] == days
    assert [point.values["close"] for point in series.latest(CANDLES, 2)] == [2.0, 3.0]


def test_F36_a_repeated_sample_changes_nothing(series: Series) -> None:
    points = [*ticks(1.0, 2.0, 3.0), bar(OPEN_MS, 1.0)]
    for _ in range(2):
        assert series.append(points) == 0
    assert series.range(TICKS) == points[:3]
    assert series.range(CANDLES) == points[3:]


def test_trim_removes_what_is_older_and_nothing_else(series: Series) -> None:
    bars = [bar(OPEN_MS + i * 60_000 - DAY_MS * (i < 5), 1.0 + i) for i in range(10)]
    series.append([*ticks(1.0, 2.0, 3.0), *bars])
    series.trim(TICKS, OPEN_MS + 1)
    series.trim(CANDLES, bars[7].at_ms)
    assert series.range(TICKS) == ticks(1.0, 2.0, 3.0)[1:]
    assert series.range(CANDLES) == bars[7:]


def test_what_is_older_than_the_retention_goes(series: Series) -> None:
    tick_days = TICKS.retention_ms["mid"] // DAY_MS
    candle_days = CANDLES.retention_ms["close"] // DAY_MS
    series.append([*ticks(1.0), bar(OPEN_MS, 1.0)])
    late_tick, late_bar = (OPEN_MS + (days + 1) * DAY_MS for days in (tick_days, candle_days))
    series.append([*ticks(2.0, first_ms=late_tick), bar(late_bar, 2.0)])
    assert series.range(TICKS) == ticks(2.0, first_ms=late_tick)
    assert series.range(CANDLES) == [bar(late_bar, 2.0)]
    assert series.append([*ticks(1.0), bar(OPEN_MS, 1.0)]) == 0
    assert series.range(TICKS) == ticks(2.0, first_ms=late_tick)


@pytest.mark.parametrize("server", MODULE_KINDS, indirect=True)
def test_every_point_of_a_symbol_has_one_time_series_per_metric_with_labels(
    series: Series, ask: Asking
) -> None:
    series.append([*ticks(1412.5), bar(OPEN_MS, 1.0)])
    assert ask(0, "TS.RANGE", "symbol:RELIANCE", "-", "+") == [[OPEN_MS, 1412.5]]
    labels = dict(ask(0, "TS.INFO", "symbol:RELIANCE:mid")["labels"])
    assert labels == {"symbol": "RELIANCE", "metric": "mid", "unit": "rupees"}
    labels = dict(ask(0, "TS.INFO", "candle:RELIANCE:1m:volume")["labels"])
    assert labels["timeframe"] == "1m"
    assert labels["unit"] == "shares"


@pytest.mark.parametrize("server", PLAIN_KINDS, indirect=True)
def test_plain_keys_are_a_stream_and_a_hash_a_day(series: Series, ask: Asking) -> None:
    series.append([*ticks(1412.5), bar(OPEN_MS, 1.0)])
    assert ask(0, "TYPE", "symbol:RELIANCE") == "stream"
    assert list(ask(0, "HGETALL", "candle:RELIANCE:1m:2026-11-20")) == [str(OPEN_MS)]
    assert ask(0, "SMEMBERS", "candle:RELIANCE:1m:days") == ["2026-11-20"]


def test_a_key_of_another_program_is_left_alone_and_counted(series: Series, ask: Asking) -> None:
    foreign = "symbol:RELIANCE"
    ask(0, "SET", foreign, "not ours")
    assert series.append([*ticks(1.0), bar(OPEN_MS, 1.0)]) == 1
    assert series.append(ticks(2.0)) == 1
    assert ask(0, "GET", foreign) == "not ours"
    assert series.range(CANDLES) == [bar(OPEN_MS, 1.0)]


@pytest.mark.parametrize("server", MODULE_KINDS, indirect=True)
def test_series_that_vanish_are_noticed(series: Series, ask: Asking) -> None:
    series.append(ticks(1.0))
    ask(0, "FLUSHALL")
    with pytest.raises(SeriesLost):
        series.append(ticks(2.0))


def test_a_full_server_refuses_and_forgets_nothing(series: Series, ask: Asking) -> None:
    series.append(ticks(1.0))
    ask(0, "CONFIG", "SET", "maxmemory", "1mb")
    try:
        with pytest.raises(OutOfMemoryError):
            series.append(ticks(2.0, first_ms=OPEN_MS + 5))
        assert series.range(TICKS) == ticks(1.0)
    finally:
        ask(0, "CONFIG", "SET", "maxmemory", "64mb")
