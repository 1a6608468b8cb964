"""Indicators and patterns in the engine: by every settled candle, right after corrections."""

from collections.abc import Sequence
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.analytics_stage import DAY_MINUTES, walk
from tests.market_stage import OPEN, Stage, candle, clock
from ticktick.analytics.bars import bars_of
from ticktick.analytics.board import QUIET_NS, AnalyticsBoard
from ticktick.analytics.indicators import Indicators
from ticktick.domain.analysis import Pattern
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S
from ticktick.domain.event import (
    CandleChanged,
    Fact,
    IndicatorsRead,
    PatternFound,
    PatternJudged,
    PatternSuperseded,
    WatchlistChanged,
)
from ticktick.domain.market import TIMEFRAMES, Candle, CandleState

MINUTE = NS_PER_MINUTE
LATER_NS = OPEN + 1000 * MINUTE
T = TypeVar("T")


class Store:
    """Stored candles, and a board that reads them."""

    def __init__(self, lines_at_once: int = 2, steps_at_once: int = 100) -> None:
        self.candles: dict[int, Candle] = {}
        self.board = AnalyticsBoard(
            lambda *_: self.stored(), lambda _: True, lines_at_once, steps_at_once
        )

    def stored(self) -> list[Candle]:
        return [self.candles[start_ns] for start_ns in sorted(self.candles)]

    def change(self, candle: Candle) -> list[Fact]:
        self.candles[candle.start_ns] = candle
        return self.board.hear([CandleChanged(candle.end_ns, candle)])

    def settle(self) -> list[Fact]:
        found: list[Fact] = []
        while self.board.waiting:
            found += self.board.hear([])
            found += self.board.work(LATER_NS)
        return found

    def begin(self, candles: Sequence[Candle]) -> None:
        for each in candles:
            self.change(each)
        self.settle()

    def check(self) -> None:
        expected = Indicators("ACME", 1).seed(bars_of(self.stored()))
        assert self.board.reading("ACME", 1) == expected


def test_the_lines_of_a_symbol_that_left_or_was_restated_are_forgotten() -> None:
    for change in ({"removed": ("ACME",)}, {"restated": ("ACME",)}, {"removed": ("BOLT",)}):
        store = Store()
        past = walk(60)
        store.begin(past)
        store.change(replace(past[30], volume=past[30].volume + 1, revision=1))
        store.board.hear([WatchlistChanged(OPEN, (), **change)])
        is_kept = "BOLT" in change.get("removed", ())
        assert (store.board.reading("ACME", 1) is not None) is is_kept
        assert store.board.waiting == int(is_kept)


def of(kind: type[T], facts: Sequence[Fact]) -> list[T]:
    return [fact for fact in facts if isinstance(fact, kind)]


def test_the_first_candles_wait_for_their_turn_and_later_ones_are_one_step() -> None:
    candles = walk(60)
    store = Store()
    for each in candles[:50]:
        assert store.change(each) == []
    assert len(of(IndicatorsRead, store.settle())) == 1
    for each in candles[50:]:
        told = of(IndicatorsRead, store.change(each))
        assert [fact.reading.start_ns for fact in told] == [each.start_ns]
        assert store.board.waiting == 0
        store.check()


def test_the_same_candle_told_again_changes_nothing() -> None:
    candles = walk(60)
    store = Store()
    store.begin(candles)
    assert store.change(replace(candles[30], confirmed=False)) == []
    assert store.board.waiting == 0


@given(
    seed=st.integers(0, 100),
    places=st.lists(st.integers(0, 119), min_size=1, max_size=6),
    shift=st.integers(1, 60),
)
@settings(max_examples=25, deadline=None)
def test_after_any_corrections_the_board_equals_a_fresh_start(
    seed: int, places: list[int], shift: int
) -> None:
    candles = walk(130, seed)
    store = Store()
    store.begin(candles[:120])
    for place in places:
        old = candles[place]
        store.change(replace(old, high=old.high + shift, close=old.close + shift, revision=1))
        if place % 2:
            store.settle()
    for each in candles[120:]:
        store.change(each)
    store.settle()
    store.check()


def test_a_candle_that_settles_after_a_later_one_is_taken_up() -> None:
    candles = walk(80)
    store = Store()
    store.begin([*candles[:60], *candles[61:70]])
    assert store.change(candles[60]) == []
    assert store.board.waiting == 1
    store.settle()
    store.check()


def test_only_settled_candles_count() -> None:
    candles = walk(40)
    store = Store()
    store.begin(candles[:39])
    before = store.board.reading("ACME", 1)
    for state in (CandleState.PROVISIONAL, CandleState.FORMING):
        assert store.board.hear([CandleChanged(1, replace(candles[39], state=state))]) == []
    assert store.board.reading("ACME", 1) == before
    assert store.board.waiting == 0


def test_a_candle_that_goes_missing_is_taken_out() -> None:
    candles = walk(40)
    store = Store()
    store.begin(candles)
    store.change(replace(candles[20], state=CandleState.MISSING))
    store.settle()
    expected = Indicators("ACME", 1).seed(bars_of([*candles[:20], *candles[21:]]))
    assert store.board.reading("ACME", 1) == expected


