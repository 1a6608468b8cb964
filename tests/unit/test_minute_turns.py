"""Minutes of many symbols at once: each has its turn, and nothing is told otherwise for it."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from tests.market_stage import (
    OPEN,
    candle,
    changed_candles,
    frame,
    instrument,
    minute_columns,
)
from tests.market_stage import LiveStage as Stage
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S
from ticktick.domain.event import InstrumentsResolved, WorkGoesOn
from ticktick.domain.market import TIMEFRAMES, Candle, CandleState
from ticktick.engine.ports import Outputs
from ticktick.market.candles import ROWS_AT_ONCE

SYMBOLS = tuple(f"S{n:02}" for n in range(2 * ROWS_AT_ONCE + 5))
END = OPEN + NS_PER_MINUTE
FINAL, PROVISIONAL = CandleState.FINAL, CandleState.PROVISIONAL


def traded() -> Stage:
    """A stage on which every symbol traded in the first minute."""
    stage = Stage(*map(instrument, SYMBOLS))
    for second, volume in ((0, 1000), (2, 1010)):
        at_ns = OPEN + second * NS_PER_S
        told = {"last_price": 100 + second, "last_trade_ns": at_ns, "volume": volume}
        stage.process(frame(at_ns, dict.fromkeys(SYMBOLS, told)))
    return stage


def minute(symbol: str) -> Candle:
    return candle(OPEN, 102, high=104, volume=10 + int(symbol[1:]), symbol=symbol)


def tell(stage: Stage, at_ns: int, symbols: Sequence[str] = SYMBOLS) -> Outputs:
    """The feed's own minutes of these symbols, in one frame."""
    return stage.process(frame(at_ns, {s: minute_columns(minute(s)) for s in symbols}))


def finish(stage: Stage, at_ns: int) -> list[list[Candle]]:
    """The minutes that changed at each turn until nothing waits."""
    turns: list[list[Candle]] = []
    while stage.market.has_work:
        assert len(turns) < len(SYMBOLS)
        turns.append(changed_candles(stage.process(WorkGoesOn(at_ns)).facts))
    return turns


def symbols_of(candles: Sequence[Candle], state: CandleState) -> list[str]:
    return [each.symbol for each in candles if each.state is state]


def test_told_minutes_settle_a_few_at_each_event_and_in_their_order() -> None:
    stage = traded()
    turns = [changed_candles(tell(stage, END + NS_PER_S).facts), *finish(stage, END + NS_PER_S)]
    settled = [symbols_of(turn, FINAL) for turn in turns]
    assert [len(turn) for turn in settled] == [ROWS_AT_ONCE, ROWS_AT_ONCE, 5]
    assert tuple(symbol for turn in settled for symbol in turn) == SYMBOLS
    for symbol in SYMBOLS:
        assert list(stage.market.candles(symbol, 1)) == [minute(symbol)]


def test_many_at_once_come_to_the_same_candles_as_one_after_the_other() -> None:
    at_once, in_turn = traded(), traded()
    tell(at_once, END + NS_PER_S)
    finish(at_once, END + NS_PER_S)
    for symbol in SYMBOLS:
        tell(in_turn, END + NS_PER_S, [symbol])
        assert not in_turn.market.has_work
    for stage in (at_once, in_turn):
        stage.timer(END + 10 * NS_PER_S)
        finish(stage, END + 10 * NS_PER_S)
    for symbol in SYMBOLS:
        for width in TIMEFRAMES:
            told = [list(stage.market.candles(symbol, width)) for stage in (at_once, in_turn)]
            assert told[0] == told[1]


def test_minutes_that_nobody_tells_are_closed_and_settled_by_time_a_few_at_each_event() -> None:
    stage = traded()
    for second, state in ((3, PROVISIONAL), (6, FINAL)):
        at_ns = END + second * NS_PER_S
        turns = [changed_candles(stage.timer(at_ns).facts), *finish(stage, at_ns)]
        sizes = [len(symbols_of(turn, state)) for turn in turns]
        assert sizes == [ROWS_AT_ONCE, ROWS_AT_ONCE, 5]
    assert changed_candles(stage.timer(END + 7 * NS_PER_S).facts) == []


def test_a_timer_puts_nothing_that_waits_in_twice() -> None:
    stage = traded()
    for _ in range(2):
        stage.timer(END + 3 * NS_PER_S)
    assert len(finish(stage, END + 3 * NS_PER_S)) == 1
    assert tuple(symbols_of(changed_candles(stage.facts), PROVISIONAL)) == SYMBOLS


def test_time_settles_no_minute_whose_own_word_of_the_broker_waits() -> None:
    stage = traded()
    stage.timer(END + 3 * NS_PER_S)
    finish(stage, END + 3 * NS_PER_S)
    tell(stage, END + 4 * NS_PER_S)
    stage.timer(END + 6 * NS_PER_S)
    finish(stage, END + 6 * NS_PER_S)
    settled = [each for each in changed_candles(stage.facts) if each.state is FINAL]
    assert settled == [minute(symbol) for symbol in SYMBOLS]


def test_history_of_a_symbol_comes_after_what_the_feed_told_before() -> None:
    stage = traded()
    tell(stage, END + NS_PER_S)
    last = SYMBOLS[-1]
    right = replace(minute(last), high=105)
    stage.history(END + 2 * NS_PER_S, right, symbol=last)
    finish(stage, END + 2 * NS_PER_S)
    assert [each.high for each in stage.market.candles(last, 1)] == [105]


def test_what_waits_of_a_symbol_that_left_is_forgotten() -> None:
    for leave in (True, False):
        stage = traded()
        if leave:
            tell(stage, END + NS_PER_S)
        else:
            stage.timer(END + 3 * NS_PER_S)
        kept = tuple(instrument(symbol) for symbol in SYMBOLS[:-1])
        stage.process(InstrumentsResolved(END + 3 * NS_PER_S, kept))
        turns = finish(stage, END + 3 * NS_PER_S)
        assert SYMBOLS[-1] not in {each.symbol for turn in turns for each in turn}
        assert len(stage.market.candles(SYMBOLS[-2], 1)) == 1


@pytest.mark.parametrize("is_history", [False, True])
def test_no_longer_candle_ends_without_its_last_minute_that_waits(is_history: bool) -> None:
    stage, last = Stage(*map(instrument, SYMBOLS)), SYMBOLS[-1]
    for place, number in enumerate((0, 3, 4)):
        at_ns = OPEN + number * NS_PER_MINUTE
        told = {"last_price": 100 + place, "last_trade_ns": at_ns, "volume": 1000 + 10 * place}
        stage.process(frame(at_ns, dict.fromkeys(SYMBOLS, told)))
    at_ns = OPEN + 5 * NS_PER_MINUTE + 3 * NS_PER_S
    stage.timer(at_ns)
    earlier = candle(OPEN + 3 * NS_PER_MINUTE, 101, symbol=last)
    if is_history:
        stage.history(at_ns, earlier, symbol=last)
    else:
        stage.confirm(at_ns, earlier)
    finish(stage, at_ns)
    longer = [each for each in changed_candles(stage.facts, 5) if each.symbol == last]
    assert {(each.close, each.volume) for each in longer} == {(102, 20)}
