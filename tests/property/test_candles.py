"""Laws of candles: any cut of the stream gives the same ones, and pandas agrees."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.market_stage import NEVER_SILENT, OPEN, Stage, changed_candles, frame, instrument
from tests.oracles.candles import Ohlcv, Trade, resample
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS, NS_PER_S
from ticktick.domain.event import CandleChanged
from ticktick.domain.market import TIMEFRAMES, Candle, CandleState

SYMBOLS = ("ACME", "BOLT")
CLOSE = OPEN + 375 * NS_PER_MINUTE
# (milliseconds since the trade before, price, size, symbol, told at all, told in the open frame)
STEPS = st.lists(
    st.tuples(
        st.integers(1, 45_000),
        st.integers(90, 110),
        st.integers(1, 50),
        st.sampled_from(SYMBOLS),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=80,
)
Steps = list[tuple[int, int, int, str, bool, bool]]
Cut = Callable[[tuple[int, int, int, str, bool, bool]], bool]
Rows = dict[str, dict[str, Any]]


@given(STEPS)
def test_any_cut_into_frames_gives_the_same_candles(steps: Steps) -> None:
    one_by_one = _run(steps, conflate=False, confirm_s=1, cut=lambda _: True)
    together = _run(steps, conflate=False, confirm_s=1, cut=lambda step: step[5])
    for symbol in SYMBOLS:
        assert _told(one_by_one, symbol) == _told(together, symbol)


@given(STEPS)
def test_confirmed_candles_of_a_conflated_stream_equal_pandas_in_every_timeframe(
    steps: Steps,
) -> None:
    stage = _run(steps, conflate=True, confirm_s=1, cut=lambda step: step[5])
    for symbol in SYMBOLS:
        for minutes in TIMEFRAMES:
            closed = stage.market.candles(symbol, minutes)
            assert [_numbers(c) for c in closed] == _expected(steps, symbol, minutes)
            assert {(c.state, c.confirmed, c.revision) for c in closed} <= {
                (CandleState.FINAL, True, 0)
            }


@given(STEPS)
def test_unconfirmed_candles_of_a_clean_stream_equal_pandas(steps: Steps) -> None:
    stage = _run(steps, conflate=False, confirm_s=None, cut=lambda step: step[5])
    for symbol in SYMBOLS:
        for minutes in TIMEFRAMES:
            told = [c for c in changed_candles(stage.facts, minutes) if c.symbol == symbol]
            first = {c.start_ns: _numbers(c) for c in reversed(told)}
            assert [first[start] for start in sorted(first)] == _expected(steps, symbol, minutes)
            assert not any(c.confirmed or c.revision for c in told)


@given(STEPS, st.integers(2, 40))
def test_candles_confirmed_late_end_equal_to_those_confirmed_in_time(
    steps: Steps, late_s: int
) -> None:
    stage = _run(steps, conflate=True, confirm_s=late_s, cut=lambda step: step[5])
    for symbol in SYMBOLS:
        for minutes in TIMEFRAMES:
            closed = stage.market.candles(symbol, minutes)
            assert [_numbers(c) for c in closed] == _expected(steps, symbol, minutes)
            assert all(c.confirmed for c in closed)


def _run(steps: Steps, *, conflate: bool, confirm_s: int | None, cut: Cut) -> Stage:
    """Play the trades second by second; the broker confirms `confirm_s` after each minute."""
    instruments = [instrument(symbol) for symbol in SYMBOLS]
    stage = Stage(*instruments, settings=NEVER_SILENT)
    stage.process(
        frame(OPEN, {s: {"last_price": 100, "last_trade_ns": OPEN, "volume": 0} for s in SYMBOLS})
    )
    at_ns, volume, trades = OPEN, dict.fromkeys(SYMBOLS, 0), _trades(steps)
    waiting: Rows = {}
    second = OPEN
    for step in steps:
        at_ns += step[0] * NS_PER_MS
        while second + NS_PER_S <= at_ns:
            second += NS_PER_S
            _flush(stage, waiting)
            _tick(stage, trades, second, confirm_s)
        _, price, size, symbol, is_told, _ = step
        volume[symbol] += size
        if conflate and not is_told:
            continue
        if symbol in waiting or cut(step):
            _flush(stage, waiting)
        waiting[symbol] = {
            "exchange_ns": at_ns,
            "last_price": price,
            "last_trade_ns": at_ns,
            "volume": volume[symbol],
        }
    _flush(stage, waiting)
    while second < at_ns + 2 * 3600 * NS_PER_S and second < CLOSE + 60 * NS_PER_S:
        second += NS_PER_S if second < at_ns + 120 * NS_PER_S else 30 * NS_PER_S
        _tick(stage, trades, second, confirm_s)
    return stage


def _flush(stage: Stage, waiting: Rows) -> None:
    if waiting:
        stage.process(frame(max(row["exchange_ns"] for row in waiting.values()), waiting))
        waiting.clear()


def _tick(stage: Stage, trades: dict[str, list[Trade]], now_ns: int, confirm_s: int | None) -> None:
    stage.timer(now_ns)
    if confirm_s is None:
        return
    end_ns = now_ns - confirm_s * NS_PER_S
    if end_ns % NS_PER_MINUTE:
        return
    for symbol in SYMBOLS:
        minute = [t for t in trades[symbol] if end_ns - NS_PER_MINUTE <= t.at_ns < end_ns]
        for numbers in resample(minute, 1, OPEN, CLOSE):
            broker = Candle(symbol=symbol, minutes=1, **numbers._asdict())
            stage.confirm(now_ns, broker)


def _trades(steps: Steps) -> dict[str, list[Trade]]:
    at_ns, trades = OPEN, {symbol: list[Trade]() for symbol in SYMBOLS}
    for gap_ms, price, size, symbol, *_ in steps:
        at_ns += gap_ms * NS_PER_MS
        trades[symbol].append(Trade(at_ns, price, size))
    return trades


def _expected(steps: Steps, symbol: str, minutes: int) -> list[Ohlcv]:
    return resample(_trades(steps)[symbol], minutes, OPEN, CLOSE)


def _numbers(c: Candle) -> Ohlcv:
    return Ohlcv(c.start_ns, c.open, c.high, c.low, c.close, c.volume)


def _told(stage: Stage, symbol: str) -> list[Candle]:
    told = [fact.candle for fact in stage.facts if isinstance(fact, CandleChanged)]
    return [c for c in told if c.symbol == symbol]
