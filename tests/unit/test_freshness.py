"""Freshness: how old data may be called, rule by rule."""

import math
from typing import Any

import numpy as np
import pytest

from tests.market_stage import (
    JsonDecoder,
    Stage,
    clock,
    frame,
    index,
    instrument,
    told_freshness,
    words,
)
from ticktick.domain.clock import NS_PER_DAY, NS_PER_S
from ticktick.domain.event import Quote
from ticktick.domain.instrument import Instrument, Kind
from ticktick.domain.market import Freshness
from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.sessions import Phase
from ticktick.engine.ports import Decoded, EngineSettings
from ticktick.market.table import SlotTable

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


def test_P04_given_the_feed_says_closed_shortly_before_the_end_then_it_is_believed() -> None:
    stage = Stage(at_ns=clock(15, 20))
    stage.begin(clock(15, 20))
    stage.process(words(clock(15, 20, 1), NSE_EQ=Phase.CLOSED))
    stage.timer(clock(15, 20, 2))
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


# --- quotes that were asked for -----------------------------------------------------------------


class TouchesAll(JsonDecoder):
    """A broken decoder: every frame seems to hold every instrument."""

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Date all rows by each frame."""
        decoded = super().decode(data, table, received_ns, seq)
        table.incoming["exchange_ns"][: len(table)] = decoded.exchange_ns
        table.incoming["received_ns"][: len(table)] = received_ns
        return Decoded(decoded.exchange_ns, np.arange(len(table), dtype=np.int32))


def quiet_stage(
    decoder: JsonDecoder | None = None, share: Instrument | None = None, **limits: int
) -> Stage:
    """A share that traded at noon, and an index that is told for ever after."""
    settings = EngineSettings(**limits)
    shares = share or instrument(), index()
    stage = Stage(*shares, at_ns=NOON, canary="NIFTY", settings=settings, decoder=decoder)
    for symbol in ("ACME", "NIFTY"):
        stage.begin(NOON, symbol)
    return stage


def wait(stage: Stage, second: int) -> Freshness:
    """Let seconds after noon pass with a living index; the share's freshness then."""
    last_ns = int(stage.market.table.records["exchange_ns"][1])
    at_ns = NOON + second * NS_PER_S
    for told_ns in (*range(last_ns, at_ns, 4 * NS_PER_S), at_ns):
        stage.trade(told_ns, 101, symbol="NIFTY")
    stage.timer(at_ns)
    return stage.freshness()


def quote(second: float, *, trade_s: float = 0, volume: int = 1000, price: int = 100) -> Quote:
    """A quote of the share, times in seconds after noon."""
    at_ns, trade_ns = (NOON + round(s * NS_PER_S) for s in (second, trade_s))
    return Quote("ACME", at_ns, price, trade_ns, volume)


def test_P04_given_a_quiet_symbol_then_each_proof_makes_it_last_as_long_again() -> None:
    def check(decoder: JsonDecoder | None = None, **limits: Any) -> None:
        stage = quiet_stage(decoder, **limits)
        assert wait(stage, 5) is Freshness.FRESH
        assert [wait(stage, second) for second in (6, 60)] == [Freshness.QUIET] * 2
        assert wait(stage, 61) is Freshness.STALE
        stage.quotes(NOON + 62 * NS_PER_S, quote(62))
        assert stage.freshness() is Freshness.QUIET
        assert [wait(stage, second) for second in (100, 122)] == [Freshness.QUIET] * 2
        assert wait(stage, 123) is Freshness.STALE

    check()
    with pytest.raises(AssertionError):
        check(TouchesAll())
    with pytest.raises(AssertionError):
        check(quiet_limit_s=600)
    with pytest.raises(AssertionError):
        check(fresh_limit_s=60)


def test_P04_given_a_quote_with_a_newer_trade_then_it_proves_that_the_feed_is_behind() -> None:
    for newer in (quote(20, trade_s=12, volume=1010), quote(20, trade_s=12, volume=0)):
        stage = quiet_stage()
        assert wait(stage, 20) is Freshness.QUIET
        assert told_freshness(stage.quotes(NOON + 20 * NS_PER_S, newer).facts) == [
            ("ACME", Freshness.STALE)
        ]
        stage.trade(NOON + 21 * NS_PER_S, 101, 10)
        assert stage.freshness() is Freshness.FRESH
        assert wait(stage, 40) is Freshness.QUIET


def test_P04_given_a_quote_with_a_trade_of_this_moment_then_the_feed_has_two_seconds() -> None:
    stage = quiet_stage()
    wait(stage, 20)
    stage.quotes(NOON + 20 * NS_PER_S, quote(20, trade_s=19.5, volume=1010))
    assert stage.freshness() is Freshness.QUIET
    assert wait(stage, 21) is Freshness.QUIET
    assert wait(stage, 22) is Freshness.STALE


def test_P04_given_a_quote_that_tells_no_trade_then_it_proves_nothing() -> None:
    stage = quiet_stage()
    wait(stage, 61)
    stage.quotes(NOON + 61 * NS_PER_S, Quote("ACME", NOON + 61 * NS_PER_S, 100, 0, 0))
    assert stage.freshness() is Freshness.STALE
    assert stage.quotes(NOON + 62 * NS_PER_S, Quote("OTHER", NOON, 1, NOON, 1)).facts == ()


