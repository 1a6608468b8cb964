"""A wheel holds all that a program needs: the page, the parts, and nothing of the checkout."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "src" / "ticktick" / "web" / "dist" / "index.html"
SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE")
OFFLINE = ("--no-index", "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--quiet")
QUESTION = """
import sys
from importlib import resources
import ticktick
from ticktick.compiled import missing
from ticktick.core import kernels
from ticktick.brokers.upstox.decoders import new_decoder
print(ticktick.__file__)
print(len(missing()))
print(type(new_decoder()).__name__)
print(resources.files("ticktick").joinpath("web", "dist", "index.html").is_file())
print(resources.files("ticktick").joinpath("symbols.json").is_file())
"""


def installed(folder: Path, settings: dict[str, str]) -> Path:
    """The folder into which a wheel of this checkout was installed."""
    source = folder / "source"
    shutil.copytree(ROOT / "src", source / "src", ignore=_left_out)
    for name in SOURCES:
        shutil.copy(ROOT / name, source)
    environment = {**os.environ, **settings}
    wheels, target = folder / "wheels", folder / "target"
    build = ("wheel", "--no-build-isolation", *OFFLINE, "--wheel-dir", str(wheels), str(source))
    install = ("install", *OFFLINE, "--target", str(target), *("--find-links", str(wheels)))
    for command in (build, (*install, "ticktick")):
        subprocess.run([sys.executable, "-m", "pip", *command], env=environment, check=True)
    return target


def told(target: Path) -> list[str]:
    """What a Python that finds Tick-Tick there says."""
    environment = {**os.environ, "PYTHONPATH": str(target), "TICKTICK_PURE": ""}
    return subprocess.run(
        [sys.executable, "-c", QUESTION],
        cwd=target.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


def _left_out(folder: str, names: list[str]) -> list[str]:
    """What building left in the checkout."""
    return [name for name in names if name.endswith((".so", ".egg-info", "__pycache__"))]


@pytest.fixture(autouse=True)
def _page(lacking: Callable[[str], NoReturn]) -> None:
    if not PAGE.is_file():
        lacking("the page was not built: python3 start.py setup")


@pytest.mark.parametrize(
    ("settings", "plain", "decoder"),
    [
        ({"TICKTICK_PURE": "1"}, True, "ProtobufDecoder"),
        pytest.param(
            {"TICKTICK_PURE": "", "TICKTICK_REQUIRE_EXT": "1"},
            False,
            "CompiledDecoder",
            marks=[pytest.mark.slow, pytest.mark.timeout(900)],
        ),
    ],
)
def test_a_wheel_works_where_it_is_installed(
    tmp_path: Path, settings: dict[str, str], plain: bool, decoder: str
) -> None:
    target = installed(tmp_path, settings)
    file, missing, name, has_page, has_symbols = told(target)
    assert Path(file).is_relative_to(target)
    assert (int(missing) > 0) is plain
    assert (name, has_page, has_symbols) == (decoder, "True", "True")
