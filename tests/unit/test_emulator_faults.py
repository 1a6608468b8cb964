"""Orders of faults, when they act, and what they make of frames."""

import json
import math
from itertools import pairwise
from typing import Any

import pytest

from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_S
from ticktick.emulator.faults import BadFaultError, Fault, Faults
from ticktick.emulator.mangle import Mangling, Workshop
from ticktick.emulator.wire import Bar, DayTotals, LastTrade, stock_feed
from ticktick.emulator.wreck import emptied
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse, MarketFullFeed, Type

KEY, OTHER = "NSE_EQ|INE002A01018", "NSE_EQ|INE009A01021"


def ordered(verb: str, **order: Any) -> Fault:
    order = {"for" if name == "lasting" else name: value for name, value in order.items()}
    return Faults().order(json.dumps({"verb": verb, **order}).encode(), 0)


def frame(number: int = 1, *keys: str, kind: Type = Type.live_feed) -> bytes:
    response = FeedResponse(type=kind, currentTs=number)
    for key in keys or (KEY,):
        trade = LastTrade(141_250, number * 1_000_000, 5, 141_000)
        bars = [Bar("1d", 0, 1, 2, 1, 2, 3)]
        totals = DayTotals(1412.5, 1000 + number, 10, 10)
        feed = stock_feed(trade, [(10, 141_245, 20, 141_255)], bars, totals, True)
        response.feeds[key].CopyFrom(feed)
    return response.SerializeToString(deterministic=True)


def sent(fault: Fault, *frames: bytes, line: Mangling | None = None) -> list[bytes | str]:
    line = line or Mangling(Workshop())
    return [out for each in frames for out in line.send(each, [fault])]


def stock(out: bytes | str, key: str = KEY) -> MarketFullFeed:
    assert isinstance(out, bytes)
    return FeedResponse.FromString(out).feeds[key].fullFeed.marketFF


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ({"verb": "ws.nothing"}, "there is no verb 'ws.nothing'"),
        ({"verb": "ws.dup", "args": {"m": 3}}, "ws.dup has no argument 'm'; it takes n"),
        ({"verb": "ws.rst", "args": {"n": 3}}, "it takes no arguments"),
        ({"verb": "ws.dup", "args": [1, 2]}, "ws.dup takes 1 arguments, got 2"),
        ({"verb": "ws.dup", "args": {"n": 0}}, "n must be a whole number from 1 to 100, was 0"),
        ({"verb": "ws.dup", "args": {"n": 2.5}}, "n must be a whole number"),
        ({"verb": "ws.dup", "args": {"n": True}}, "n must be a whole number"),
        ({"verb": "clock.skew"}, "clock.skew needs its argument s"),
        ({"verb": "clock.skew", "args": {"s": "1"}}, "s must be a number"),
        ({"verb": "market.phase", "args": {"p": "OPEN"}}, "p must be one of PRE_OPEN_START"),
        ({"verb": "ws.text", "args": {"text": 4}}, "text must be a text, was 4"),
        ({"verb": "ws.rst", "after": -1}, "after must be market seconds from now, was -1.0"),
        ({"verb": "ws.rst", "for": 0}, "for must be market seconds above 0, was 0.0"),
        ({"verb": "auth.expire", "for": 5}, "auth.expire acts once: leave out for"),
        ({"verb": "ws.rst", "seed": -1}, "seed must be 0 or more, was -1"),
        ({"verb": "ws.rst", "when": 3}, "a fault is JSON with verb, args"),
        ({}, "a fault is JSON with verb, args"),
    ],
)
def test_a_bad_order_is_refused_with_a_sentence(order: dict[str, Any], sentence: str) -> None:
    faults = Faults()
    with pytest.raises(BadFaultError) as refused:
        faults.order(json.dumps(order).encode(), 0)
    assert sentence in str(refused.value)
    assert faults.told(0) == []


def test_an_order_that_is_no_json_is_refused() -> None:
    with pytest.raises(BadFaultError, match="a fault is JSON"):
        Faults().order(b"\xff{", 0)


def test_the_number_of_faults_has_a_limit() -> None:
    faults = Faults()
    for _ in range(100):
        faults.order(b'{"verb":"ws.silence"}', 0)
    with pytest.raises(BadFaultError, match="100 faults are ordered already"):
        faults.order(b'{"verb":"ws.silence"}', 0)


