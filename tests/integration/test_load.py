"""A short load: that nothing is lost under it. Its times are those of this computer, unjudged."""

import asyncio
from pathlib import Path

from ticktick.engine.stages import STAGES
from tools.load import measure, running
from tools.load_report import STEADY, report

SYMBOLS = 200


def test_F10_under_load_no_link_is_lost_and_the_newest_price_of_every_symbol_is_shown(
    tmp_path: Path,
) -> None:
    with running(tmp_path, SYMBOLS, print) as (load, start):
        found = asyncio.run(measure(load, 1.0, watching=3, stalled=1, history_s=1.0))
    assert start.measured.endswith(" s")
    assert found.begun.tally.blocks > 0
    for phase in (found.steady, found.crowded, found.burst):
        reconnects = [n for n in phase.after if n.startswith("ticktick_reconnects_total")]
        assert reconnects
        assert sum(phase.grown(name) for name in reconnects) == 0
        assert phase.grown("ticktick_frames_total") > 0
        assert phase.after["ticktick_canary_age_ms"] < 5_000
        assert all(
            phase.after[name] == 0
            for name in phase.after
            if name.startswith("ticktick_frames_rejected_total")
        )
        assert phase.grown("ticktick_ready_us_count") > 0
        assert phase.tally.blocks > 0
    assert found.burst.sent > 2 * STEADY
    assert (found.lost, found.differing) == (0, 0)
    for stage in STAGES:
        assert found.burst.after[f'ticktick_stage_us_count{{stage="{stage}"}}'] > 0
    lines = {line.target.strip(): line for line in report(found)}
    assert lines["links lost"].good
    assert lines["last prices that are not shown"].good
