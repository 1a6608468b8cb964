"""What goes into the engine and what comes out: every kind of event and fact.

An event is recorded as it is; replaying the events in order gives the same facts and metrics,
byte for byte. `at_ns` is market time.
"""

from typing import TypeAlias

from msgspec import Struct

from ticktick.domain.alert import Rule, Told
from ticktick.domain.analysis import Confirmation, Pattern, Reading
from ticktick.domain.instrument import Instrument
from ticktick.domain.market import Candle, Freshness, QuarterHour
from ticktick.domain.sessions import DayHours, Phase

LINK_CAUSES = (
    "closed",  # by the server, or the network broke
    "silent",  # pongs, but no data although the market moved
    "damaged",  # frames that cannot be read
    "refused",  # not let in for now
    "login",  # only a new login helps
    "taken",  # another program has the feed; the user decides
    "resumed",  # this computer slept
    "asked",  # the user, or a change of the watchlist
)


class FrameArrived(Struct, frozen=True, tag="frame", gc=False):
    """A raw frame of the feed, as read from the socket."""

    received_ns: int
    seq: int
    data: bytes


class FramesArrived(Struct, frozen=True, tag="frames"):
    """Frames that waited together because the engine was behind, at least two, in order."""

    frames: tuple[FrameArrived, ...]

    @property
    def at_ns(self) -> int:
        """When the last of them was read."""
        return self.frames[-1].received_ns


class LinkChanged(Struct, frozen=True, tag="link"):
    """The feed's socket came up or went away.

    `reason` is a sentence for the user; `cause` is the word under which it is counted, one of
    LINK_CAUSES, empty when the link came up.
    """

    at_ns: int
    up: bool
    reason: str
    cause: str = ""


class TimerFired(Struct, frozen=True, tag="timer", gc=False):
    """Market time moved on; nothing else happened."""

    at_ns: int


class WorkGoesOn(Struct, frozen=True, tag="work", gc=False):
    """Nothing happened, and the engine has time for what it had put off."""

    at_ns: int


class InstrumentsResolved(Struct, frozen=True, tag="instruments"):
    """The whole watchlist against the day's instrument master.

    It comes before the first frame, at every new master and at every change of the list; what
    it does not name any more is no longer watched.

    `canary` is the symbol whose silence means a silent feed; `extras` are symbols that are
    followed but not on the user's list. `notes` are sentences for the user: what was repaired,
    what was not found. `restated` are symbols whose past prices no longer fit their new ones, as
    after a split: what is known of them is forgotten and read again.
    """

    at_ns: int
    instruments: tuple[Instrument, ...]
    canary: str | None = None
    extras: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    restated: tuple[str, ...] = ()


class CalendarRead(Struct, frozen=True, tag="calendar"):
    """What the broker says of some days: closed, as usual, or at unusual times."""

    at_ns: int
    days: tuple[DayHours, ...]


class HistoryRead(Struct, frozen=True, tag="history"):
    """Final one-minute candles of one symbol from the broker, oldest first.

    `told_ns` is the span [from, until) for which this is everything the broker has: a minute of
    it that is not among the candles does not exist there. (0, 0) claims nothing.
    """

    at_ns: int
    symbol: str
    candles: tuple[Candle, ...]
    told_ns: tuple[int, int] = (0, 0)


class Quote(Struct, frozen=True):
    """A quote that was asked for, not streamed; prices in price units, 0 where it told none.

    `exchange_ns` is when it was true, `lower_band` and `upper_band` are the day's price band.
    """

    symbol: str
    exchange_ns: int
    last_price: int
    last_trade_ns: int
    volume: int
    previous_close: int = 0
    lower_band: int = 0
    upper_band: int = 0


class QuotesRead(Struct, frozen=True, tag="quotes"):
    """Quotes of some symbols from the broker's REST interface.

    They prove that a quiet symbol has no newer trade, fill in while the feed is away and bring
    the day's price bands. They never enter metrics or candles.
    """

    at_ns: int
    quotes: tuple[Quote, ...]


class BaselinesRead(Struct, frozen=True, tag="baselines"):
    """What the program measured of one symbol on days before, kept in the workspace."""

    at_ns: int
    symbol: str
    quarters: tuple[QuarterHour, ...]


class NoteTaken(Struct, frozen=True, tag="note"):
    """Something outside the engine that the user must read; it comes out as Noticed."""

    at_ns: int
    level: str
    text: str


class RulesRead(Struct, frozen=True, tag="rules"):
    """The whole set of alert rules; what it does not name any more is forgotten.

    `told` are the alerts of the day from before the program was started, empty later on.
    """

    at_ns: int
    rules: tuple[Rule, ...]
    told: tuple[Told, ...] = ()


