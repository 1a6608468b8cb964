"""Alerts in words: one sentence for the log, the page and a message to a phone."""

from ticktick.domain.alert import EVERY_SYMBOL, Comparison, Rule
from ticktick.domain.clock import NS_PER_MS, NS_PER_S, ist
from ticktick.domain.event import AlertRaised
from ticktick.engine.alerts.sources import DIRECTIONS, SOURCES
from ticktick.engine.lateness import BEHIND_LIMIT_MS

_VERBS = {1: "rose to", -1: "fell to"}
_SPOKEN = {"change_percent": "change"}
_ARROWS = {1: "up", -1: "down"}


def sentence(alert: AlertRaised) -> str:
    """What happened, with the value and the threshold."""
    rule, value = alert.rule, alert.value
    who = "the feed" if alert.symbol == EVERY_SYMBOL else alert.symbol
    what = "" if rule.source == "feed" else f" {spoken(rule.source)}"
    if alert.name:
        way = _ARROWS.get(alert.direction)
        timeframe = rule.source.partition(":")[0]
        return f"{who} {timeframe} {_words(alert.name)}" + (f", points {way}" if way else "")
    if rule.comparison is Comparison.BECOMES or isinstance(value, str):
        return f"{who}{what} became {value}" if what else f"{who} is {value}"
    limit = shown(rule.threshold, rule.source)
    told = shown(value, rule.source)
    if rule.comparison is Comparison.CROSSES:
        return f"{who}{what} {_VERBS[alert.direction]} {told}, crossed {limit}"
    return f"{who}{what} is {told}, {rule.comparison.value} {limit}"


def news(alert: AlertRaised, now_ns: int) -> str:
    """The sentence; told late, as by a program that works off what waited, it says so."""
    late_ns = now_ns - alert.at_ns
    if late_ns <= BEHIND_LIMIT_MS * NS_PER_MS:
        return sentence(alert)
    when = f"{ist(alert.at_ns):%H:%M:%S}"
    return f"{sentence(alert)} (at {when}, told {late_ns // NS_PER_S} s late)"


def condition(rule: Rule) -> str:
    """What the rule waits for."""
    who = "any symbol" if rule.symbol == EVERY_SYMBOL else rule.symbol
    if rule.source == "feed":
        return f"the feed becomes {rule.threshold}"
    if rule.threshold in DIRECTIONS:
        way = "" if rule.threshold == "any" else f" that points {rule.threshold}"
        return f"{who} {spoken(rule.source)}{way}"
    limit = shown(rule.threshold, rule.source)
    return f"{who} {spoken(rule.source)} {rule.comparison.value} {limit}"


def spoken(source: str) -> str:
    """A source's name for people: `5m rsi 14`."""
    return _words(_SPOKEN.get(source, source).replace(":", " "))


def shown(value: float | str, source: str) -> str:
    """A value in its unit: `₹2,500.35`, `71.2 %`, `stale`."""
    if isinstance(value, str):
        return value
    known = SOURCES.get(source)
    match known.shown_unit if known else "":
        case "rupees":
            return _digits(value, 2, "₹")
        case "percent":
            return f"{_short(value, 2)} %"
        case "bps" | "ticks" as unit:
            return f"{_short(value, 2)} {unit}"
        case _:
            return _short(value, 4)


def _short(value: float, places: int) -> str:
    """Without zeros at the end."""
    return _digits(value, places).rstrip("0").rstrip(".") if value else "0"


def _digits(value: float, places: int, currency: str = "") -> str:
    """As many digits as matter, thousands as in India."""
    places = places if abs(value) >= 0.1 else 4
    text = f"{abs(value):.{places}f}"
    whole, _, rest = text.partition(".")
    head, tail = whole[:-3], whole[-3:]
    while head:
        head, tail = head[:-2], f"{head[-2:]},{tail}"
    sign = "−" if value < 0 and float(text) else ""
    return f"{sign}{currency}{tail}{'.' + rest if rest else ''}"


def _words(name: str) -> str:
    return name.replace("_", " ")
