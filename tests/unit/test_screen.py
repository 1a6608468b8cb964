"""The screen: what cannot be true reaches no row, no metric, no candle, and is counted."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.market_stage import JsonDecoder, Stage, clock, frame, index, instrument
from ticktick.brokers.upstox.decode import ProtobufDecoder
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MS, NS_PER_S
from ticktick.domain.event import FrameArrived, Noticed
from ticktick.domain.instrument import Kind
from ticktick.domain.market import Freshness
from ticktick.engine.ports import Decoded
from ticktick.market.rejections import COUNTER_OF_REASON, SAMPLES_KEPT
from ticktick.market.table import SlotTable
from ticktick.proto import MarketDataFeed_pb2 as pb2

NOON = clock(12, 0)
LEVELS = [0, 0, 0, 0]
BOOK = {
    "bid_price": [10_000, *LEVELS],
    "bid_quantity": [5, *LEVELS],
    "ask_price": [10_010, *LEVELS],
    "ask_quantity": [15, *LEVELS],
}
DAY = {"average_price": 9_950, "day_open": 9_900, "day_high": 10_050, "day_low": 9_890}


class Unscreened(JsonDecoder):
    """A broken decoder: what it reads is believed at once."""

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Write past the screen."""
        decoded = super().decode(data, table, received_ns, seq)
        table.accept(decoded.rows)
        return decoded


def traded(at_ns: int, price: int = 10_005, volume: int = 1000, **columns: Any) -> dict[str, Any]:
    """A whole packet: trade, totals, book."""
    trade = {"last_price": price, "last_trade_ns": at_ns, "volume": volume}
    return {**BOOK, **DAY, **trade, **columns}


def stage_at_noon(decoder: JsonDecoder | None = None, **changes: Any) -> Stage:
    """A share with two trades behind it."""
    stage = Stage(instrument(**changes), at_ns=NOON, decoder=decoder)
    stage.frame(NOON, **traded(NOON))
    stage.frame(NOON + NS_PER_S, **traded(NOON + NS_PER_S, 10_010, 1010))
    return stage


def state_of(stage: Stage) -> tuple[bytes, bytes, bytes, object]:
    """Everything that a refused packet must leave alone."""
    market = stage.market
    return (
        market.table.records.tobytes(),
        market.metrics.tobytes(),
        market.window("ACME").tobytes(),
        market.forming("ACME", 1),
    )


def is_as(before: tuple[bytes, bytes, bytes, object], stage: Stage) -> bool:
    """Whether all of it was left alone; a difference of so many bytes tells nobody anything."""
    return state_of(stage) == before


AT = NOON + 2 * NS_PER_S
INSANE: Mapping[str, tuple[str, dict[str, Any]]] = {
    "a price that jumps": ("jump", traded(AT, 12_000, 1020)),
    "a billion rupees in the book": ("band", traded(AT, ask_price=[10**11, *LEVELS])),
    "a day's high of a billion": ("band", traded(AT, day_high=10**11)),
    "an average of next to nothing": ("band", traded(AT, average_price=3)),
    "tomorrow": ("ahead", traded(AT, exchange_ns=AT + NS_PER_DAY)),
    "three seconds ahead": ("ahead", traded(AT, exchange_ns=AT + 3 * NS_PER_S)),
    "yesterday": ("other_day", traded(AT, exchange_ns=AT - NS_PER_DAY)),
    "an old snapshot": ("older", traded(AT, 10_000, 990, exchange_ns=NOON - NS_PER_S)),
    "a trade to come": ("trade_ahead", traded(AT + 11 * NS_PER_S, 10_010, 1020)),
}


