"""What candles say, as Redis shows it: indicators as hashes, patterns as streams; in rupees."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from ticktick.analytics.catalogue import UNITS
from ticktick.analytics.plain import plain_pattern
from ticktick.domain.analysis import Reading
from ticktick.domain.event import Fact, PatternFound, PatternJudged, PatternSuperseded
from ticktick.domain.market import timeframe_name
from ticktick.store.keys import indicators_latest, patterns_stream
from ticktick.store.link import Command, Word

PATTERNS_KEPT: Final = 1_000
ALREADY_THERE: Final = "equal or smaller"  # the server's words for an entry written before

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
    degenerate = f"{prefix}:degenerate"
    if reading.degenerate:
        yield "HSET", key, degenerate, " ".join(reading.degenerate)
    else:
        yield "HDEL", key, degenerate


class PatternEntries:
    """Makes stream entries of facts about patterns, each with an id that rises in its stream.

    An entry written twice has the same id, and the server refuses the second.
    """

    def __init__(self) -> None:
        self._newest: dict[str, tuple[int, int]] = {}

    def entries(self, facts: Iterable[Fact], scale_of: Callable[[str], int]) -> list[Command]:
        """The commands for the facts about patterns; `scale_of` knows a symbol's price units."""
        return [
            self._entry(fact, scale_of)
            for fact in facts
            if isinstance(fact, PatternFound | PatternJudged | PatternSuperseded)
        ]

    def _entry(self, fact: PatternFact, scale_of: Callable[[str], int]) -> Command:
        if isinstance(fact, PatternJudged):
            told = fact.confirmation
            words: dict[str, Word | None] = {
                "event": "judged",
                "timeframe": timeframe_name(told.minutes),
                "start_ms": told.start_ns // 1_000_000,
                "pattern": told.name,
                "confirmed": int(told.confirmed),
            }
            return self._command(told.symbol, fact.at_ns, words)
        pattern = fact.pattern
        plain = plain_pattern(pattern, None, scale_of(pattern.symbol))
        words = {
            "event": "found" if isinstance(fact, PatternFound) else "superseded",
            "start_ms": pattern.start_ns // 1_000_000,
            "revision": pattern.revision,
            **{name: _word(value) for name, value in plain.items()},
        }
        return self._command(pattern.symbol, fact.at_ns, words)

    def _command(self, symbol: str, at_ns: int, words: dict[str, Word | None]) -> Command:
        key = patterns_stream(symbol)
        newest_ms, number = self._newest.get(symbol, (0, 0))
        at_ms = at_ns // 1_000_000
        place = (at_ms, 0) if at_ms > newest_ms else (newest_ms, number + 1)
        self._newest[symbol] = place
        told = ((name, value) for name, value in words.items() if value is not None)
        fields = [word for pair in told for word in pair]
        entry = f"{place[0]}-{place[1]}"
        return ("XADD", key, "MAXLEN", "~", PATTERNS_KEPT, entry, *fields)


def _word(value: object) -> Word | None:
    """A value as a field: claims as 0 and 1, what is not known left out."""
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, str | int | float) else None
