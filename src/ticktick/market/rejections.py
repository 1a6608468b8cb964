"""What of the feed was not believed: counted by reason, with a few samples to look at."""

from collections import deque
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from ticktick.domain.clock import NS_PER_MINUTE
from ticktick.domain.event import Noticed

SAMPLES_KEPT: Final = 8

# why, the counter of it, and what the user is told of a sample
_WHY: Final = {
    "unreadable": ("frames_rejected", "a frame of the feed cannot be read ({value})"),
    "unknown": ("unknown_keys", "the feed told of {who}, which nobody watches"),
    "impossible": ("refused_values", "{who}: {value} cannot be a market's"),
    "ahead": ("rejected_ahead", "{who}: told as of {value}, which lies ahead"),
    "other_day": ("rejected_other_day", "{who}: told as of {value}, which is another day"),
    "older": ("rejected_older", "{who}: told as of {value}, older than what is known"),
    "trade_ahead": ("rejected_trade_ahead", "{who}: a trade of {value}, after its own message"),
    "band": ("rejected_band", "{who}: a price of {value}, outside the day's price band"),
    "jump": ("rejected_jump", "{who}: a jump to {value} that no second tick confirmed yet"),
}
COUNTER_OF_REASON: Final[Mapping[str, str]] = {why: counter for why, (counter, _) in _WHY.items()}


class Rejection(Struct, frozen=True):
    """One thing that was left out: why, of which instrument, with which value, when it was read."""

    reason: str
    who: str
    value: str
    at_ns: int


class Rejections:
    """Counts what was left out and keeps the newest samples of each reason.

    `counters` holds one counter for each reason; COUNTER_OF_REASON names them.
    """

    def __init__(self) -> None:
        self.counters = dict.fromkeys(COUNTER_OF_REASON.values(), 0)
        self.samples: Mapping[str, deque[Rejection]] = {
            reason: deque(maxlen=SAMPLES_KEPT) for reason in COUNTER_OF_REASON
        }
        self._told_ns: dict[str, int] = {}

    def add(self, sample: Rejection, count: int = 1) -> list[Noticed]:
        """Count, keep the sample, and tell the user of it, at most once a minute for a reason."""
        reason, at_ns = sample.reason, sample.at_ns
        counter = COUNTER_OF_REASON[reason]
        self.counters[counter] += count
        self.samples[reason].append(sample)
        told_ns = self._told_ns.get(reason)
        if told_ns is not None and 0 <= at_ns - told_ns < NS_PER_MINUTE:
            return []
        self._told_ns[reason] = at_ns
        what = sentence(sample)
        level = "error" if reason == "unreadable" else "warning"
        total = self.counters[counter]
        return [Noticed(at_ns, level, f"{what}; left out, {total} rejected since the start")]


def sentence(sample: Rejection) -> str:
    """What the user is told of a sample."""
    return _WHY[sample.reason][1].format(who=sample.who, value=sample.value)
