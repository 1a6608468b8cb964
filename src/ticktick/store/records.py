"""Rows and candles as Redis shows them: prices in rupees, what is not known left out."""

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from msgspec import Struct

from ticktick.domain.clock import NS_PER_MS, ist_day_number
from ticktick.domain.instrument import Instrument
from ticktick.domain.market import Candle, CandleState, Freshness
from ticktick.domain.metric import METRIC_ROW, METRICS
from ticktick.domain.slots import DEPTH_LEVELS
from ticktick.store.keys import candle_family, candle_latest, tick_family, tick_latest
from ticktick.store.link import Command, Word
from ticktick.store.series import Point
from ticktick.store.spool import Rows

_PRICES: Final = ("last_price", "previous_close")
_OF_THE_DAY: Final = ("day_open", "day_high", "day_low")
_TIMES: Final = ("exchange", "received", "last_trade")
_SIDES: Final = ("bid", "ask")
_LEVELS: Final = range(1, DEPTH_LEVELS + 1)
_FLAGS: Final = {metric.name: metric.words for metric in METRICS if metric.unit == "word"}
_CODES: Final = {m.name: METRIC_ROW[m.name] for m in METRICS if m.unit in {"word", "claim"}}
_TICK_FIELDS: Final = (
    *_PRICES,
    *_OF_THE_DAY,
    *(f"{side}_{level}" for side in _SIDES for level in _LEVELS),
    *(f"{side}_quantity_{level}" for side in _SIDES for level in _LEVELS),
    *("bid", "ask", "bid_quantity", "ask_quantity", "volume"),
    *(f"{name}_ms" for name in _TIMES),
    *(metric.name for metric in METRICS),
)


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


def tick_hashes(rows: Rows) -> list[Hash]:
    """The latest state of each row."""
    warm = rows.warm.tolist()
    columns = zip(rows.instruments, rows.freshness, warm, rows.records, rows.metrics.T, strict=True)
    return [_tick_hash(*column) for column in columns]


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


def _tick_hash(
    instrument: Instrument,
    freshness: Freshness,
    warm: bool,
    record: Any,
    metrics: "np.ndarray[Any, Any]",
) -> Hash:
    scale, is_today = instrument.price_scale, _traded_today(record)
    names = (*_PRICES, *_OF_THE_DAY) if is_today else _PRICES
    prices = {name: int(record[name]) for name in names}
    fields: dict[str, Word] = {name: units / scale for name, units in prices.items() if units}
    for side in _SIDES:
        fields |= _levels(record, side, scale)
    if instrument.has_volume and (is_today or not record["volume"]):
        fields["volume"] = int(record["volume"])
    fields |= {"seq": int(record["seq"]), "warm": int(warm)}
    times = {f"{name}_ms": int(record[f"{name}_ns"]) // NS_PER_MS for name in _TIMES}
    fields |= {name: at_ms for name, at_ms in times.items() if at_ms}
    fields |= {**_metrics(metrics.tolist(), scale), **_words(metrics)}
    absent = [name for name in _TICK_FIELDS if name not in fields]
    return Hash(tick_latest(instrument.symbol), {"freshness": freshness.value, **fields}, absent)


def _traded_today(record: Any) -> bool:
    """Whether the last trade was on the day on which the row was told last."""
    told_ns, traded_ns = int(record["exchange_ns"]), int(record["last_trade_ns"])
    return ist_day_number(told_ns) == ist_day_number(traded_ns)


def _levels(record: Any, side: str, scale: int) -> dict[str, Word]:
    """The levels of a side that are not empty, and the best one under the side's plain name."""
    fields: dict[str, Word] = {}
    prices = record[f"{side}_price"].tolist()
    quantities = record[f"{side}_quantity"].tolist()
    for level, units, quantity in zip(_LEVELS, prices, quantities, strict=True):
        if units:
            fields[f"{side}_{level}"] = units / scale
            fields[f"{side}_quantity_{level}"] = quantity
    if prices[0]:
        fields |= {side: prices[0] / scale, f"{side}_quantity": quantities[0]}
    return fields


def _metrics(values: list[float], scale: int) -> dict[str, float]:
    return {
        metric.name: value / scale if metric.unit == "price" else value
        for metric, value in zip(METRICS, values, strict=True)
        if not math.isnan(value)
    }


def _words(values: "np.ndarray[Any, Any]") -> dict[str, Word]:
    """Flags and claims of a row as the hash shows them."""
    known = {name: int(values[row]) for name, row in _CODES.items() if not math.isnan(values[row])}
    return {name: _FLAGS[name][code] if name in _FLAGS else code for name, code in known.items()}


def _rupees(candle: Candle, scale: int) -> dict[str, float]:
    return {
        "open": candle.open / scale,
        "high": candle.high / scale,
        "low": candle.low / scale,
        "close": candle.close / scale,
        "volume": candle.volume,
        "oi": candle.open_interest,
    }
