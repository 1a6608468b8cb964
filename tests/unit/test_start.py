"""start.py makes each thing once, again when its inputs change, and goes on where it can."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ticktick.compiled import PARTS

START = Path(__file__).resolve().parents[2] / "start.py"
COUNT = "import sys; print('made'); open(sys.argv[1], 'a').write('x')"
FAIL = (sys.executable, "-c", "print('the reason'); raise SystemExit(1)")


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("start", START)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


start = load()


def step(name: str = "thing", **changes: Any) -> Any:
    """A step that adds one letter to the file it makes."""
    wanted = {
        "name": name,
        "inputs": ("input",),
        "makes": f"{name}.made",
        "commands": ((sys.executable, "-c", COUNT, f"{name}.made"),),
    }
    return start.Step(**{**wanted, **changes})


def times_made(root: Path, name: str = "thing") -> int:
    made = root / f"{name}.made"
    return len(made.read_text()) if made.exists() else 0


def test_a_thing_is_made_once_while_its_inputs_stay_the_same(tmp_path: Path) -> None:
    (tmp_path / "input").write_text("one")
    for _ in range(3):
        start.prepare([step()], tmp_path)
    assert times_made(tmp_path) == 1


def test_a_thing_is_made_again_when_an_input_changes(tmp_path: Path) -> None:
    for content in ("one", "two", "two"):
        (tmp_path / "input").write_text(content)
        start.prepare([step()], tmp_path)
    assert times_made(tmp_path) == 2


def test_a_thing_is_made_again_when_a_file_in_an_input_folder_is_renamed(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "a").write_text("same")
    start.prepare([step()], tmp_path)
    (tmp_path / "input" / "a").rename(tmp_path / "input" / "b")
    start.prepare([step()], tmp_path)
    assert times_made(tmp_path) == 2


def test_installed_packages_inside_an_input_folder_do_not_count(tmp_path: Path) -> None:
    packages = tmp_path / "input" / "node_modules"
    packages.mkdir(parents=True)
    start.prepare([step()], tmp_path)
    (packages / "package.js").write_text("installed later")
    start.prepare([step()], tmp_path)
    assert times_made(tmp_path) == 1


def test_a_thing_is_made_again_when_it_was_deleted(tmp_path: Path) -> None:
    start.prepare([step()], tmp_path)
    (tmp_path / "thing.made").unlink()
    start.prepare([step()], tmp_path)
    assert times_made(tmp_path) == 1


def test_a_thing_is_made_again_when_its_command_changes(tmp_path: Path) -> None:
    start.prepare([step()], tmp_path)
    start.prepare([step(commands=step().commands * 2)], tmp_path)
    assert times_made(tmp_path) == 3


def test_another_python_starting_the_same_checkout_makes_nothing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = start.digest(step(), tmp_path)
    monkeypatch.setattr(sys, "executable", "another-python")
    assert (
        start.digest(step(commands=(("another-python", "-c", COUNT, "thing.made"),)), tmp_path)
        == first
    )


def test_when_a_needed_step_fails_the_program_ends_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        start.prepare([step(commands=(FAIL,)), step("later")], tmp_path)
    assert "the reason" in str(ended.value)
    assert "stopped at 'thing'" in str(ended.value)
    assert times_made(tmp_path, "later") == 0


def test_a_command_that_is_not_there_is_a_failed_step(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no-such-program was not found"):
        start.prepare([step(commands=(("no-such-program",),))], tmp_path)


def test_a_command_that_makes_nothing_is_a_failed_step(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="stopped at 'thing'"):
        start.prepare([step(makes="something else")], tmp_path)


def test_when_an_optional_step_fails_a_note_is_printed_and_its_group_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = [
        step("node", commands=(FAIL,), note="no page"),
        step("page", note="no page"),
        step("other", note="no other"),
        step("needed"),
    ]
    start.prepare(table, tmp_path)
    said = capsys.readouterr().err
    assert said.count("note: no page") == 1
    assert [times_made(tmp_path, name) for name in ("page", "other", "needed")] == [0, 1, 1]
    assert "the reason" in (tmp_path / ".venv/stamps/node.log").read_text()


def test_a_failed_optional_step_is_tried_again_only_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = [step(commands=(FAIL,), note="no page")]
    attempts = []
    for again in (False, False, True):
        start.prepare(table, tmp_path, again=again)
        attempts.append(capsys.readouterr().err.startswith("thing ... failed"))
    assert attempts == [True, False, True]


def test_when_the_first_way_fails_the_other_is_tried(tmp_path: Path) -> None:
    start.prepare([step(commands=(FAIL,), otherwise=step().commands)], tmp_path)
    assert times_made(tmp_path) == 1


def test_every_input_of_the_table_is_in_the_checkout() -> None:
    inputs = {name for made in [*start.STEPS, start.TEST_TOOLS] for name in made.inputs}
    assert [name for name in sorted(inputs) if not any(START.parent.glob(name))] == []


def test_a_change_of_any_compiled_source_builds_the_parts_again() -> None:
    root = START.parent
    watched = {path for name in start.COMPILED for path in root.glob(name)}
    for part in PARTS:
        folder, _, name = part.rpartition(".")
        places = root / "src" / folder.replace(".", "/")
        file = f"{name[1:]}.py" if name.startswith("_") else f"{name}.pyx"
        assert places / file in watched, part


def test_an_old_python_is_refused_in_one_line() -> None:
    pretend = f"import sys, runpy; sys.version_info = (3, 10, 9); runpy.run_path({str(START)!r})"
    done = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "Tick-Tick needs Python 3.11 or newer, this is 3.10\n"


def test_an_old_python_can_read_the_file_far_enough_to_say_so() -> None:
    ast.parse(START.read_text(), feature_version=(3, 7))


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["fly"], 2), (["--help"], 0)])
def test_without_a_known_command_the_commands_are_listed(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start.main(arguments) == code
    said = capsys.readouterr().out
    assert [name for name in start.COMMANDS if f"start.py {name}" not in said] == []
