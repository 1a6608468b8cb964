"""Phases by row: the feed's word, the calendar's plan, and which of them wins."""

from datetime import date

import pytest

from tests.market_stage import OPEN, clock, index, instrument
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.sessions import Calendar, Phase, SessionClass
from ticktick.market.phases import Phases


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
def test_P22_the_feed_cannot_tell_the_closing_auction_of_a_class_but_can_halt_it(
    word: Phase, phase: Phase
) -> None:
    at_ns = clock(15, 20)
    book = phases(instrument(has_closing_auction=True), at_ns=at_ns)
    assert book.rows == [Phase.AUCTION]
    book.hear({"NSE_EQ": word}, at_ns)
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
    assert book.hear({"MCX_FO": Phase.CONTINUOUS}, OPEN) == []
    assert book.by_segment == {"NSE_EQ": Phase.CONTINUOUS}
