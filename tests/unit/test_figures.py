"""What Prometheus reads: right values, every name documented, nothing for what is not known."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from tests.market_stage import OPEN, Stage, index, instrument
from tests.unit.test_recording import HEADER
from ticktick.domain.clock import NS_PER_MS, NS_PER_S
from ticktick.domain.event import LinkChanged, TimerFired
from ticktick.domain.health import LinkHealth
from ticktick.engine.loop_lag import LoopLag
from ticktick.engine.meters import FeedLag, LinkTally
from ticktick.engine.ports import Sink
from ticktick.engine.runner import Runner
from ticktick.engine.supervisor import Supervisor, Work
from ticktick.figures import Figures, exposition
from ticktick.measured import Measured
from ticktick.store.recording import Recorder
from ticktick.store.recordings import Recordings
from ticktick.store.redis_store import RedisWriter
from ticktick.web.hub import Hub
from ticktick.web.overview import Overview
from ticktick.web.parts import PartState, Stamp, TokenStatus
from ticktick.web.status import SystemStatus

METRICS_DOC = Path(__file__).resolve().parents[2] / "docs/reference/metrics.md"
LINK = LinkHealth(
    ping_ms=21.5,
    rest_ms=80.0,
    rest_waiting={"reads": 3},
    budget_left={"reads": 0.75},
    clock_offset_ms=-120.0,
    unheard=("WIPRO",),
)


class Program:
    """The measured parts of a small program."""

    def __init__(self, folder: Path, *, stores: bool) -> None:
        self.stage = Stage(instrument(), instrument("WIPRO"), index(), canary="NIFTY")
        self.system = SystemStatus(
            mode="VIEW",
            now_ms=(OPEN + 7 * NS_PER_S) // NS_PER_MS,
            rate=1.0,
            token=TokenStatus("valid"),
            store=PartState("degraded" if stores else "off", ""),
            recording=PartState("on" if stores else "off", ""),
            link=LINK,
        )
        market = self.stage.market
        overview = Overview(market, lambda: self.system, self.stamp, "0")
        self.hub = Hub(overview, self.stage.engine.analytics, lambda: 0.0)
        self.lag, losses = FeedLag(market.table, lambda _, __: None), LinkTally()
        writer = RedisWriter(f"unix://{folder}/nothing", market) if stores else None
        recordings = None
        if stores:
            recordings = Recordings(lambda _: Recorder(folder / "a.ttrec", HEADER), lambda: ())
        if writer is not None:
            self.system = replace(self.system, counters=writer.counters)
        sinks: list[Sink] = [self.hub, self.lag, losses]
        counter = iter(range(0, 10**9, 150_000))
        self.runner = Runner(self.stage.engine, recordings, sinks, lambda: next(counter))
        self.measured = Measured(
            overview,
            self.runner,
            Supervisor(lambda: 0.0, asyncio.sleep),
            LoopLag(lambda: 0, asyncio.sleep, lambda _: None),
            self.lag,
            losses,
            writer,
            recordings,
        )

    def stamp(self) -> Stamp:
        return Stamp(self.system.mode, self.system.now_ms)

    def samples(self) -> dict[str, float]:
        """Every sample by name and labels, as a scraper reads them."""
        text = exposition(Figures(self.measured)).decode()
        return {
            sample.name + "".join(f" {v}" for _, v in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@contextmanager
def program(folder: Path, *, stores: bool = False) -> Iterator[Program]:
    made = Program(folder, stores=stores)
    try:
        yield made
    finally:
        if made.measured.writer is not None:
            made.measured.writer.close(0.1)
        if made.measured.recordings is not None:
            made.measured.recordings.close()


async def test_every_figure_has_the_value_that_the_parts_have(tmp_path: Path) -> None:
    with program(tmp_path) as running:
        running.stage.begin(OPEN)
        running.stage.begin(OPEN + 6 * NS_PER_S, "WIPRO")
        running.stage.begin(OPEN + 5 * NS_PER_S, "NIFTY")
        running.stage.timer(OPEN + 7 * NS_PER_S)
        running.runner.process(LinkChanged(OPEN + 7 * NS_PER_S, True, "again"))
        running.runner.process(LinkChanged(OPEN + 7 * NS_PER_S, False, "quiet", "silent"))
        running.hub.join()
        await running.measured.supervisor.run(Work("the history", _fails_once()))
        told = running.samples()
    assert told["ticktick_link_state"] == 0
    assert told["ticktick_reconnects_total silent"] == 1
    assert told["ticktick_reconnects_total closed"] == 0
    assert told["ticktick_canary_age_ms"] == 2_000
    assert told["ticktick_symbols stale"] == told["ticktick_symbols_stale"] == 3
    assert told["ticktick_symbols fresh"] == 0
    assert told["ticktick_clock_skew_ms"] == -120
    assert told["ticktick_ping_ms"] == 21.5
    assert told["ticktick_rest_latency_ms reads"] == 80
    assert told["ticktick_rest_waiting reads"] == 3
    assert told["ticktick_rate_budget reads"] == 0.75
    assert told["ticktick_symbols_unheard"] == 1
    assert told["ticktick_frames_total"] == 3
    assert told["ticktick_frames_rejected_total unreadable"] == 0
    assert told["ticktick_event_us_count"] == 2
    assert told["ticktick_event_us_bucket 1000"] == 2
    assert told["ticktick_event_us_bucket 500"] == 0
    assert told["ticktick_stage_us_sum analytics"] == 300
    assert told["ticktick_stage_us_count decode"] == told["ticktick_ready_us_count"] == 0
    assert told["ticktick_queue_depth inbox_events"] == 0
    assert told["ticktick_task_restarts_total the history"] == 1
    assert told["ticktick_clients"] == 1
    assert told["ticktick_redis_state off"] == told["ticktick_recorder_state off"] == 1
    assert told["ticktick_tasks"] >= 1


async def test_what_nobody_measured_has_no_sample(tmp_path: Path) -> None:
    with program(tmp_path) as running:
        running.system = replace(running.system, link=LinkHealth())
        told = running.samples()
    names = {name.partition(" ")[0] for name in told}
    assert not names & {
        "ticktick_clock_skew_ms",
        "ticktick_ping_ms",
        "ticktick_rest_latency_ms",
        "ticktick_rate_budget",
        "ticktick_canary_age_ms",
        "ticktick_loop_lag_recent_ms",
        "ticktick_redis_dropped_total",
        "ticktick_recorder_dropped_total",
    }


async def test_the_stores_tell_what_waits_and_what_was_lost(tmp_path: Path) -> None:
    with program(tmp_path, stores=True) as running:
        running.runner.process(TimerFired(OPEN))
        assert running.measured.recordings is not None
        running.measured.recordings.close()
        told = running.samples()
    assert told["ticktick_redis_state degraded"] == 1
    assert told["ticktick_redis_dropped_total metric_points"] == 0
    assert told["ticktick_queue_depth redis_candles"] == 0
    assert told["ticktick_recorder_written_total"] == 1
    assert told["ticktick_recorder_dropped_total"] == 0
    assert told["ticktick_queue_depth recorder_bytes"] == 0


async def test_every_figure_is_documented_and_every_documented_one_is_there(tmp_path: Path) -> None:
    with program(tmp_path, stores=True) as running:
        text = exposition(Figures(running.measured)).decode()
        status = running.measured.overview.status()
    told = set(re.findall(r"^# TYPE (\S+?)(?:_total)? ", text, re.MULTILINE))
    rows = re.findall(r"^\| `(\w+?)(?:_total)?`", METRICS_DOC.read_text(), re.MULTILINE)
    assert len(rows) == len(set(rows)) > 30
    assert set(rows) - told == set()
    counters = {f"ticktick_{name.removesuffix('_total')}" for name in status.counters}
    assert told - set(rows) - counters == set()


def _fails_once() -> Callable[[], Awaitable[None]]:
    failures = iter([ValueError("once")])

    async def start() -> None:
        for failure in failures:
            raise failure

    return start