def test_work_is_sliced() -> None:
    store = Store(lines_at_once=2)
    each = walk(1)[0]
    for minutes in TIMEFRAMES:
        store.board.hear([CandleChanged(1, replace(each, minutes=minutes))])
    assert [store.board.waiting, *_work(store, 3)] == [6, 4, 2, 0]


def six_lines(candles: Sequence[Candle], steps_at_once: int) -> Store:
    """Six lines that stand and know the candles."""
    store = Store(steps_at_once=steps_at_once)
    store.candles = {each.start_ns: each for each in candles}
    last = candles[-1]
    store.board.hear([CandleChanged(1, replace(last, minutes=m)) for m in TIMEFRAMES])
    store.settle()
    return store


def starts(told: Sequence[Fact]) -> list[tuple[int, int]]:
    return [(f.reading.minutes, f.reading.start_ns) for f in of(IndicatorsRead, told)]


def test_steps_are_sliced_and_keep_their_order() -> None:
    candles = walk(42)
    store = six_lines(candles[:40], steps_at_once=4)
    news = [
        CandleChanged(1, replace(each, minutes=minutes))
        for each in candles[40:]
        for minutes in TIMEFRAMES
    ]
    told = [starts(store.board.hear(news)), *(starts(store.board.hear([])) for _ in range(3))]
    assert [len(each) for each in told] == [4, 4, 4, 0]
    expected = [(fact.candle.minutes, fact.candle.start_ns) for fact in news]
    assert [each for slices in told for each in slices] == expected
    assert store.board.waiting == 0


def test_a_candle_corrected_before_its_turn_is_told_once_and_as_corrected() -> None:
    candles = walk(42)
    store = six_lines(candles[:40], steps_at_once=2)
    news = [replace(candles[40], minutes=minutes) for minutes in TIMEFRAMES]
    store.board.hear([CandleChanged(1, each) for each in news])
    right = replace(news[5], close=news[5].low, revision=1)
    store.candles[right.start_ns] = right
    told = store.board.hear([CandleChanged(1, right)]) + store.settle()
    hours = [f.reading for f in of(IndicatorsRead, told) if f.reading.minutes == TIMEFRAMES[5]]
    expected = Indicators("ACME", TIMEFRAMES[5]).seed(bars_of(store.stored()))
    assert hours == [expected]


def test_no_line_is_made_anew_while_many_step() -> None:
    candles = walk(41)
    store = six_lines(candles[:40], steps_at_once=6)
    store.board.hear([CandleChanged(1, replace(candles[40], symbol="BOLT"))])
    store.board.hear([CandleChanged(1, replace(candles[40], minutes=m)) for m in TIMEFRAMES])
    assert store.board.work(LATER_NS) == []
    assert store.board.has_work(LATER_NS)
    store.board.hear([])
    assert store.board.work(LATER_NS)
    assert not store.board.has_work(LATER_NS)


def test_a_symbol_that_left_takes_its_waiting_candles_along() -> None:
    candles = walk(41)
    store = six_lines(candles[:40], steps_at_once=1)
    store.board.hear([CandleChanged(1, replace(candles[40], minutes=m)) for m in TIMEFRAMES])
    gone = WatchlistChanged(OPEN, (), removed=("ACME",))
    assert store.board.hear([gone]) == []
    assert store.board.waiting == 0


def test_a_line_that_stands_waits_until_its_candles_are_quiet() -> None:
    candles = walk(60)
    store = Store()
    store.begin(candles[10:])
    for i in range(10):
        store.candles[candles[i].start_ns] = candles[i]
        at_ns = LATER_NS + i * NS_PER_S
        store.board.hear([CandleChanged(at_ns, candles[i])])
        assert store.board.work(at_ns) == []
    last_ns = LATER_NS + 9 * NS_PER_S
    assert store.board.work(last_ns + QUIET_NS - 1) == []
    assert len(of(IndicatorsRead, store.board.work(last_ns + QUIET_NS))) == 1
    store.check()


def test_a_clock_that_was_set_back_holds_no_line_up() -> None:
    candles = walk(60)
    store = Store()
    store.begin(candles[10:])
    store.candles[candles[5].start_ns] = candles[5]
    store.board.hear([CandleChanged(LATER_NS, candles[5])])
    assert len(of(IndicatorsRead, store.board.work(OPEN))) == 1


def test_work_that_must_wait_is_no_work_yet() -> None:
    candles = walk(60)
    store = Store()
    store.begin(candles[10:])
    assert not store.board.has_work(LATER_NS)
    store.candles[candles[5].start_ns] = candles[5]
    store.board.hear([CandleChanged(LATER_NS, candles[5])])
    assert store.board.waiting == 1
    assert not store.board.has_work(LATER_NS + QUIET_NS - 1)
    assert store.board.has_work(LATER_NS + QUIET_NS)


def _work(store: Store, times: int) -> list[int]:
    left = []
    for _ in range(times):
        store.board.work(1)
        left.append(store.board.waiting)
    return left


