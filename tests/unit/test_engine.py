"""The engine: every kind of event, in order, with nothing but the events to go by."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec
import numpy as np

import ticktick.engine.engine
from tests.market_stage import (
    OPEN,
    JsonDecoder,
    Stage,
    candle,
    clock,
    frame,
    index,
    instrument,
    words,
)
from ticktick.domain.clock import NS_PER_DAY, NS_PER_S
from ticktick.domain.event import (
    CalendarRead,
    Event,
    Fact,
    FeedChanged,
    FrameArrived,
    HistoryRead,
    InstrumentsResolved,
    LinkChanged,
    NoteTaken,
    Noticed,
    PhaseChanged,
    TimerFired,
)
from ticktick.domain.sessions import Calendar, DayHours, Phase
from ticktick.engine.engine import Engine
from ticktick.engine.ports import EngineSettings

GARBAGE = b"\xff not a frame"


def notices(facts: list[Fact]) -> list[Noticed]:
    return [fact for fact in facts if isinstance(fact, Noticed)]


def phases(facts: Sequence[Fact]) -> list[tuple[str, Phase, str]]:
    return [(f.segment, f.phase, f.source) for f in facts if isinstance(f, PhaseChanged)]


def test_given_the_same_events_then_two_engines_say_the_same_byte_for_byte() -> None:
    events = a_busy_morning()
    first, second = (b"".join(played(events)) for _ in range(2))
    assert first == second
    assert len(first) > 10_000


def test_given_events_that_went_through_a_recording_then_the_outputs_are_the_same() -> None:
    events = a_busy_morning()
    decoder = msgspec.msgpack.Decoder(Event)
    again = [decoder.decode(msgspec.msgpack.encode(event)) for event in events]
    assert played(again) == played(events)


def test_given_frames_that_cannot_be_read_then_counted_and_told_once_a_minute() -> None:
    stage = Stage()
    stage.begin()
    for second in (1, 2, 59, 61, 62):
        outputs = stage.process(FrameArrived(OPEN + second * NS_PER_S, 0, GARBAGE))
        assert outputs.touched.tolist() == []
    told = notices(stage.facts)
    assert [(n.at_ns, n.level) for n in told] == [
        (OPEN + NS_PER_S, "error"),
        (OPEN + 61 * NS_PER_S, "error"),
    ]
    assert "4 rejected" in told[1].text
    assert stage.counter("frames_rejected") == 5
    stage.trade(OPEN + 63 * NS_PER_S, 101)
    assert stage.counter("frames") == 2


def test_given_keys_nobody_watches_then_they_are_counted() -> None:
    stage = Stage()
    stage.process(frame(OPEN, {"OTHER": {"last_price": 5}}))
    assert stage.counter("unknown_keys") == 1


def test_given_history_nobody_watches_then_it_is_told_not_kept() -> None:
    stage = Stage()
    stage.history(OPEN, candle(OPEN - NS_PER_DAY, symbol="OTHER"), symbol="OTHER")
    assert [n.level for n in notices(stage.facts)] == ["warning"]
    assert "OTHER" in notices(stage.facts)[0].text


def test_given_notes_then_they_come_out_as_notices() -> None:
    stage = Stage()
    stage.process(NoteTaken(OPEN, "error", "the token is expired"))
    stage.process(InstrumentsResolved(OPEN, (), notes=("a key was repaired",)))
    assert notices(stage.facts) == [
        Noticed(OPEN, "error", "the token is expired"),
        Noticed(OPEN, "info", "a key was repaired"),
    ]


def test_given_the_link_changes_then_it_is_told_once_with_its_reason() -> None:
    stage = Stage(up=False)
    assert (stage.market.link_up, stage.market.link_reason) == (False, "not connected yet")
    for _ in range(2):
        stage.link(OPEN, up=True, reason="connected")
    stage.link(OPEN + 1, up=False, reason="reset")
    assert [f for f in stage.facts if isinstance(f, FeedChanged)] == [
        FeedChanged(OPEN, True, "connected"),
        FeedChanged(OPEN + 1, False, "reset"),
    ]
    assert (stage.market.link_up, stage.market.link_reason) == (False, "reset")


def test_given_an_instrument_again_then_it_keeps_its_row_and_takes_its_new_key() -> None:
    stage = Stage()
    stage.begin()
    stage.process(InstrumentsResolved(OPEN, (instrument(instrument_key="NSE_EQ|NEW"),)))
    assert stage.market.table.row_of_key["NSE_EQ|NEW"] == 0
    assert len(stage.market.freshness) == 1
    stage.trade(OPEN + 1, 101)
    assert stage.counter("trades") == 1


def test_P22_given_no_word_of_the_feed_then_the_calendar_tells_the_phases() -> None:
    stage = Stage(instrument(), index(), at_ns=clock(8, 59))
    assert phases(stage.facts) == [
        ("NSE_EQ", Phase.CLOSED, "calendar"),
        ("NSE_INDEX", Phase.CLOSED, "calendar"),
    ]
    assert phases(stage.timer(clock(9, 0)).facts) == [
        ("NSE_EQ", Phase.PRE_OPEN, "calendar"),
        ("NSE_INDEX", Phase.PRE_OPEN, "calendar"),
    ]
    assert stage.timer(clock(9, 1)).facts == ()
    assert phases(stage.frame(clock(9, 15, 0)).facts)[0] == ("NSE_EQ", Phase.CONTINUOUS, "calendar")


def test_P22_given_the_feed_spoke_then_its_word_holds_for_that_day() -> None:
    stage = Stage(at_ns=clock(9, 14))
    facts = stage.process(words(clock(9, 14), NSE_EQ=Phase.HALTED, BSE_EQ=Phase.CONTINUOUS)).facts
    assert phases(facts) == [("NSE_EQ", Phase.HALTED, "feed")]
    stage.timer(clock(9, 16))
    assert stage.market.phases == {"NSE_EQ": Phase.HALTED}
    assert stage.market.phase_sources == {"NSE_EQ": "feed"}
    assert phases(stage.timer(clock(0, 0) + NS_PER_DAY).facts) == [
        ("NSE_EQ", Phase.CLOSED, "calendar")
    ]


def test_F41_given_the_broker_closes_the_day_then_the_phases_follow_at_once() -> None:
    stage = Stage(at_ns=clock(9, 16))
    assert stage.market.phases == {"NSE_EQ": Phase.CONTINUOUS}
    outputs = stage.process(CalendarRead(clock(9, 17), (DayHours(date(2026, 11, 20)),)))
    assert phases(outputs.facts) == [("NSE_EQ", Phase.CLOSED, "calendar")]
    assert outputs.touched.tolist() == [0]


def test_F41_given_an_evening_session_of_the_broker_then_its_trades_make_candles() -> None:
    evening = ((clock(18), clock(19)),)
    stage = Stage(at_ns=clock(9))
    stage.process(CalendarRead(clock(9), (DayHours(date(2026, 11, 20), evening, evening),)))
    stage.timer(clock(18))
    assert stage.market.phases == {"NSE_EQ": Phase.CONTINUOUS}
    stage.begin(clock(18, 0, 1))
    stage.trade(clock(18, 0, 30), 105)
    stage.timer(clock(18, 1, 10))
    assert [candle.start_ns for candle in stage.market.candles("ACME", 1)] == [clock(18)]
    stage.timer(clock(19))
    assert stage.market.phases == {"NSE_EQ": Phase.CLOSED}


def test_P22_given_a_word_the_feeds_schema_does_not_know_then_the_calendar_stays() -> None:
    stage = Stage(at_ns=clock(9, 16))
    assert phases(stage.process(words(clock(9, 16), NSE_EQ=Phase.UNKNOWN)).facts) == []
    assert stage.market.phase_sources == {"NSE_EQ": "calendar"}


def test_P22_given_a_segment_of_two_classes_then_its_phase_is_the_liveliest() -> None:
    stage = Stage(instrument(), instrument("BOLT", has_closing_auction=True), at_ns=clock(15, 16))
    assert stage.market.phases == {"NSE_EQ": Phase.CONTINUOUS}
    stage.timer(clock(15, 31))
    assert stage.market.phases == {"NSE_EQ": Phase.AUCTION}


def test_P22_given_the_exchange_stops_early_then_later_prints_make_no_candle() -> None:
    stage = Stage(at_ns=clock(11, 0))
    stage.begin(clock(11, 0))
    stage.trade(clock(11, 0, 10), 101)
    stage.process(words(clock(11, 1), NSE_EQ=Phase.HALTED))
    stage.trade(clock(11, 2), 102)
    stage.timer(clock(11, 4))
    assert [c.close for c in stage.market.candles("ACME", 1)] == [101]
    stage.process(words(clock(11, 5), NSE_EQ=Phase.CONTINUOUS))
    stage.trade(clock(11, 6), 103)
    stage.timer(clock(11, 8))
    assert [c.close for c in stage.market.candles("ACME", 1)] == [101, 103]


def test_P22_given_an_early_close_and_another_word_then_the_first_one_ends_the_trading() -> None:
    stage = Stage(at_ns=clock(11, 0))
    stage.begin(clock(11, 0))
    stage.process(words(clock(11, 1), NSE_EQ=Phase.CLOSED))
    stage.process(words(clock(11, 10), NSE_EQ=Phase.POST_CLOSE))
    stage.trade(clock(11, 5), 101)
    stage.timer(clock(11, 12))
    assert tuple(stage.market.candles("ACME", 1)) == ()


def test_given_a_frame_older_than_the_one_before_then_the_newest_time_stands() -> None:
    stage = Stage()
    stage.begin(OPEN + 10)
    stage.trade(OPEN + 5, 101)
    assert stage.market.last_frame_ns == OPEN + 10


def test_P22_given_an_evening_extension_then_the_feed_opens_and_ends_it() -> None:
    stage = Stage(at_ns=clock(16, 30))
    stage.begin(clock(16, 30))
    stage.process(words(clock(16, 30), NSE_EQ=Phase.CLOSED))
    stage.process(words(clock(17, 0), NSE_EQ=Phase.CONTINUOUS))
    stage.trade(clock(17, 0, 5), 101)
    stage.process(words(clock(17, 1), NSE_EQ=Phase.POST_CLOSE))
    stage.trade(clock(17, 1, 5), 102)
    stage.timer(clock(17, 5))
    assert [c.close for c in stage.market.candles("ACME", 1)] == [101]


def test_P22_given_a_first_word_after_the_close_that_says_open_then_no_candle_believes_it() -> None:
    stage = Stage(at_ns=clock(15, 45))
    stage.process(words(clock(15, 45), NSE_EQ=Phase.CONTINUOUS))
    stage.begin(clock(15, 45))
    stage.trade(clock(15, 46), 101)
    stage.timer(clock(15, 48))
    assert tuple(stage.market.candles("ACME", 1)) == ()


def test_given_settled_candles_then_the_desk_hears_of_them() -> None:
    stage = Stage()
    stage.history(clock(9, 21), *[candle(clock(9, 15 + i)) for i in range(6)])
    assert stage.engine.desk.settled_candles == {1: 6, 3: 2, 5: 1}


def test_the_engine_composes_its_halves_in_under_a_hundred_lines() -> None:
    source = Path(ticktick.engine.engine.__file__).read_text()
    assert len(source.splitlines()) < 100


def a_busy_morning() -> list[Event]:
    rng = np.random.default_rng(7)
    symbols = ("ACME", "BOLT", "NIFTY")
    events: list[Event] = [
        InstrumentsResolved(OPEN, (instrument(), instrument("BOLT"), index()), "NIFTY", ("hello",)),
        HistoryRead(
            OPEN, "ACME", tuple(candle(OPEN - NS_PER_DAY + i * 60 * NS_PER_S) for i in range(60))
        ),
        CalendarRead(OPEN, (DayHours(date(2026, 11, 21), ((OPEN, OPEN + NS_PER_DAY),)),)),
        LinkChanged(OPEN, True, "connected"),
        words(OPEN, NSE_EQ=Phase.CONTINUOUS),
    ]
    volume = 0
    for second in range(400):
        at_ns = OPEN + second * NS_PER_S
        volume += int(rng.integers(0, 50))
        events.append(TimerFired(at_ns))
        rows = {
            symbol: {
                "last_price": int(rng.integers(90, 110)),
                "last_trade_ns": at_ns,
                "volume": volume,
                "bid_price": [int(rng.integers(90, 100)), 0, 0, 0, 0],
                "bid_quantity": [int(rng.integers(0, 100)), 0, 0, 0, 0],
                "ask_price": [int(rng.integers(95, 105)), 0, 0, 0, 0],
                "ask_quantity": [int(rng.integers(0, 100)), 0, 0, 0, 0],
            }
            for symbol in symbols
            if rng.random() < 0.5
        }
        events.append(frame(at_ns + 1, rows))
        if second in (100, 200, 300):  # one leaves, comes back, and begins a new past
            every = (instrument(), instrument("BOLT"), index())
            listed = every[1:] if second == 100 else every
            restated = ("BOLT",) if second == 300 else ()
            events.append(InstrumentsResolved(at_ns + 1, listed, "NIFTY", restated=restated))
        if second % 97 == 96:
            events.append(FrameArrived(at_ns + 2, 0, GARBAGE))
            events.append(LinkChanged(at_ns + 3, False, "reset"))
            events.append(LinkChanged(at_ns + 4, True, "connected"))
    return events


def played(events: list[Event]) -> list[bytes]:
    """What the engine says to each event: facts, touched rows and their metrics, as bytes."""
    engine = Engine(JsonDecoder(), Calendar(), EngineSettings())
    said = []
    for event in events:
        outputs = engine.process(event)
        told = (outputs.at_ns, outputs.touched.tolist(), outputs.facts)
        said.append(
            msgspec.json.encode(told, enc_hook=dict)
            + engine.market.metrics[:, outputs.touched].tobytes()
        )
    return said
