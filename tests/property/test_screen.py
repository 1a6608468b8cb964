"""Laws of the screen: what cannot be true, and what was told before, leaves no trace."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.market_stage import (
    NEVER_SILENT,
    OPEN,
    JsonDecoder,
    Stage,
    changed_candles,
    frame,
    instrument,
)
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MS, NS_PER_S
from ticktick.domain.event import CandleChanged, FrameArrived
from ticktick.domain.market import Candle
from ticktick.engine.ports import Decoded
from ticktick.market.table import SlotTable

SYMBOLS = ("ACME", "BOLT")
# (milliseconds since the packet before, price, size, symbol)
GOOD = st.tuples(
    st.integers(1, 9_000), st.integers(9_800, 10_200), st.integers(0, 50), st.sampled_from(SYMBOLS)
)
BAD = st.sampled_from(("jump", "book", "day", "ahead", "tomorrow", "older", "late trade", "none"))
STEPS = st.lists(st.tuples(GOOD, BAD), min_size=1, max_size=40)
Step = tuple[tuple[int, int, int, str], str]
Rows = dict[str, dict[str, Any]]


class Believer(JsonDecoder):
    """A broken decoder: what it reads is believed at once."""

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Write past the screen."""
        decoded = super().decode(data, table, received_ns, seq)
        table.accept(decoded.rows)
        return decoded


def packets(steps: Sequence[Step]) -> Iterator[tuple[int, str, dict[str, Any], str]]:
    """Time, symbol, columns of each good packet, and what bad one follows it."""
    at_ns, volume = OPEN, dict.fromkeys(SYMBOLS, 1_000)
    for (gap_ms, price, size, symbol), bad in steps:
        at_ns += gap_ms * NS_PER_MS
        volume[symbol] += size
        side = [price - 5, 0, 0, 0, 0], [price + 5, 0, 0, 0, 0]
        columns = {
            "last_price": price,
            "last_trade_ns": at_ns,
            "volume": volume[symbol],
            "average_price": price,
            "bid_price": side[0],
            "ask_price": side[1],
        }
        yield at_ns, symbol, columns, bad


