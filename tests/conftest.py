"""What many tests share: the recorded data beside the checkout, and a browser."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

_CHECKOUT = Path(__file__).resolve().parent.parent
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_MAC_CHROME = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


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
    named = os.environ.get("TICKTICK_CHROMIUM")
    if named is not None:
        return _existing(Path(named))
    for name in _BROWSERS:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    if not _MAC_CHROME.is_file():
        _lacking("no browser: install chromium, or name a Chrome in TICKTICK_CHROMIUM")
    return _MAC_CHROME


def _existing(program: Path) -> Path:
    if not program.is_file():
        pytest.fail(f"TICKTICK_CHROMIUM names {program}, which is not a file")
    return program


def _lacking(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (in CI a failure, elsewhere a skip)")
    pytest.skip(reason)