def test_a_fault_acts_from_its_start_until_before_its_end() -> None:
    faults = Faults()
    faults.order(b'{"verb":"ws.silence","after":10,"for":5}', 0)
    assert faults.next_change_ns(0) == 10 * NS_PER_S
    assert not faults.active(10 * NS_PER_S - 1, "ws.")
    assert faults.active(10 * NS_PER_S, "ws.")
    assert faults.next_change_ns(10 * NS_PER_S) == 15 * NS_PER_S
    assert not faults.active(15 * NS_PER_S, "ws.")
    assert not list(faults.due(15 * NS_PER_S))
    assert faults.told(15 * NS_PER_S) == []


def test_a_fault_that_acts_once_is_due_once() -> None:
    faults = Faults()
    faults.order(b'{"verb":"ws.close","after":1}', 0)
    assert not list(faults.due(NS_PER_S - 1))
    assert [fault.verb for fault in faults.due(NS_PER_S)] == ["ws.close"]
    assert not list(faults.due(NS_PER_S))


def test_a_halt_begins_and_ends_with_a_minute() -> None:
    fault = ordered("market.halt", after=61, lasting=61)
    assert (fault.start_ns, fault.end_ns) == (2 * NS_PER_MINUTE, 3 * NS_PER_MINUTE)


@pytest.mark.parametrize("verb", ["ws.bitflip", "ws.truncate", "ws.random", "ws.reorder"])
def test_the_same_seed_does_the_same_damage(verb: str) -> None:
    frames = [frame(number) for number in range(1, 30)]
    one, two = sent(ordered(verb, seed=7), *frames), sent(ordered(verb, seed=7), *frames)
    other = sent(ordered(verb, seed=8), *frames)
    assert one == two
    assert one != other


def test_a_flipped_frame_differs_in_as_many_bits_as_asked() -> None:
    (out,) = sent(ordered("ws.bitflip"), frame())
    assert isinstance(out, bytes)
    pairs = zip(out, frame(), strict=True)
    assert sum((a ^ b).bit_count() for a, b in pairs) == 1


def test_a_truncated_frame_is_a_beginning() -> None:
    (out,) = sent(ordered("ws.truncate"), frame())
    assert isinstance(out, bytes)
    assert len(out) < len(frame())
    assert frame().startswith(out)


def test_random_bytes_have_the_length_asked_for() -> None:
    (out,) = sent(ordered("ws.random", args={"bytes": 5 << 20}), frame())
    assert len(out) == 5 << 20


def test_a_share_leaves_the_other_frames_alone() -> None:
    frames = [frame(number) for number in range(1, 201)]
    out = sent(ordered("ws.text", args={"share": 0.25}), *frames)
    damaged = sum(isinstance(each, str) for each in out)
    assert 25 < damaged < 80
    assert [each for each in out if isinstance(each, bytes)] == [
        given for given, each in zip(frames, out, strict=True) if isinstance(each, bytes)
    ]


def test_a_match_damages_only_frames_with_that_key() -> None:
    fault = ordered("ws.text", match=OTHER)
    assert sent(fault, frame(1, KEY)) == [frame(1, KEY)]
    assert isinstance(sent(fault, frame(1, KEY, OTHER))[0], str)


def test_dup_sends_every_frame_so_often() -> None:
    out = sent(ordered("ws.dup", args={"n": 3}), frame(1), frame(2))
    assert out == [frame(1)] * 3 + [frame(2)] * 3


def test_reorder_sends_the_same_frames_in_another_order_and_keeps_none() -> None:
    frames = [frame(number) for number in range(1, 20)]
    line, fault = Mangling(Workshop()), ordered("ws.reorder", args={"n": 8})
    out = sent(fault, *frames, line=line)
    assert len(out) == 16
    assert out != frames[:16]
    assert sorted(map(str, out[:8])) == sorted(map(str, frames[:8]))
    assert line.end([]) == frames[16:]
    assert line.end([]) == []


def test_old_frames_come_again_after_the_snapshot_of_a_later_connection() -> None:
    workshop, fault = Workshop(), ordered("ws.replay_old")
    first, second = Mangling(workshop), Mangling(workshop)
    status = frame(1, kind=Type.market_info)
    assert sent(fault, status, frame(2), frame(3), line=first) == [status, frame(2), frame(3)]
    out = sent(fault, status, frame(9), frame(10), line=second)
    assert out == [status, frame(9), frame(2), frame(3), frame(10)]


