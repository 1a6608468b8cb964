"""Damaged frames through decoders and engine, each judged by what is shown afterwards."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Final, NamedTuple

import numpy as np

from tests.fuzz.mutations import Fuzz, mutated
from tests.fuzz.supplies import Good, Supply
from tests.fuzz.twins import Twins
from tests.oracles.belief import Judge, Shown
from ticktick.brokers.upstox.decoders import new_decoder
from ticktick.domain.clock import NS_PER_S
from ticktick.domain.event import (
    CandleChanged,
    FrameArrived,
    InstrumentsResolved,
    LinkChanged,
    Quote,
    QuotesRead,
    TimerFired,
)
from ticktick.domain.metric import METRICS
from ticktick.domain.sessions import Calendar
from ticktick.engine.engine import Engine
from ticktick.engine.ports import EngineSettings, Outputs
from ticktick.proto.MarketDataFeed_pb2 import FeedResponse

FRAMES_AN_EPISODE: Final = 500
LONGEST_MS: Final = 50.0
_DAMAGED_AT_ONCE = 12
_SLOW_TRIES = 4
_CALM_NS: Final = 5 * NS_PER_S
_SETTLED_NS: Final = 2 * NS_PER_S
_NS_PER_MS = 1_000_000

MakeEngine = Callable[[], Engine]


class Trial(NamedTuple):
    """One damaged frame and what came of it: `unreadable`, `refused`, `believed` or `broken`."""

    kind: str
    data: bytes
    ms: float
    outcome: str
    complaints: tuple[str, ...]


class Failure(Exception):
    """Something came out that must not, or broke; the message holds the complaints."""

    def __init__(self, trial: Trial, episode: int, number: int) -> None:
        super().__init__("; ".join(trial.complaints))
        self.trial = trial
        self.episode = episode
        self.number = number


class Tally:
    """What became of the frames, by kind of damage."""

    def __init__(self) -> None:
        self.frames: Counter[str] = Counter()
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.slowest_ms: dict[str, float] = {}

    def add(self, trial: Trial) -> None:
        """Count one."""
        self.frames[trial.kind] += 1
        self.outcomes[trial.kind, trial.outcome] += 1
        self.slowest_ms[trial.kind] = max(self.slowest_ms.get(trial.kind, 0.0), trial.ms)


def sound_engine() -> Engine:
    """The engine as every run has it."""
    return Engine(new_decoder(), Calendar(), EngineSettings())


def run_episode(
    supplies: Sequence[Supply],
    seed: int,
    episode: int,
    frames: int,
    tally: Tally,
    make_engine: MakeEngine = sound_engine,
) -> None:
    """So many damaged frames between good ones, from a fresh engine on; then a calm end.

    The same seed and episode give the same frames. Raises Failure at the first complaint.
    """
    rng = Random(f"{seed} {episode}")
    supply = supplies[episode % len(supplies)]
    number = 0
    with np.errstate(all="raise"):
        stage = _Stage(supply, rng, make_engine(), supplies)
        while number < frames:
            _require(stage.good(), episode, number)
            for _ in range(min(rng.randint(0, 2 * _DAMAGED_AT_ONCE), frames - number)):
                trial = stage.damaged()
                tally.add(trial)
                _require(trial, episode, number)
                number += 1
        _require(stage.calm_end(), episode, number)


def _require(trial: Trial, episode: int, number: int) -> None:
    if trial.complaints:
        raise Failure(trial, episode, number)


class _Stage:
    """One engine, the frames it is given, and the judge."""

    def __init__(
        self, supply: Supply, rng: Random, engine: Engine, supplies: Sequence[Supply]
    ) -> None:
        self._supply = supply
        self._rng = rng
        self._engine = engine
        self._twins = Twins(supply.instruments, new_decoder())
        self._others = [good.data for one in supplies for good in one.frames]
        self._symbols = {one.symbol: one.instrument_key for one in supply.instruments}
        bands = {self._symbols[symbol]: band for symbol, band in supply.bands.items()}
        ticks = {one.instrument_key: one.tick_size for one in supply.instruments}
        self._judge = Judge(supply.keys, [metric.name for metric in METRICS], bands, ticks)
        self._next = rng.randrange(max(len(supply.frames) // 2, 1))
        self._seq = 0
        self._now_ns = supply.frames[self._next].at_ns
        self._begin()

    def good(self) -> Trial:
        """Give the next good frame at its time, and let the seconds before it pass."""
        if self._next == len(self._supply.frames):
            self._pass_to(self._now_ns + NS_PER_S)
            return _NOTHING
        frame = self._supply.frames[self._next]
        self._next += 1
        self._pass_to(frame.at_ns)
        return self._give("good frame", frame.data)

    def damaged(self) -> Trial:
        """Give one damaged frame."""
        at = self._rng.randrange(self._next + 1) if self._rng.random() < 0.3 else self._next
        base = self._supply.frames[min(at, len(self._supply.frames) - 1)].data
        kind, data = mutated(Fuzz(self._rng, base, self._others, self._supply.keys))
        self._pass_to(self._now_ns + self._rng.choice((0, 1, 20, 250)) * _NS_PER_MS)
        trial = self._give(kind, data)
        if trial.ms <= LONGEST_MS or trial.complaints:
            return trial
        # a busy machine is slow once, a slow program every time
        ms = min(trial.ms, *(self._give(kind, data).ms for _ in range(_SLOW_TRIES)))
        slow = (f"it took {ms:.0f} ms",) if ms > LONGEST_MS else ()
        return trial._replace(ms=ms, complaints=slow)

    def calm_end(self) -> Trial:
        """Some seconds of good frames alone; what they tell in the end must be shown."""
        until_ns = self._now_ns + _CALM_NS
        told: dict[str, int] = {}
        while self._next < len(self._supply.frames):
            frame = self._supply.frames[self._next]
            if frame.at_ns > until_ns:
                break
            trial = self.good()
            if trial.complaints:
                return trial
            if frame.at_ns > until_ns - _SETTLED_NS:
                told |= _prices(frame)
        shown = self._shown().slots["last_price"]
        lost = tuple(
            f"{key}: {price} was told after the damage, {shown[row]} is shown"
            for key, price in told.items()
            if shown[row := self._supply.keys.index(key)] != price
        )
        return Trial("calm end", b"", 0.0, "shown", lost)

    def _give(self, kind: str, data: bytes) -> Trial:
        """Let decoders and engine take a frame, and judge what is shown then."""
        before, rejected = self._shown(), self._rejected()
        try:
            complaints = self._twins.differences(data, self._now_ns, self._seq + 1)
            began_ns = time.thread_time_ns()
            outputs = self._process(data)
        except Exception as error:  # noqa: BLE001  whatever it is, it must be told with its frame
            broken = f"{type(error).__name__}: {error}"
            return Trial(kind, data, 0.0, "broken", (broken,))
        ms = max((time.thread_time_ns() - began_ns) / _NS_PER_MS, self._twins.slowest_ms)
        after = self._shown()
        complaints += self._judge.verdict(data, self._now_ns, self._seq, before, after)
        complaints += self._candles(outputs)
        believed = bool((after.slots["seq"] == self._seq).any())
        outcome = "believed" if believed else "refused"
        outcome = "unreadable" if self._rejected() > rejected else outcome
        return Trial(kind, data, ms, outcome, tuple(complaints))

    def _begin(self) -> None:
        at_ns, bands = self._now_ns, self._supply.bands
        self._engine.process(InstrumentsResolved(at_ns, self._supply.instruments))
        quotes = tuple(
            Quote(symbol, at_ns, 0, 0, 0, lower_band=low, upper_band=high)
            for symbol, (low, high) in bands.items()
        )
        self._engine.process(QuotesRead(at_ns, quotes))
        self._engine.process(LinkChanged(at_ns, True, "data arrived"))
        for frame in self._supply.frames[:2]:  # the status, and the snapshot of every key
            self._process(frame.data)

    def _pass_to(self, at_ns: int) -> None:
        """Let the timer fire for every second until the moment, at most a minute of them."""
        first = max(self._now_ns // NS_PER_S + 1, at_ns // NS_PER_S - 60)
        for second in range(first, at_ns // NS_PER_S + 1):
            self._engine.process(TimerFired(second * NS_PER_S))
        self._now_ns = max(self._now_ns, at_ns)

    def _process(self, data: bytes) -> Outputs:
        self._seq += 1
        return self._engine.process(FrameArrived(self._now_ns, self._seq, data))

    def _rejected(self) -> int:
        return self._engine.market.counters["frames_rejected"]

    def _candles(self, outputs: Outputs) -> list[str]:
        found: list[str] = []
        for fact in outputs.facts:
            if isinstance(fact, CandleChanged):
                key = self._symbols[fact.candle.symbol]
                found += self._judge.candle(key, fact.candle)
        return found

    def _shown(self) -> Shown:
        market, count = self._engine.market, len(self._supply.instruments)
        return Shown(
            market.table.records[:count].copy(),
            market.table.deep[:count].copy(),
            market.metrics[:, :count].copy(),
            tuple(str(market.freshness[row]) for row in range(count)),
            tuple(str(phase) for phase in market.row_phases[:count]),
        )


def _prices(frame: Good) -> dict[str, int]:
    """Last prices of a good frame, in paise."""
    found = {}
    for key, feed in FeedResponse.FromString(frame.data).feeds.items():
        full = feed.fullFeed
        trades = (feed.ltpc, feed.firstLevelWithGreeks.ltpc, full.indexFF.ltpc, full.marketFF.ltpc)
        for trade in trades:
            if trade.ltp:
                found[key] = round(trade.ltp * 100)
    return found


_NOTHING: Final = Trial("good frame", b"", 0.0, "shown", ())
