"""Readings and patterns as programs read them: names, rupees, null for what is not ready."""

from typing import Any

from ticktick.analytics.catalogue import UNITS
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
    }


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