@pytest.mark.parametrize("what", INSANE)
def test_P08_given_what_cannot_be_true_then_nothing_changes_but_a_counter(what: str) -> None:
    reason, columns = INSANE[what]

    def check(decoder: JsonDecoder) -> None:
        stage = stage_at_noon(decoder)
        before = state_of(stage)
        outputs = stage.process(frame(AT, {"ACME": columns}))
        assert is_as(before, stage)
        assert outputs.touched.tolist() == []
        assert stage.counter(COUNTER_OF_REASON[reason]) == 1
        assert [s.who for s in stage.market.rejections.samples[reason]] == ["ACME"]
        assert [fact.level for fact in outputs.facts if isinstance(fact, Noticed)] == ["warning"]

    check(JsonDecoder())
    with pytest.raises(AssertionError):
        check(Unscreened())


@pytest.mark.parametrize("what", [what for what in INSANE if what != "an old snapshot"])
def test_P08_given_a_refused_packet_then_the_row_grows_old(what: str) -> None:
    _, columns = INSANE[what]
    stage = stage_at_noon()
    at_ns = NOON + 7 * NS_PER_S
    moved = columns.get("exchange_ns", AT) - AT + at_ns
    late = {**columns, "exchange_ns": moved, "last_trade_ns": columns["last_trade_ns"] - AT + at_ns}
    stage.process(frame(at_ns, {"ACME": late}))
    stage.timer(at_ns)
    assert stage.freshness() is Freshness.STALE


def test_P08_given_a_band_of_the_exchange_then_it_alone_bounds_every_price() -> None:
    stage = stage_at_noon()
    stage.band(NOON, 9_000, 11_000)
    stage.frame(AT, **traded(AT, 10_010, 1010, day_high=11_000, day_low=9_000))
    assert stage.counter("rejected_band") == 0
    for name in ("average_price", "day_open", "day_high", "day_low", "day_close"):
        stage.frame(AT, **traded(AT, **{name: 11_001}))
    for side in ("bid_price", "ask_price"):
        stage.frame(AT, **{**traded(AT), side: [10_000, 0, 8_999, 0, 0]})
    minute = {f"minute_{name}": 10_000 for name in ("open", "low", "close")}
    stage.frame(AT, **traded(AT, **minute, minute_high=11_001, minute_start_ns=clock(11, 58)))
    assert stage.counter("rejected_band") == 8
    assert stage.counter("rejected_jump") == 0
    assert "110.01 rupees" in stage.market.rejections.samples["band"][-1].value


def test_P08_given_a_confirmed_move_then_an_old_high_is_not_held_against_it() -> None:
    stage = stage_at_noon()
    for i in range(2):
        stage.frame(AT + i, last_price=25_000, last_trade_ns=AT + i, volume=1020 + i)
    assert stage.market.table.records["last_price"][0] == 25_000
    assert stage.counter("rejected_band") == 0


def test_P08_given_prices_of_the_session_before_then_todays_band_does_not_bind_them() -> None:
    stage = Stage(at_ns=clock(8, 30))
    stage.band(clock(8, 30), 9_000, 11_000)
    yesterday = clock(15, 29) - NS_PER_DAY
    stage.frame(clock(8, 31), **traded(yesterday, 12_500, minute_high=12_500))
    assert stage.market.table.records["last_price"][0] == 12_500


def test_P08_given_an_option_without_a_band_then_its_day_may_have_been_wild() -> None:
    stage = stage_at_noon(kind=Kind.PUT, segment="NSE_FO")
    stage.frame(AT, **traded(AT, 10_010, 1010, day_low=500, day_high=90_000))
    assert stage.counter("rejected_band") == 0


def test_P08_given_a_second_tick_near_a_jump_then_the_jump_was_true() -> None:
    stage = stage_at_noon()
    stage.frame(AT, **traded(AT, 12_000, 1020))
    stage.frame(AT + 1, **traded(AT + 1, 15_000, 1030))
    assert stage.counter("rejected_jump") == 2
    stage.frame(AT + 2, **traded(AT + 2, 15_100, 1040))
    assert stage.market.table.records["last_price"][0] == 15_100
    stage.frame(AT + 3, **traded(AT + 3, 12_000, 1050))
    stage.frame(AT + 4, **traded(AT + 4, 15_100, 1060))
    stage.frame(AT + 5, **traded(AT + 5, 12_000, 1070))
    assert stage.counter("rejected_jump") == 4
    assert stage.market.table.records["last_price"][0] == 15_100


