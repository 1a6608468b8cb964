"""A Chromium or Chrome of this machine, and how to start it without a network of its own."""

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
MAC_CHROME = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
QUIET_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_browser() -> Path | None:
    """The program file: what TICKTICK_CHROMIUM names, else the first one found."""
    named = os.environ.get("TICKTICK_CHROMIUM")
    if named is not None:
        return Path(named)
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is not None:
        return Path(found)
    return MAC_CHROME if MAC_CHROME.is_file() else None


def browser_flags() -> list[str]:
    """Options to start it with; a browser run by root needs one more."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*QUIET_FLAGS, *(["--no-sandbox"] if is_root else [])]