def test_a_burst_changes_sizes_and_ends_with_the_book_as_it_is() -> None:
    out = sent(ordered("ws.burst", args={"x": 10}), frame())
    assert len(out) == 10
    assert out[0] == frame()
    assert not any(stock(each).HasField("ltpc") for each in out[1:])
    assert {stock(each).vtt for each in out} == {1001}
    assert stock(out[-1]).marketLevel == stock(frame()).marketLevel
    assert len({str(stock(each).marketLevel) for each in out[1:-1]}) == 8


@pytest.mark.parametrize(
    ("kind", "price"), [("zero", 0.0), ("nan", math.nan), ("inf", math.inf), ("1e9", 1e9)]
)
def test_a_bad_price_takes_the_place_of_the_last_price(kind: str, price: float) -> None:
    fault = ordered("ws.values", args={"kind": kind}, match=KEY)
    (out,) = sent(fault, frame(1, KEY, OTHER))
    assert str(stock(out).ltpc.ltp) == str(price)
    assert stock(out, OTHER) == stock(frame(1, KEY, OTHER), OTHER)


def test_a_negative_volume_and_a_trade_of_tomorrow() -> None:
    (out,) = sent(ordered("ws.values", args={"kind": "negative_volume"}), frame())
    assert stock(out).vtt == -1001
    (out,) = sent(ordered("ws.values", args={"kind": "tomorrow"}), frame())
    assert stock(out).ltpc.ltt - stock(frame()).ltpc.ltt == 86_400_000


def test_a_trade_gets_a_time_before_the_last_one() -> None:
    (out,) = sent(ordered("ws.values", args={"kind": "old_trade"}), frame())
    assert stock(frame()).ltpc.ltt - stock(out).ltpc.ltt == 5_000


def test_the_volume_of_the_day_starts_again() -> None:
    fault, line = ordered("ws.values", args={"kind": "volume_restart"}), Mangling(Workshop())
    volumes = []
    for bought in (0, 40, 100):
        later = FeedResponse.FromString(frame())
        later.feeds[KEY].fullFeed.marketFF.vtt += bought
        (out,) = line.send(later.SerializeToString(), [fault])
        assert isinstance(out, bytes)
        volumes.append(stock(out).vtt)
    assert volumes == [0, 40, 100]


def test_two_faults_work_one_after_the_other() -> None:
    faults = Faults()
    both = [
        faults.order(b'{"verb":"ws.bitflip","args":{"bits":400}}', 0),
        faults.order(b'{"verb":"ws.values"}', 0),
        faults.order(b'{"verb":"ws.dup","args":{"n":2}}', 0),
    ]
    out = Mangling(Workshop()).send(frame(), both)
    assert len(out) == 2
    assert all(one == two for one, two in pairwise(out))


def test_a_dropped_subscription_loses_one_key_chosen_by_the_seed() -> None:
    keys = [f"NSE_EQ|K{number}" for number in range(20)]
    message = json.dumps({"method": "sub", "data": {"mode": "full", "instrumentKeys": keys}})
    line, fault = Mangling(Workshop()), ordered("ws.drop_sub")
    left = json.loads(line.receive(message.encode(), [fault]))["data"]["instrumentKeys"]
    assert len(left) == 19
    again = json.loads(line.receive(message.encode(), [fault]))["data"]["instrumentKeys"]
    assert again == left


@pytest.mark.parametrize("message", [b"\xff", b"3", b'{"method":"unsub"}', b'{"method":"sub"}'])
def test_other_messages_arrive_as_they_are(message: bytes) -> None:
    assert Mangling(Workshop()).receive(message, [ordered("ws.drop_sub")]) == message


def test_emptied_lists_keep_the_shape_of_the_answer() -> None:
    assert json.loads(emptied(b'{"data":{"candles":[[1]],"n":1}}')) == {
        "data": {"candles": [], "n": 1}
    }
    assert json.loads(emptied(b'{"status":"success","data":[1]}'))["data"] == []
    assert json.loads(emptied(b'{"data":{"A":{"ltp":1}}}'))["data"] == {}
    assert json.loads(emptied(b'{"data":true}'))["data"] is True
    assert emptied(b"\x1f\x8b") == b"\x1f\x8b"
