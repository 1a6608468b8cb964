"""The feed's own minute candles against those told over HTTP."""

from typing import Any, Final

from ticktick.brokers.upstox.survey.assumption import Assumption
from ticktick.brokers.upstox.survey.candles import intraday
from ticktick.brokers.upstox.survey.subject import STOCKS, Subject
from ticktick.brokers.upstox.survey.verdict import NotSeen, require
from ticktick.domain.clock import NS_PER_MS, parse_iso_ns

_SOME_STOCKS: Final = 3


async def _same(subject: Subject) -> str:
    """Every minute of today that the feed told of some stocks, price by price."""
    told: dict[str, dict[int, tuple[Any, ...]]] = {}
    heard = await subject.heard()
    for _, key, feed in heard.packets():
        for bar in feed.fullFeed.marketFF.marketOHLC.ohlc:
            if bar.interval == "I1" and subject.is_today(bar.ts):
                values = (bar.open, bar.high, bar.low, bar.close, bar.vol)
                told.setdefault(key, {})[bar.ts] = values
    both = differ = 0
    for key in [key for key in STOCKS if key in told][:_SOME_STOCKS]:
        rows = await intraday(subject, key)
        known = {parse_iso_ns(row[0]) // NS_PER_MS: tuple(row[1:6]) for row in rows}
        shared = told[key].keys() & known.keys()
        both += len(shared)
        differ += sum(told[key][start] != known[start] for start in shared)
    if not both:
        raise NotSeen("no minute of today was told by both")
    return require(not differ, f"{differ} of {both} minutes differ")


MINUTES: Final = (
    Assumption("minutes.same", "the feed's minute candle is the one told over HTTP", _same),
)
