"""Phases by row: the feed's word, the calendar's plan, and which of them wins."""

import math
from datetime import date
from typing import Any

import pytest

from tests.market_stage import (
    OPEN,
    JsonDecoder,
    LiveStage,
    Stage,
    auction_words,
    clock,
    frame,
    index,
    instrument,
    words,
)
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MINUTE, NS_PER_S, at_ist
from ticktick.domain.event import CalendarRead, PhaseChanged
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.market import Freshness
from ticktick.domain.sessions import Calendar, DayHours, Phase, SessionClass
from ticktick.engine.ports import Decoded, EngineSettings, MarketWords
from ticktick.market.phases import Phases
from ticktick.market.table import SlotTable
from ticktick.web.depth import depth
from ticktick.web.messages import Auction


def phases(*instruments: Instrument, at_ns: int = OPEN) -> Phases:
    made = Phases(Calendar(), 8)
    made.watch(instruments, at_ns)
    return made


@pytest.mark.parametrize(
    ("word", "phase"),
    [
        (Phase.CONTINUOUS, Phase.AUCTION),
        (Phase.CLOSED, Phase.AUCTION),
        (Phase.HALTED, Phase.HALTED),
        (Phase.POST_CLOSE, Phase.POST_CLOSE),
    ],
)
def test_P22_where_the_feed_tells_no_auction_the_calendar_does_and_the_feed_can_halt_it(
    word: Phase, phase: Phase
) -> None:
    at_ns = clock(15, 20)
    book = phases(instrument(has_closing_auction=True), at_ns=at_ns)
    assert book.rows == [Phase.AUCTION]
    book.hear({"NSE_EQ": word}, {}, {}, at_ns)
    assert book.rows == [phase]


def test_P22_each_class_of_a_segment_has_its_own_end_of_trading() -> None:
    book = phases(
        instrument(),
        instrument("BOLT", has_closing_auction=True),
        instrument("PUT", kind=Kind.PUT, segment="NSE_FO"),
        index(),
        at_ns=clock(15, 14, 59),
    )
    assert set(book.rows) == {Phase.CONTINUOUS}
    assert book.take_flipped().tolist() == [0, 1, 2, 3]
    assert book.advance(clock(15, 15)) == ["NSE_INDEX"]
    assert book.rows == [Phase.CONTINUOUS, Phase.AUCTION, Phase.CONTINUOUS, Phase.AUCTION]
    assert book.take_flipped().tolist() == [1, 3]
    assert book.take_flipped().tolist() == []
    assert book.advance(clock(15, 30)) == ["NSE_EQ"]
    assert book.advance(clock(15, 35)) == ["NSE_EQ", "NSE_INDEX"]
    assert book.advance(clock(15, 40)) == ["NSE_FO"]


def test_a_stretch_is_told_of_any_day() -> None:
    book = phases(instrument())
    drill = Calendar().session(date(2024, 3, 2), SessionClass.CASH)
    assert drill is not None
    for start, end in drill.stretches:
        assert book.stretch(0, start) == (start, end)
        assert book.stretch(0, end - 1) == (start, end)
        assert book.stretch(0, end) is None
    assert book.stretch(0, clock(9, 14)) is None


def test_a_segment_nobody_watches_is_not_told() -> None:
    book = phases(instrument())
    assert book.hear({"MCX_FO": Phase.CONTINUOUS}, {}, {}, OPEN) == []
    assert book.by_segment == {"NSE_EQ": Phase.CONTINUOUS}


# --- the feed's words, through the engine -------------------------------------------------------


class HearsNothing(JsonDecoder):
    """A broken decoder: what the feed says of the market is lost."""

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Leave out the words."""
        decoded = super().decode(data, table, received_ns, seq)
        return Decoded(decoded.exchange_ns, decoded.rows)


class TakesAllForTrading(JsonDecoder):
    """A broken decoder: every word of the feed seems to say that trading goes on."""

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Turn the words into others."""
        decoded = super().decode(data, table, received_ns, seq)
        told = dict.fromkeys(("NSE_EQ", "NSE_INDEX", "NSE_FO"), Phase.CONTINUOUS)
        return Decoded(decoded.exchange_ns, decoded.rows, words=MarketWords(told, told))


