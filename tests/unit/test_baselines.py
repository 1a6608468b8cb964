"""What is usual: measured in quarters of an hour, kept in a file, the median of twenty sessions."""

from pathlib import Path
from statistics import median

import numpy as np
import pytest

from tests.market_stage import OPEN, JsonDecoder, LiveStage, Stage, clock
from tests.property.test_flags import ROW, known, show_book, teach
from ticktick.analytics.microstructure.baselines import Baselines
from ticktick.core.columns import NO_ROWS
from ticktick.domain.clock import NS_PER_DAY, NS_PER_S, ist_day, ist_day_number, ist_midnight_ns
from ticktick.domain.event import (
    BaselinesRead,
    Event,
    Fact,
    InstrumentsResolved,
    LinkChanged,
    QuarterEnded,
)
from ticktick.domain.market import QuarterHour
from ticktick.domain.sessions import Calendar
from ticktick.engine.engine import Engine
from ticktick.engine.ports import EngineSettings, Outputs
from ticktick.store.baselines import BaselineFile
from ticktick.store.outputs import OutputLog
from ticktick.store.recording import Recorder, RecordingHeader, read_recording

TODAY = ist_day_number(OPEN)


def quarters(facts: list[Fact]) -> list[QuarterHour]:
    return [fact.quarter for fact in facts if isinstance(fact, QuarterEnded)]


