"""Compiled or plain, a session is the same, and each form replays what the other recorded."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from ticktick.compiled import is_wanted, missing

ROOT = Path(__file__).resolve().parents[2]
SPAN = "2026-11-20T09:13:00 2026-11-20T09:24:00"
FORMS = {"compiled": {"TICKTICK_REQUIRE_EXT": "1"}, "plain": {"TICKTICK_PURE": "1"}}
COMPUTE = ("-m", "tests.market_day")

# plain steps one of which lets a candle's high follow every trade
CARELESS = """
import sys
from pathlib import Path
from ticktick.core import fold
fold.HIGH = fold.CLOSE
from tests.market_day import compute

compute(Path(sys.argv[1]), sys.argv[2:4])
"""


@pytest.fixture(autouse=True)
def _parts(lacking: Callable[[str], NoReturn]) -> None:
    if not is_wanted():
        pytest.skip("compiled parts are not wanted")
    if missing():
        lacking(f"not built: {', '.join(missing())}")


def run(form: str, *arguments: str) -> None:
    unset = {"TICKTICK_PURE": "", "TICKTICK_REQUIRE_EXT": ""}
    subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | unset | FORMS[form],
        check=True,
        capture_output=True,
        timeout=300,
    )


def computed(form: str, folder: Path, program: Sequence[str] = COMPUTE) -> bytes:
    """What one form says of the session; its recording lies in the folder afterwards."""
    folder.mkdir()
    run(form, *program, str(folder), *SPAN.split())
    return (folder / "day.jsonl").read_bytes()


def replayed(form: str, recording: Path, outputs: Path) -> bytes:
    """What one form says of a recording, by the command that a person uses."""
    run(form, "-m", "ticktick", "replay", str(recording), "--outputs", str(outputs))
    return outputs.read_bytes()


@pytest.mark.timeout(600)
def test_each_form_says_the_same_and_replays_what_the_other_recorded(tmp_path: Path) -> None:
    compiled, plain = (computed(form, tmp_path / form) for form in FORMS)
    assert compiled.count(b'"type":"metrics"') > 100
    assert compiled.count(b'"type":"candle"') > 5
    assert compiled == plain
    recordings = [tmp_path / form / "day.ttrec" for form in FORMS]
    assert replayed("plain", recordings[0], tmp_path / "of-compiled.jsonl") == compiled
    assert replayed("compiled", recordings[1], tmp_path / "of-plain.jsonl") == plain
    careless = computed("plain", tmp_path / "careless", ("-c", CARELESS))
    assert careless.count(b'"type":"metrics"') > 100
    assert careless != compiled