AUCTION_SHARE = instrument(has_closing_auction=True)
CONTRACT = instrument("PUT", kind=Kind.PUT, segment="NSE_FO")


def rows_of(stage: Stage) -> list[Phase]:
    return list(stage.market.row_phases)


def told_of(stage: Stage, segment: str) -> Phase:
    return stage.market.phases[segment]


def test_P22_given_the_feeds_auction_then_it_lasts_from_its_first_word_to_its_last() -> None:
    def check(decoder: JsonDecoder) -> None:
        shares = AUCTION_SHARE, instrument("BOLT"), index()
        stage = Stage(*shares, at_ns=clock(15, 10), decoder=decoder)
        stage.process(words(clock(15, 10), NSE_EQ=Phase.CONTINUOUS, NSE_INDEX=Phase.CONTINUOUS))
        stage.process(auction_words(clock(15, 12), NSE_EQ=Phase.AUCTION))
        assert rows_of(stage) == [Phase.AUCTION, Phase.CONTINUOUS, Phase.AUCTION]
        stage.process(words(clock(15, 30), NSE_EQ=Phase.CLOSED))
        assert told_of(stage, "NSE_EQ") is Phase.AUCTION
        stage.timer(clock(15, 36))  # by the calendar it would be over
        assert rows_of(stage) == [Phase.AUCTION, Phase.CLOSED, Phase.AUCTION]
        stage.process(auction_words(clock(15, 37), NSE_EQ=Phase.CLOSED))
        assert told_of(stage, "NSE_EQ") is Phase.CLOSED
        stage.process(words(clock(15, 50), NSE_EQ=Phase.POST_CLOSE))
        assert rows_of(stage)[0] is Phase.POST_CLOSE

    check(JsonDecoder())
    for broken in (HearsNothing(), TakesAllForTrading()):
        with pytest.raises(AssertionError):
            check(broken)


def test_P22_given_an_auction_that_the_feed_ends_early_then_it_is_over() -> None:
    stage = Stage(AUCTION_SHARE, at_ns=clock(15, 14))
    stage.process(words(clock(15, 14), NSE_EQ=Phase.CONTINUOUS))
    stage.process(auction_words(clock(15, 15), NSE_EQ=Phase.AUCTION))
    stage.process(words(clock(15, 30), NSE_EQ=Phase.CLOSED))
    stage.process(auction_words(clock(15, 33), NSE_EQ=Phase.CLOSED))
    assert rows_of(stage) == [Phase.CLOSED]


@pytest.mark.parametrize(
    ("told_ns", "next_ns"),
    [(clock(9, 2), clock(15, 20)), (clock(15, 20), clock(9, 3) + 3 * NS_PER_DAY)],
    ids=["from the morning to the close", "over a week-end"],
)
def test_P04_what_was_told_of_an_auction_is_not_shown_in_the_next_one(
    told_ns: int, next_ns: int
) -> None:
    stage = Stage(AUCTION_SHARE, at_ns=told_ns - NS_PER_S)
    told: dict[str, Any] = {
        "auction_price": 14_000,
        "reference_price": 13_900,
        "auction_quantity": 70,
    }

    def shown() -> Auction | None:
        market = stage.market
        return depth(market.table, market.metrics, 0, market.row_phases[0]).auction

    stage.frame(told_ns, last_price=13_900, **told)
    assert shown() == Auction(14_000, 70, 0, 0, 13_900)
    stage.timer(told_ns + 20 * NS_PER_MINUTE)
    assert shown() is None
    stage.process(frame(next_ns, {}))
    assert stage.market.row_phases[0] in (Phase.PRE_OPEN, Phase.AUCTION)
    assert shown() is None
    stage.frame(next_ns + NS_PER_S, last_price=14_100, **told | {"auction_price": 14_050})
    assert shown() == Auction(14_050, 70, 0, 0, 13_900)


