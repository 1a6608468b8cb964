"""Pattern verdicts over every recorded file: equal to TA-Lib's in whole numbers, not in rupees."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.analytics_stage import walk
from tools.pattern_ties import Ties, candles_of, of_library, recorded, ties, total, unequal

FOLDER = "candles_1m"


def check(found: Sequence[Ties]) -> None:
    everything = total(found)
    assert everything.whole == 0, found
    assert everything.rupees > 0


@pytest.mark.shared
def test_a_recorded_month_has_no_difference_in_whole_numbers(shared_data: Path) -> None:
    found = ties(shared_data / FOLDER / "kite_2023" / "SBIN.csv.gz")
    check([found])
    assert found.candles > 13_000
    assert found.verdicts > found.candles


@pytest.mark.slow
@pytest.mark.shared
def test_no_recorded_file_has_a_difference_in_whole_numbers(shared_data: Path) -> None:
    files = recorded(shared_data / FOLDER)
    assert len(files) == 11
    check([ties(path) for path in files])


def test_a_verdict_that_differs_anywhere_is_counted() -> None:
    verdicts = of_library(walk(400, step=4.0), 1)
    place = next(iter(verdicts))
    assert unequal(verdicts, verdicts) == 0
    assert unequal(verdicts, verdicts | {place: -verdicts[place]}) == 1
    assert unequal(verdicts, {k: v for k, v in verdicts.items() if k != place}) == 1
    assert unequal(verdicts, verdicts | {(10**6, "hammer"): 100}) == 1


@pytest.mark.shared
def test_every_layout_of_the_recordings_is_read(shared_data: Path) -> None:
    for name in ("yahoo_2026-03-24/RELIANCE.NS_1m.csv.gz", "kite_2023/INDIAVIX.csv.gz"):
        assert len(candles_of(shared_data / FOLDER / name).candles) >= 375 - 1
