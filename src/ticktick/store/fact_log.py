"""Facts as log lines: what the program noticed and which alerts were raised, in system.log."""

import logging
from collections.abc import Callable

from ticktick.domain.alert import Level
from ticktick.domain.event import (
    AlertRaised,
    FeedChanged,
    Noticed,
    PhaseChanged,
    VwapCrossed,
    WatchlistChanged,
)
from ticktick.engine.alerts.words import news
from ticktick.engine.ports import Outputs

_log = logging.getLogger("ticktick.market")
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class FactLog:
    """A sink that logs notices, alerts, phases and the link to the feed.

    `now_ns` is market time, by which an alert says how late it is.
    """

    def __init__(self, now_ns: Callable[[], int] = lambda: 0) -> None:
        self._now_ns = now_ns

    def take(self, outputs: Outputs) -> None:
        """Log what a person would look for later."""
        for fact in outputs.facts:
            match fact:
                case Noticed(level=level, text=text):
                    _log.log(_LEVELS.get(level, logging.INFO), "%s", text)
                case AlertRaised(rule=rule, number=number):
                    importance = logging.WARNING if rule.level is Level.URGENT else logging.INFO
                    text = news(fact, self._now_ns())
                    _log.log(importance, "alert %d (rule %d): %s", number, rule.id, text)
                case FeedChanged(up=up, reason=reason):
                    importance = logging.INFO if up else logging.WARNING
                    _log.log(importance, "feed %s: %s", "up" if up else "down", reason)
                case WatchlistChanged(added=added, removed=removed, restated=restated):
                    parts = {"new": added, "removed": removed, "restated": restated}
                    told = [f"{word}: {', '.join(names)}" for word, names in parts.items() if names]
                    _log.info("the list changed; %s", "; ".join(told))
                case PhaseChanged(segment=segment, phase=phase, source=source):
                    _log.info("%s is %s (%s)", segment, phase, source)
                case VwapCrossed(symbol=symbol, direction=direction, trades=trades):
                    side = "above" if direction > 0 else "below"
                    _log.info("%s crossed %s its VWAP of %d trades", symbol, side, trades)
                case _:
                    pass