def test_P22_given_words_that_nobody_knows_then_the_calendar_tells_and_they_are_counted() -> None:
    stage = Stage(AUCTION_SHARE, at_ns=clock(12, 0))
    stage.process(words(clock(12, 0), NSE_EQ=Phase.POST_CLOSE))
    assert stage.market.phase_sources == {"NSE_EQ": "feed"}
    stage.process(words(clock(12, 1), NSE_EQ=Phase.UNKNOWN))
    assert stage.market.phase_sources == {"NSE_EQ": "calendar"}
    assert rows_of(stage) == [Phase.CONTINUOUS]
    stage.process(auction_words(clock(15, 20), NSE_EQ=Phase.UNKNOWN))
    assert rows_of(stage) == [Phase.AUCTION]
    assert stage.counter("unknown_words") == 2


def test_P22_given_a_day_of_which_nobody_knows_then_prices_are_shown_in_an_unknown_phase() -> None:
    noon = at_ist(date(2031, 5, 6), 12)
    stage = Stage(at_ns=noon)
    stage.begin(noon)
    assert stage.market.phases == {"NSE_EQ": Phase.UNKNOWN}
    stage.timer(noon + 3600 * NS_PER_S)
    assert stage.freshness() is Freshness.QUIET
    assert stage.market.table.records["last_price"][0] == 100
    stage.process(words(noon + 3600 * NS_PER_S, NSE_EQ=Phase.CONTINUOUS))
    assert stage.market.phases == {"NSE_EQ": Phase.CONTINUOUS}
    saturday = at_ist(date(2031, 5, 10), 12)
    stage.timer(saturday)
    assert stage.market.phases == {"NSE_EQ": Phase.CLOSED}


def test_P22_given_futures_in_their_pre_open_then_their_own_word_tells_it() -> None:
    stage = Stage(CONTRACT, at_ns=clock(9, 5))
    told = frame(clock(9, 5), {}, phases=[{"NSE_FO": "closed"}, {}, {"NSE_FO": "pre_open"}])
    stage.process(told)
    assert rows_of(stage) == [Phase.PRE_OPEN]
    stage.process(words(clock(9, 15), NSE_FO=Phase.CONTINUOUS))
    assert rows_of(stage) == [Phase.CONTINUOUS]


def test_F41_given_special_hours_of_the_broker_then_phases_and_candles_follow_them() -> None:
    sunday = 2 * NS_PER_DAY
    day = date(2026, 11, 22)
    evening = ((clock(18, 0) + sunday, clock(19, 0) + sunday),)
    stage = LiveStage(at_ns=clock(17, 0) + sunday)
    stage.begin(clock(17, 0) + sunday)
    assert stage.freshness() is Freshness.CLOSED
    stage.process(CalendarRead(clock(17, 30) + sunday, (DayHours(day, evening, evening),)))
    stage.timer(clock(18, 0) + sunday)
    assert stage.market.phases == {"NSE_EQ": Phase.CONTINUOUS, "NSE_INDEX": Phase.CONTINUOUS}
    stage.trade(clock(18, 0, 30) + sunday, 101)
    stage.timer(clock(19, 0, 5) + sunday)
    stage.trade(clock(19, 0, 10) + sunday, 102)
    stage.timer(clock(19, 2) + sunday)
    assert [c.close for c in stage.market.candles("ACME", 1)] == [101]
    assert stage.freshness() is Freshness.CLOSED


def test_F41_given_a_week_end_and_a_holiday_then_nothing_is_stale_until_the_next_session() -> None:
    stage = Stage(at_ns=clock(15, 30) - 1)
    stage.begin(clock(15, 30) - 1)
    monday, tuesday, wednesday = (days * NS_PER_DAY for days in (3, 4, 5))
    assert not Calendar().is_trading_day(date(2026, 11, 24))
    for begin_ns, end_ns in (
        (clock(15, 30), clock(9, 15) + monday),
        (clock(15, 30) + monday, clock(9, 15) + wednesday),
    ):
        for at_ns in range(begin_ns, end_ns, 5 * NS_PER_MINUTE):
            stage.timer(at_ns)
            assert stage.freshness() in {Freshness.CLOSED, Freshness.QUIET}
    phases = [(f.at_ns, f.phase) for f in stage.facts if isinstance(f, PhaseChanged)]
    assert [phase for at_ns, phase in phases if at_ns > clock(16) + monday] == [Phase.PRE_OPEN]
    assert not any(tuesday <= at_ns - clock(0) < wednesday for at_ns, _ in phases)


