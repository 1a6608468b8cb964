"""What is remembered of the link and the latencies, so that the page can show how they did."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import Fact, FeedChanged, FreshnessChanged, WatchlistChanged
from ticktick.domain.market import Freshness
from ticktick.engine.ports import Outputs
from ticktick.market.rejections import COUNTER_OF_REASON, Rejections, sentence
from ticktick.market.table import SlotTable
from ticktick.web.blocks import Floats
from ticktick.web.parts import Outage, Pulse, RejectedSample, RepairState
from ticktick.web.status import SystemStatus

OUTAGES_KEPT: Final = 10
PULSES_KEPT: Final = 300
PULSE_EVERY_S: Final = 1.0
SAMPLES_TOLD: Final = 8


class LinkDiary:
    """When the link came up and went away, and why.

    `cause` is empty while it is up, `since_ms` null before the first change. The start is no
    outage: what was never up is not lost.
    """

    def __init__(self) -> None:
        self.since_ms: int | None = None
        self.cause = ""
        self._was_up = False
        self._outages: deque[Outage] = deque(maxlen=OUTAGES_KEPT)

    @property
    def outages(self) -> tuple[Outage, ...]:
        """The last ones, oldest first."""
        return tuple(self._outages)

    def take(self, facts: Iterable[Fact]) -> None:
        """Note the changes of the link."""
        for fact in facts:
            if isinstance(fact, FeedChanged):
                self._turn(fact, fact.at_ns // NS_PER_MS)

    def _turn(self, fact: FeedChanged, at_ms: int) -> None:
        running = self._outages[-1] if self._outages else None
        lasts = running is not None and running.until_ms is None
        if lasts and running is not None:  # still away for a newer reason, or over
            self._outages[-1] = Outage(
                running.from_ms,
                at_ms if fact.up else None,
                running.cause if fact.up else fact.cause,
                running.reason if fact.up else fact.reason,
            )
        elif self._was_up and not fact.up:
            self._outages.append(Outage(at_ms, None, fact.cause, fact.reason))
        if self.since_ms is None or fact.up != self._was_up:
            self.since_ms = at_ms
        self.cause, self._was_up = fact.cause, fact.up


class RepairDiary:
    """Which symbols wait for the candles of a gap, and of how many since this repair began."""

    def __init__(self) -> None:
        self._waiting: dict[str, None] = {}
        self._total = 0

    def take(self, facts: Iterable[Fact]) -> None:
        """Note who entered and left a gap, or the list."""
        for fact in facts:
            if isinstance(fact, WatchlistChanged):
                self._leave(fact.removed)
            elif isinstance(fact, FreshnessChanged) and fact.freshness is Freshness.GAP:
                self._waiting[fact.symbol] = None
                self._total += 1
            elif isinstance(fact, FreshnessChanged):
                self._leave((fact.symbol,))

    def _leave(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            self._waiting.pop(symbol, None)
        if not self._waiting:
            self._total = 0

    def state(self, counters: Mapping[str, int]) -> RepairState:
        """The repair at this moment; the minutes are those of the engine's counters."""
        return RepairState(
            symbols=tuple(self._waiting),
            total=self._total,
            minutes_open=counters.get("gap_minutes_open"),
            minutes_backfilled=counters.get("minutes_backfilled"),
            minutes_missing=counters.get("minutes_missing"),
        )


class Pulses:
    """How late everything was, second by second, for the last five minutes.

    `kept` is oldest first. A second in which nothing happened at all has no pulse.
    """

    def __init__(self) -> None:
        self.kept: deque[Pulse] = deque(maxlen=PULSES_KEPT)
        self._lags: list[Floats] = []
        self._read_ns = 0
        self._due_s = 0.0

    def note(self, table: SlotTable, outputs: Outputs) -> None:
        """Note how late the rows were that this event brought."""
        records, rows = table.records, outputs.touched
        brought = rows[records["received_ns"][rows] > self._read_ns]
        if len(brought):
            received_ns = records["received_ns"][brought]
            self._read_ns = int(received_ns.max())
            self._lags.append((received_ns - records["exchange_ns"][brought]) / NS_PER_MS)

    def is_due(self, now_s: float) -> bool:
        """Whether a second is over."""
        return now_s >= self._due_s

    def beat(self, system: SystemStatus, now_s: float) -> None:
        """Keep the figures of the second that is over."""
        self._due_s = now_s + PULSE_EVERY_S
        lags = np.concatenate(self._lags) if self._lags and system.rate > 0 else None
        self._lags.clear()
        pulse = Pulse(
            at_ms=system.now_ms,
            feed_median_ms=None if lags is None else float(np.median(lags)) / system.rate,
            feed_worst_ms=None if lags is None else float(np.max(lags)) / system.rate,
            ping_ms=system.link.ping_ms,
            rest_ms=system.link.rest_ms,
            loop_ms=system.loop_lag_ms,
        )
        self.kept.append(pulse)

    def newest(self, now_ms: int) -> Pulse:
        """The last second's figures; none where nothing was noted yet."""
        return self.kept[-1] if self.kept else Pulse(now_ms, None, None, None, None, None)


def rejected_counts(rejections: Rejections) -> dict[str, int]:
    """How much was refused, by reason."""
    counters = rejections.counters
    return {reason: counters[name] for reason, name in COUNTER_OF_REASON.items()}


def rejected_samples(rejections: Rejections) -> tuple[RejectedSample, ...]:
    """The newest of what was refused for any reason, oldest first."""
    kept = sorted(
        (sample for samples in rejections.samples.values() for sample in samples),
        key=lambda sample: sample.at_ns,
    )
    return tuple(
        RejectedSample(sample.at_ns // NS_PER_MS, sample.reason, sentence(sample))
        for sample in kept[-SAMPLES_TOLD:]
    )
