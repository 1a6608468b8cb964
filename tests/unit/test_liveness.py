"""Whether silence is true: what the broker is asked, and what follows from its answer."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest

from ticktick.domain.clock import NS_PER_S, parse_iso_ns
from ticktick.domain.event import Quote
from ticktick.origin import liveness
from ticktick.origin.liveness import Ask, Liveness, Seen, Sight, Verdict

START = parse_iso_ns("2026-11-20T10:00:00+05:30")
QUIET_NS = 60 * NS_PER_S


ToldS = Callable[[str, float], float]


class Market:
    """A market in which everything trades all the time, as the broker knows.

    `told_s` says until when the feed told a symbol at a moment; the connection is up.
    """

    def __init__(self, told_s: ToldS = lambda _, at_s: at_s, trades: bool = True) -> None:
        self.told_s = told_s
        self.trades = trades
        self.rate = 1.0
        self.opened_s: float | None = 0.0
        self.cause = ""
        self.behind_s = 0.0
        self.traded_s: ToldS = lambda _, at_s: at_s

    def sight(self, at_s: float) -> Sight:
        symbols = ("A", "B", "C", "D", "E", "INDEX")
        return Sight(
            now_ns=START + round(at_s * NS_PER_S),
            now_s=at_s / self.rate,
            rate=self.rate,
            opened_ns=None if self.opened_s is None else START + round(self.opened_s * NS_PER_S),
            cause=self.cause,
            behind_s=self.behind_s,
            seen=tuple(
                Seen(
                    symbol,
                    told_ns=START + round(self.told_s(symbol, at_s) * NS_PER_S),
                    trade_ns=START
                    + round(min(self.told_s(symbol, at_s), self.traded_s(symbol, at_s)) * NS_PER_S),
                    turnover=0 if symbol == "INDEX" else 100 - ord(symbol),
                    trades=self.trades,
                    is_canary=symbol == "INDEX",
                )
                for symbol in symbols
            ),
        )

    def quotes(self, ask: Ask, at_s: float) -> list[Quote]:
        """What the broker says."""
        now_ns = START + round(at_s * NS_PER_S)
        return [
            Quote(s, now_ns, 100, START + round(self.traded_s(s, at_s) * NS_PER_S), 1)
            for s in ask.symbols
        ]


def silent_after(end_s: float, *symbols: str) -> ToldS:
    """A feed that tells nothing more from then on, of these symbols or of all."""
    return lambda symbol, at_s: min(at_s, end_s) if symbol in symbols or not symbols else at_s


def without_trades(market: Market, after_s: float, *symbols: str) -> Market:
    """The same market, in which these symbols, or all, do not trade any more."""
    market.traded_s = silent_after(after_s, *symbols)
    return market


class Log:
    """The asks and the wishes to hang up of a run, with their times."""

    def __init__(self) -> None:
        self.asks: list[tuple[float, Ask]] = []
        self.hang_ups: list[tuple[float, str]] = []
        self.left_out: list[tuple[float, tuple[str, ...]]] = []

    def named(self, why: str) -> list[float]:
        return [at_s for at_s, ask in self.asks if ask.why == why]


def run(market: Market, until_s: float, judge: Any = None, step_s: float = 0.5) -> Log:
    judge = judge or Liveness(QUIET_NS)
    log = Log()
    for look in range(round(until_s / step_s)):
        at_s = look * step_s
        ask = judge.wish(market.sight(at_s))
        if ask is None:
            continue
        log.asks.append((at_s, ask))
        verdict = judge.learn(ask, market.quotes(ask, at_s), market.sight(at_s))
        if verdict.hang_up:
            log.hang_ups.append((at_s, verdict.hang_up))
        if verdict.left_out:
            log.left_out.append((at_s, verdict.left_out))
    return log


class Deaf(Liveness):
    """A mutant that believes every pong."""

    def learn(self, ask: Ask, quotes: Sequence[Quote], sight: Sight) -> Verdict:
        return Verdict()


class Nervous(Liveness):
    """A mutant that takes silence for death."""

    def learn(self, ask: Ask, quotes: Sequence[Quote], sight: Sight) -> Verdict:
        return Verdict(hang_up="silence" if ask.why == "probe" else "")


def ends_a_silent_feed(judge: Liveness) -> None:
    log = run(Market(silent_after(20.0)), 60.0, judge)
    assert log.hang_ups
    at_s, sentence = log.hang_ups[0]
    assert at_s <= 26.0
    assert "pongs but no data" in sentence


def keeps_a_quiet_feed(judge: Liveness) -> None:
    log = run(without_trades(Market(silent_after(20.0)), 20.0), 120.0, judge)
    assert log.named("probe")
    assert log.hang_ups == []


def test_P03_a_feed_that_tells_less_than_the_broker_knows_is_ended_within_six_seconds() -> None:
    ends_a_silent_feed(Liveness(QUIET_NS))
    with pytest.raises(AssertionError):
        ends_a_silent_feed(Deaf(QUIET_NS))


def test_P03_a_market_in_which_nothing_happens_is_asked_about_and_nothing_more() -> None:
    keeps_a_quiet_feed(Liveness(QUIET_NS))
    with pytest.raises(AssertionError):
        keeps_a_quiet_feed(Nervous(QUIET_NS))


def test_P03_the_three_most_active_symbols_and_the_index_are_probed() -> None:
    log = run(Market(silent_after(20.0)), 30.0)
    probes = [ask.symbols for _, ask in log.asks if ask.why == "probe"]
    assert probes[0] == ("A", "B", "C", "INDEX")


def test_P03_an_index_that_is_not_told_any_more_is_enough() -> None:
    assert 25.0 < run(Market(silent_after(20.0, "INDEX")), 40.0).hang_ups[0][0] <= 26.0


def test_F03_a_silent_feed_that_stays_silent_is_probed_every_five_seconds() -> None:
    probes = run(Market(silent_after(20.0)), 60.0, Deaf(QUIET_NS)).named("probe")
    gaps = {after - before for before, after in pairwise(probes)}
    assert gaps == {5.0}


def test_F03_a_connection_that_never_told_anything_is_ended_too() -> None:
    market = Market(silent_after(0.0))
    market.opened_s = 10.0
    assert 15.0 < run(market, 20.0).hang_ups[0][0] <= 16.0


def test_F04_silence_of_a_closed_market_is_never_asked_about() -> None:
    log = run(Market(silent_after(20.0), trades=False), 2 * 3600.0)
    assert {ask.why for _, ask in log.asks} == {"bands"}
    assert log.hang_ups == []


def test_F04_the_silence_before_the_open_does_not_count() -> None:
    judge, market = Liveness(QUIET_NS), Market(silent_after(0.0), trades=False)
    run(market, 3600.0, judge)
    market.trades = True
    for at_s in (3600.0, 3604.9):
        ask = judge.wish(market.sight(at_s))
        assert ask is None or ask.why != "probe"
    ask = judge.wish(market.sight(3605.1))
    assert ask is not None
    assert ask.why == "probe"


def test_P04_a_quiet_symbol_is_proved_before_its_limit_and_as_long_again() -> None:
    log = run(without_trades(Market(silent_after(1.0, "D")), 1.0, "D"), 300.0)
    moments = log.named("proof")
    assert moments[0] <= 60.0
    gaps = [after - before for before, after in pairwise(moments)]
    assert all(30.0 <= gap <= 60.0 for gap in gaps)
    assert all(ask.symbols == ("D",) for _, ask in log.asks if ask.why == "proof")
    assert log.left_out == []


def test_P04_symbols_that_need_a_proof_soon_come_along() -> None:
    def told_s(symbol: str, at_s: float) -> float:
        return min(at_s, {"D": 1.0, "E": 20.0}.get(symbol, at_s))

    market = Market(told_s)
    market.traded_s = told_s
    asks = [ask for _, ask in run(market, 60.0).asks if ask.why == "proof"]
    assert asks[0].symbols == ("D", "E")


def test_a_single_symbol_that_the_feed_forgot_is_asked_for_again() -> None:
    log = run(Market(silent_after(20.0, "D")), 80.0)
    assert log.left_out[0][1] == ("D",)
    assert log.hang_ups == []


@pytest.mark.parametrize("cause", ["refused", "taken", "closed"])
def test_P05_while_there_is_no_feed_quotes_fill_in_every_five_seconds(cause: str) -> None:
    market = Market()
    market.opened_s, market.cause = None, cause
    log = run(market, 60.0)
    assert len(log.named("fill in")) == 12
    assert log.asks[0][0] == 3.0
    assert log.asks[0][1].symbols == ("A", "B", "C", "D", "E", "INDEX")


def test_P23_with_a_refused_login_nobody_is_asked() -> None:
    market = Market()
    market.opened_s, market.cause = None, "login"
    assert run(market, 600.0).asks == []


def test_the_price_bands_are_read_once_a_day_before_the_pre_open_session() -> None:
    log = run(Market(trades=False), 3 * 24 * 3600.0, step_s=60.0)
    hours = [at_s / 3600.0 for at_s in log.named("bands")]
    assert hours == pytest.approx([0.0, 22.75, 46.75, 70.75], abs=0.02)


def test_a_symbol_that_is_new_has_its_bands_read() -> None:
    judge, market = Liveness(QUIET_NS), Market(trades=False)
    run(market, 60.0, judge)
    sight = market.sight(61.0)
    seen = (*sight.seen, Seen("NEW", 0, 0, 0, False, False))
    ask = judge.wish(Sight(sight.now_ns, 61.0, 1.0, sight.opened_ns, "", 0.0, seen))
    assert ask == Ask("bands", ("NEW",))


def test_at_high_speed_a_hiccup_of_this_program_is_no_silence() -> None:
    market = Market(lambda _, at_s: max(at_s - 60.0, 0.0))
    market.rate = 60.0
    log = run(market, 3600.0, step_s=30.0)
    assert log.named("probe") == []
    assert log.hang_ups == []


def test_frames_that_wait_in_this_program_are_no_silence_of_the_feed() -> None:
    market = Market(silent_after(20.0))
    market.behind_s = 1.0
    assert run(market, 60.0).named("probe") == []


def test_the_limits_are_those_of_the_promise() -> None:
    assert (liveness.SILENCE_NS, liveness.NEWER_NS) == (5 * NS_PER_S, 2 * NS_PER_S)