def quote_until(stage: Stage, end_ns: int, spread_of_second: list[int]) -> None:
    """A quote and a timer each second from the open on, up to the end."""
    for at_ns in range(OPEN + NS_PER_S, end_ns + 1, NS_PER_S):
        spread = spread_of_second[(at_ns - OPEN) // NS_PER_S % len(spread_of_second)]
        show_book(stage, at_ns, spread, 5_000_000)
        stage.timer(at_ns)


def test_a_quarter_of_an_hour_is_told_by_the_median_of_its_five_seconds() -> None:
    stage = LiveStage()
    spreads = [20, 20, 40, 60, 60, 60, 100]
    quote_until(stage, clock(9, 30), spreads)
    (quarter,) = quarters(stage.facts)
    # the first timer of each five seconds; none comes at the very opening
    sampled = [spreads[second % len(spreads)] for second in (1, *range(5, 900, 5))]
    assert (quarter.symbol, quarter.day, quarter.minute) == ("ACME", TODAY, 9 * 60 + 15)
    assert quarter.spread_bps == round(1e4 * median(sampled) / 200_000, 4)


def test_a_quarter_of_which_less_than_half_was_seen_is_not_told() -> None:
    stage = LiveStage()
    quote_until(stage, OPEN + 440 * NS_PER_S, [20])
    stage.link(OPEN + 441 * NS_PER_S, up=False)
    stage.timer(clock(9, 30))
    assert quarters(stage.facts) == []


@pytest.mark.parametrize("sessions", [4, 5, 12, 20, 26])
def test_usual_is_the_median_of_at_most_twenty_sessions(sessions: int) -> None:
    stage, calendar = Stage(), Calendar()
    baselines = Baselines(stage.market.ground, calendar)
    values = np.random.default_rng(sessions).uniform(0.5, 5.0, sessions).round(4).tolist()
    at_ns = clock(9, 31)
    days = calendar.trading_days_before(ist_day(OPEN), sessions)[::-1]
    trading = [ist_day_number(ist_midnight_ns(day)) for day in days]
    pairs = zip(trading, values, strict=True)
    baselines.learn(QuarterHour("ACME", day, 570, None, value) for day, value in pairs)
    baselines.learn([QuarterHour("ACME", TODAY, 570, None, 99.0)])
    baselines.advance(ROW, at_ns)
    expected = np.nan if sessions < 5 else median(values[:20])
    np.testing.assert_array_equal(baselines.rv[0], expected)
    assert np.isnan(baselines.spread_bps[0])


def test_a_program_that_runs_for_days_learns_from_itself() -> None:
    stage = Stage()
    baselines = Baselines(stage.market.ground, Calendar())
    for day in range(1, 6):
        for second in range(0, 900, 5):
            at_ns = OPEN - day * NS_PER_DAY + second * NS_PER_S
            baselines.advance(ROW, at_ns)
            baselines.sample(ROW, known(float(day)), known(None), at_ns)
        baselines.advance(ROW, at_ns + 60 * NS_PER_S)
    baselines.advance(ROW, OPEN)
    assert baselines.spread_bps[0] == 3.0
    assert sum(len(event.quarters) for event in baselines.known(OPEN)) == 5


def test_what_one_program_kept_the_next_one_reads(tmp_path: Path) -> None:
    kept = BaselineFile(tmp_path / "baselines.jsonl")
    ours = [QuarterHour("ACME", TODAY, m, 1.5, None) for m in (555, 570)]
    other = QuarterHour("BETA", TODAY, 555, None, 0.25)
    for quarter in (ours[0], other, ours[1]):
        kept.take(Outputs(OPEN, NO_ROWS, (QuarterEnded(OPEN, quarter),)))
    assert list(kept.read(OPEN)) == [
        BaselinesRead(OPEN, "ACME", tuple(ours)),
        BaselinesRead(OPEN, "BETA", (other,)),
    ]


def test_old_and_torn_lines_leave_the_file(tmp_path: Path) -> None:
    path = tmp_path / "baselines.jsonl"
    path.write_bytes(
        f'["ACME",{TODAY - 46},555,1.0,1.0]\n["ACME",{TODAY - 45},555,1.0,2.0]\n["AC'.encode()
    )
    (read,) = BaselineFile(path).read(OPEN)
    assert [quarter.rv for quarter in read.quarters] == [2.0]
    assert len(path.read_bytes().splitlines()) == 1


def test_given_no_file_or_a_disk_that_refuses_then_nobody_is_disturbed(tmp_path: Path) -> None:
    ended = QuarterEnded(OPEN, QuarterHour("ACME", TODAY, 555, 1.0, 1.0))
    for path in (tmp_path / "none" / "baselines.jsonl", tmp_path):
        kept = BaselineFile(path)
        kept.take(Outputs(OPEN, NO_ROWS, (ended,)))
        assert list(kept.read(OPEN)) == []


def test_a_replay_raises_the_same_flags_from_the_recording_alone(tmp_path: Path) -> None:
    stage = LiveStage()
    events: list[Event] = []
    process = stage.engine.process

    def keep(event: Event) -> Outputs:
        events.append(event)
        return process(event)

    stage.engine.process = keep  # type: ignore[method-assign]
    teach(stage, 1.0)
    quote_until(stage, OPEN + 40 * NS_PER_S, [20, 20, 20, 180])
    assert stage.metric("liquidity_baseline") == 1
    header = RecordingHeader("json", "", "", "", "VIEW", OPEN, EngineSettings())
    recorder = Recorder(tmp_path / "a.ttrec", header)
    first = (InstrumentsResolved(OPEN, tuple(stage.market.table.instruments), LiveStage.PULSE),)
    said: list[bytes] = []
    for event in (*first, LinkChanged(OPEN, True, "connected"), *events):
        recorder.write(event)
    recorder.close(30.0)
    for replay in (read_recording(tmp_path / "a.ttrec"), read_recording(tmp_path / "a.ttrec")):
        engine = Engine(JsonDecoder(), Calendar(), EngineSettings())
        path = tmp_path / f"{len(said)}.jsonl"
        log = OutputLog(path, engine.market)
        for event in replay:
            log.take(engine.process(event))
        log.close()
        said.append(path.read_bytes())
        live = stage.market.metrics
        np.testing.assert_array_equal(engine.market.metrics, live)
    assert said[0] == said[1]
    forgetful = Engine(JsonDecoder(), Calendar(), EngineSettings())
    for event in read_recording(tmp_path / "a.ttrec"):
        if not isinstance(event, BaselinesRead):
            forgetful.process(event)
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(forgetful.market.metrics, stage.market.metrics)


def test_what_was_usual_before_a_split_is_forgotten_by_the_program_and_by_its_file(
    tmp_path: Path,
) -> None:
    kept = BaselineFile(tmp_path / "baselines.jsonl")
    stage = LiveStage()
    teach(stage, 4.0)
    past = [QuarterHour("ACME", TODAY - 1 - n, 555, 4.0, None) for n in range(5)]
    kept.take(Outputs(OPEN, NO_ROWS, tuple(QuarterEnded(OPEN, quarter) for quarter in past)))
    quote_until(stage, clock(9, 22), [20])
    assert stage.metric("liquidity_baseline") == 1.0
    everything = tuple(stage.market.table.instruments)
    restated = InstrumentsResolved(clock(9, 22), everything, stage.PULSE, restated=("ACME",))
    kept.take(stage.process(restated))
    spreads = range(60, 540)
    for second in range(1, 480):
        at_ns = clock(9, 22) + second * NS_PER_S
        show_book(stage, at_ns, spreads[second], 5_000_000)
        stage.timer(at_ns)
    assert stage.metric("liquidity_baseline") == 0.0
    stage.timer(clock(9, 30))
    (quarter,) = quarters(stage.facts)
    sampled = [spreads[second] for second in (1, *range(5, 480, 5))]
    assert quarter.spread_bps == pytest.approx(1e4 * median(sampled) / 200_000, rel=0.01)
    assert list(kept.read(OPEN)) == []
    kept.take(Outputs(OPEN, NO_ROWS, (QuarterEnded(OPEN, quarter),)))
    assert [read.quarters for read in kept.read(OPEN)] == [(quarter,)]
