"""Freshness: how old data may be called, rule by rule."""

from tests.market_stage import Stage, clock, frame, index, instrument, told_freshness, words
from ticktick.domain.clock import NS_PER_DAY, NS_PER_S
from ticktick.domain.market import Freshness
from ticktick.domain.sessions import Phase

NOON = clock(12, 0)


def test_P04_given_no_frame_yet_then_unknown_whatever_the_link() -> None:
    stage = Stage(at_ns=NOON)
    stage.timer(clock(12, 1))
    assert stage.freshness() is Freshness.UNKNOWN


def test_P04_given_data_of_five_seconds_then_fresh_and_a_moment_later_quiet() -> None:
    stage = Stage(instrument(), instrument("BOLT"), at_ns=NOON)
    assert told_freshness(stage.begin(NOON).facts) == [("ACME", Freshness.FRESH)]
    stage.begin(clock(12, 0, 5), "BOLT")
    assert told_freshness(stage.timer(clock(12, 0, 5)).facts) == []
    outputs = stage.timer(clock(12, 0, 6))
    assert told_freshness(outputs.facts) == [("ACME", Freshness.QUIET)]
    assert outputs.touched.tolist() == [0]


def test_P04_given_quiet_beyond_the_limit_then_stale_though_the_link_is_healthy() -> None:
    stage = Stage(instrument(), instrument("BOLT"), at_ns=NOON)
    stage.begin(NOON)
    stage.begin(clock(12, 0, 59), "BOLT")
    stage.timer(clock(12, 1, 0))
    assert stage.freshness() is Freshness.QUIET
    stage.begin(clock(12, 1, 1), "BOLT")
    stage.timer(clock(12, 1, 1))
    assert stage.freshness() is Freshness.STALE


def test_P04_given_nobody_sends_in_continuous_trading_then_stale_after_five_seconds() -> None:
    stage = Stage(at_ns=NOON)
    stage.begin(NOON)
    stage.timer(clock(12, 0, 6))
    assert stage.freshness() is Freshness.STALE


def test_P04_given_a_silent_canary_then_the_others_are_stale_once_older_than_five_seconds() -> None:
    stage = Stage(instrument(), instrument("BOLT"), index(), at_ns=NOON, canary="NIFTY")
    for symbol in ("ACME", "NIFTY"):
        stage.begin(NOON, symbol)
    stage.begin(clock(12, 0, 6), "BOLT")
    stage.timer(clock(12, 0, 6))
    assert stage.freshness("ACME") is Freshness.STALE
    assert stage.freshness("BOLT") is Freshness.FRESH
    stage.begin(clock(12, 0, 7), "NIFTY")
    stage.timer(clock(12, 0, 7))
    assert stage.freshness("ACME") is Freshness.QUIET


def test_P04_given_a_canary_whose_market_rests_then_any_frame_proves_the_link() -> None:
    late = clock(15, 25)
    stage = Stage(instrument(), instrument("BOLT"), index(), at_ns=late, canary="NIFTY")
    stage.begin(late)
    stage.begin(clock(15, 25, 8), "BOLT")
    stage.timer(clock(15, 25, 8))
    assert stage.freshness("ACME") is Freshness.QUIET


def test_P04_given_a_canary_that_is_not_watched_then_any_frame_proves_the_link() -> None:
    stage = Stage(instrument(), instrument("BOLT"), at_ns=NOON, canary="NIFTY")
    stage.begin(NOON)
    stage.begin(clock(12, 0, 8), "BOLT")
    stage.timer(clock(12, 0, 8))
    assert stage.freshness("ACME") is Freshness.QUIET


def test_P04_given_the_link_is_lost_then_everything_is_stale_at_once() -> None:
    stage = Stage(instrument(), instrument("BOLT"), instrument("COLD"), at_ns=NOON)
    stage.begin(NOON)
    stage.begin(NOON, "BOLT")
    outputs = stage.link(clock(12, 0, 1), up=False)
    assert told_freshness(outputs.facts) == [("ACME", Freshness.STALE), ("BOLT", Freshness.STALE)]
    assert stage.freshness("COLD") is Freshness.UNKNOWN


def test_P04_given_the_link_is_back_then_a_symbol_stays_stale_until_its_own_frame() -> None:
    stage = Stage(instrument(), instrument("BOLT"), at_ns=NOON)
    stage.begin(NOON)
    stage.begin(NOON, "BOLT")
    stage.link(clock(12, 0, 1), up=False)
    stage.link(clock(12, 0, 2), up=True)
    stage.begin(clock(12, 0, 3))
    stage.timer(clock(12, 0, 3))
    assert stage.freshness("ACME") is Freshness.FRESH
    assert stage.freshness("BOLT") is Freshness.STALE


def test_P04_given_another_link_without_a_word_of_the_loss_then_also_stale() -> None:
    stage = Stage(at_ns=NOON)
    stage.begin(NOON)
    stage.link(clock(12, 0, 1), up=True, reason="a second connection")
    assert stage.freshness() is Freshness.STALE


def test_P04_given_the_market_is_closed_then_closed_whatever_the_age() -> None:
    stage = Stage(at_ns=clock(15, 29, 58))
    stage.begin(clock(15, 29, 58))
    assert told_freshness(stage.timer(clock(15, 30)).facts) == [("ACME", Freshness.CLOSED)]


def test_P04_given_no_continuous_trading_then_age_alone_is_quiet_never_stale() -> None:
    stage = Stage(at_ns=clock(9, 0))
    stage.begin(clock(9, 0))
    for minute in range(1, 15):
        stage.timer(clock(9, minute))
        assert stage.freshness() is Freshness.QUIET


def test_P04_given_the_feed_says_closed_in_trading_hours_then_it_is_believed() -> None:
    stage = Stage(at_ns=NOON)
    stage.begin(NOON)
    stage.process(words(clock(12, 0, 1), NSE_EQ=Phase.CLOSED))
    stage.timer(clock(12, 0, 2))
    assert stage.freshness() is Freshness.CLOSED


def test_P04_given_a_frame_slightly_ahead_of_the_clock_then_fresh() -> None:
    stage = Stage(at_ns=NOON)
    stage.begin(NOON)
    stage.timer(NOON - 1)
    assert stage.freshness() is Freshness.FRESH


def test_P21_given_frames_slightly_from_the_future_then_they_age_from_their_reading() -> None:
    stage = Stage(instrument(), index(), at_ns=NOON, canary="NIFTY")
    for symbol in ("ACME", "NIFTY"):
        stage.process(frame(NOON, {symbol: {"exchange_ns": NOON + 2 * NS_PER_S}}))
    assert stage.freshness() is Freshness.FRESH
    stage.timer(clock(12, 0, 6))
    assert stage.freshness() is Freshness.STALE


def test_P04_given_a_new_day_before_the_open_then_closed_again() -> None:
    stage = Stage(at_ns=NOON)
    stage.begin(NOON)
    stage.timer(NOON + 3 * NS_PER_DAY - 5 * 3600 * 10**9)
    assert stage.freshness() is Freshness.CLOSED
