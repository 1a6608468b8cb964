"""What Prometheus reads of a running program: every figure, looked up when it is asked for."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from ticktick import __version__
from ticktick.domain.market import Freshness
from ticktick.engine.distribution import Distribution
from ticktick.market.rejections import COUNTER_OF_REASON
from ticktick.measured import Measured
from ticktick.web.parts import PartState
from ticktick.web.status import SystemStatus, feed_state, watched_rows

_PREFIX: Final = "ticktick"
_STATES: Final = ("on", "degraded", "off")
# counters by name that go down too, or are told with a label
_LEVELS: Final = (
    "gap_minutes_open",
    "symbols_in_gap",
    "minutes_missing",
    "redis_waiting_points",
    "redis_waiting_candles",
)
_LABELLED: Final = (*COUNTER_OF_REASON.values(), "redis_dropped_metric_points")


class Figures(Collector):
    """Collects everything anew at each reading, so that measuring costs nothing in between."""

    def __init__(self, measured: Measured) -> None:
        self._of = measured

    def collect(self) -> Iterator[Metric]:
        """Every figure. What is not known has no sample."""
        system = self._of.overview.system()
        yield from self._link(system)
        yield from self._broker(system)
        yield from self._market(system)
        yield from self._program(system)
        yield from self._stores(system)
        yield from self._counters(system)

    def _link(self, system: SystemStatus) -> Iterator[Metric]:
        market = self._of.overview.market
        feed = feed_state(market, system.now_ms)
        yield _gauge("link_state", "1 while the feed's link is up.", market.link_up)
        yield _counters(
            "reconnects", "Losses of the link, by cause.", "cause", self._of.losses.losses
        )
        yield _counter(
            "feed_conflated",
            "Frames that the engine took together because it was behind.",
            self._of.runner.conflated,
        )
        yield _gauge("canary_age_ms", "Age of the freshest index.", feed.canary_age_ms)
        yield _histogram(
            "feed_lag_ms",
            "From the exchange's stamp of a frame to its reading, in market time.",
            self._of.feed_lag.lags_ms,
        )

    def _broker(self, system: SystemStatus) -> Iterator[Metric]:
        link = system.link
        yield _gauge("ping_ms", "Last round trip of the feed's ping.", link.ping_ms)
        latencies = {} if link.rest_ms is None else {"reads": link.rest_ms}
        yield _gauges("rest_latency_ms", "Last REST call, by class.", "class", latencies)
        yield _gauges(
            "rest_waiting", "Calls that wait for their turn, by class.", "class", link.rest_waiting
        )
        yield _gauges(
            "rate_budget", "Share of the tightest window left.", "class", link.budget_left
        )
        yield _gauge(
            "clock_skew_ms",
            "This computer's clock ahead of the exchange's; ages are free of it.",
            link.clock_offset_ms,
        )
        yield _gauge("symbols_unheard", "Asked for twice, never told.", len(link.unheard))

    def _market(self, system: SystemStatus) -> Iterator[Metric]:
        market = self._of.overview.market
        shown = [market.freshness[row] for row in watched_rows(market)]
        by_state = {state.value: shown.count(state) for state in Freshness}
        yield _gauges("symbols", "Watched symbols, by freshness.", "freshness", by_state)
        yield _gauge("symbols_stale", "Watched symbols that are stale.", by_state["stale"])
        untold = len(self._of.runner.market.wishes.untold)
        yield _gauge("symbols_without_history", "Symbols whose past is still awaited.", untold)
        yield _gauge("market_time_seconds", "The exchange's time.", system.now_ms / 1000)
        yield _gauge("market_rate", "Market seconds per real second.", system.rate)
        rejected = {why: market.counters.get(name, 0) for why, name in COUNTER_OF_REASON.items()}
        yield _counters(
            "frames_rejected", "Frames and values not believed, by reason.", "reason", rejected
        )

    def _program(self, system: SystemStatus) -> Iterator[Metric]:
        of = self._of
        yield _gauges(
            "info", "1, with version and mode.", "version", {__version__: 1}, mode=system.mode
        )
        yield _histogram("loop_lag_ms", "How late tasks run.", of.loop_lag.lags_ms)
        yield _gauge("loop_lag_recent_ms", "The same, worst second.", of.loop_lag.recent_ms)
        stages = of.runner.stages
        yield _histogram("event_us", "Time for one event, without its wait.", stages.event_us)
        yield _histograms("stage_us", "Time for one event, by stage.", "stage", stages.us)
        yield _histogram("ready_us", "From the socket to a frame's metrics.", stages.ready_us)
        yield _gauge(
            "engine_behind_ms", "Wait of the oldest event in the inbox.", of.runner.behind_s * 1000
        )
        yield _gauges("queue_depth", "What waits, by queue.", "queue", self._depths())
        yield _counters(
            "task_restarts", "Restarts after errors, by task.", "task", of.supervisor.restarts
        )
        yield _gauge("tasks_degraded", "Tasks that keep failing.", len(of.supervisor.degraded))
        yield _gauge("tasks", "Tasks of the event loop.", len(asyncio.all_tasks()))
        yield _gauge("threads", "Threads.", threading.active_count())
        yield _gauge("clients", "Browsers that are connected.", of.overview.clients)

    def _stores(self, system: SystemStatus) -> Iterator[Metric]:
        writer, recordings = self._of.writer, self._of.recordings
        yield _part("redis_state", "Redis", system.store)
        yield _part("recorder_state", "the recording", system.recording)
        if writer is not None:
            lost = {"metric_points": writer.counters["redis_dropped_metric_points"], "candles": 0}
            yield _counters("redis_dropped", "Never written to Redis, by kind.", "kind", lost)
            yield _gauge("redis_lag_ms", "Age of the last batch when written.", writer.lag_ms)
            yield _histogram("redis_write_ms", "Age of each batch when written.", writer.lags_ms)
        if recordings is not None:
            yield _counter("recorder_written", "Events recorded.", recordings.written)
            yield _counter("recorder_dropped", "Events not recorded.", recordings.dropped)

    def _depths(self) -> dict[str, int]:
        depths = {"inbox_events": self._of.runner.waiting}
        if self._of.writer is not None:
            counters = self._of.writer.counters
            depths["redis_points"] = counters["redis_waiting_points"]
            depths["redis_candles"] = counters["redis_waiting_candles"]
        if self._of.recordings is not None:
            depths["recorder_bytes"] = self._of.recordings.waiting_bytes
        return depths

    def _counters(self, system: SystemStatus) -> Iterator[Metric]:
        """Every counter of the status that was not told yet."""
        overview = self._of.overview
        counters = {**overview.market.counters, **system.counters, **overview.counters}
        for name, value in counters.items():
            text = "As in the counters of /api/v1/status."
            if name in _LEVELS:
                yield _gauge(name, text, value)
            elif name not in _LABELLED:
                yield _counter(name, text, value)


def exposition(figures: Figures) -> bytes:
    """The figures, and those of the process, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(figures)
    ProcessCollector(namespace=_PREFIX, registry=registry)
    return generate_latest(registry)


