"""The life of a candle: forming, provisional, final, corrected, backfilled."""

import pytest
from msgspec.structs import replace

from tests.market_stage import (
    OPEN,
    JsonDecoder,
    candle,
    changed_candles,
    clock,
    index,
    instrument,
    states,
    words,
)
from tests.market_stage import LiveStage as Stage
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, NS_PER_S
from ticktick.domain.event import CandleChanged
from ticktick.domain.market import TIMEFRAMES, CandleState
from ticktick.domain.sessions import Phase
from ticktick.engine.ports import Decoded
from ticktick.market.table import SlotTable

MINUTE = NS_PER_MINUTE
PROVISIONAL, FINAL, BACKFILLED = (
    CandleState.PROVISIONAL,
    CandleState.FINAL,
    CandleState.BACKFILLED,
)


def test_given_trades_of_one_minute_when_it_runs_then_a_forming_candle_shows_them() -> None:
    stage = Stage()
    stage.begin()
    for second, price in ((1, 101), (2, 105), (3, 98), (4, 103)):
        stage.trade(OPEN + second * NS_PER_S, price, 7)
    assert stage.market.forming("ACME", 1) == candle(
        OPEN,
        open=101,
        high=105,
        low=98,
        close=103,
        volume=28,
        state=CandleState.FORMING,
        confirmed=False,
    )
    assert tuple(stage.market.candles("ACME", 1)) == ()


def test_given_a_trade_of_a_later_minute_then_the_candle_closes_provisionally() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 30), 101)
    facts = stage.trade(clock(9, 16, 0), 102).facts
    assert changed_candles(facts) == [candle(OPEN, 101, state=PROVISIONAL, confirmed=False)]


def test_given_no_later_trade_when_the_grace_is_over_then_time_closes_the_candle() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 30), 101)
    assert changed_candles(stage.timer(clock(9, 16, 1)).facts) == []
    assert states(stage.timer(clock(9, 16, 2)).facts) == [PROVISIONAL]
    assert stage.market.forming("ACME", 1) is None