def test_P08_given_a_previous_close_that_leaps_then_it_takes_a_second_tick_however_late() -> None:
    stage = Stage(instrument(), at_ns=NOON)
    stage.frame(NOON, **traded(NOON, previous_close=9_900))
    late = NOON + 3600 * NS_PER_S
    stage.frame(late, **traded(late, previous_close=990))
    stage.frame(late + 1, **traded(late + 1, previous_close=9_900))
    stage.frame(late + 2, **traded(late + 2, previous_close=4_950))
    assert stage.market.table.records["previous_close"][0] == 9_900
    assert stage.counter("rejected_jump") == 2
    stage.frame(late + 3, **traded(late + 3, previous_close=4_950))
    assert stage.market.table.records["previous_close"][0] == 4_950
    tomorrow = NOON + NS_PER_DAY
    stage.frame(tomorrow, **traded(tomorrow, previous_close=10_000))
    assert stage.market.table.records["previous_close"][0] == 10_000


def test_P08_given_a_cheap_option_that_bounces_by_a_tick_then_it_does_not_jump() -> None:
    stage = Stage(instrument(kind=Kind.CALL), at_ns=NOON)
    for i in range(6):
        at_ns = NOON + i * NS_PER_S // 4
        stage.frame(at_ns, last_price=10 + i % 2 * 5, last_trade_ns=at_ns, volume=1000 + i)
    assert stage.counter("rejected_jump") == 0
    assert stage.counter("trades") == 5


def test_P08_given_a_band_then_only_a_jump_within_a_second_needs_a_second_tick() -> None:
    stage = stage_at_noon()
    stage.band(AT, 8_000, 13_000)
    late = NOON + NS_PER_S + NS_PER_S + 1
    stage.frame(late, **traded(late, 12_000, 1020))
    assert stage.counter("rejected_jump") == 0
    stage.frame(late + NS_PER_S, **traded(late + NS_PER_S, 9_000, 1030))
    assert stage.counter("rejected_jump") == 1


