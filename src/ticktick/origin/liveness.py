"""What the broker should be asked to know whether silence is true, and what its answer means.

Silence may be a quiet stock, a quiet market, a closed one, or a dead feed. The pongs of the
connection do not tell which; the broker's own quotes do.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from ticktick.domain.clock import IST_OFFSET_NS, NS_PER_DAY, NS_PER_MINUTE, NS_PER_S
from ticktick.domain.event import Quote

SILENCE_NS: Final = 5 * NS_PER_S
NEWER_NS: Final = 2 * NS_PER_S
PROBED: Final = 3
FILL_IN_S: Final = 5.0
_PROBE_EVERY_S: Final = 5.0
_BEHIND_S: Final = 1.0
_BANDS_EVERY_S: Final = 30.0
_DOWN_S: Final = 3.0
_PROVE_EVERY_S: Final = 2.0
_MARGIN_NS: Final = 15 * NS_PER_S
# the bands of a day are known before its pre-open session
_BANDS_FROM_NS: Final = (8 * 60 + 45) * NS_PER_MINUTE


class Seen(Struct, frozen=True):
    """What the feed told of one symbol.

    `told_ns` is the time of the last frame that held it, `trade_ns` of its last trade, 0 for
    none; `turnover` orders the symbols by activity. `trades`: its market trades continuously.
    """

    symbol: str
    told_ns: int
    trade_ns: int
    turnover: int
    trades: bool
    is_canary: bool


class Sight(Struct, frozen=True):
    """The feed at one moment: of market time, and of a real clock that never steps back.

    `rate` market seconds pass in a real one. `opened_ns` is the market time at which the present
    connection was opened, None without one; `cause` why there is none. `behind_s` is how long
    the oldest frame waits that was read and not yet looked at.
    """

    now_ns: int
    now_s: float
    rate: float
    opened_ns: int | None
    cause: str
    behind_s: float
    seen: Sequence[Seen]


class Ask(Struct, frozen=True):
    """Symbols to get quotes of; `why` is `probe`, `fill in`, `bands` or `proof`."""

    why: str
    symbols: tuple[str, ...]


class Verdict(Struct, frozen=True):
    """What quotes say of the feed: why to hang up, empty for no reason, and whom it left out."""

    hang_up: str = ""
    left_out: tuple[str, ...] = ()


class Liveness:
    """Decides by what is seen; it asks nobody and knows no clock.

    `quiet_ns` is how long a symbol may be silent before it needs a proof.
    """

    def __init__(self, quiet_ns: int) -> None:
        self._quiet_ns = quiet_ns
        self._trading_from_ns: int | None = None
        self._down_s: float | None = None
        self._asked_s: dict[str, float] = {}
        self._proved_ns: dict[str, int] = {}
        self._banded: dict[str, int] = {}

    def wish(self, sight: Sight) -> Ask | None:
        """The quotes to ask for at this moment, the most urgent ones."""
        self._note(sight)
        wishes: Iterable[Ask | None] = (
            (self._probe(sight), self._bands(sight), self._proof(sight))
            if sight.opened_ns is not None
            else (self._fill_in(sight),)
        )
        ask = next((wish for wish in wishes if wish is not None), None)
        if ask is not None:
            self._asked_s[ask.why] = sight.now_s
        return ask

    def learn(self, ask: Ask, quotes: Sequence[Quote], sight: Sight) -> Verdict:
        """Take the answer, against what is seen now."""
        for symbol in ask.symbols:  # one that the broker does not quote is not asked for again
            self._proved_ns[symbol] = sight.now_ns
            self._banded[symbol] = _band_day(sight.now_ns)
        if sight.opened_ns is None or _is_behind(sight) or ask.why not in {"probe", "proof"}:
            return Verdict()
        ahead_ns = _ahead_ns(quotes, sight)
        if not ahead_ns:
            return Verdict()
        if ask.why == "proof":
            return Verdict(left_out=tuple(ahead_ns))
        symbol, span_ns = max(ahead_ns.items(), key=lambda item: item[1])
        return Verdict(
            f"pongs but no data: {symbol} traded {_span(span_ns)} after what the feed told last"
        )

    def _note(self, sight: Sight) -> None:
        """Remember since when what is true at this moment."""
        if not any(one.trades for one in sight.seen):
            self._trading_from_ns = None
        elif self._trading_from_ns is None:
            self._trading_from_ns = sight.now_ns
        if sight.opened_ns is not None:
            self._down_s = None
        elif self._down_s is None:
            self._down_s = sight.now_s

    def _probe(self, sight: Sight) -> Ask | None:
        """Ask whether the feed is silent or the market."""
        if self._trading_from_ns is None or sight.opened_ns is None or _is_behind(sight):
            return None
        since_ns = max(_life_ns(sight.seen), self._trading_from_ns, sight.opened_ns)
        is_silent = sight.now_ns - since_ns > SILENCE_NS * _scale(sight)
        if not is_silent or not self._is_due("probe", _PROBE_EVERY_S, sight):
            return None
        trading = [one for one in sight.seen if one.trades]
        active = sorted(trading, key=lambda one: -one.turnover)[:PROBED]
        canaries = [one for one in trading if one.is_canary][:1]
        return Ask("probe", tuple(dict.fromkeys(one.symbol for one in (*active, *canaries))))

    def _fill_in(self, sight: Sight) -> Ask | None:
        """Ask for everything while there is no feed, but not with a login that is refused."""
        is_away = self._down_s is not None and sight.now_s - self._down_s >= _DOWN_S
        if not is_away or sight.cause == "login" or not self._is_due("fill in", FILL_IN_S, sight):
            return None
        return Ask("fill in", tuple(one.symbol for one in sight.seen)) if sight.seen else None

    def _bands(self, sight: Sight) -> Ask | None:
        """Ask for the price bands of the day, once."""
        day = _band_day(sight.now_ns)
        unknown = [one.symbol for one in sight.seen if self._banded.get(one.symbol) != day]
        if not unknown or not self._is_due("bands", _BANDS_EVERY_S, sight):
            return None
        return Ask("bands", tuple(unknown))

    def _proof(self, sight: Sight) -> Ask | None:
        """Ask for symbols that will soon have been silent for too long."""
        quiet_ns = {
            one.symbol: sight.now_ns - max(one.told_ns, self._proved_ns.get(one.symbol, 0))
            for one in sight.seen
            if one.trades and one.told_ns
        }
        limit_ns = self._quiet_ns - min(_MARGIN_NS, self._quiet_ns // 2)
        if max(quiet_ns.values(), default=0) < limit_ns:
            return None
        if not self._is_due("proof", _PROVE_EVERY_S, sight):
            return None
        # those that will need one soon come along, so that few calls are enough
        found = [symbol for symbol, silent_ns in quiet_ns.items() if silent_ns >= limit_ns // 2]
        return Ask("proof", tuple(found))

    def _is_due(self, why: str, every_s: float, sight: Sight) -> bool:
        asked_s = self._asked_s.get(why)
        return asked_s is None or sight.now_s - asked_s >= every_s


def _ahead_ns(quotes: Sequence[Quote], sight: Sight) -> dict[str, int]:
    """By how much the quotes' last trades are newer than the feed's, where they are."""
    trade_ns = {one.symbol: one.trade_ns for one in sight.seen if one.trades}
    ahead_ns = {
        quote.symbol: quote.last_trade_ns - trade_ns[quote.symbol]
        for quote in quotes
        if quote.symbol in trade_ns
    }
    limit_ns = NEWER_NS * _scale(sight)
    return {symbol: span_ns for symbol, span_ns in ahead_ns.items() if span_ns > limit_ns}


def _is_behind(sight: Sight) -> bool:
    """Whether this program has not yet looked at what the feed told, so that it seems silent."""
    return sight.behind_s >= _BEHIND_S


def _scale(sight: Sight) -> float:
    """At high speed five seconds of the market pass within a hiccup of this program."""
    return max(sight.rate, 1.0)


def _life_ns(seen: Sequence[Seen]) -> int:
    """When the feed last proved that it lives: by a canary that trades, else by anything."""
    canaries = [one.told_ns for one in seen if one.is_canary and one.trades]
    return max(canaries or [one.told_ns for one in seen], default=0)


def _band_day(at_ns: int) -> int:
    """The day whose price bands hold at the moment."""
    return (at_ns + IST_OFFSET_NS - _BANDS_FROM_NS) // NS_PER_DAY


def _span(span_ns: int) -> str:
    seconds = span_ns / NS_PER_S
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
