"""When a flag is told at all, and what the edges of a book make of it."""

import numpy as np
import pytest

from tests.market_stage import OPEN, LiveStage, Stage, clock, index, instrument, words
from tests.property.test_flags import show_book, teach, word
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.market import Freshness, Liquidity, Volatility
from ticktick.domain.sessions import Phase

AT = OPEN + 60 * NS_PER_S


def judged(stage: Stage, at_ns: int) -> str | None:
    """The liquidity flag after a timer at the moment."""
    stage.timer(at_ns)
    return word(stage, Liquidity, "liquidity")


def liquid(at_ns: int = AT) -> LiveStage:
    """A stage on which ACME is liquid at the moment."""
    stage = LiveStage()
    show_book(stage, at_ns, 20, 5_000_000)
    assert judged(stage, at_ns) == "LIQUID"
    return stage


def test_an_empty_book_is_no_quote_and_no_word_is_wrong_until_it_may_be_said() -> None:
    stage = liquid()
    told = []
    for second in range(1, 31):
        show_book(stage, AT + second * NS_PER_S, None, 5_000_000)
        told.append(judged(stage, AT + second * NS_PER_S))
    assert told == [None] * 29 + ["NO_QUOTE"]


def test_a_locked_or_crossed_book_is_no_quote() -> None:
    for spread in (0, -20):
        stage = LiveStage()
        show_book(stage, AT, spread, 5_000_000)
        assert judged(stage, AT) == "NO_QUOTE"


def test_a_book_of_zero_quantities_is_illiquid() -> None:
    stage = LiveStage()
    show_book(stage, AT, 20, 0)
    assert judged(stage, AT) == "ILLIQUID"


def test_given_silence_of_ten_seconds_while_the_feed_lives_then_no_quote() -> None:
    stage = liquid()
    assert judged(stage, AT + 10 * NS_PER_S) == "LIQUID"
    told = [judged(stage, AT + second * NS_PER_S) for second in range(11, 32)]
    assert told[:19] == [None] * 19
    assert told[-1] == "NO_QUOTE"


def test_given_a_silent_feed_then_there_is_no_flag() -> None:
    stage = Stage(instrument(), index(), canary="NIFTY")
    show_book(stage, AT, 20, 5_000_000)
    assert judged(stage, AT) == "LIQUID"
    told = [judged(stage, AT + second * NS_PER_S) for second in (6, 11, 40)]
    assert told == [None, None, None]


def test_given_a_link_that_went_down_then_there_is_no_flag() -> None:
    stage = liquid()
    stage.link(AT + NS_PER_S, up=False)
    assert judged(stage, AT + 2 * NS_PER_S) is None
    assert word(stage, Volatility, "volatility") is None


def test_outside_continuous_trading_there_is_no_flag() -> None:
    stage = liquid()
    stage.process(words(AT + NS_PER_S, NSE_EQ=Phase.CLOSED))
    assert judged(stage, AT + 2 * NS_PER_S) is None


def test_given_no_packet_of_the_trading_yet_then_nothing_is_said_of_the_book_before_it() -> None:
    stage = LiveStage(at_ns=clock(9, 10))
    show_book(stage, clock(9, 14, 59), None, 5_000_000)
    assert judged(stage, OPEN) is None
    show_book(stage, OPEN + NS_PER_S, 20, 5_000_000)
    assert judged(stage, OPEN + NS_PER_S) == "LIQUID"


def test_an_index_has_no_flags() -> None:
    stage = liquid()
    names = ("liquidity", "liquidity_baseline", "volatility", "volatility_baseline")
    assert all(np.isnan(stage.metric(name, LiveStage.PULSE)) for name in names)


def test_after_a_gap_a_flag_begins_anew() -> None:
    stage = liquid()
    stage.link(AT + NS_PER_S, up=False)
    stage.link(AT + 2 * NS_PER_S, up=True)
    show_book(stage, AT + 3 * NS_PER_S, 2_000, 5_000_000)
    assert judged(stage, AT + 3 * NS_PER_S) == "ILLIQUID"


def test_given_four_sessions_then_nothing_is_usual_yet() -> None:
    stage = LiveStage()
    teach(stage, 1.0, days=4)
    show_book(stage, AT, 100, 5_000_000)
    assert judged(stage, AT) == "LIQUID"
    assert stage.metric("liquidity_baseline") == 0
    teach(stage, 1.0, days=5)
    show_book(stage, AT + 30 * NS_PER_S, 100, 5_000_000)
    assert judged(stage, AT + 30 * NS_PER_S) == "ILLIQUID"
    assert stage.metric("liquidity_baseline") == 1


def test_volatility_is_unknown_without_a_usual_one_and_says_so() -> None:
    stage = liquid()
    assert word(stage, Volatility, "volatility") == "UNKNOWN"
    assert stage.metric("volatility_baseline") == 0


def test_given_a_price_band_within_one_percent_then_extreme_without_any_baseline() -> None:
    stage = LiveStage()
    stage.begin(AT, price=100_000)
    show_book(stage, AT, 20, 5_000_000)
    stage.band(AT, 90_000, 100_900)
    stage.timer(AT)
    assert word(stage, Volatility, "volatility") == "EXTREME"


def test_time_alone_judges_so_a_frame_brings_no_other_word() -> None:
    stage = liquid()
    show_book(stage, AT + NS_PER_S // 2, 2_000, 5_000_000)
    assert word(stage, Liquidity, "liquidity") == "LIQUID"
    show_book(stage, AT + 30 * NS_PER_S, 2_000, 5_000_000)
    assert judged(stage, AT + 30 * NS_PER_S) == "ILLIQUID"


@pytest.mark.parametrize("spread", [None, 0, -20])
def test_a_book_that_goes_takes_its_word_at_once_and_gives_it_back(spread: int | None) -> None:
    stage = liquid()
    show_book(stage, AT + NS_PER_S // 4, spread, 5_000_000)
    assert word(stage, Liquidity, "liquidity") is None
    assert word(stage, Volatility, "volatility") == "UNKNOWN"
    show_book(stage, AT + NS_PER_S // 2, 20, 5_000_000)
    assert word(stage, Liquidity, "liquidity") == "LIQUID"


def test_no_word_stands_beside_a_quote_that_nobody_can_vouch_for() -> None:
    stage = liquid()
    outputs = stage.link(AT + NS_PER_S // 2, up=False)
    assert stage.freshness() is Freshness.STALE
    row = stage.market.table.row_of_symbol["ACME"]
    assert row in outputs.touched.tolist()
    assert word(stage, Liquidity, "liquidity") is None
    assert word(stage, Volatility, "volatility") is None
    assert np.isnan(stage.metric("liquidity_baseline"))


def test_a_halt_takes_the_words_at_once() -> None:
    stage = liquid()
    stage.process(words(AT + NS_PER_S // 2, NSE_EQ=Phase.CLOSED))
    assert word(stage, Liquidity, "liquidity") is None


def test_a_silence_beyond_the_quiet_limit_has_no_word_while_the_quote_is_stale() -> None:
    stage = liquid()
    assert judged(stage, AT + 59 * NS_PER_S) == "NO_QUOTE"
    assert stage.freshness() is Freshness.QUIET
    assert judged(stage, AT + 62 * NS_PER_S) is None
    assert stage.freshness() is Freshness.STALE