Event: TypeAlias = (
    FrameArrived
    | FramesArrived
    | LinkChanged
    | TimerFired
    | WorkGoesOn
    | InstrumentsResolved
    | CalendarRead
    | HistoryRead
    | QuotesRead
    | BaselinesRead
    | NoteTaken
    | RulesRead
)


class CandleChanged(Struct, frozen=True, tag="candle", gc=False):
    """A candle closed, became final or was corrected. Every one counts."""

    at_ns: int
    candle: Candle


class WatchlistChanged(Struct, frozen=True, tag="watchlist"):
    """Other symbols are followed than before, or other instruments stand behind them.

    `followed` are all of them in their order. Of those `removed` and `restated` everything is
    forgotten; the past of the `restated` is read again.
    """

    at_ns: int
    followed: tuple[str, ...]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    restated: tuple[str, ...] = ()


class FreshnessChanged(Struct, frozen=True, tag="freshness"):
    """A symbol's data became older or newer by a class."""

    at_ns: int
    symbol: str
    freshness: Freshness


class PhaseChanged(Struct, frozen=True, tag="phase"):
    """A segment's session phase changed; `source` is `feed` or `calendar`."""

    at_ns: int
    segment: str
    phase: Phase
    source: str


class FeedChanged(Struct, frozen=True, tag="feed"):
    """The link to the feed came up or went away; reason and cause as in LinkChanged."""

    at_ns: int
    up: bool
    reason: str
    cause: str = ""


class Noticed(Struct, frozen=True, tag="notice"):
    """A sentence for the log line; `level` is `info`, `warning` or `error`."""

    at_ns: int
    level: str
    text: str


class IndicatorsRead(Struct, frozen=True, tag="indicators", gc=False):
    """The indicators after the newest settled candle of a symbol and timeframe."""

    at_ns: int
    reading: Reading


class PatternFound(Struct, frozen=True, tag="pattern", gc=False):
    """A candlestick pattern ended with a settled candle. Every one counts."""

    at_ns: int
    pattern: Pattern


class PatternJudged(Struct, frozen=True, tag="pattern_judged", gc=False):
    """The candle after a pattern confirmed it, or did not."""

    at_ns: int
    confirmation: Confirmation


class PatternSuperseded(Struct, frozen=True, tag="pattern_superseded", gc=False):
    """A corrected candle took a pattern's ground away; the pattern stays on record."""

    at_ns: int
    pattern: Pattern


class AlertRaised(Struct, frozen=True, tag="alert"):
    """What a rule waits for is so. Every one counts.

    `number` counts the alerts of a day from 1, or of a run that goes on over night. `symbol` is
    `*` for the feed. `value` is in the units of the rule's threshold, or the word that it became;
    it was true at `exchange_ns`, the end of its candle for indicators and patterns. `direction`
    is 1 or -1 where a threshold was crossed upwards or downwards, or where a pattern points, else
    0. `name` is the pattern's.
    """

    at_ns: int
    number: int
    rule: Rule
    symbol: str
    value: float | str
    exchange_ns: int
    direction: int = 0
    name: str = ""

    @property
    def age_ns(self) -> int:
        """How old the value was when the alert was raised."""
        return max(0, self.at_ns - self.exchange_ns)


class AlertCleared(Struct, frozen=True, tag="alert_cleared", gc=False):
    """The alert of that number holds no more: the value came back by the hysteresis."""

    at_ns: int
    number: int
    rule_id: int
    symbol: str
    value: float | str


class AlertRulesChanged(Struct, frozen=True, tag="alert_rules", gc=False):
    """Other rules hold from now on, so many."""

    at_ns: int
    rules: int


class VwapCrossed(Struct, frozen=True, tag="vwap_crossed", gc=False):
    """The mean of the last 20 updates crossed the VWAP of the last minutes. Every one counts.

    `direction` is 1 upwards, -1 downwards; prices are in price units; `trades` are those within
    the VWAP.
    """

    at_ns: int
    symbol: str
    direction: int
    average: float
    vwap: float
    trades: int


class QuarterEnded(Struct, frozen=True, tag="quarter"):
    """A quarter of an hour is over: what was usual in it counts from the next day on."""

    at_ns: int
    quarter: QuarterHour


Fact: TypeAlias = (
    CandleChanged
    | WatchlistChanged
    | FreshnessChanged
    | PhaseChanged
    | FeedChanged
    | Noticed
    | IndicatorsRead
    | PatternFound
    | PatternJudged
    | PatternSuperseded
    | AlertRaised
    | AlertCleared
    | AlertRulesChanged
    | VwapCrossed
    | QuarterEnded
)
