"""Sessions: phases and candle anchors of each class, before and after the closing auction came."""

from datetime import date

import pytest

from ticktick.domain.clock import at_ist
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.sessions import Calendar, Phase, SessionClass, session_class

BEFORE, AFTER = date(2026, 7, 31), date(2026, 8, 3)
AUCTION_CASH, CASH, DERIVATIVE = (
    SessionClass.AUCTION_CASH,
    SessionClass.CASH,
    SessionClass.DERIVATIVE,
)


@pytest.mark.parametrize(
    ("day", "kind", "minutes"),
    [
        (BEFORE, AUCTION_CASH, 375),
        (BEFORE, CASH, 375),
        (BEFORE, DERIVATIVE, 375),
        (AFTER, AUCTION_CASH, 360),
        (AFTER, CASH, 375),
        (AFTER, DERIVATIVE, 385),
    ],
)
def test_minutes_of_a_session_change_with_the_closing_auction(
    day: date, kind: SessionClass, minutes: int
) -> None:
    session = Calendar().session(day, kind)
    assert session is not None
    assert session.minutes == minutes


@pytest.mark.parametrize(
    ("kind", "hour", "minute", "phase"),
    [
        (AUCTION_CASH, 8, 59, Phase.CLOSED),
        (AUCTION_CASH, 9, 0, Phase.PRE_OPEN),
        (AUCTION_CASH, 9, 15, Phase.CONTINUOUS),
        (AUCTION_CASH, 15, 14, Phase.CONTINUOUS),
        (AUCTION_CASH, 15, 15, Phase.AUCTION),
        (AUCTION_CASH, 15, 34, Phase.AUCTION),
        (AUCTION_CASH, 15, 35, Phase.CLOSED),
        (AUCTION_CASH, 15, 50, Phase.POST_CLOSE),
        (AUCTION_CASH, 16, 0, Phase.CLOSED),
        (CASH, 15, 29, Phase.CONTINUOUS),
        (CASH, 15, 30, Phase.CLOSED),
        (DERIVATIVE, 15, 39, Phase.CONTINUOUS),
        (DERIVATIVE, 15, 40, Phase.CLOSED),
    ],
)
def test_P22_phases_of_a_day_since_the_closing_auction(
    kind: SessionClass, hour: int, minute: int, phase: Phase
) -> None:
    session = Calendar().session(AFTER, kind)
    assert session is not None
    assert session.phase(at_ist(AFTER, hour, minute)) is phase


def test_P22_before_the_closing_auction_all_trade_until_half_past_three() -> None:
    session = Calendar().session(BEFORE, AUCTION_CASH)
    assert session is not None
    assert session.phase(at_ist(BEFORE, 15, 29)) is Phase.CONTINUOUS
    assert session.phase(at_ist(BEFORE, 15, 30)) is Phase.CLOSED
    assert session.phase(at_ist(BEFORE, 15, 40)) is Phase.POST_CLOSE


def test_candles_are_anchored_at_the_open() -> None:
    session = Calendar().session(AFTER, CASH)
    assert session is not None
    assert session.candle_start_ns(at_ist(AFTER, 10, 14, 59), 60) == at_ist(AFTER, 9, 15)
    assert session.candle_start_ns(at_ist(AFTER, 10, 15), 60) == at_ist(AFTER, 10, 15)
    assert session.candle_start_ns(at_ist(AFTER, 15, 29), 10) == at_ist(AFTER, 15, 25)
    assert session.candle_start_ns(at_ist(AFTER, 9, 14), 5) == at_ist(AFTER, 9, 10)


def test_a_drill_has_two_stretches_and_no_candle_spans_them() -> None:
    drill = date(2024, 3, 2)
    session = Calendar().session(drill, CASH)
    assert session is not None
    assert session.minutes == 105
    assert session.phase(at_ist(drill, 10, 30)) is Phase.CLOSED
    assert session.candle_start_ns(at_ist(drill, 11, 31), 60) == at_ist(drill, 11, 30)
    assert session.boundaries == [at_ist(drill, *t) for t in ((9, 15), (10, 0), (11, 30), (12, 30))]


def test_a_week_end_session_at_regular_hours_is_a_day_like_any_other() -> None:
    budget = date(2026, 2, 1)
    session = Calendar().session(budget, AUCTION_CASH)
    assert session is not None
    assert session.phase(at_ist(budget, 9, 5)) is Phase.PRE_OPEN
    assert session.phase(at_ist(budget, 15, 45)) is Phase.POST_CLOSE


def test_an_evening_session_of_a_holiday_is_all_there_is() -> None:
    diwali = date(2024, 11, 1)
    session = Calendar().session(diwali, CASH)
    assert session is not None
    assert session.phase(at_ist(diwali, 10, 0)) is Phase.CLOSED
    assert session.phase(at_ist(diwali, 18, 30)) is Phase.CONTINUOUS
    assert session.minutes == 60


@pytest.mark.parametrize(
    ("kind", "has_closing_auction", "expected"),
    [
        (Kind.EQUITY, True, AUCTION_CASH),
        (Kind.EQUITY, False, CASH),
        (Kind.INDEX, False, AUCTION_CASH),
        (Kind.FUTURE, False, DERIVATIVE),
        (Kind.PUT, False, DERIVATIVE),
    ],
)
def test_an_instrument_follows_its_class(
    kind: Kind, has_closing_auction: bool, expected: SessionClass
) -> None:
    plain = Instrument("A", "A", "NSE", "S", "K", kind, has_closing_auction=has_closing_auction)
    assert session_class(plain) is expected
