"""Holes in what was seen: found, told, filled, or called missing; no number spans one."""

import math
from typing import Any

import numpy as np
import pytest

from tests.market_stage import (
    OPEN,
    JsonDecoder,
    LiveStage,
    Stage,
    candle,
    changed_candles,
    clock,
    frame,
    index,
    instrument,
    states,
)
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, NS_PER_S
from ticktick.domain.event import Event, FrameArrived, FramesArrived, LinkChanged, Quote
from ticktick.domain.market import Candle, CandleState, Freshness
from ticktick.engine.ports import Decoded, EngineSettings, Outputs
from ticktick.market.table import SlotTable

PROVISIONAL, FINAL = CandleState.PROVISIONAL, CandleState.FINAL
BACKFILLED, MISSING = CandleState.BACKFILLED, CandleState.MISSING
NOON = clock(12, 0)


def closed(stage: Stage, minutes: int = 1) -> dict[int, tuple[CandleState, bool]]:
    """State and confirmation of each closed candle, by minutes since the open."""
    candles = stage.market.candles("ACME", minutes)
    return {(c.start_ns - OPEN) // NS_PER_MINUTE: (c.state, c.confirmed) for c in candles}


def morning(stage: Stage) -> None:
    """One minute that the feed confirmed, and a trade in the next."""
    stage.begin()
    stage.trade(clock(9, 15, 1), 101)
    stage.confirm(clock(9, 16, 1), candle(OPEN, 101))
    stage.trade(clock(9, 16, 10), 102)


def lost_link(stage: Stage, from_ns: int, to_ns: int, price: int = 104) -> None:
    """The link is away for a while in which others traded."""
    stage.link(from_ns, up=False)
    stage.link(to_ns, up=True)
    stage.volume["ACME"] += 500
    stage.trade(to_ns + NS_PER_S, price)


class NobodyAsks(LiveStage):
    """A broken source: the broker's history is never read."""

    def history(self, at_ns: int, *candles: Candle, **_: Any) -> Outputs:
        """Only let time pass."""
        return self.timer(at_ns)


class ClaimsNothing(LiveStage):
    """A broken source: history never says of which span it is everything."""

    def history(self, at_ns: int, *candles: Candle, **_: Any) -> Outputs:
        """Tell the candles alone."""
        return super().history(at_ns, *candles, told=(0, 0))


class HidesTheLink(LiveStage):
    """A broken source: that the link was away is not told."""

    def process(self, event: Event) -> Outputs:
        """Swallow every change of the link but the first."""
        if isinstance(event, LinkChanged) and self.market.link_up:
            return self.timer(event.at_ns)
        return super().process(event)


def test_P06_given_a_gap_when_history_fills_it_then_its_minutes_are_backfilled() -> None:
    def check(kind: type[LiveStage]) -> None:
        stage = kind()
        morning(stage)
        lost_link(stage, clock(9, 16, 30), clock(9, 18, 30))
        stage.trade(clock(9, 19, 1), 104)
        stage.timer(clock(9, 20, 9))
        assert closed(stage) == {0: (FINAL, True), 1: (PROVISIONAL, False), 4: (FINAL, False)}
        assert closed(stage, 5) == {0: (PROVISIONAL, False)}
        assert stage.counter("gap_minutes_open") == 3
        facts = stage.history(
            clock(9, 20, 10), *[candle(clock(9, 15 + i), 101 + i) for i in range(5)]
        ).facts
        assert closed(stage) == {
            0: (FINAL, True),
            1: (BACKFILLED, True),
            2: (BACKFILLED, True),
            3: (BACKFILLED, True),
            4: (FINAL, True),
        }
        assert states(facts, 5) == [BACKFILLED]
        (five,) = stage.market.candles("ACME", 5)
        assert (five.open, five.close, five.volume, five.confirmed) == (101, 105, 50, True)
        stage.timer(clock(9, 20, 11))
        assert stage.counter("gap_minutes_open") == 0
        assert stage.counter("minutes_backfilled") == 3

    check(LiveStage)
    for broken in (NobodyAsks, HidesTheLink):
        with pytest.raises(AssertionError):
            check(broken)


def test_P06_given_a_gap_of_which_the_broker_has_no_minute_then_the_minute_is_missing() -> None:
    def check(kind: type[LiveStage]) -> None:
        stage = kind()
        morning(stage)
        lost_link(stage, clock(9, 16, 30), clock(9, 18, 30))
        stage.confirm(clock(9, 19, 2), candle(clock(9, 18), 104))
        stage.timer(clock(9, 19, 8))
        stage.history(clock(9, 19, 9), candle(OPEN, 101), told=(OPEN, clock(9, 19)))
        assert closed(stage) == {
            0: (FINAL, True),
            1: (MISSING, False),  # the half that was seen cannot be vouched for
            2: (MISSING, False),
            3: (FINAL, True),
        }
        lost = stage.market.candles("ACME", 1)[1]
        assert (lost.open, lost.high, lost.low, lost.close, lost.volume) == (0, 0, 0, 0, 0)
        assert (stage.counter("minutes_missing"), stage.counter("candle_corrections")) == (2, 0)

    check(LiveStage)
    with pytest.raises(AssertionError):
        check(ClaimsNothing)


def test_P06_given_missing_minutes_then_a_higher_candle_is_missing_where_its_ends_are() -> None:
    stage = LiveStage()
    morning(stage)
    lost_link(stage, clock(9, 16, 30), clock(9, 18, 30))
    for minute in range(3, 6):
        start = OPEN + minute * NS_PER_MINUTE
        stage.confirm(start + 62 * NS_PER_S, candle(start, 101 + minute))
    stage.history(clock(9, 21, 10), candle(OPEN, 101), told=(OPEN, clock(9, 18)))
    stage.timer(clock(9, 21, 11))
    assert closed(stage, 3) == {0: (MISSING, False), 3: (FINAL, True)}
    assert closed(stage, 5) == {0: (FINAL, False)}
    (five,) = stage.market.candles("ACME", 5)
    assert (five.open, five.close, five.volume) == (101, 105, 30)


def test_P06_given_a_missing_minute_when_the_broker_finds_it_later_then_it_is_backfilled() -> None:
    stage = LiveStage()
    morning(stage)
    lost_link(stage, clock(9, 16, 30), clock(9, 18, 30))
    stage.history(clock(9, 19, 10), told=(OPEN, clock(9, 18)))
    stage.history(clock(9, 25), candle(clock(9, 17), 103), told=(OPEN, clock(9, 18)))
    assert closed(stage)[1] == (MISSING, False)
    assert closed(stage)[2] == (BACKFILLED, True)
    assert [c.revision for c in stage.market.candles("ACME", 1)] == [0, 0, 1]
    assert stage.counter("minutes_missing") == 1


def test_P06_given_a_gap_then_a_minute_confirmed_by_the_feed_is_final_at_once() -> None:
    stage = LiveStage()
    morning(stage)
    lost_link(stage, clock(9, 16, 30), clock(9, 16, 40))
    stage.timer(clock(9, 17, 30))
    assert closed(stage)[1] == (PROVISIONAL, False)
    stage.confirm(clock(9, 17, 31), candle(clock(9, 16), 103))
    assert closed(stage)[1] == (FINAL, True)
    stage.timer(clock(9, 17, 32))
    assert stage.counter("gap_minutes_open") == 0


def test_P07_given_a_minute_with_a_hole_then_time_alone_never_makes_it_final() -> None:
    def check(kind: type[LiveStage]) -> None:
        stage = kind()
        morning(stage)
        lost_link(stage, clock(9, 16, 30), clock(9, 16, 40))
        stage.timer(clock(9, 17, 2))
        stage.timer(clock(9, 45))
        assert closed(stage)[1] == (PROVISIONAL, False)

    check(LiveStage)
    with pytest.raises(AssertionError):
        check(HidesTheLink)


def test_P07_given_the_first_minute_of_a_start_then_its_half_is_not_taken_for_the_whole() -> None:
    stage = LiveStage(at_ns=clock(10, 0, 20))
    stage.begin(clock(10, 0, 20))
    stage.trade(clock(10, 0, 30), 101)
    stage.trade(clock(10, 1, 30), 102)
    stage.timer(clock(10, 2, 10))
    assert closed(stage) == {45: (PROVISIONAL, False), 46: (FINAL, False)}
    stage.history(clock(10, 3), candle(clock(10, 0), 99), told=(OPEN, clock(10, 2)))
    assert closed(stage)[45] == (FINAL, True)


def test_P06_given_an_outage_in_which_nothing_traded_then_there_is_no_gap() -> None:
    stage = LiveStage()
    morning(stage)
    last: dict[str, Any] = {"last_price": 102, "last_trade_ns": clock(9, 16, 10)}
    last["volume"] = stage.volume["ACME"]
    stage.link(clock(9, 16, 30), up=False)
    stage.link(clock(9, 18, 30), up=True)
    stage.frame(clock(9, 18, 31), **last, bid_price=[99, 0, 0, 0, 0])
    assert stage.freshness() is Freshness.FRESH
    stage.timer(clock(9, 20, 6))
    assert closed(stage) == {0: (FINAL, True), 1: (FINAL, False)}
    assert stage.counter("gap_minutes_open") == 0


def test_P06_given_a_gap_then_the_symbol_is_in_it_until_every_finished_minute_is_told() -> None:
    stage = LiveStage()
    morning(stage)
    lost_link(stage, clock(9, 16, 30), clock(9, 18, 30))
    assert stage.freshness() is Freshness.GAP
    assert stage.counter("symbols_in_gap") == 1
    stage.history(clock(9, 18, 40), candle(clock(9, 16), 102), told=(OPEN, clock(9, 17)))
    assert stage.freshness() is Freshness.GAP
    facts = stage.history(clock(9, 18, 41), told=(OPEN, clock(9, 18))).facts
    assert stage.freshness() is Freshness.QUIET
    assert stage.counter("symbols_in_gap") == 0
    assert [c.state for c in changed_candles(facts)] == [MISSING]
    stage.timer(clock(9, 19, 5))  # the running minute's own hole is no reason to wait
    assert stage.freshness() is Freshness.QUIET


def test_P06_given_a_gap_outside_trading_then_there_is_nothing_to_tell() -> None:
    stage = LiveStage(at_ns=clock(15, 29))
    stage.begin(clock(15, 29))
    stage.trade(clock(15, 29, 59), 101)
    stage.timer(clock(15, 30, 9))
    stage.link(clock(16, 0), up=False)
    monday = OPEN + 3 * NS_PER_DAY - 10 * NS_PER_MINUTE
    stage.process(LinkChanged(monday, True, "connected"))
    stage.volume["ACME"] = 0
    stage.trade(monday, 102)
    assert stage.freshness() is Freshness.FRESH
    stage.timer(monday + 1)
    assert stage.counter("gap_minutes_open") == 0


def test_P06_given_a_gap_over_the_close_then_only_its_trading_minutes_are_open() -> None:
    stage = LiveStage(at_ns=clock(15, 27))
    stage.begin(clock(15, 27))
    stage.link(clock(15, 27, 30), up=False)
    stage.timer(clock(15, 50))
    assert stage.counter("gap_minutes_open") == 3
    stage.timer(clock(9, 16) + 3 * NS_PER_DAY)
    assert stage.counter("gap_minutes_open") == 4 + 1  # of which one is the index's


# --- silence on an open socket ------------------------------------------------------------------


def two_symbols(**changes: Any) -> Stage:
    """A share, another one and an index, all told at noon."""
    settings = EngineSettings(**changes)
    shares = instrument(), instrument("BOLT"), index()
    stage = Stage(*shares, at_ns=NOON, canary="NIFTY", settings=settings)
    for symbol in ("ACME", "BOLT", "NIFTY"):
        stage.begin(NOON, symbol)
        stage.trade(NOON + NS_PER_S, 101, symbol=symbol)
    return stage


def told_again(stage: Stage, at_ns: int, symbol: str = "ACME") -> None:
    """The last packet of the symbol once more, at another time."""
    record = stage.market.table.records[stage.market.table.row_of_symbol[symbol]]
    columns = {name: int(record[name]) for name in ("last_price", "last_trade_ns", "volume")}
    stage.frame(at_ns, symbol, **columns)


def test_P06_given_a_feed_that_was_silent_then_the_time_is_a_hole_though_the_link_stood() -> None:
    def check(**changes: int) -> None:
        stage = two_symbols(**changes)
        for second in range(2, 100):
            stage.timer(NOON + second * NS_PER_S)
        assert stage.freshness() is Freshness.STALE
        for symbol in ("NIFTY", "ACME"):
            stage.trade(NOON + 100 * NS_PER_S, 103, 500, symbol=symbol)
        assert stage.freshness() is Freshness.GAP
        assert math.isnan(stage.metric("tick_return"))
        assert math.isnan(stage.metric("vwap"))
        stage.timer(NOON + 102 * NS_PER_S)
        assert [c.state for c in stage.market.candles("ACME", 1)] == [PROVISIONAL]
        assert stage.counter("gap_minutes_open") == 2 + 2 + 2
        stage.history(NOON + 103 * NS_PER_S, told=(NOON, clock(12, 1)))
        assert [c.state for c in stage.market.candles("ACME", 1)] == [MISSING]
        assert stage.freshness() is Freshness.FRESH

    check()
    with pytest.raises(AssertionError):
        check(silence_limit_s=10_000)


def test_P06_given_a_silent_feed_then_a_symbol_that_did_not_trade_has_no_hole() -> None:
    stage = two_symbols()
    stage.timer(NOON + 60 * NS_PER_S)
    stage.trade(NOON + 61 * NS_PER_S, 102, symbol="NIFTY")
    stage.timer(NOON + 61 * NS_PER_S)
    assert stage.freshness("BOLT") is Freshness.GAP  # nothing was told of it yet
    told_again(stage, NOON + 62 * NS_PER_S, "BOLT")
    assert stage.freshness("BOLT") is Freshness.FRESH
    assert stage.metric("vwap", "BOLT") == 101.0
    stage.timer(NOON + 70 * NS_PER_S)
    told = [c for c in stage.market.candles("BOLT", 1) if c.state is FINAL]
    assert [c.close for c in told] == [101]


def test_P06_given_a_silent_feed_then_what_a_packet_adds_later_may_be_of_the_hole() -> None:
    stage = two_symbols()
    stage.timer(NOON + 60 * NS_PER_S)
    for second in range(61, 190, 4):
        stage.trade(NOON + second * NS_PER_S, 102, symbol="NIFTY")
        stage.timer(NOON + second * NS_PER_S)
    stage.trade(NOON + 190 * NS_PER_S, 105, 700, "BOLT")
    assert stage.market.forming("BOLT", 1) is None
    stage.trade(NOON + 191 * NS_PER_S, 106, 10, "BOLT")
    stage.trade(NOON + 191 * NS_PER_S, 106, symbol="NIFTY")
    stage.timer(NOON + 250 * NS_PER_S)
    newest = stage.market.candles("BOLT", 1)[-1]
    assert (newest.volume, newest.state) == (10, PROVISIONAL)


def test_P06_given_a_silent_canary_then_symbols_that_are_told_go_on() -> None:
    stage = two_symbols()
    for second in range(2, 40):
        stage.timer(NOON + second * NS_PER_S)
        stage.trade(NOON + second * NS_PER_S, 101 + second % 2)
    stage.trade(NOON + 40 * NS_PER_S, 102, symbol="NIFTY")
    stage.trade(NOON + 40 * NS_PER_S, 102)
    assert stage.freshness("ACME") is Freshness.FRESH
    stage.timer(NOON + 44 * NS_PER_S)
    forming = stage.market.forming("ACME", 1)
    assert forming is not None
    assert forming.volume == 10 * 40
    assert stage.counter("gap_minutes_open") == 1 + 1  # BOLT's and NIFTY's


def test_P06_given_a_short_pause_or_a_late_frame_then_nothing_was_lost() -> None:
    stage = two_symbols()
    stage.timer(NOON + 9 * NS_PER_S)  # frames are on their way
    for second in (4, 6):
        for symbol in ("NIFTY", "ACME", "BOLT"):
            stage.trade(NOON + second * NS_PER_S, 103, symbol=symbol)
    stage.timer(NOON + 10 * NS_PER_S)
    assert stage.counter("gap_minutes_open") == 0
    assert stage.metric("tick_return") == 0.0
    assert stage.freshness() is Freshness.FRESH


def test_P06_given_the_open_after_a_quiet_pre_open_then_it_is_no_silence() -> None:
    stage = Stage(instrument(), index(), at_ns=clock(9, 7), canary="NIFTY")
    for symbol in ("ACME", "NIFTY"):
        stage.begin(clock(9, 7), symbol)
    stage.timer(clock(9, 15, 0))
    for symbol in ("ACME", "NIFTY"):
        stage.trade(clock(9, 15, 1), 101, symbol=symbol)
    stage.timer(clock(9, 15, 2))
    assert stage.counter("gap_minutes_open") == 0


def test_P06_given_a_packet_without_a_trade_then_it_proves_nothing_of_the_hole() -> None:
    class Partial(JsonDecoder):
        """A decoder whose packets tell the book alone when they say nothing of the price."""

        def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
            decoded = super().decode(data, table, received_ns, seq)
            is_whole = b"last_price" in data
            whole = decoded.rows if is_whole else decoded.rows[:0]
            return Decoded(decoded.exchange_ns, decoded.rows, whole)

    stage = Stage(instrument(), index(), at_ns=NOON, canary="NIFTY", decoder=Partial())
    for symbol in ("ACME", "NIFTY"):
        stage.begin(NOON, symbol)
    stage.timer(NOON + 100 * NS_PER_S)
    at_ns = NOON + 101 * NS_PER_S
    stage.trade(at_ns, 102, symbol="NIFTY")
    stage.frame(at_ns, bid_price=[99, 0, 0, 0, 0])
    assert stage.freshness() is Freshness.GAP
    stage.timer(at_ns + 1)
    assert stage.counter("gap_minutes_open") == 4
    stage.trade(at_ns + 2, 100, 0)
    assert stage.freshness() is Freshness.GAP  # another trade time: something traded
    told = stage.quotes(at_ns + 3, Quote("ACME", at_ns, 100, NOON, 1000)).facts
    assert told == ()


def test_P06_given_a_quote_of_an_unchanged_symbol_then_it_had_no_hole() -> None:
    stage = two_symbols()
    stage.timer(NOON + 70 * NS_PER_S)
    stage.trade(NOON + 71 * NS_PER_S, 102, symbol="NIFTY")
    stage.timer(NOON + 71 * NS_PER_S)
    assert stage.freshness("BOLT") is Freshness.GAP
    stage.quotes(NOON + 72 * NS_PER_S, Quote("BOLT", NOON, 101, NOON + NS_PER_S, 1010))
    assert stage.freshness("BOLT") is not Freshness.GAP


# --- windows ------------------------------------------------------------------------------------


def test_P09_given_a_gap_then_no_metric_spans_it() -> None:
    def check(kind: type[LiveStage]) -> None:
        stage = kind()
        stage.begin()
        stage.trade(OPEN + NS_PER_S, 101)
        stage.trade(OPEN + 2 * NS_PER_S, 102)
        assert stage.metric("tick_return") == pytest.approx(102 / 101 - 1)
        stage.link(OPEN + 3 * NS_PER_S, up=False)
        stage.link(OPEN + 4 * NS_PER_S, up=True)
        assert math.isnan(stage.metric("tick_return"))
        assert math.isnan(stage.metric("vwap"))
        stage.frame(
            OPEN + 5 * NS_PER_S, last_price=150, last_trade_ns=OPEN + 5 * NS_PER_S, volume=9_000
        )
        assert math.isnan(stage.metric("tick_return"))
        stage.frame(
            OPEN + 6 * NS_PER_S, last_price=165, last_trade_ns=OPEN + 6 * NS_PER_S, volume=9_010
        )
        assert stage.metric("tick_return") == pytest.approx(0.1)
        assert stage.metric("vwap") == 165.0
        assert len(stage.market.window("ACME")) == 2

    check(LiveStage)
    with pytest.raises(AssertionError):
        check(HidesTheLink)


def test_given_history_that_claims_nothing_then_only_its_own_minutes_are_known() -> None:
    stage = LiveStage(at_ns=clock(9, 30), up=False)
    kept = [candle(clock(9, minute), confirmed=False) for minute in (15, 16, 17, 20, 21)]
    stage.history(clock(9, 30), *kept, told=(0, 0))
    assert set(closed(stage).values()) == {(FINAL, False)}
    assert closed(stage, 3) == {0: (FINAL, False), 6: (FINAL, False)}
    stage.history(clock(9, 31), *kept[:3], *kept[3:], told=(OPEN, clock(9, 30)))
    assert set(closed(stage).values()) == {(FINAL, False)}
    told = [candle(clock(9, minute)) for minute in (15, 16, 17, 20, 21)]
    stage.history(clock(9, 32), *told, told=(OPEN, clock(9, 30)))
    assert set(closed(stage).values()) == {(FINAL, True)}
    assert closed(stage, 3) == {0: (FINAL, True), 3: (FINAL, True), 6: (FINAL, True)}


def test_given_two_frames_of_one_moment_then_a_gap_between_them_is_none() -> None:
    stage = two_symbols()
    rows = {
        symbol: {"last_price": 102, "last_trade_ns": NOON + 2 * NS_PER_S, "volume": 1020}
        for symbol in ("ACME", "BOLT", "NIFTY")
    }
    for _ in range(2):
        stage.process(frame(NOON + 2 * NS_PER_S, rows))
    assert stage.counter("repeats") == 3


def test_P09_given_a_quote_that_filled_in_then_time_brings_no_metric_of_before_back() -> None:
    stage = LiveStage()
    stage.begin()
    for second in range(1, 400):
        stage.trade(OPEN + second * NS_PER_S, 100 + second % 3)
        stage.timer(OPEN + second * NS_PER_S)
    assert stage.metric("vwap") == pytest.approx(101)
    down_ns = OPEN + 400 * NS_PER_S
    stage.link(down_ns, up=False)
    stage.quotes(down_ns, Quote("ACME", down_ns, 120, down_ns, 50_000))
    for second in range(60):
        stage.timer(down_ns + second * NS_PER_S)
        assert np.isnan(stage.market.metrics[:, 0]).all()
        assert not stage.market.warm[0]


@pytest.mark.parametrize("ahead_s", [20, 24 * 3600], ids=["seconds", "a day"])
def test_P08_given_a_frame_of_the_future_among_others_then_no_window_moves_to_it(
    ahead_s: int,
) -> None:
    def vwap(*frames: FrameArrived) -> float:
        stage = LiveStage()
        stage.begin()
        stage.trade(OPEN + 10 * NS_PER_S, 150)
        for second in range(30, 302):
            stage.trade(OPEN + second * NS_PER_S, 151)
        stage.process(FramesArrived(frames))
        return stage.metric("vwap")

    at_ns = OPEN + 302 * NS_PER_S
    told = {"last_price": 152, "last_trade_ns": at_ns, "volume": 5_000}
    good = frame(at_ns, {"ACME": told})
    future = FrameArrived(at_ns, 0, frame(at_ns + ahead_s * NS_PER_S, {"ACME": told}).data)
    assert vwap(future, good) == vwap(good, good)
    assert vwap(good, future) == vwap(good, good)


@pytest.mark.parametrize("told_first", ["ACME", "NIFTY"])
def test_P09_given_quotes_that_a_silent_feed_did_not_tell_then_nothing_spans_them(
    told_first: str,
) -> None:
    """No trade is missing, but how the book came to where it is nobody saw."""
    stage = two_symbols()
    columns = ("bid_price", "bid_quantity", "ask_price", "ask_quantity")

    def quote(second: int, ask: int) -> None:
        levels = ([best, 0, 0, 0, 0] for best in (99, 10, ask, 10))
        row = dict(zip(columns, levels, strict=True))
        stage.process(frame(NOON + second * NS_PER_S, {"ACME": row}))

    names = ("ofi_10", "ofi", "ofi_60", "rv")
    for second in range(2, 320):
        quote(second, 103 + second % 2)
        stage.trade(NOON + second * NS_PER_S, 101, symbol="NIFTY")
        stage.timer(NOON + second * NS_PER_S)
        if second == 300:
            stage.trade(NOON + second * NS_PER_S, 102)
    assert not [name for name in names if math.isnan(stage.metric(name))]
    stage.timer(NOON + 340 * NS_PER_S)
    if told_first == "NIFTY":
        stage.trade(NOON + 350 * NS_PER_S, 101, symbol="NIFTY")
    quote(351, 110)
    assert [name for name in names if not math.isnan(stage.metric(name))] == []
    for second in range(352, 370):
        stage.trade(NOON + second * NS_PER_S, 101, symbol="NIFTY")
        quote(second, 110 + second % 2)
        stage.timer(NOON + second * NS_PER_S)
    assert [name for name in names if not math.isnan(stage.metric(name))] == ["ofi_10"]
    assert stage.metric("vwap") == 102
