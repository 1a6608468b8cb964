"""What is read from candles and trades, as Redis shows it: hashes and streams, in rupees."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from ticktick.analytics.catalogue import UNITS
from ticktick.analytics.plain import plain_pattern
from ticktick.domain.analysis import Reading
from ticktick.domain.event import (
    Fact,
    PatternFound,
    PatternJudged,
    PatternSuperseded,
    VwapCrossed,
)
from ticktick.domain.market import timeframe_name
from ticktick.store.keys import crossings_stream, indicators_latest, patterns_stream
from ticktick.store.link import Command, Word
from ticktick.store.streams import Streams

PatternFact: TypeAlias = PatternFound | PatternJudged | PatternSuperseded


def reading_commands(reading: Reading, price_scale: int) -> Iterator[Command]:
    """Make the hash hold exactly what is ready of the timeframe."""
    key, prefix = indicators_latest(reading.symbol), timeframe_name(reading.minutes)
    absent = [f"{prefix}:{name}" for name in UNITS if name not in reading.values]
    if absent:
        yield "HDEL", key, *absent
    fields: list[Word] = [f"{prefix}:start_ms", reading.start_ns // 1_000_000]
    fields += [f"{prefix}:bars", reading.bars]
    for name, value in reading.values.items():
        scale = price_scale if UNITS[name] == "price" else 1
        fields += [f"{prefix}:{name}", value / scale]
    yield "HSET", key, *fields
    for word, text in (
        ("degenerate", " ".join(reading.degenerate)),
        ("withheld", reading.withheld),
    ):
        if text:
            yield "HSET", key, f"{prefix}:{word}", text
        else:
            yield "HDEL", key, f"{prefix}:{word}"


def pattern_entries(
    facts: Iterable[Fact], scale_of: Callable[[str], int], streams: Streams
) -> list[Command]:
    """The commands for the facts about patterns; `scale_of` knows a symbol's price units."""
    return [
        _entry(fact, scale_of, streams)
        for fact in facts
        if isinstance(fact, PatternFound | PatternJudged | PatternSuperseded)
    ]


def crossing_entries(
    facts: Iterable[Fact], scale_of: Callable[[str], int], streams: Streams
) -> list[Command]:
    """The commands for the crossings of a VWAP; `scale_of` knows a symbol's price units."""
    return [
        _crossing(fact, scale_of(fact.symbol), streams)
        for fact in facts
        if isinstance(fact, VwapCrossed)
    ]


def _crossing(fact: VwapCrossed, price_scale: int, streams: Streams) -> Command:
    words: dict[str, Word | None] = {
        "direction": fact.direction,
        "average": fact.average / price_scale,
        "vwap": fact.vwap / price_scale,
        "trades": fact.trades,
    }
    return streams.append(crossings_stream(fact.symbol), fact.at_ns, words)


def _entry(fact: PatternFact, scale_of: Callable[[str], int], streams: Streams) -> Command:
    if isinstance(fact, PatternJudged):
        told = fact.confirmation
        words: dict[str, Word | None] = {
            "event": "judged",
            "timeframe": timeframe_name(told.minutes),
            "start_ms": told.start_ns // 1_000_000,
            "pattern": told.name,
            "confirmed": int(told.confirmed),
        }
        return streams.append(patterns_stream(told.symbol), fact.at_ns, words)
    pattern = fact.pattern
    plain = plain_pattern(pattern, None, scale_of(pattern.symbol))
    words = {
        "event": "found" if isinstance(fact, PatternFound) else "superseded",
        "start_ms": pattern.start_ns // 1_000_000,
        "revision": pattern.revision,
        **{name: _word(value) for name, value in plain.items()},
    }
    return streams.append(patterns_stream(pattern.symbol), fact.at_ns, words)


def _word(value: object) -> Word | None:
    """A value as a field: claims as 0 and 1, what is not known left out."""
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, str | int | float) else None
