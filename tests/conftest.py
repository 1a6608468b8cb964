"""What many tests share: the recorded data beside the checkout, and a browser."""

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from tools.browser import find_browser

_CHECKOUT = Path(__file__).resolve().parent.parent

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# a busy machine is no finding; the run as a whole has its limit, the quick run is the same at
# every try, `test --all` looks longer and elsewhere
settings.register_profile("quick", deadline=None, max_examples=25, derandomize=True)
settings.register_profile("all", deadline=None, max_examples=300)
settings.load_profile("quick")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a worker pass on what a test logged, text that is no Unicode included."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of recorded data beside the checkout; absent: the test skips, in CI it fails."""
    folder = _CHECKOUT.parent / "shared" / "data"
    if not folder.is_dir():
        _lacking("no recorded data: expected the folder ../shared/data beside the checkout")
    return folder


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Program file of a Chromium or Chrome; absent: the test skips, in CI it fails."""
    program = find_browser()
    if program is None:
        _lacking("no browser: install chromium, or name a Chrome in TICKTICK_CHROMIUM")
    if not program.is_file():
        pytest.fail(f"TICKTICK_CHROMIUM names {program}, which is not a file")
    return program


@pytest.fixture(scope="session")
def lacking() -> Callable[[str], NoReturn]:
    """How a test says that this machine lacks what it needs: it skips, in CI it fails."""
    return _lacking


def _lacking(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (in CI a failure, elsewhere a skip)")
    pytest.skip(reason)
