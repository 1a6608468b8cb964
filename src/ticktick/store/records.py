"""Points of rows, and candles, as Redis shows them: rupees, what is not known left out."""

import math
from collections.abc import Iterator

from msgspec import Struct

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.market import Candle, CandleState
from ticktick.domain.metric import METRICS
from ticktick.store.keys import candle_family, candle_latest, tick_family
from ticktick.store.link import Command, Word
from ticktick.store.series import Point
from ticktick.store.spool import Rows


class Hash(Struct):
    """The latest of something: its key, the known fields, the names of the others."""

    key: str
    fields: dict[str, Word]
    absent: list[str]

    def commands(self) -> Iterator[Command]:
        """Commands that make the hash hold exactly the known fields."""
        if self.absent:
            yield "HDEL", self.key, *self.absent
        yield "HSET", self.key, *(word for pair in self.fields.items() for word in pair)


def tick_points(rows: Rows, *, many: bool) -> list[Point]:
    """Points of the rows that have a place in their series."""
    points = []
    columns = zip(
        rows.at_ms.tolist(),
        rows.full.tolist(),
        rows.instruments,
        rows.records["last_price"].tolist(),
        rows.metrics.T.tolist(),
        strict=True,
    )
    for at_ms, full, instrument, last_price, metrics in columns:
        scale = instrument.price_scale
        values = {"last_price": last_price / scale} if last_price else {}
        if full:
            values |= _metrics(metrics, scale)
        if at_ms and values:
            points.append(Point(tick_family(instrument.symbol, many=many), at_ms, values))
    return points


def candle_point(candle: Candle, scale: int, *, many: bool) -> Point:
    """A candle as a point of its family."""
    family = candle_family(candle.symbol, candle.minutes, many=many)
    return Point(family, candle.start_ns // NS_PER_MS, _rupees(candle, scale))


def candle_of(point: Point, symbol: str, minutes: int, scale: int) -> Candle | None:
    """The candle a point was made of, unconfirmed; None if a field is missing."""
    values = point.values
    if not all(name in values for name in ("open", "high", "low", "close", "volume", "oi")):
        return None
    return Candle(
        symbol=symbol,
        minutes=minutes,
        start_ns=point.at_ms * NS_PER_MS,
        open=round(values["open"] * scale),
        high=round(values["high"] * scale),
        low=round(values["low"] * scale),
        close=round(values["close"] * scale),
        volume=round(values["volume"]),
        open_interest=round(values["oi"]),
        confirmed=False,
    )


def candle_hash(candle: Candle, scale: int) -> Hash:
    """A candle as the hash of the latest one; a missing one has no prices and no volume."""
    numbers: dict[str, Word] = {**_rupees(candle, scale)}
    is_missing = candle.state is CandleState.MISSING
    fields: dict[str, Word] = {
        "start_ms": candle.start_ns // NS_PER_MS,
        **({} if is_missing else numbers),
        "state": candle.state.value,
        "confirmed": int(candle.confirmed),
        "revision": candle.revision,
    }
    key = candle_latest(candle.symbol, candle.minutes)
    return Hash(key, fields, list(numbers) if is_missing else [])


def _metrics(values: list[float], scale: int) -> dict[str, float]:
    return {
        metric.name: value / scale if metric.unit == "price" else value
        for metric, value in zip(METRICS, values, strict=True)
        if not math.isnan(value)
    }


def _rupees(candle: Candle, scale: int) -> dict[str, float]:
    return {
        "open": candle.open / scale,
        "high": candle.high / scale,
        "low": candle.low / scale,
        "close": candle.close / scale,
        "volume": candle.volume,
        "oi": candle.open_interest,
    }
