"""What a line remembers of the candles that it was fed."""

import tracemalloc
from itertools import pairwise

from msgspec.structs import replace

from tests.analytics_stage import split, walk
from ticktick.analytics.fed import CANDLES_KEPT, Fed


def test_the_same_numbers_are_known_and_no_others() -> None:
    candles = walk(50)
    fed = Fed(candles)
    assert all(fed.knows(replace(each, confirmed=False)) for each in candles)
    for field in ("open", "high", "low", "close", "volume"):
        changed = [replace(each, **{field: getattr(each, field) + 1}) for each in candles]
        assert not any(fed.knows(each) for each in changed)
    assert not fed.knows(walk(51)[50])
    assert not Fed().knows(candles[0])


def test_the_close_after_a_candle_is_known_once_it_is_fed() -> None:
    candles = walk(50)
    fed = Fed(candles)
    for each, later in pairwise(candles):
        assert each.start_ns in fed
        assert fed.close_after(each.start_ns) == later.close
    assert fed.close_after(candles[-1].start_ns) is None
    assert fed.close_after(candles[0].start_ns + 1) is None


def test_the_newest_candles_are_kept_and_the_oldest_forgotten() -> None:
    candles = walk(CANDLES_KEPT + 500)
    fed = Fed()
    for place, each in enumerate(candles):
        fed.take(each)
        assert candles[max(place + 1 - CANDLES_KEPT, 0)].start_ns in fed
    assert candles[0].start_ns not in fed
    assert all(fed.knows(each) for each in candles[-CANDLES_KEPT:])


def test_prices_of_any_size_are_kept_from_the_first_that_is_large() -> None:
    far = 3 * 10**9
    wide = [replace(each, open=each.open + far, close=each.close + far) for each in walk(50)[30:]]
    candles = [*walk(30), *wide]
    fed = Fed(candles)
    assert all(fed.knows(each) for each in candles)
    closes = [fed.close_after(each.start_ns) for each in candles[:-1]]
    assert closes == [None if place == 30 else candles[place].close for place in range(1, 50)]


def test_a_line_remembers_its_candles_in_less_than_24_bytes_each() -> None:
    candles = walk(CANDLES_KEPT)
    tracemalloc.start()
    try:
        fed = Fed(candles)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert fed.knows(candles[0])
    assert kept < 24 * CANDLES_KEPT


def test_a_candle_that_leapt_judges_nothing() -> None:
    candles = split(walk(50), 20, 2.0)
    fed = Fed(candles)
    assert fed.close_after(candles[19].start_ns) is None
    assert fed.close_after(candles[18].start_ns) == candles[19].close
    assert fed.close_after(candles[20].start_ns) == candles[21].close
    assert fed.knows(candles[20])