def spoilt(at_ns: int, columns: dict[str, Any], bad: str) -> dict[str, Any]:
    """The packet with something in it that cannot be true."""
    changes: dict[str, dict[str, Any]] = {
        "jump": {"last_price": columns["last_price"] * 3 // 2, "average_price": 0},
        "book": {"ask_price": [10**11, 0, 0, 0, 0]},
        "day": {"day_high": 10**9},
        "ahead": {"exchange_ns": at_ns + 3 * NS_PER_S},
        "tomorrow": {"exchange_ns": at_ns + NS_PER_DAY},
        "older": {"exchange_ns": at_ns - 1, "last_price": 9_999, "volume": 1},
        "late trade": {"last_trade_ns": at_ns + 11 * NS_PER_S},
    }
    return {**columns, "volume": columns["volume"] + 7, **changes[bad]}


def played(steps: Sequence[Step], *, with_bad: bool, decoder: JsonDecoder) -> Stage:
    """An engine after the packets, and after time that settles what they came to."""
    shares = [instrument(symbol) for symbol in SYMBOLS]
    stage = Stage(*shares, settings=NEVER_SILENT, decoder=decoder)
    second = OPEN
    for at_ns, symbol, columns, bad in packets(steps):
        while second + NS_PER_S <= at_ns:
            second += NS_PER_S
            stage.timer(second)
        stage.process(frame(at_ns, {symbol: columns}))
        if with_bad and bad != "none":
            stage.process(frame(at_ns, {symbol: spoilt(at_ns, columns, bad)}))
    for later in range(1, 130):
        stage.timer(second + later * NS_PER_S)
    return stage


def told(stage: Stage) -> list[Candle]:
    return [fact.candle for fact in stage.facts if isinstance(fact, CandleChanged)]


def compare(one: Stage, two: Stage) -> None:
    """Everything the market says is the same."""
    assert told(one) == told(two)
    assert one.market.table.records.tobytes() == two.market.table.records.tobytes()
    np.testing.assert_array_equal(one.market.metrics, two.market.metrics)
    for symbol in SYMBOLS:
        np.testing.assert_array_equal(one.market.window(symbol), two.market.window(symbol))
        assert one.freshness(symbol) is two.freshness(symbol)


@given(STEPS)
def test_P08_a_screened_stream_equals_a_clean_one(steps: list[Step]) -> None:
    clean = played(steps, with_bad=False, decoder=JsonDecoder())
    compare(played(steps, with_bad=True, decoder=JsonDecoder()), clean)


def test_P08_without_the_screen_the_law_does_not_hold() -> None:
    steps: list[Step] = [((500, 10_000, 10, "ACME"), "none"), ((500, 10_010, 10, "ACME"), "jump")]
    with pytest.raises(AssertionError):
        compare(
            played(steps, with_bad=True, decoder=Believer()),
            played(steps, with_bad=False, decoder=Believer()),
        )


class Stutters(Stage):
    """A feed that repeats frames: each at once, and some again much later."""

    def __init__(self, again: Sequence[int]) -> None:
        self._again = again
        self._sent: list[FrameArrived] = []
        shares = [instrument(symbol) for symbol in SYMBOLS]
        super().__init__(*shares, settings=NEVER_SILENT)

    def tell(self, event: FrameArrived) -> None:
        """Send a frame, the same frame, and an old one."""
        self._sent.append(event)
        old = self._sent[-1 - self._again[len(self._sent) % len(self._again)] % len(self._sent)]
        for copy in (event, event, old):
            self.process(FrameArrived(event.received_ns, event.seq, copy.data))


@given(STEPS, st.lists(st.integers(0, 30), min_size=1, max_size=7))
def test_F06_frames_that_come_again_leave_metrics_windows_and_candles_as_they_were(
    steps: list[Step], again: list[int]
) -> None:
    shares = [instrument(symbol) for symbol in SYMBOLS]
    once, thrice = Stage(*shares, settings=NEVER_SILENT), Stutters(again)
    second = OPEN
    for at_ns, symbol, columns, _ in packets(steps):
        while second + NS_PER_S <= at_ns:
            second += NS_PER_S
            once.timer(second)
            thrice.timer(second)
        event = frame(at_ns, {symbol: columns})
        once.process(event)
        thrice.tell(event)
    for later in range(1, 130):
        once.timer(second + later * NS_PER_S)
        thrice.timer(second + later * NS_PER_S)
    assert told(once) == told(thrice)
    np.testing.assert_array_equal(once.market.metrics, thrice.market.metrics)
    for symbol in SYMBOLS:
        np.testing.assert_array_equal(once.market.window(symbol), thrice.market.window(symbol))
    assert once.counter("trades") == thrice.counter("trades")


@given(STEPS, st.randoms(use_true_random=False))
def test_frames_of_different_symbols_may_overtake_each_other_within_a_second(
    steps: list[Step], chance: Any
) -> None:
    def run(*, shuffles: bool) -> Stage:
        shares = [instrument(symbol) for symbol in SYMBOLS]
        stage = Stage(*shares, settings=NEVER_SILENT)
        second, waiting = OPEN, list[tuple[int, str, dict[str, Any]]]()

        def flush() -> None:
            order = [symbol for _, symbol, _ in waiting]
            if shuffles:
                chance.shuffle(order)
            for symbol in order:  # of one symbol the order stays
                place = next(i for i, packet in enumerate(waiting) if packet[1] == symbol)
                at_ns, _, columns = waiting.pop(place)
                told_ns = {"exchange_ns": at_ns}
                stage.process(frame(at_ns, {symbol: {**columns, **told_ns}}))

        for at_ns, symbol, columns, _ in packets(steps):
            while second + NS_PER_S <= at_ns:
                second += NS_PER_S
                flush()
                stage.timer(second)
            waiting.append((at_ns, symbol, columns))
        flush()
        for later in range(1, 130):
            stage.timer(second + later * NS_PER_S)
        return stage

    in_order, shuffled = run(shuffles=False), run(shuffles=True)
    for symbol in SYMBOLS:
        pairs = (changed_candles(s.facts) for s in (in_order, shuffled))
        one, two = ([c for c in candles if c.symbol == symbol] for candles in pairs)
        assert one == two
        first, second = (stage.metric("vwap", symbol) for stage in (in_order, shuffled))
        assert first == second or (math.isnan(first) and math.isnan(second))