def test_P08_given_many_of_a_kind_then_few_are_kept_and_one_a_minute_is_told() -> None:
    stage = stage_at_noon()
    for i in range(100):
        at_ns = NOON + 2 * NS_PER_S + i * NS_PER_S
        stage.process(frame(at_ns, {"ACME": {"exchange_ns": at_ns + NS_PER_DAY}, "WHO": {}}))
    told = [fact for fact in stage.facts if isinstance(fact, Noticed)]
    assert [(f.at_ns - NOON) // NS_PER_S for f in told] == [2, 2, 62, 62]
    assert any("61 rejected" in fact.text for fact in told)
    assert len(stage.market.rejections.samples["ahead"]) == SAMPLES_KEPT
    assert stage.counter("rejected_ahead") == stage.counter("unknown_keys") == 100


def test_F07_given_an_old_snapshot_after_a_reconnect_then_the_newer_stays() -> None:
    def check(decoder: JsonDecoder) -> None:
        stage = stage_at_noon(decoder)
        stage.link(AT, up=False)
        stage.link(AT + 1, up=True)
        stage.process(frame(AT + 2, {"ACME": traded(NOON, exchange_ns=NOON)}))
        record = stage.market.table.records[0]
        assert (record["last_price"], record["exchange_ns"]) == (10_010, NOON + NS_PER_S)
        assert stage.freshness() is Freshness.STALE
        stage.frame(AT + 3, **traded(NOON + NS_PER_S, 10_010, 1010))
        assert stage.freshness() is Freshness.FRESH

    check(JsonDecoder())
    with pytest.raises(AssertionError):
        check(Unscreened())


def test_F07_given_a_market_whose_clock_was_set_back_then_the_present_wins() -> None:
    stage = Stage(at_ns=NOON)
    stage.frame(NOON, **traded(NOON))
    early = NOON - 60 * NS_PER_S
    stage.frame(early, **traded(early, 10_000, 900))
    assert stage.market.table.records["exchange_ns"][0] == early


def test_F06_given_repeated_packets_then_only_the_age_and_a_counter_move() -> None:
    stage = stage_at_noon()
    window, metrics = stage.market.window("ACME").tobytes(), stage.market.metrics.tobytes()
    last = traded(NOON + NS_PER_S, 10_010, 1010)
    for later in (AT, AT, AT + NS_PER_S):
        assert stage.frame(later, **last).touched.tolist() == [0]
    assert stage.market.window("ACME").tobytes() == window
    assert stage.market.metrics.tobytes() == metrics
    assert stage.market.table.records["exchange_ns"][0] == AT + NS_PER_S
    assert (stage.counter("repeats"), stage.counter("trades")) == (3, 1)


# --- the same through the real decoder ----------------------------------------------------------

KEY = "NSE_EQ|ACME"
Damage = Callable[[pb2.FeedResponse], None]


def packet(at_ns: int, price: float = 100.1, volume: int = 1000) -> pb2.FeedResponse:
    sent_ms = at_ns // NS_PER_MS
    made = pb2.FeedResponse(type=pb2.live_feed, currentTs=sent_ms)
    full = made.feeds[KEY].fullFeed.marketFF
    full.ltpc.CopyFrom(pb2.LTPC(ltp=price, ltt=sent_ms, ltq=1, cp=99.0))
    full.marketLevel.bidAskQuote.add(bidQ=5, bidP=100.0, askQ=15, askP=100.2)
    full.vtt, full.atp, full.tbq, full.tsq = volume, 100.05, 500.0, 400.0
    return made


def market(message: pb2.FeedResponse) -> pb2.MarketFullFeed:
    return message.feeds[KEY].fullFeed.marketFF


def damaged(**values: Any) -> Damage:
    def damage(message: pb2.FeedResponse) -> None:
        for name, value in values.items():
            holder: Any = market(message)
            *path, last = name.split("__")
            for step in path:
                holder = getattr(holder, step)
            setattr(holder, last, value)

    return damage


def a_level(**values: Any) -> Damage:
    def damage(message: pb2.FeedResponse) -> None:
        market(message).marketLevel.bidAskQuote.add(**values)

    return damage


def tomorrow(message: pb2.FeedResponse) -> None:
    message.currentTs += NS_PER_DAY // NS_PER_MS


DAMAGES: Mapping[str, tuple[str, Damage]] = {
    "price 0": ("impossible", damaged(ltpc__ltp=0.0)),
    "price NaN": ("impossible", damaged(ltpc__ltp=math.nan)),
    "price infinite": ("impossible", damaged(ltpc__ltp=math.inf)),
    "price negative": ("impossible", damaged(ltpc__ltp=-100.0)),
    "price a billion": ("jump", damaged(ltpc__ltp=1e9)),
    "average NaN": ("impossible", damaged(atp=math.nan)),
    "volume negative": ("impossible", damaged(vtt=-1)),
    "interest infinite": ("impossible", damaged(oi=math.inf)),
    "bid NaN": ("impossible", a_level(bidQ=1, bidP=math.nan, askQ=1, askP=101.0)),
    "bid quantity negative": ("impossible", a_level(bidQ=-5, bidP=99.0, askQ=1, askP=101.0)),
    "ask a billion": ("band", a_level(bidQ=1, bidP=99.0, askQ=1, askP=1e9)),
    "time a day ahead": ("ahead", tomorrow),
}


class Deaf(ProtobufDecoder):
    """A broken decoder: an impossible packet counts, but is not refused by the screen."""

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Believe what was read, and touch the rows of what was not."""
        decoded = super().decode(data, table, received_ns, seq)
        table.incoming["received_ns"][0] = received_ns
        table.accept(decoded.rows)
        table.records["last_price"][0] += decoded.refused
        return decoded


@pytest.mark.parametrize("what", DAMAGES)
def test_F11_given_insane_values_on_the_wire_then_the_row_stays_as_it_was(what: str) -> None:
    reason, damage = DAMAGES[what]

    def check(decoder: ProtobufDecoder) -> None:
        stage = Stage(instrument(), at_ns=NOON, decoder=decoder)
        stage.process(FrameArrived(NOON, 1, packet(NOON).SerializeToString()))
        before = state_of(stage)
        message = packet(AT, 100.15, 1010)
        damage(message)
        stage.process(FrameArrived(AT, 2, message.SerializeToString()))
        assert is_as(before, stage)
        assert stage.counter(COUNTER_OF_REASON[reason]) == 1
        good = packet(AT + NS_PER_S, 100.2, 1020).SerializeToString()
        stage.process(FrameArrived(AT + NS_PER_S, 3, good))
        assert stage.market.table.records["last_price"][0] == 10_020

    check(ProtobufDecoder())
    with pytest.raises(AssertionError):
        check(Deaf())


UNKNOWN_FIELD = b"\xfa\x3f\x02hi"  # field 1023, two bytes of text


def extended(message: pb2.FeedResponse) -> bytes:
    """The packet as a newer schema would send it: a new field inside and beside it."""
    inner = market(message)
    inner.MergeFromString(UNKNOWN_FIELD)
    return message.SerializeToString() + UNKNOWN_FIELD


def new_union_member(message: pb2.FeedResponse) -> bytes:
    """An instrument told in a way this schema has no name for."""
    message.feeds[KEY].Clear()
    message.feeds[KEY].MergeFromString(UNKNOWN_FIELD)
    return message.SerializeToString()


def new_enum_values(message: pb2.FeedResponse) -> bytes:
    """Numbers that no enum of this schema lists."""
    message.feeds[KEY].MergeFromString(b"\x20\x2a")  # requestMode = 42
    return message.SerializeToString() + b"\x08\x2a"  # type = 42


@pytest.mark.parametrize(("extend", "count"), [(extended, 2), (new_enum_values, 1)])
def test_F12_given_what_the_schema_does_not_know_then_the_rest_is_used_and_it_is_counted(
    extend: Callable[[pb2.FeedResponse], bytes], count: int
) -> None:
    stage = Stage(instrument(), at_ns=NOON, decoder=ProtobufDecoder())
    stage.process(FrameArrived(NOON, 1, packet(NOON).SerializeToString()))
    assert stage.counter("unknown_parts") == 0
    stage.process(FrameArrived(AT, 2, extend(packet(AT, 100.2))))
    assert stage.market.table.records["last_price"][0] == 10_020
    assert stage.counter("unknown_parts") == count
    assert stage.counter("frames_rejected") == 0


def test_F12_given_an_instrument_told_in_an_unknown_way_then_its_row_only_grows_old() -> None:
    stage = Stage(instrument(), index(), at_ns=NOON, decoder=ProtobufDecoder())
    stage.process(FrameArrived(NOON, 1, packet(NOON).SerializeToString()))
    before = state_of(stage)
    stage.process(FrameArrived(AT, 2, new_union_member(packet(AT))))
    assert is_as(before, stage)
    assert stage.counter("unknown_parts") == 1


def test_F12_given_missing_parts_then_what_was_known_stays() -> None:
    stage = Stage(instrument(), at_ns=NOON, decoder=ProtobufDecoder())
    stage.process(FrameArrived(NOON, 1, packet(NOON).SerializeToString()))
    for strip in ("ltpc", "marketLevel"):
        message = packet(AT, 100.2)
        market(message).ClearField(strip)
        stage.process(FrameArrived(AT, 2, message.SerializeToString()))
    bare = pb2.FeedResponse(currentTs=AT // NS_PER_MS)
    bare.feeds[KEY].fullFeed.marketFF.SetInParent()
    stage.process(FrameArrived(AT, 3, bare.SerializeToString()))
    record = stage.market.table.records[0]
    assert (record["last_price"], record["volume"]) == (10_020, 1000)
    assert record["bid_price"][0] == 10_000
    assert sum(stage.market.rejections.counters.values()) == 0