def test_F42_given_a_whole_day_then_auction_prints_make_the_price_but_no_candle() -> None:
    def check(decoder: JsonDecoder) -> None:
        patient = EngineSettings(silence_limit_s=24 * 3600)
        stage = Stage(AUCTION_SHARE, at_ns=clock(8, 59), decoder=decoder, settings=patient)
        stage.begin(clock(8, 59), price=100)
        prints = [
            (clock(9, 7, 40), 104),  # the pre-open's price
            (clock(9, 15, 0), 105),  # the first tick
            (clock(15, 14, 59), 106),
            (clock(15, 14, 59.5), 107),  # the feed has closed it already
            (clock(15, 30, 10), 109),  # the closing auction's price
            (clock(15, 52), 109),  # the post-close
        ]
        stage.process(words(clock(9, 0), NSE_EQ=Phase.PRE_OPEN))
        for at_ns, price in prints:
            if price == 105:
                stage.process(words(at_ns, NSE_EQ=Phase.CONTINUOUS))
            if price == 107:
                stage.process(auction_words(at_ns, NSE_EQ=Phase.AUCTION))
            stage.timer(at_ns)
            stage.trade(at_ns, price)
            assert stage.market.table.records["last_price"][0] == price
            in_trading = price in (105, 106)
            assert stage.freshness() is Freshness.FRESH
            assert math.isnan(stage.metric("mid")) or in_trading
        stage.timer(clock(16, 1))
        assert [c.close for c in stage.market.candles("ACME", 1)] == [105, 106]

    check(JsonDecoder())
    with pytest.raises(AssertionError):
        check(HearsNothing())


def test_F42_given_the_auction_then_nobody_is_stale_however_long_nothing_is_told() -> None:
    stage = Stage(AUCTION_SHARE, index(), at_ns=clock(15, 14), canary="NIFTY")
    for symbol in ("ACME", "NIFTY"):
        stage.begin(clock(15, 14, 58), symbol)
    for minute in range(15, 36):
        stage.timer(clock(15, minute))
        assert stage.freshness() in {Freshness.FRESH, Freshness.QUIET, Freshness.CLOSED}


def test_F43_given_a_halt_and_an_evening_then_the_phase_follows_the_feed() -> None:
    def check(decoder: JsonDecoder) -> None:
        stage = Stage(instrument(), CONTRACT, index(), at_ns=clock(11, 30), decoder=decoder)
        every = ("NSE_EQ", "NSE_FO", "NSE_INDEX")
        stage.process(words(clock(11, 30), **dict.fromkeys(every, Phase.CONTINUOUS)))
        for symbol in ("ACME", "PUT", "NIFTY"):
            stage.begin(clock(11, 39, 50), symbol)
            stage.trade(clock(11, 39, 55), 101, symbol=symbol)
        stage.process(words(clock(11, 40), **dict.fromkeys(every, Phase.CLOSED)))
        halted = dict.fromkeys(every, Phase.HALTED)
        for minute in range(41, 41 + 4 * 60):
            stage.timer(clock(11, minute))
            assert stage.market.phases == halted
            assert Freshness.STALE not in stage.market.freshness
        stage.process(words(clock(15, 45), **dict.fromkeys(every, Phase.CONTINUOUS)))
        for symbol in ("ACME", "PUT", "NIFTY"):
            stage.trade(clock(15, 45, 1), 103, symbol=symbol)
        stage.timer(clock(15, 46, 2))
        assert [c.close for c in stage.market.candles("ACME", 1)] == [101, 103]
        stage.process(words(clock(17, 0), **dict.fromkeys(every, Phase.CLOSED)))
        stage.trade(clock(17, 0, 5), 104)
        stage.timer(clock(17, 2))
        assert [c.close for c in stage.market.candles("ACME", 1)] == [101, 103]
        assert set(stage.market.phases.values()) == {Phase.CLOSED}

    check(JsonDecoder())
    for broken in (HearsNothing(), TakesAllForTrading()):
        with pytest.raises(AssertionError):
            check(broken)


