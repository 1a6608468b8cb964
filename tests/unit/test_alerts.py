"""Alerts inside the engine: when a rule is raised, when it is not, and what it says then."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.alert_stage import AlertStage, rule
from tests.market_stage import OPEN, candle, instrument
from ticktick.core.columns import NO_ROWS
from ticktick.domain.analysis import BARS_NEEDED, Pattern, Reading, Record
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S
from ticktick.domain.event import (
    AlertCleared,
    AlertRaised,
    AlertRulesChanged,
    Event,
    Fact,
    IndicatorsRead,
    InstrumentsResolved,
    NoteTaken,
    Noticed,
    PatternFound,
    Quote,
    RulesRead,
)
from ticktick.domain.market import Freshness
from ticktick.engine.alerts.board import LATE_NS
from ticktick.engine.alerts.sources import SOURCES, source_of
from ticktick.engine.alerts.words import condition, news, sentence, shown

RAISED, CLEARED = ("raised", 1), ("cleared", 1)


def test_a_price_above_its_limit_raises_once_and_clears_when_it_is_back() -> None:
    stage = AlertStage(rule("last_price", "above", 2.0))
    stage.prices(199, 200, 201, 210, 200, 199, 201)
    assert stage.told() == [RAISED, CLEARED, RAISED]
    alert = stage.raised[0]
    assert (alert.symbol, alert.value, alert.number) == ("ACME", 2.01, 1)
    assert alert.exchange_ns == OPEN + 3 * NS_PER_S
    assert alert.age_ns == 0


def test_a_price_below_its_limit_is_the_mirror_image() -> None:
    stage = AlertStage(rule("last_price", "below", 1.9, hysteresis=0.05))
    stage.prices(191, 190, 189, 194, 180, 195, 189)
    assert stage.told() == [RAISED, CLEARED, RAISED]
    assert stage.raised[0].value == 1.89


def test_a_crossing_needs_a_value_on_the_other_side_first() -> None:
    stage = AlertStage(rule("last_price", "crosses", 1.9))
    stage.prices(201, 210)
    assert stage.told() == []
    stage.prices(189)
    assert [(a.direction, a.value) for a in stage.raised] == [(-1, 1.89)]
    stage.prices(190)
    assert [a.direction for a in stage.raised] == [-1, 1], "reaching it is crossing it"


def test_a_crossing_that_turns_back_within_the_hysteresis_is_told_once() -> None:
    stage = AlertStage(rule("last_price", "crosses", 2.0, hysteresis=0.05))
    stage.prices(200, 199, 201, 198, 202, 196)
    assert [a.direction for a in stage.raised] == [1]
    stage.prices(195)
    assert [a.direction for a in stage.raised] == [1, -1]
    stage.prices(200, 205, 200)
    assert [a.direction for a in stage.raised] == [1, -1, 1, -1]


def test_the_default_hysteresis_of_a_price_is_a_share_of_it_and_at_least_a_tick() -> None:
    assert SOURCES["last_price"].hysteresis(2_500.0, 0.05) == pytest.approx(1.25)
    assert SOURCES["spread"].hysteresis(0.10, 0.05) == 0.05
    assert SOURCES["5m:rsi_14"].hysteresis(70.0, 0.05) == pytest.approx(1.4)
    assert SOURCES["imbalance"].hysteresis(0.0, 0.05) == 0.02


def test_within_the_cool_down_a_level_waits_and_a_crossing_is_passed_over() -> None:
    stage = AlertStage(
        rule("last_price", "above", 2.0, cooldown_s=10),
        rule("last_price", "crosses", 2.0, cooldown_s=10, id=2),
    )
    stage.prices(199, 201, 199, 202, 203)
    assert stage.told() == [RAISED, ("raised", 2), CLEARED]
    stage.timer(stage.at_ns + 7 * NS_PER_S - 1)
    assert stage.told() == [RAISED, ("raised", 2), CLEARED]
    stage.timer(stage.at_ns + 7 * NS_PER_S)
    assert stage.told() == [RAISED, ("raised", 2), CLEARED, RAISED]


def test_a_limit_in_rupees_stands_for_whole_price_units() -> None:
    share = instrument(price_scale=10_000)
    stage = AlertStage(rule("last_price", "above", 0.0211), instruments=[share])
    stage.prices(211, 212)
    assert [a.value for a in stage.raised] == [0.0212]


def test_the_change_is_in_percent_of_the_previous_close() -> None:
    stage = AlertStage(rule("change_percent", "above", 5.0))
    stage.frame(
        OPEN + NS_PER_S, last_price=210, last_trade_ns=OPEN, volume=1010, previous_close=200
    )
    assert stage.told() == []
    stage.frame(OPEN + 2 * NS_PER_S, last_price=212, last_trade_ns=OPEN, volume=1020)
    assert [a.value for a in stage.raised] == [pytest.approx(6.0)]
    assert sentence(stage.raised[0]) == "ACME change is 6 %, above 5 %"


def test_a_metric_in_rupees_is_held_against_rupees() -> None:
    stage = AlertStage(rule("spread", "above", 0.1))
    for second, ask in enumerate((110, 111, 112), 1):
        stage.frame(
            OPEN + second * NS_PER_S,
            bid_price=[100, 0, 0, 0, 0],
            bid_quantity=[5, 0, 0, 0, 0],
            ask_price=[ask, 0, 0, 0, 0],
            ask_quantity=[5, 0, 0, 0, 0],
        )
    assert [a.value for a in stage.raised] == [0.11]


def test_one_rule_for_all_holds_for_each_on_the_list_by_itself() -> None:
    stage = AlertStage(
        rule("last_price", "above", 2.0, symbol="*", cooldown_s=3600),
        instruments=[instrument("ACME"), instrument("BETA")],
    )
    stage.prices(201, symbol="BETA")
    stage.prices(201, symbol="ACME")
    assert [a.symbol for a in stage.raised] == ["BETA", "ACME"]


def test_a_symbol_that_comes_later_is_waited_for_and_says_so() -> None:
    stage = AlertStage(rule(symbol="BETA"), rule(symbol="*", id=2))
    told = [fact.text for fact in stage.facts if isinstance(fact, Noticed)]
    assert told == ["alerts wait for BETA: not on the watchlist"]
    listed = (*stage.market.table.instruments, instrument("BETA"))
    stage.process(InstrumentsResolved(OPEN, listed, stage.PULSE))
    stage.begin(symbol="BETA", price=200)
    stage.prices(201, symbol="BETA")
    assert stage.told() == [("raised", 1), ("raised", 2)]


def test_while_a_symbol_is_stale_or_in_a_gap_nothing_is_raised_but_afterwards() -> None:
    stage = AlertStage(rule("last_price", "above", 2.0), rule("last_price", "crosses", 2.05, id=2))
    lost_ns, back_ns = OPEN + 10 * NS_PER_S, OPEN + 130 * NS_PER_S
    stage.link(lost_ns, up=False)
    asked = Quote("ACME", lost_ns + NS_PER_S, 206, lost_ns + NS_PER_S, 1_500)
    stage.quotes(lost_ns + NS_PER_S, asked)
    stage.timer(lost_ns + 2 * NS_PER_S)
    assert stage.freshness() is Freshness.STALE
    assert stage.told() == [], "a price that was asked for is no price of the feed"
    stage.link(back_ns, up=True)
    stage.volume["ACME"] = 2_000
    stage.trade(back_ns + NS_PER_S, 207)
    stage.timer(back_ns + 2 * NS_PER_S)
    assert stage.freshness() is Freshness.GAP
    assert stage.told() == []
    minutes = [candle(OPEN + n * NS_PER_MINUTE, 203) for n in (0, 1)]
    stage.history(back_ns + 3 * NS_PER_S, *minutes, told=(OPEN, OPEN + 2 * NS_PER_MINUTE))
    stage.trade(back_ns + 4 * NS_PER_S, 207)
    assert stage.freshness() is Freshness.FRESH
    assert stage.told() == [RAISED, ("raised", 2)]


def test_a_price_of_another_day_is_no_price() -> None:
    stage = AlertStage(rule("last_price", "above", 2.0, symbol="BETA"))
    listed = (*stage.market.table.instruments, instrument("BETA"))
    stage.process(InstrumentsResolved(OPEN, listed, stage.PULSE))
    yesterday = OPEN - 24 * 60 * NS_PER_MINUTE
    stage.frame(OPEN + NS_PER_S, "BETA", last_price=300, last_trade_ns=yesterday, volume=1000)
    assert stage.freshness("BETA") is Freshness.FRESH
    assert stage.told() == []
    stage.trade(OPEN + 2 * NS_PER_S, 301, symbol="BETA")
    assert stage.told() == [RAISED]


def test_a_window_that_is_not_full_raises_nothing() -> None:
    stage = AlertStage(rule("vwap", "above", 0.5))
    stage.prices(201, 202)
    assert stage.metric("vwap") > 50
    assert stage.told() == []
    for minute in range(1, 6):
        stage.timer(OPEN + minute * NS_PER_MINUTE)
        stage.at_ns = OPEN + minute * NS_PER_MINUTE
        stage.prices(203)
    assert stage.told() == [RAISED]


def test_the_feed_that_goes_down_raises_but_not_the_one_that_was_never_up() -> None:
    stage = AlertStage(
        rule("feed", "becomes", "down", symbol="*"),
        rule("freshness", "becomes", "stale", id=2),
    )
    stage.link(OPEN + NS_PER_S, up=False)
    assert stage.told() == [("raised", 2), RAISED]
    assert sentence(stage.raised[1]) == "the feed is down"
    assert sentence(stage.raised[0]) == "ACME freshness became stale"
    stage.link(OPEN + 2 * NS_PER_S, up=True)
    assert stage.told()[2:] == [CLEARED]


def heard(stage: AlertStage, fact: Fact, at_ns: int) -> list[Fact]:
    """What the board makes of a fact of the analytics."""
    return stage.engine.alerts.hear(NoteTaken(at_ns, "info", ""), at_ns, NO_ROWS, [fact])


def reading(start_ns: int, bars: int = BARS_NEEDED, flat: tuple[str, ...] = ()) -> IndicatorsRead:
    values = {"rsi_14": 71.0, "sma_20": 300.0}
    return IndicatorsRead(0, Reading("ACME", 5, start_ns, bars, values, flat))


def pattern(start_ns: int, direction: int = 1) -> PatternFound:
    found = Pattern(
        "ACME", 5, start_ns, "hammer", 100, direction, None, None, None, None, None, None, Record(0)
    )
    return PatternFound(0, found)


def test_an_indicator_is_looked_at_when_its_candle_is_final() -> None:
    stage = AlertStage(
        rule("5m:rsi_14", "above", 70),
        rule("5m:sma_20", "above", 2.99, id=2),
        rule("1m:rsi_14", "above", 70, id=3),
    )
    end_ns = OPEN + 5 * NS_PER_MINUTE
    told = heard(stage, msgspec.structs.replace(reading(OPEN), at_ns=end_ns + 1), end_ns + 1)
    assert stage.told(told) == [RAISED, ("raised", 2)]
    assert isinstance(told[1], AlertRaised)
    assert (told[1].value, told[1].exchange_ns, told[1].age_ns) == (3.0, end_ns, 1)


@pytest.mark.parametrize(
    ("fact", "late_ns"),
    [
        (reading(OPEN, bars=BARS_NEEDED - 1), 0),
        (reading(OPEN, flat=("rsi_14",)), 0),
        (reading(OPEN), LATE_NS + 1),
        (pattern(OPEN), LATE_NS + 1),
        (pattern(OPEN, direction=-1), 0),
    ],
    ids=["warming", "flat window", "late candle", "late pattern", "other direction"],
)
def test_what_says_nothing_or_is_history_raises_nothing(fact: Fact, late_ns: int) -> None:
    stage = AlertStage(rule("5m:rsi_14", "above", 70), rule("5m:hammer", "becomes", "up", id=2))
    assert heard(stage, fact, OPEN + 5 * NS_PER_MINUTE + late_ns) == []


def test_a_pattern_raises_its_own_rule_and_the_one_for_all() -> None:
    stage = AlertStage(
        rule("5m:hammer", "becomes", "any", cooldown_s=600),
        rule("5m:pattern", "becomes", "up", id=2),
        rule("5m:doji", "becomes", "any", id=3),
    )
    told = heard(stage, pattern(OPEN), OPEN + 5 * NS_PER_MINUTE)
    assert stage.told(told) == [RAISED, ("raised", 2)]
    assert isinstance(told[0], AlertRaised)
    assert sentence(told[0]) == "ACME 5m hammer, points up"
    again = heard(stage, pattern(OPEN + 5 * NS_PER_MINUTE), OPEN + 10 * NS_PER_MINUTE)
    assert stage.told(again) == [("raised", 2)]


def test_a_stale_symbol_has_no_candle_alerts() -> None:
    stage = AlertStage(rule("5m:rsi_14", "above", 70))
    stage.link(OPEN + 5 * NS_PER_MINUTE, up=False)
    assert heard(stage, reading(OPEN), OPEN + 5 * NS_PER_MINUTE) == []


def test_a_rule_that_stays_keeps_its_past_when_the_others_change() -> None:
    first = rule("last_price", "above", 2.0)
    stage = AlertStage(first)
    stage.prices(201)
    stage.learn(rule("last_price", "above", 1.5, id=2), first)
    stage.prices(202)
    assert stage.told() == [RAISED, ("raised", 2)]
    stage.learn(rule("last_price", "above", 2.01))
    stage.prices(203)
    assert stage.told() == [RAISED, ("raised", 2), RAISED], "another limit is another rule"


def test_a_muted_rule_is_not_looked_at_and_a_snoozed_one_waits() -> None:
    until_ns = OPEN + 10 * NS_PER_S
    stage = AlertStage(rule(muted=True), rule(id=2, snoozed_until_ns=until_ns))
    stage.prices(201)
    assert stage.told() == []
    stage.timer(until_ns)
    assert stage.told() == [("raised", 2)]


def test_a_level_that_was_told_is_not_told_again_by_the_next_start() -> None:
    level, other = rule(), rule("last_price", "below", 1.9, id=2)
    before = AlertStage(level, other)
    before.prices(201)
    after = AlertStage(level, other, told=before.engine.alerts.told, price=202)
    after.prices(202)
    assert after.told() == []
    assert after.engine.alerts.holding(1) == ["ACME"]
    after.prices(200, 203)
    assert after.told() == [CLEARED, RAISED]
    ended = next(fact for fact in after.facts if isinstance(fact, AlertCleared))
    assert (ended.number, after.raised[0].number) == (1, 2), "numbers go on over a restart"
    forgetful = AlertStage(level, other, price=202)
    assert forgetful.told() == [RAISED]


def test_what_was_over_before_the_stop_is_told_again_and_the_cool_down_goes_on() -> None:
    one = rule(cooldown_s=60)
    before = AlertStage(one)
    before.prices(201, 199)
    after = AlertStage(one, told=before.engine.alerts.told)
    after.prices(202, step_s=30)
    assert after.told() == []
    after.prices(203, step_s=40)
    assert after.told() == [RAISED]


def test_another_threshold_after_the_restart_knows_nothing_of_the_old_one() -> None:
    before = AlertStage(rule())
    before.prices(203)
    after = AlertStage(rule(threshold=2.01), told=before.engine.alerts.told)
    after.prices(203)
    assert after.told() == [RAISED]


def test_an_alert_that_is_told_late_says_when_it_was_so() -> None:
    stage = AlertStage(rule())
    stage.prices(201)
    alert = stage.raised[0]
    assert news(alert, alert.at_ns + 5 * NS_PER_S) == sentence(alert)
    assert news(alert, alert.at_ns + 42 * NS_PER_S) == (
        "ACME last price is ₹2.01, above ₹2.00 (at 09:15:01, told 42 s late)"
    )


def test_a_rule_of_another_version_is_left_out_and_told_about() -> None:
    stage = AlertStage(rule("no_such_metric"), rule(id=2))
    told = [fact.text for fact in stage.facts if isinstance(fact, Noticed)]
    assert len(told) == 1
    assert told[0].startswith("alert 1 is not used: source is 'no_such_metric', expected a name")
    assert [fact.rules for fact in stage.facts if isinstance(fact, AlertRulesChanged)] == [1]
    stage.prices(201)
    assert stage.told() == [("raised", 2)]


def test_a_split_begins_every_rule_of_the_symbol_anew() -> None:
    stage = AlertStage(rule("last_price", "crosses", 1.9))
    everything = stage.market.table.instruments
    restated = InstrumentsResolved(OPEN, tuple(everything), stage.PULSE, restated=("ACME",))
    stage.process(restated)
    stage.begin(price=20)
    stage.prices(19, 18)
    assert stage.told() == [], "the price did not fall, the share was split"


def test_rules_that_went_through_a_recording_raise_the_same_alerts() -> None:
    decoder = msgspec.msgpack.Decoder(Event)

    def played(through: Callable[[Event], Event]) -> bytes:
        stage = AlertStage()
        rules = (
            rule(id=2),
            rule("last_price", "crosses", 1.95),
            rule("feed", "becomes", "up", symbol="*", id=3),
        )
        stage.process(through(RulesRead(OPEN, rules)))
        stage.prices(190, 200, 210, 190)
        stage.link(stage.at_ns + NS_PER_S, up=False)
        stage.link(stage.at_ns + 2 * NS_PER_S, up=True)
        assert len(stage.raised) == 5
        return msgspec.json.encode(stage.facts, enc_hook=dict)

    assert played(lambda event: decoder.decode(msgspec.msgpack.encode(event))) == played(
        lambda event: event
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": "rsi"}, "did you mean"),
        ({"source": "5m:rsi_15"}, "5m:rsi_14"),
        ({"symbol": "no symbol"}, "expected a trading symbol such as 'RELIANCE', or '*'"),
        (
            {"source": "feed", "comparison": "becomes", "threshold": "down"},
            "the feed is one for all",
        ),
        ({"source": "freshness"}, "expected 'becomes' for freshness"),
        ({"source": "freshness", "comparison": "becomes", "threshold": "old"}, "one of unknown, "),
        ({"comparison": "becomes", "threshold": "high"}, "expected above, below or crosses"),
        ({"threshold": "high"}, "expected a number"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_a_sentence(
    changes: dict[str, Any], words: str
) -> None:
    plain: dict[str, Any] = {"source": "last_price", "comparison": "above", "threshold": 2.0}
    with pytest.raises(ValueError, match="expected") as refusal:
        source_of(rule(**plain | changes))
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    "changes", [{"id": 0}, {"threshold": float("nan")}, {"hysteresis": -1.0}, {"cooldown_s": 10**6}]
)
def test_a_number_no_rule_may_have_is_refused_where_it_is_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        rule(**changes)


def test_values_are_said_as_a_trader_writes_them() -> None:
    assert shown(1234567.5, "last_price") == "₹12,34,567.50"
    assert shown(-0.05, "spread") == "−₹0.0500"
    assert shown(71.25, "5m:rsi_14") == "71.25 %"
    assert shown(12.0, "15m:no_longer_known") == "12"
    assert condition(rule("5m:rsi_14", "crosses", 70)) == "ACME 5m rsi 14 crosses 70 %"
    assert condition(rule("feed", "becomes", "down", symbol="*")) == "the feed becomes down"
    assert (
        condition(rule("freshness", "becomes", "stale", symbol="*"))
        == "any symbol freshness becomes stale"
    )


def test_nothing_is_looked_at_while_there_are_no_rules() -> None:
    stage = AlertStage()
    stage.prices(201)
    assert stage.told() == []
