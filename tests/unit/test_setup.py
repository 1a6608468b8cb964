"""What building the compiled parts makes of a machine that cannot, and of an error of its own."""

import runpy
from pathlib import Path
from typing import Any

import pytest
import setuptools
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError, CompileError, LinkError, PlatformError

SETUP = Path(__file__).resolve().parents[2] / "setup.py"
PART = Extension("part", ["part.c"])


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The build of setup.py, which compiles nothing here."""
    monkeypatch.setenv("TICKTICK_PURE", "1")
    monkeypatch.delenv("TICKTICK_REQUIRE_EXT", raising=False)
    monkeypatch.setattr(setuptools, "setup", lambda **_: None)
    monkeypatch.chdir(tmp_path)
    made = runpy.run_path(str(SETUP))["OptionalBuild"](Distribution())
    made.build_lib, made.extensions = "lib", [PART]
    return made


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def raising(*_: object) -> None:
        raise error

    monkeypatch.setattr(build_ext, "run", raising)
    monkeypatch.setattr(build_ext, "build_extension", raising)


@pytest.mark.parametrize(
    "error",
    [
        CompileError("command 'cc' failed: No such file or directory"),
        LinkError("no linker"),
        CCompilerError("none"),
        PlatformError("Microsoft Visual C++ 14.0 or greater is required"),
        BaseError("no compiler"),
        PermissionError("cc"),
    ],
    ids=repr,
)
def test_where_nothing_can_be_compiled_plain_python_serves(
    build: Any,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fail(monkeypatch, error)
    build.run()
    build.build_extension(PART)
    assert capsys.readouterr().err.count("plain Python serves") == 2
    monkeypatch.setenv("TICKTICK_REQUIRE_EXT", "1")
    with pytest.raises(type(error)):
        build.run()


@pytest.mark.parametrize("all_at_once", [False, True])
def test_what_cannot_be_compiled_anew_does_not_go_on_in_its_older_form(
    build: Any, all_at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = [Path(folder, build._file_of(PART)) for folder in ("lib", "src")]
    for file in older:
        file.parent.mkdir()
        file.touch()
    fail(monkeypatch, CompileError("no compiler any more"))
    if all_at_once:
        build.run()
    else:
        build.build_extension(PART)
    assert [file.exists() for file in older] == [False, False]


def test_an_error_of_the_build_itself_is_not_taken_for_a_missing_compiler(
    build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(monkeypatch, TypeError("expected a list"))
    with pytest.raises(TypeError):
        build.run()
    with pytest.raises(TypeError):
        build.build_extension(PART)