def test_P04_given_a_contract_then_it_has_a_quiet_limit_of_its_own() -> None:
    option = instrument(kind=Kind.CALL, segment="NSE_FO")
    stage = quiet_stage(share=option, quiet_derivative_limit_s=300)
    assert wait(stage, 299) is Freshness.QUIET
    assert wait(stage, 301) is Freshness.STALE
    assert stage.market.quiet_limit_ns == 60 * NS_PER_S


def test_P04_given_several_indices_then_the_freshest_counts() -> None:
    stage = Stage(instrument(), index(), index("BANKNIFTY"), at_ns=NOON, canary="NIFTY")
    for symbol in ("ACME", "NIFTY", "BANKNIFTY"):
        stage.begin(NOON, symbol)
    stage.trade(clock(12, 0, 20), 101, symbol="BANKNIFTY")
    stage.timer(clock(12, 0, 21))
    assert stage.freshness() is Freshness.QUIET
    stage.timer(clock(12, 0, 26))
    assert stage.freshness() is Freshness.STALE


def test_P04_given_no_link_then_quotes_fill_in_what_they_tell_and_all_stays_stale() -> None:
    stage = quiet_stage()
    book: dict[str, Any] = {
        "bid_price": [99, 0, 0, 0, 0],
        "bid_quantity": [9, 0, 0, 0, 0],
        "day_open": 95,
    }
    stage.frame(NOON + NS_PER_S, last_price=101, last_trade_ns=NOON, volume=1010, **book)
    stage.link(NOON + 10 * NS_PER_S, up=False)
    told = Quote("ACME", NOON + 15 * NS_PER_S, 108, NOON + 14 * NS_PER_S, 1900, 97, 90, 110)
    outputs = stage.quotes(NOON + 16 * NS_PER_S, told)
    assert outputs.touched.tolist() == [0]
    record = stage.market.table.records[0]
    columns = ("last_price", "last_trade_ns", "volume", "previous_close", "exchange_ns")
    assert [int(record[name]) for name in columns] == [
        108,
        NOON + 14 * NS_PER_S,
        1900,
        97,
        NOON + 15 * NS_PER_S,
    ]
    assert (record["received_ns"], record["day_open"]) == (NOON + 16 * NS_PER_S, 95)
    assert not record["bid_price"].any()
    assert all(math.isnan(value) for value in stage.market.metrics[:, 0])
    assert stage.freshness() is Freshness.STALE
    forming = stage.market.forming("ACME", 1)
    assert forming is not None
    assert (forming.close, forming.volume) == (101, 10)


def test_P04_given_no_link_then_quotes_that_are_older_or_impossible_change_nothing() -> None:
    stage = quiet_stage()
    stage.link(NOON + 10 * NS_PER_S, up=False)
    before = stage.market.table.records.tobytes()
    at_ns = NOON + 16 * NS_PER_S
    for wrong in (
        Quote("ACME", NOON - 1, 108, NOON - 2, 1900),
        Quote("ACME", at_ns, 108, NOON - 1, 1900),
        Quote("ACME", at_ns, 0, NOON + 1, 1900),
        Quote("ACME", at_ns, 108, at_ns + 1, 1900),
        Quote("ACME", at_ns + NS_PER_DAY, 108, at_ns, 1900),
    ):
        stage.quotes(at_ns, wrong)
    assert stage.market.table.records.tobytes() == before


def test_P04_given_quotes_while_the_link_is_up_then_no_value_of_the_feed_changes() -> None:
    stage = quiet_stage()
    before = stage.market.table.records.tobytes(), stage.market.metrics.tobytes()
    stage.quotes(NOON + 20 * NS_PER_S, quote(20, trade_s=19, volume=5000, price=120))
    assert (stage.market.table.records.tobytes(), stage.market.metrics.tobytes()) == before
    assert METRIC_ROW["mid"] == 0


def test_P04_given_a_symbol_the_feed_never_told_when_a_quote_does_then_it_is_stale() -> None:
    stage = Stage(at_ns=NOON, up=False)
    assert stage.freshness() is Freshness.UNKNOWN
    stage.quotes(NOON + NS_PER_S, quote(1))
    assert stage.freshness() is Freshness.STALE


def test_P04_given_the_link_is_back_then_the_feed_goes_on_from_what_quotes_told() -> None:
    stage = quiet_stage()
    stage.link(NOON + 10 * NS_PER_S, up=False)
    stage.quotes(NOON + 20 * NS_PER_S, quote(19, trade_s=18, volume=1900, price=108))
    stage.link(NOON + 30 * NS_PER_S, up=True)
    told: dict[str, Any] = {
        "last_price": 108,
        "last_trade_ns": NOON + 18 * NS_PER_S,
        "volume": 1900,
    }
    stage.frame(NOON + 31 * NS_PER_S, **told)
    assert stage.freshness() is Freshness.FRESH  # the hole lies within the running minute
    assert stage.market.forming("ACME", 1) is None
    stage.timer(NOON + 31 * NS_PER_S)
    assert stage.counter("gap_minutes_open") == 1 + 1