def _gauge(name: str, text: str, value: float | None) -> Metric:
    return GaugeMetricFamily(f"{_PREFIX}_{name}", text, value)


def _gauges(
    name: str, text: str, label: str, values: Mapping[str, float], **more: str
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{_PREFIX}_{name}", text, labels=[label, *more])
    for word, value in values.items():
        family.add_metric([word, *more.values()], value)
    return family


def _part(name: str, what: str, part: PartState) -> Metric:
    values = {state: float(state == part.state) for state in _STATES}
    return _gauges(name, f"1 for the state of {what}.", "state", values)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"{_PREFIX}_{name}", text, value)


def _counters(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(f"{_PREFIX}_{name}", text, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family


def _histogram(name: str, text: str, spread: Distribution) -> Metric:
    family = HistogramMetricFamily(f"{_PREFIX}_{name}", text)
    family.add_metric([], _buckets(spread), spread.total)
    return family


def _histograms(name: str, text: str, label: str, spreads: Mapping[str, Distribution]) -> Metric:
    family = HistogramMetricFamily(f"{_PREFIX}_{name}", text, labels=[label])
    for word, spread in spreads.items():
        family.add_metric([word], _buckets(spread), spread.total)
    return family


def _buckets(spread: Distribution) -> list[tuple[str, float]]:
    bounds = [*(str(bound) for bound in spread.bounds), "+Inf"]
    return list(zip(bounds, accumulate(spread.counts), strict=True))
