"""A day with two sessions, live: candles of all timeframes are anchored at the day's first open."""

from msgspec.structs import replace

from tests.analytics_stage import walk
from tests.market_stage import OPEN, Stage, clock
from ticktick.analytics.timeframes import timeframes
from ticktick.domain.clock import NS_PER_MINUTE, ist_day
from ticktick.domain.event import CalendarRead
from ticktick.domain.market import TIMEFRAMES
from ticktick.domain.sessions import Calendar, DayHours

BREAK = (45, 135)  # minutes after the open, as in the drill of 2 March 2024
CLOSE = 195


def test_candles_behind_a_break_are_anchored_at_the_days_open() -> None:
    first, second = (
        (OPEN + begin * NS_PER_MINUTE, OPEN + end * NS_PER_MINUTE)
        for begin, end in ((0, BREAK[0]), (BREAK[1], CLOSE))
    )
    stage = Stage(at_ns=clock(13, 0), up=False)
    stage.engine.process(
        CalendarRead(clock(13, 0), (DayHours(ist_day(OPEN), cash=(first, second)),))
    )
    shift_ns = OPEN - walk(1)[0].start_ns
    minutes = [
        replace(each, start_ns=each.start_ns + shift_ns)
        for place, each in enumerate(walk(CLOSE))
        if not BREAK[0] <= place < BREAK[1]
    ]
    stage.history(clock(13, 0, 1), *minutes)
    stage.timer(clock(13, 0, 2))
    expected = list(timeframes(minutes, Calendar()))
    for width in TIMEFRAMES:
        told = [
            (c.start_ns, c.open, c.high, c.low, c.close, c.volume)
            for c in stage.market.candles("ACME", width)
        ]
        wanted = [
            (c.start_ns, c.open, c.high, c.low, c.close, c.volume)
            for c in expected
            if c.minutes == width
        ]
        assert told == wanted, width
    hours = [c.start_ns for c in stage.market.candles("ACME", 60)]
    assert [(start - OPEN) // NS_PER_MINUTE for start in hours] == [0, 120, 180]
