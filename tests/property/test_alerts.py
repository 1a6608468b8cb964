"""Laws of alerts, on any path of values: no flapping, no word from nothing, one order."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.alert_stage import AlertStage, rule
from tests.market_stage import instrument
from ticktick.domain.alert import Comparison, Rule
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import AlertRaised
from ticktick.engine.alerts.sources import source_of
from ticktick.engine.alerts.trigger import RAISING, State, calm, crossing, level
from ticktick.engine.alerts.watches import Seen, watch_of

paths = st.lists(st.integers(180, 220), min_size=1, max_size=60)
comparisons = st.sampled_from(["above", "below", "crosses"])


def raised(one: Rule, values: Sequence[float], step_s: int = 1) -> list[AlertRaised]:
    """What one rule on the last price raises on a path of prices, a value each `step_s`."""
    watch = watch_of(one, source_of(one), "ACME", 0, instrument())
    found = []
    for place, value in enumerate(values, 1):
        told = watch.take(Seen(value, 0, place * step_s * NS_PER_S), place)
        if isinstance(told, AlertRaised):
            found.append(told)
    return found


@given(paths, comparisons, st.integers(0, 20))
def test_between_two_alerts_a_price_moved_at_least_by_the_hysteresis(
    path: list[int], comparison: str, back: int
) -> None:
    found = raised(rule("last_price", comparison, 2.0, hysteresis=back / 100), path)
    at = [alert.number - 1 for alert in found]
    for first, second in pairwise(at):
        assert max(path[first : second + 1]) - min(path[first : second + 1]) >= back


@given(paths, comparisons, st.integers(1, 60))
def test_within_its_cool_down_a_rule_is_raised_once(
    path: list[int], comparison: str, cooldown_s: int
) -> None:
    found = raised(rule("last_price", comparison, 2.0, cooldown_s=cooldown_s), path)
    moments = [alert.at_ns for alert in found]
    assert all(second - first >= cooldown_s * NS_PER_S for first, second in pairwise(moments))


@given(paths, st.integers(0, 20))
def test_a_crossing_goes_to_and_fro(path: list[int], back: int) -> None:
    ways = [
        a.direction for a in raised(rule("last_price", "crosses", 2.0, hysteresis=back / 100), path)
    ]
    assert all(first == -second for first, second in pairwise(ways))


@given(paths)
def test_without_hysteresis_every_crossing_is_told(path: list[int]) -> None:
    sides = [np.sign(price - 200) for price in path if price != 200]
    told = raised(rule("last_price", "crosses", 2.0), path)
    assert len(told) >= sum(first != second for first, second in pairwise(sides))


@given(paths)
def test_below_is_above_in_the_mirror(path: list[int]) -> None:
    above = raised(rule("last_price", "above", 2.0, hysteresis=0.05), path)
    mirrored = [400 - price for price in path]
    below = raised(rule("last_price", "below", 2.0, hysteresis=0.05), mirrored)
    assert [alert.number for alert in above] == [alert.number for alert in below]


@given(
    st.sampled_from(State),
    st.integers(-50, 50),
    st.integers(-50, 50),
    st.integers(0, 30),
    st.booleans(),
)
def test_inside_its_calm_span_nothing_happens_to_a_rule_and_outside_something_does(
    state: State, x: int, threshold: int, back: int, is_level: bool
) -> None:
    own = {State.OFF, State.ON} if is_level else {State.LOW, State.HIGH, State.ROSE, State.FELL}
    if state not in own:
        return
    low, high = calm(state, threshold, back)
    after, outcome = (level if is_level else crossing)(state, x, threshold, back)
    if low < x <= high:
        assert (after, outcome) == (state, 0)
    else:
        assert after is not state or outcome in RAISING or back == 0


rules = st.lists(
    st.builds(
        rule,
        st.sampled_from(["last_price", "change_percent", "tick_return", "vwap_session", "spread"]),
        comparisons,
        st.sampled_from([0.0, 0.5, 1.95, 2.0, 2.05]),
        symbol=st.sampled_from(["ACME", "BETA", "*"]),
        cooldown_s=st.sampled_from([0, 5]),
    ),
    max_size=6,
).map(lambda found: [msgspec.structs.replace(one, id=at) for at, one in enumerate(found, 1)])


@settings(max_examples=25)
@given(rules, st.lists(st.integers(190, 210), max_size=12))
def test_neither_the_order_of_rules_nor_that_of_another_run_matters(
    wanted: list[Rule], path: list[int]
) -> None:
    def played(order: Sequence[Rule]) -> bytes:
        stage = AlertStage(*order, instruments=[instrument("ACME"), instrument("BETA")])
        for place, price in enumerate(path):
            stage.prices(price, symbol=("ACME", "BETA")[place % 2])
        return msgspec.json.encode(stage.facts, enc_hook=dict)

    first = played(wanted)
    assert played(wanted[::-1]) == first
    assert played(wanted) == first


@settings(max_examples=25)
@given(rules, st.lists(st.integers(190, 210), max_size=12))
def test_the_look_at_columns_says_what_a_look_at_every_value_says(
    wanted: list[Rule], path: list[int]
) -> None:
    stage = AlertStage(*wanted)
    market = stage.market
    mine = [one for one in wanted if one.symbol != "BETA" and one.source == "last_price"]
    values = [200, *path]
    expected = []
    for one in mine:
        watch = watch_of(one, source_of(one), "ACME", 0, market.table.instruments[0])
        for place, value in enumerate(values):
            told = watch.take(Seen(value, 0, stage.at_ns + place * NS_PER_S), 1)
            if isinstance(told, AlertRaised):
                expected.append((told.at_ns, one.id, told.value))
    stage.prices(*path)
    shown = [
        (a.at_ns, a.rule.id, a.value) for a in stage.raised if a.rule in mine and a.symbol == "ACME"
    ]
    assert shown == sorted(expected)


def test_what_is_not_a_number_raises_nothing() -> None:
    every = [
        rule(source, comparison, 0.0, id=place)
        for place, (source, comparison) in enumerate(
            (
                (name, word)
                for name in ("mid", "imbalance", "vwap")
                for word in Comparison
                if word != "becomes"
            ),
            1,
        )
    ]
    stage = AlertStage(*every)
    stage.prices(201, 199)
    assert np.isnan(stage.metric("mid"))
    assert stage.told() == []