class MissesMinutes(JsonDecoder):
    """A broken decoder: the feed's own minutes are lost."""

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Take the minutes back."""
        decoded = super().decode(data, table, received_ns, seq)
        table.incoming["minute_start_ns"] = 0
        return decoded


def test_P07_given_the_feeds_own_minute_when_it_differs_then_it_wins_and_is_counted() -> None:
    def check(decoder: JsonDecoder) -> None:
        stage = Stage(decoder=decoder)
        stage.begin()
        stage.trade(clock(9, 15, 30), 101)
        stage.timer(clock(9, 16, 2))
        broker = candle(OPEN, open=100, high=106, low=99, close=101, volume=44)
        assert changed_candles(stage.confirm(clock(9, 16, 3), broker).facts) == [broker]
        stage.timer(clock(9, 16, 5))
        assert tuple(stage.market.candles("ACME", 1)) == (broker,)
        assert stage.counter("candle_corrections") == 1

    check(JsonDecoder())
    with pytest.raises(AssertionError):
        check(MissesMinutes())


def test_P07_given_the_feeds_own_minute_when_equal_then_the_candle_is_only_confirmed() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 30), 101)
    stage.timer(clock(9, 16, 2))
    assert changed_candles(stage.confirm(clock(9, 16, 3), candle(OPEN, 101)).facts) == [
        candle(OPEN, 101)
    ]
    assert stage.counter("candle_corrections") == 0
    assert changed_candles(stage.confirm(clock(9, 16, 4), candle(OPEN, 101)).facts) == []


def test_P07_given_the_feed_corrects_its_own_minute_then_each_number_counts() -> None:
    stage = Stage()
    stage.begin()
    told = candle(OPEN, open=100, high=106, low=99, close=101, volume=44)
    stage.confirm(clock(9, 16, 3), told)
    for revision, (name, value) in enumerate(
        (("open", 99), ("high", 107), ("low", 98), ("close", 102), ("volume", 45)), start=1
    ):
        told = replace(told, **{name: value}, revision=revision)
        assert changed_candles(stage.confirm(clock(9, 16, 3 + revision), told).facts) == [told]
    assert stage.counter("candle_corrections") == 5


def test_given_the_feeds_minute_before_any_later_trade_then_the_forming_candle_closes() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 30), 101)
    facts = stage.confirm(clock(9, 16, 1), candle(OPEN, 102)).facts
    assert changed_candles(facts) == [
        candle(OPEN, 101, state=PROVISIONAL, confirmed=False),
        candle(OPEN, 102),
    ]
    stage.frame(clock(9, 16, 1), last_trade_ns=clock(9, 15, 59), volume=1015)
    assert stage.counter("late_ticks") == 1
    assert stage.market.forming("ACME", 1) is None


def test_given_nobody_confirms_when_the_limit_is_over_then_final_but_unconfirmed() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 30), 101)
    stage.timer(clock(9, 16, 2))
    assert states(stage.timer(clock(9, 16, 4)).facts) == []
    assert changed_candles(stage.timer(clock(9, 16, 5)).facts) == [
        candle(OPEN, 101, confirmed=False)
    ]


def test_given_a_late_confirmation_that_differs_then_a_new_revision_is_told() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 30), 101)
    stage.timer(clock(9, 16, 5))
    assert changed_candles(stage.confirm(clock(9, 16, 9), candle(OPEN, 103)).facts) == [
        candle(OPEN, 103, revision=1)
    ]


def test_given_a_late_confirmation_that_agrees_then_the_revision_stays() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 30), 101)
    stage.timer(clock(9, 16, 5))
    facts = stage.confirm(clock(9, 16, 9), candle(OPEN, 101)).facts
    assert changed_candles(facts) == [candle(OPEN, 101)]


def test_given_the_feed_names_a_minute_nobody_saw_then_it_is_final() -> None:
    stage = Stage()
    stage.begin()
    missed = candle(clock(9, 16), 104)
    assert changed_candles(stage.confirm(clock(9, 17, 2), missed).facts) == [missed]


def test_given_the_feed_names_a_running_minute_then_it_is_not_believed() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 30), 101)
    assert stage.confirm(clock(9, 15, 40), candle(OPEN, 101)).facts == ()
    assert states(stage.confirm(clock(9, 16, 0), candle(OPEN, 101)).facts) == [PROVISIONAL, FINAL]


def test_given_a_minute_of_yesterday_in_the_snapshot_then_history_alone_tells_it() -> None:
    stage = Stage()
    stage.begin()
    assert changed_candles(stage.confirm(clock(9, 15, 1), candle(OPEN - NS_PER_DAY)).facts) == []


def test_given_a_minute_without_trades_then_there_is_no_candle() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 30), 101)
    stage.trade(clock(9, 17, 30), 102)
    stage.timer(clock(9, 19))
    assert [c.start_ns for c in stage.market.candles("ACME", 1)] == [OPEN, clock(9, 17)]


def test_given_a_trade_of_a_closed_minute_then_it_is_counted_and_never_reopens() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 30), 101)
    stage.trade(clock(9, 16, 1), 102)
    stage.frame(clock(9, 16, 2), last_price=99, last_trade_ns=clock(9, 15, 59), volume=1030)
    assert stage.counter("late_ticks") == 1
    assert [c.low for c in stage.market.candles("ACME", 1)] == [101]
    forming = stage.market.forming("ACME", 1)
    assert forming is not None
    assert (forming.low, forming.volume) == (102, 10)


def test_given_an_index_when_its_time_moves_then_the_value_is_a_trade_without_volume() -> None:
    stage = Stage(index())
    stage.frame(OPEN, "NIFTY", last_price=2_400_000, last_trade_ns=OPEN)
    stage.frame(OPEN + 1, "NIFTY", last_price=2_400_005, last_trade_ns=OPEN)
    stage.frame(OPEN + 2, "NIFTY", last_price=2_400_005, last_trade_ns=OPEN + 2)
    stage.frame(OPEN + 3, "NIFTY", last_price=2_400_005, last_trade_ns=OPEN + 2)
    assert stage.counter("trades") == 2
    forming = stage.market.forming("NIFTY", 1)
    assert forming is not None
    assert (forming.open, forming.close, forming.volume) == (2_400_005, 2_400_005, 0)


def test_given_an_auction_print_then_the_last_price_moves_but_no_candle() -> None:
    stage = Stage(instrument(has_closing_auction=True), at_ns=clock(9, 0))
    stage.begin(clock(9, 1))
    stage.trade(clock(9, 8), 105)
    stage.trade(clock(15, 14, 59), 106)
    stage.trade(clock(15, 15, 0), 107)
    stage.timer(clock(15, 17))
    assert [c.close for c in stage.market.candles("ACME", 1)] == [106]
    assert stage.market.table.records["last_price"][0] == 107


def test_given_a_falling_volume_when_unconfirmed_then_it_adds_nothing() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 1), 101, 10)
    stage.frame(clock(9, 15, 2), volume=1005, last_trade_ns=clock(9, 15, 1))
    stage.frame(clock(9, 15, 3), volume=1012, last_trade_ns=clock(9, 15, 3))
    assert stage.counter("volume_falls") == 1
    forming = stage.market.forming("ACME", 1)
    assert forming is not None
    assert forming.volume == 12


def test_given_closed_minutes_when_the_bucket_ends_then_higher_candles_join_them() -> None:
    stage = Stage()
    stage.begin()
    for minute in range(5):
        stage.trade(OPEN + minute * MINUTE + NS_PER_S, 101 + minute)
    stage.timer(clock(9, 20, 5))
    three, five = stage.market.candles("ACME", 3)[0], stage.market.candles("ACME", 5)[0]
    assert (three.open, three.close, three.volume) == (101, 103, 30)
    assert (five.open, five.close, five.volume) == (101, 105, 50)
    assert (five.state, five.confirmed) == (FINAL, False)


def test_given_confirmed_minutes_then_the_higher_candle_is_final_with_the_last_of_them() -> None:
    stage = Stage()
    stage.begin()
    for minute in range(3):
        start = OPEN + minute * MINUTE
        stage.trade(start + 5 * NS_PER_S, 101 + minute)
        stage.timer(start + 62 * NS_PER_S)
        stage.confirm(start + 63 * NS_PER_S, candle(start, 101 + minute))
    found = changed_candles(stage.facts, 3)
    assert [(c.state, c.confirmed, c.revision) for c in found] == [
        (PROVISIONAL, False, 0),
        (FINAL, True, 0),
    ]


def test_given_no_trade_in_the_last_minute_then_the_higher_candle_waits_for_the_limit() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 1), 101)
    stage.confirm(clock(9, 16, 1), candle(OPEN, 101))
    assert states(stage.timer(clock(9, 18, 1)).facts, 3) == []
    assert states(stage.timer(clock(9, 18, 2)).facts, 3) == [PROVISIONAL]
    assert states(stage.timer(clock(9, 18, 5)).facts, 3) == [FINAL]


def test_given_a_corrected_member_then_the_higher_candle_has_a_new_revision() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 1), 101)
    stage.timer(clock(9, 18, 5))
    facts = stage.confirm(clock(9, 18, 9), candle(OPEN, 103)).facts
    found = [(c.close, c.revision, c.state) for c in changed_candles(facts, 3)]
    assert found == [(103, 1, FINAL)]


def test_given_closed_and_forming_minutes_then_the_running_five_minutes_join_them() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 1), 101)
    stage.trade(clock(9, 16, 1), 104)
    running = stage.market.forming("ACME", 5)
    assert running == candle(
        OPEN,
        minutes=5,
        open=101,
        high=104,
        low=101,
        close=104,
        volume=20,
        state=CandleState.FORMING,
        confirmed=False,
    )
    stage.timer(clock(9, 17, 2))
    still = stage.market.forming("ACME", 5)
    assert still is not None
    assert still.volume == 20
    stage.timer(clock(9, 20, 2))
    assert stage.market.forming("ACME", 5) is None


def test_given_a_start_within_an_hour_then_that_hours_candle_is_missing_not_wrong() -> None:
    stage = Stage(at_ns=clock(10, 0))
    stage.begin(clock(10, 0, 20))
    stage.trade(clock(10, 0, 30), 101)
    stage.trade(clock(10, 15, 1), 102)
    stage.timer(clock(11, 16))
    assert [c.start_ns for c in stage.market.candles("ACME", 60)] == [clock(10, 15)]
    assert stage.market.candles("ACME", 5)[0].start_ns == clock(10, 15)


def test_given_the_last_hour_when_it_is_short_then_it_ends_with_the_session() -> None:
    stage = Stage(at_ns=clock(15, 14))
    stage.begin(clock(15, 14))
    stage.trade(clock(15, 29, 59), 101)
    assert states(stage.timer(clock(15, 30, 2)).facts, 60) == [PROVISIONAL]
    assert states(stage.timer(clock(15, 30, 5)).facts, 60) == [FINAL]
    assert stage.market.forming("ACME", 60) is None


def test_given_history_before_the_feed_then_its_candles_are_final_in_every_timeframe() -> None:
    stage = Stage(at_ns=clock(9, 30), up=False)
    minutes = [candle(OPEN + i * MINUTE, 100 + i) for i in range(15)]
    facts = stage.history(clock(9, 30, 1), *minutes).facts
    assert changed_candles(facts) == minutes
    for width in TIMEFRAMES[1:5]:
        assert {c.state for c in stage.market.candles("ACME", width)} == {FINAL}
    assert stage.market.candles("ACME", 15)[0].volume == 150
    again = stage.history(clock(9, 30, 2), *minutes).facts
    assert not any(changed_candles(again, width) for width in TIMEFRAMES)


def test_given_history_that_ends_before_its_own_reading_then_the_rest_is_not_vouched_for() -> None:
    stage = Stage(at_ns=clock(9, 30), up=False)
    stage.history(clock(9, 30), *[candle(clock(9, 15 + i)) for i in range(6)])
    told = {c.start_ns: c.confirmed for c in stage.market.candles("ACME", 5)}
    assert told == {clock(9, 15): True, clock(9, 20): False}


def test_given_history_of_a_day_that_is_over_then_its_quiet_end_is_vouched_for() -> None:
    stage = Stage(at_ns=OPEN, up=False)
    minutes = [candle(clock(15, 15 + i) - NS_PER_DAY) for i in range(11)]
    stage.history(OPEN, *minutes, told=(minutes[0].start_ns, clock(9, 15)))
    assert [c.confirmed for c in stage.market.candles("ACME", 5)] == [True, True, True]
    stage.link(OPEN, up=True)
    stage.begin()
    stage.confirm(clock(9, 16, 2), candle(OPEN))
    stage.timer(clock(9, 20, 5))
    assert [c.confirmed for c in stage.market.candles("ACME", 5)] == [True] * 4


def test_given_history_that_starts_within_a_candle_then_that_candle_is_not_made_up() -> None:
    stage = Stage(at_ns=clock(9, 30), up=False)
    stage.history(clock(9, 30), *[candle(clock(9, 17 + i)) for i in range(8)])
    assert [c.start_ns for c in stage.market.candles("ACME", 5)] == [clock(9, 20)]
    stage.history(clock(9, 30), *[candle(clock(9, 15 + i)) for i in range(4)])
    assert [c.start_ns for c in stage.market.candles("ACME", 5)] == [clock(9, 15), clock(9, 20)]


def test_given_history_twice_before_the_feed_then_all_of_it_is_final() -> None:
    stage = Stage(at_ns=clock(9, 30), up=False)
    for count in (5, 9):
        stage.history(clock(9, 30), *[candle(OPEN + i * MINUTE) for i in range(count)])
    assert {c.state for c in stage.market.candles("ACME", 1)} == {FINAL}


def test_given_an_hour_of_which_minutes_were_dropped_then_it_is_not_rebuilt_from_the_rest() -> None:
    stage = Stage(at_ns=OPEN, up=False)
    for day in (8, 7, 4, 3, 2, 1):
        start = OPEN - day * NS_PER_DAY
        stage.history(OPEN, *[candle(start + i * MINUTE) for i in range(375)])
    oldest = stage.market.candles("ACME", 1)[0]
    cut = [c for c in stage.market.candles("ACME", 60) if c.start_ns < oldest.start_ns][-1]
    assert cut.end_ns > oldest.end_ns
    facts = stage.history(OPEN, candle(oldest.start_ns, 777)).facts
    assert changed_candles(facts, 60) == []
    assert cut in stage.market.candles("ACME", 60)


def test_given_open_interest_then_the_brokers_minute_without_it_keeps_it() -> None:
    stage = Stage()
    stage.begin()
    stage.frame(OPEN + 1, last_price=101, last_trade_ns=OPEN + 1, volume=1010, open_interest=5_000)
    stage.confirm(clock(9, 16, 1), candle(OPEN, 102))
    assert stage.market.candles("ACME", 1)[0].open_interest == 5_000


def test_given_a_minute_with_a_price_of_zero_then_it_is_not_taken() -> None:
    stage = Stage()
    stage.begin()
    assert stage.confirm(clock(9, 16, 1), candle(OPEN, low=0)).facts == ()


def test_given_history_for_an_unconfirmed_minute_then_history_wins() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 1), 101)
    stage.timer(clock(9, 16, 5))
    facts = stage.history(clock(9, 17), candle(OPEN, 102)).facts
    assert changed_candles(facts) == [candle(OPEN, 102, revision=1)]


def test_given_history_for_the_forming_minute_when_over_then_it_closes() -> None:
    stage = Stage()
    stage.begin()
    stage.trade(clock(9, 15, 1), 101)
    facts = stage.history(clock(9, 16, 1), candle(OPEN, 102)).facts
    assert states(facts) == [PROVISIONAL, FINAL]


def test_given_history_that_cannot_be_closed_minutes_then_it_is_refused_and_counted() -> None:
    stage = Stage()
    stage.history(
        clock(9, 20),
        candle(clock(9, 20)),
        candle(clock(9, 8)),
        candle(OPEN, minutes=5),
        candle(OPEN, 0),
    )
    assert stage.counter("history_refused") == 4
    assert tuple(stage.market.candles("ACME", 1)) == ()


def test_given_a_gap_then_volume_traded_in_it_enters_no_candle() -> None:
    stage = Stage()
    stage.begin()
    stage.link(clock(9, 16), up=False)
    stage.link(clock(9, 17), up=True)
    stage.frame(clock(9, 17, 1), last_price=105, last_trade_ns=clock(9, 17), volume=90_000)
    assert stage.market.forming("ACME", 1) is None


def test_given_weeks_of_history_day_by_day_then_memory_is_bounded_and_nothing_is_cut() -> None:
    stage = Stage(at_ns=OPEN, up=False)
    days = [d for d in range(28, 0, -1) if (d - 1) % 7 not in (4, 5)]  # 20 Nov is a Friday
    for day in days:
        start = OPEN - day * NS_PER_DAY
        stage.history(OPEN, *[candle(start + i * MINUTE, 100 + i) for i in range(375)])
    ones, hours = stage.market.candles("ACME", 1), stage.market.candles("ACME", 60)
    assert 800 <= len(ones) <= 1100
    assert {c.volume for c in hours} == {600, 150}
    assert [c.start_ns for c in hours] == sorted(c.start_ns for c in hours)
    assert len(stage.market.candles("ACME", 5)) >= 400
    first = OPEN - days[0] * NS_PER_DAY
    late = stage.history(OPEN, candle(first + 5 * MINUTE, 999)).facts
    assert [fact for fact in late if isinstance(fact, CandleChanged)] == []


def test_given_a_session_nobody_planned_when_the_feed_opens_it_then_its_trades_make_candles() -> (
    None
):
    sunday = 2 * NS_PER_DAY
    stage = Stage(at_ns=clock(17, 0) + sunday)
    stage.begin(clock(17, 0) + sunday)
    stage.process(words(clock(18, 0) + sunday, NSE_EQ=Phase.CONTINUOUS, MCX_FO=Phase.CLOSED))
    stage.trade(clock(18, 0, 30) + sunday, 101)
    stage.process(words(clock(18, 1) + sunday, NSE_EQ=Phase.CLOSED))
    stage.trade(clock(18, 1, 30) + sunday, 102)
    stage.timer(clock(18, 3) + sunday)
    assert [c.close for c in stage.market.candles("ACME", 1)] == [101]
