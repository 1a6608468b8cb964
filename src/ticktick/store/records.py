"""Points of rows, and candles, as Redis shows them: rupees, what is not known left out."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.market import Candle, CandleState
from ticktick.domain.metric import METRICS
from ticktick.store import resp
from ticktick.store.columns import PointColumns
from ticktick.store.keys import candle_family, candle_latest, tick_family, tick_price
from ticktick.store.link import Command, Word
from ticktick.store.series import Point
from ticktick.store.spool import Rows

_KIND_OF: Final = {"price": resp.UNITS}
# in the order of a tick family: the metrics, the last price
_TICK_KINDS: Final = np.array(
    [*(_KIND_OF.get(metric.unit, resp.NUMBER) for metric in METRICS), resp.UNITS], np.uint8
)
_NO_METRICS: Final = np.empty((len(METRICS), 0))
_NONE: Final = np.empty(0, np.int64)


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


def tick_columns(batches: Sequence[Rows], *, many: bool) -> PointColumns:
    """Points of the rows of all batches; one without a place in its series holds nothing."""
    instruments = [instrument for rows in batches for instrument in rows.instruments]
    metrics = np.hstack([_NO_METRICS, *(rows.metrics for rows in batches)])
    prices = np.concatenate([_NONE, *(rows.records["last_price"] for rows in batches)])
    at_ms = np.concatenate([_NONE, *(rows.at_ms for rows in batches)])
    is_full = np.concatenate([_NONE, *(rows.full for rows in batches)]).astype(np.bool_)
    values = np.vstack([np.where(is_full, metrics, np.nan), np.where(prices, prices, np.nan)])
    return PointColumns(
        keys=[tick_price(instrument.symbol) for instrument in instruments],
        at_ms=at_ms,
        values=np.where(at_ms, values, np.nan),
        kinds=_TICK_KINDS,
        scales=np.array([instrument.price_scale for instrument in instruments], np.int64),
        family_of=lambda n: tick_family(instruments[n].symbol, many=many),
    )


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


def _rupees(candle: Candle, scale: int) -> dict[str, float]:
    return {
        "open": candle.open / scale,
        "high": candle.high / scale,
        "low": candle.low / scale,
        "close": candle.close / scale,
        "volume": candle.volume,
        "oi": candle.open_interest,
    }
