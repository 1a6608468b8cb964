"""The time of a frame at first sight is the one that protobuf reads, or none."""

from collections.abc import Callable
from random import Random

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.mutations import Fuzz, mutated
from ticktick.brokers.upstox import skim
from ticktick.compiled import part
from ticktick.domain.clock import NS_PER_S, parse_iso_ns
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse, MarketStatus
from tools.crowd import Crowd
from tools.crowd_feed import key_of

Step = Callable[[bytes], int]


def made() -> list[bytes]:
    crowd = Crowd(4, parse_iso_ns("2026-11-20T10:30:00+05:30"), 100)
    for _ in crowd.advance(crowd.now_ns + NS_PER_S, frozenset()):
        pass
    words = FeedResponse(currentTs=1_763_600_000_000)
    words.marketInfo.segmentStatus["NSE_EQ"] = MarketStatus.NORMAL_OPEN
    return [*crowd.frames, words.SerializeToString(), FeedResponse().SerializeToString()]


FRAMES = made()
KEYS = [key_of(number) for number in range(4)]


def steps() -> list[Step]:
    compiled = part("ticktick.brokers.upstox._skim")
    return [skim.sent_ms, *([] if compiled is None else [compiled.sent_ms])]


def check(step: Step, data: bytes) -> None:
    told_ms = step(data)
    try:
        read_ms = FeedResponse.FromString(data).currentTs
    except DecodeError:
        return
    assert told_ms in (skim.NOT_SEEN, read_ms)


def test_every_good_frame_tells_its_time() -> None:
    for step in steps():
        told = [step(frame) for frame in FRAMES]
        assert told == [FeedResponse.FromString(f).currentTs or skim.NOT_SEEN for f in FRAMES]


@given(st.integers(0, 10**9), st.integers(1, 3))
def test_no_damage_makes_it_another_time_than_protobuf_reads(seed: int, times: int) -> None:
    rng = Random(seed)
    data = rng.choice(FRAMES)
    for _ in range(times):
        _, data = mutated(Fuzz(rng, data if data in FRAMES else FRAMES[0], FRAMES, KEYS))
    told = {step(data) for step in steps()}
    assert len(told) == 1
    for step in steps():
        check(step, data)


@given(st.binary(max_size=40))
def test_no_bytes_at_all_mislead_it(data: bytes) -> None:
    told = {step(data) for step in steps()}
    assert len(told) == 1
    for step in steps():
        check(step, data)


def test_a_first_sight_that_takes_the_first_time_for_the_last_is_noticed() -> None:
    twice = FRAMES[0] + FeedResponse(currentTs=5).SerializeToString()
    check(skim.sent_ms, twice)
    with pytest.raises(AssertionError):
        check(lambda data: skim.sent_ms(data[: len(FRAMES[0])]), twice)
