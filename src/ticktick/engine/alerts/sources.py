"""What an alert may look at: names, units, and the words a state may have."""

from difflib import get_close_matches
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from ticktick.analytics.catalogue import UNITS
from ticktick.analytics.shapes import SHAPES
from ticktick.domain.alert import EVERY_SYMBOL, Comparison, Rule
from ticktick.domain.market import TIMEFRAMES, Freshness, timeframe_name
from ticktick.domain.metric import METRICS, Metric
from ticktick.domain.sessions import Phase
from ticktick.domain.watchlist import SYMBOL

SourceKind: TypeAlias = Literal["column", "state", "feed", "indicator", "pattern"]

ANY_PATTERN: Final = "pattern"
DIRECTIONS: Final = ("any", "up", "down")
FEED_WORDS: Final = ("down", "up")
_CLAIM_WORDS: Final = ("no", "yes")
STATE_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "freshness": tuple(Freshness),
    "phase": tuple(Phase),
}
PRICES: Final = {"last_price": "price", "change": "price", "change_percent": "fraction"}
"""Columns that are no metric: what everybody looks at first."""

_PERCENT: Final = 0.01
_TIMEFRAME: Final = {timeframe_name(minutes): minutes for minutes in TIMEFRAMES}

# a value must come back by this share of the threshold, but at least by so much
_SHARE: Final = 0.02
_PRICE_SHARE: Final = 0.0005
_LEAST: Final = {"fraction": 0.02, "percent": 1.0, "ratio": 0.02, "bps": 0.5, "ticks": 0.5}


class Source(Struct, frozen=True):
    """Something to look at; `name` is that of the column, indicator or pattern.

    `unit` is that of the metric or indicator, empty for words; `words` are those a state may be.
    """

    kind: SourceKind
    name: str
    unit: str = ""
    minutes: int = 0
    words: tuple[str, ...] = ()

    def scale(self, price_scale: int) -> float:
        """The engine's units in one of the trader's: of rupees, percent and the rest."""
        if self.unit == "price":
            return float(price_scale)
        return _PERCENT if self.unit == "fraction" else 1.0

    @property
    def shown_unit(self) -> str:
        """What the trader writes his threshold in."""
        return {"price": "rupees", "fraction": "percent"}.get(self.unit, self.unit)

    def hysteresis(self, threshold: float, tick_rupees: float) -> float:
        """How far a value must come back where the rule does not say, in the trader's units."""
        if self.unit == "price":
            return max(abs(threshold) * _PRICE_SHARE, tick_rupees)
        return max(abs(threshold) * _SHARE, _LEAST.get(self.unit, 0.0))


def _sources() -> dict[str, Source]:
    found = {name: Source("column", name, unit) for name, unit in PRICES.items()}
    found |= {metric.name: _of_metric(metric) for metric in METRICS}
    found |= {name: Source("state", name, words=words) for name, words in STATE_WORDS.items()}
    found["feed"] = Source("feed", "feed", words=FEED_WORDS)
    for timeframe, minutes in _TIMEFRAME.items():
        for name, unit in UNITS.items():
            found[f"{timeframe}:{name}"] = Source("indicator", name, unit, minutes)
        for name in (ANY_PATTERN, *(shape.name for shape in SHAPES)):
            found[f"{timeframe}:{name}"] = Source(
                "pattern", name, minutes=minutes, words=DIRECTIONS
            )
    return found


def _of_metric(metric: Metric) -> Source:
    words = _CLAIM_WORDS if metric.unit == "claim" else metric.words
    return Source("column", metric.name, "" if words else metric.unit, words=words)


SOURCES: Final = _sources()
"""Every source by the name a rule gives it."""


def source_of(rule: Rule) -> Source:
    """What the rule looks at.

    Raises ValueError, saying what was found and what is expected, if its parts do not fit.
    """
    source = SOURCES.get(rule.source)
    if source is None:
        raise ValueError(f"source is {rule.source!r:.60}, {_did_you_mean(rule.source)}")
    _check_symbol(rule, source)
    if source.words:
        _check_words(rule, source)
    else:
        _check_number(rule)
    return source


def _check_symbol(rule: Rule, source: Source) -> None:
    if rule.symbol != EVERY_SYMBOL and not SYMBOL.fullmatch(rule.symbol):
        raise ValueError(
            f"symbol is {rule.symbol!r:.60}, expected a trading symbol such as 'RELIANCE', or '*'"
        )
    if source.kind == "feed" and rule.symbol != EVERY_SYMBOL:
        raise ValueError(f"symbol is {rule.symbol!r:.60}, expected '*': the feed is one for all")


def _check_words(rule: Rule, source: Source) -> None:
    if rule.comparison is not Comparison.BECOMES:
        raise ValueError(
            f"comparison is {rule.comparison.value!r}, expected 'becomes' for {rule.source}"
        )
    if rule.threshold not in source.words:
        words = ", ".join(source.words)
        raise ValueError(f"threshold is {rule.threshold!r:.60}, expected one of {words}")
    if rule.hysteresis is not None:
        raise ValueError(f"hysteresis is {rule.hysteresis}, expected none: {rule.source} is a word")


def _check_number(rule: Rule) -> None:
    if rule.comparison is Comparison.BECOMES:
        raise ValueError(
            f"comparison is 'becomes', expected above, below or crosses for {rule.source}"
        )
    if isinstance(rule.threshold, str):
        found = repr(rule.threshold)
        raise ValueError(f"threshold is {found:.60}, expected a number")  # noqa: TRY004


def _did_you_mean(name: str) -> str:
    tail = name.rpartition(":")[2]
    near = [full for full in SOURCES if full.rpartition(":")[2].startswith(tail)] if tail else []
    near = get_close_matches(name, SOURCES, 3) or near[:3]
    guess = f" (did you mean {' or '.join(near)}?)" if near else ""
    return f"expected a name that `ticktick alerts sources` lists{guess}"