def test_F43_given_a_halt_that_nobody_ends_then_it_is_closed_after_the_last_session() -> None:
    stage = Stage(at_ns=clock(11, 30))
    stage.process(words(clock(11, 30), NSE_EQ=Phase.CONTINUOUS))
    stage.process(words(clock(11, 40), NSE_EQ=Phase.CLOSED))
    stage.timer(clock(15, 59))
    assert stage.market.phases == {"NSE_EQ": Phase.HALTED}
    stage.timer(clock(16, 0))
    assert stage.market.phases == {"NSE_EQ": Phase.CLOSED}


def test_P22_given_closed_shortly_before_the_plan_then_it_is_the_end_not_a_halt() -> None:
    stage = Stage(at_ns=clock(15, 0))
    stage.process(words(clock(15, 0), NSE_EQ=Phase.CONTINUOUS))
    stage.process(words(clock(15, 15), NSE_EQ=Phase.CLOSED))
    assert stage.market.phases == {"NSE_EQ": Phase.CLOSED}


LATE_STARTS = [(14, 57), (15, 5), (15, 12), (15, 20), (15, 29)]


def started_late(at_ns: int, last_trade_ns: int) -> Stage:
    """A program that begins at the moment: the exchange says closed, then tells its last trades."""
    stage = Stage(AUCTION_SHARE, instrument("BOLT"), index(), CONTRACT, at_ns=at_ns)
    every = ("NSE_EQ", "NSE_FO", "NSE_INDEX")
    stage.process(words(at_ns, **dict.fromkeys(every, Phase.CLOSED)))
    symbols = [instrument.symbol for instrument in stage.market.table.instruments]
    told = {"last_price": 100, "last_trade_ns": last_trade_ns, "volume": 9}
    stage.process(frame(at_ns + NS_PER_S, dict.fromkeys(symbols, told)))
    return stage


@pytest.mark.parametrize("at", LATE_STARTS)
def test_F43_given_a_start_late_in_a_halt_then_the_last_trades_tell_it_from_the_end(
    at: tuple[int, int],
) -> None:
    stage = started_late(clock(*at), last_trade_ns=clock(11, 39, 55))
    assert set(rows_of(stage)) == {Phase.HALTED}
    assert set(stage.market.phases.values()) == {Phase.HALTED}
    stage.process(words(clock(15, 45), NSE_EQ=Phase.CONTINUOUS, NSE_INDEX=Phase.CONTINUOUS))
    stage.process(words(clock(17, 0), NSE_EQ=Phase.CLOSED, NSE_INDEX=Phase.CLOSED))
    assert {told_of(stage, "NSE_EQ"), told_of(stage, "NSE_INDEX")} == {Phase.CLOSED}


@pytest.mark.parametrize("at", LATE_STARTS)
@pytest.mark.parametrize("days", [0, 1])
def test_P22_given_a_start_at_an_early_end_then_it_is_an_end_and_no_halt(
    at: tuple[int, int], days: int
) -> None:
    newest_ns = clock(14, 56) if not days else clock(11, 39) - days * NS_PER_DAY
    at_ns = clock(*at)
    stage = started_late(at_ns, newest_ns)
    assert told_of(stage, "NSE_INDEX") in {Phase.CLOSED, Phase.AUCTION}


def test_F43_given_a_link_lost_in_a_halt_then_no_minute_of_the_halt_is_missed() -> None:
    stage = LiveStage(at_ns=clock(11, 30))
    stage.process(words(clock(11, 30), NSE_EQ=Phase.CONTINUOUS))
    stage.begin(clock(11, 39))
    stage.process(words(clock(11, 40), NSE_EQ=Phase.CLOSED, NSE_INDEX=Phase.CLOSED))
    stage.link(clock(12, 0), up=False)
    stage.link(clock(12, 10), up=True)
    told = {"NSE_EQ": Phase.CONTINUOUS, "NSE_INDEX": Phase.CONTINUOUS}
    stage.process(words(clock(12, 20), **told))
    stage.volume["ACME"] = 9_000
    stage.trade(clock(12, 20, 1), 102)
    stage.timer(clock(12, 20, 2))
    assert stage.freshness() is Freshness.FRESH
    row = {"gap_minutes_open": stage.counter("gap_minutes_open")}
    assert row == {"gap_minutes_open": 1}
