"""The page on speed says what the benchmarks said, and nothing else."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.race import race, result
from tools import performance
from tools.performance import Line, drawing, duration, page, read

LINES = [
    Line("decode", "100 full", "SDK handler", 22_000, 5_650_000, 256.6, 0.16, 0.13),
    Line("decode", "100 ltpc", "a <tag> & more", 4_110, 602_000, 146.7),
    Line("wire", "15", "dictionaries", 2e6, 1.5e9, 750.0),
]


def test_every_result_stands_in_the_tables_with_its_unit() -> None:
    told = page(LINES, "a machine")
    assert "| 100 full | SDK handler | 22 µs ±16% | 5.65 ms ±13% | 257 |" in told
    assert told.count("\n## ") == 2
    assert "a machine" in told


def test_bars_grow_with_the_logarithm_of_the_ratio() -> None:
    bars = ElementTree.fromstring(drawing([*LINES, Line("x", "y", "z", 2.0, 1.0, 0.5)]))
    widths = [float(each.get("width", "")) for each in bars.findall(".//{*}rect")]
    assert widths[0] / widths[1] == pytest.approx(2.409 / 2.166, abs=0.01)
    assert widths[3] == 0  # slower than the peer


@pytest.mark.parametrize(
    ("ns", "told"), [(850.4, "850 ns"), (1_500, "1.5 µs"), (2.5e6, "2.5 ms"), (12e9, "12 s")]
)
def test_times_are_told_in_the_unit_a_person_would_use(ns: float, told: str) -> None:
    assert duration(ns) == told


def test_other_lines_of_a_benchmark_are_passed_over(tmp_path: Path) -> None:
    (told,) = race("b", "c", lambda: 1, {"peer": lambda: sum(range(100))}, 3, 10_000)
    file = tmp_path / "bench.jsonl"
    file.write_text(f"setting up ...\n{json.dumps(told._asdict())}\n")
    (line,) = read(file)
    assert (line.bench, line.case, line.peer, line.ratio) == ("b", "c", "peer", told.ratio)
    assert line.ratio > 1


def test_the_ratio_is_that_of_the_medians_and_spreads_are_told() -> None:
    told = result("b", "c", "p", [10, 20, 30, 40, 500], [300, 300, 300, 300, 300])
    assert (told.ours_ns, told.theirs_ns, told.ratio) == (30, 300, 10.0)
    assert told.ours_spread > 1
    assert told.theirs_spread == 0


def test_without_results_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").write_text("")
    assert performance.main([str(tmp_path / "empty")]) == 1
    assert performance.main([]) == 2
    assert "bench --json" in capsys.readouterr().out