def hammer_story() -> list[Candle]:
    """A fall of 30 minutes, a hammer, and a rise that confirms it."""
    falling = [
        candle(
            OPEN + i * MINUTE,
            10_000 - 50 * i - 50,
            open=10_000 - 50 * i,
            high=10_005 - 50 * i,
            low=9_945 - 50 * i,
        )
        for i in range(30)
    ]
    last = falling[-1].close
    hammer = candle(OPEN + 30 * MINUTE, last, open=last - 10, high=last, low=last - 70)
    rise = candle(OPEN + 31 * MINUTE, last + 20, open=last, high=last + 25, low=last - 5)
    return [*falling, hammer, rise]


def test_a_pattern_is_told_once_and_judged_by_the_next_candle() -> None:
    story = hammer_story()
    store = Store()
    store.begin(story[:30])
    found = of(PatternFound, store.change(story[30]))
    hammers = [f.pattern for f in found if f.pattern.name == "hammer"]
    assert [p.start_ns for p in hammers] == [story[30].start_ns]
    judged = of(PatternJudged, store.change(story[31]))
    said = {f.confirmation.name: f.confirmation.confirmed for f in judged}
    assert said["hammer"] is True


def test_a_correction_supersedes_what_does_not_stand_and_deletes_nothing() -> None:
    story = hammer_story()
    store = Store()
    store.begin(story[:30])
    store.change(story[30])
    corrected = replace(story[30], low=story[30].open, revision=1)
    store.change(corrected)
    facts = store.settle()
    gone = [f.pattern for f in of(PatternSuperseded, facts)]
    assert "hammer" in {p.name for p in gone}
    store.change(replace(story[30], revision=2))
    back = [f.pattern for f in of(PatternFound, store.settle())]
    assert {p.revision for p in back if p.name == "hammer"} <= {0, 1}
    assert "hammer" in {p.name for p in back}


def test_a_correction_leaves_every_pattern_alone_that_it_did_not_touch() -> None:
    candles = walk(500, 3, step=4.0)
    store = Store()
    store.begin(candles[:300])
    for each in candles[300:]:
        store.change(each)
    before = [p for p in store.board.patterns("ACME", 1) if p.start_ns < candles[485].start_ns]
    assert len(before) > 100
    store.change(replace(candles[490], close=candles[490].close + 5, revision=1))
    touched = [
        fact.pattern
        for fact in store.settle()
        if isinstance(fact, PatternSuperseded | PatternFound)
    ]
    assert all(pattern.start_ns >= candles[490].start_ns for pattern in touched)
    kept = store.board.patterns("ACME", 1)
    assert set(map(_name, before[-60:])) <= set(map(_name, kept))


def test_a_candle_that_is_put_right_judges_the_pattern_before_it_anew() -> None:
    story = hammer_story()
    store = Store()
    store.begin(story[:30])
    store.change(story[30])
    assert of(PatternJudged, store.change(replace(story[31], close=story[31].low)))
    store.change(replace(story[31], revision=1))
    judged = {f.confirmation.name: f.confirmation for f in of(PatternJudged, store.settle())}
    assert judged["hammer"].confirmed is True
    hammer = next(p for p in store.board.patterns("ACME", 1) if p.name == "hammer")
    assert store.board.judged(hammer) is True


def _name(pattern: Pattern) -> tuple[int, str]:
    return pattern.start_ns, pattern.name


def test_the_engine_reads_its_own_candles_on_every_timeframe() -> None:
    stage = Stage(at_ns=clock(12, 0), up=False)
    minutes = [candle(OPEN + i * MINUTE, 10_000 + i % 7, volume=5) for i in range(160)]
    stage.history(clock(12, 0, 1), *minutes)
    for second in range(2, 10):
        stage.timer(clock(12, 0, second))
    for width in TIMEFRAMES:
        stored = stage.market.candles("ACME", width)
        settled = [c for c in stored if c.state is CandleState.FINAL]
        expected = Indicators("ACME", width).seed(bars_of(settled))
        assert stage.engine.analytics.reading("ACME", width) == expected
    peeked = stage.engine.analytics.peek(candle(OPEN + 160 * MINUTE, 10_050))
    assert peeked is not None
    assert peeked.values["sma_20"] == pytest.approx(
        (sum(c.close for c in minutes[-19:]) + 10_050) / 20
    )


def test_a_minute_that_is_missing_before_any_other_is_known_makes_its_day_unknown() -> None:
    days = walk(DAY_MINUTES * 21)
    hole = replace(days[0], volume=0, state=CandleState.MISSING)
    for first, is_known in ((days[0], True), (hole, False)):
        board = AnalyticsBoard(lambda *_: (), lambda _: True)
        board.hear([CandleChanged(each.end_ns, each) for each in (first, *days[1:])])
        volumes = board.volumes("ACME")
        assert volumes is not None
        assert (volumes.ratio(days[-1]) is not None) is is_known
    index = AnalyticsBoard(lambda *_: (), lambda _: False)
    index.hear([CandleChanged(each.end_ns, each) for each in days])
    assert index.volumes("ACME") is None  # it takes no room
