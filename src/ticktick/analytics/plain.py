"""Readings and patterns as programs read them: names, rupees, null for what is not ready."""

from typing import Any

from ticktick.analytics.catalogue import UNITS, VOLUME_NAMES
from ticktick.domain.analysis import Pattern, Reading
from ticktick.domain.clock import iso_ist
from ticktick.domain.market import timeframe_name


def plain_reading(reading: Reading, price_scale: int) -> dict[str, Any]:
    """Every published name; prices in rupees."""
    values = {
        name: _rupees(reading.values.get(name), price_scale if unit == "price" else 1)
        for name, unit in UNITS.items()
    }
    return {
        "timeframe": timeframe_name(reading.minutes),
        "start": iso_ist(reading.start_ns),
        **values,
        "bars": reading.bars,
        "warming": reading.warming,
        "degenerate": sorted(reading.degenerate),
        "withheld": reading.withheld or None,
        "missing": {} if reading.warming or reading.withheld else _missing(reading),
    }


def _missing(reading: Reading) -> dict[str, str]:
    """Why values are not there although the history is long enough."""
    return {name: _why(name, reading) for name in UNITS if name not in reading.values}


def _why(name: str, reading: Reading) -> str:
    if name in VOLUME_NAMES and "obv" not in reading.values:
        return "no volume is told"
    if name == "rvol":
        return "needs 20 sessions at this time of day"
    return "nothing was traded" if name in VOLUME_NAMES else "nothing moved"


def plain_pattern(pattern: Pattern, confirmed: bool | None, price_scale: int) -> dict[str, Any]:
    """The pattern, and whether the candle after it confirmed it; prices in rupees."""
    record = pattern.record
    return {
        "timeframe": timeframe_name(pattern.minutes),
        "start": iso_ist(pattern.start_ns),
        "pattern": pattern.name,
        "value": pattern.value,
        "direction": pattern.direction,
        "strict": pattern.strict,
        "shadow_body_ratio": pattern.shadow_ratio,
        "trend": pattern.trend,
        "in_context": pattern.in_context,
        "confirmation": _rupees(pattern.confirmation, price_scale),
        "confirmed": confirmed,
        "invalidation": _rupees(pattern.invalidation, price_scale),
        "cases": record.cases,
        "hit_rate": record.rate,
        "hit_rate_low": record.low,
        "hit_rate_high": record.high,
        "base_rate": record.base_rate,
    }


def _rupees(value: float | None, scale: int) -> float | None:
    return None if value is None else value / scale
