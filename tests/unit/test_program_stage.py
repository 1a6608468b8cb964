"""Programs that tests start: of the form that the tests are of, and of no user's settings."""

from pathlib import Path

import pytest

from tests.program_stage import environment, program


def test_programs_are_of_the_form_of_the_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKTICK_PURE", "1")
    monkeypatch.setenv("TICKTICK_REQUIRE_EXT", "1")
    mine = environment(tmp_path)
    assert (mine["TICKTICK_PURE"], mine["TICKTICK_REQUIRE_EXT"]) == ("1", "1")
    monkeypatch.delenv("TICKTICK_PURE")
    assert "TICKTICK_PURE" not in environment(tmp_path)


def test_programs_have_no_settings_of_whoever_runs_the_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = ("TICKTICK_REDIS_URL", "REDIS_URL", "UPSTOX_ACCESS_TOKEN")
    for name in theirs:
        monkeypatch.setenv(name, "theirs")
    mine = environment(tmp_path)
    assert not set(theirs) & set(mine)
    assert mine["TICKTICK_HOME"] == str(tmp_path)


def test_a_program_that_ended_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    with program(tmp_path, "emulator", "--port", "0") as running:
        running.line_with("ready ")
        running.must_run()
        running.process.kill()
        running.process.wait(30)
        with pytest.raises(AssertionError, match=r"ended with -9 after saying \[.*ready http"):
            running.must_run()
