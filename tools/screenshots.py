"""Take the pictures of the documents: run a demo, look at its page, save what is seen.

Run from the checkout: python -m tools.screenshots [FOLDER], by default docs/images.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, sync_playwright

from tools.browser import browser_flags, find_browser

DEMO = ("-m", "ticktick", "demo", "--no-browser", "--port", "0", "--speed", "4", "--duration", "90")
LOOK_MS = 20_000  # long enough for prices to move and a candle to close


class Picture(NamedTuple):
    """One file, the window it is taken in, and the key that opens what it shows."""

    name: str
    width: int
    height: int
    theme: str
    key: str = ""


PICTURES = (
    Picture("dashboard", 1600, 1000, "dark"),
    Picture("dashboard-light", 1600, 1000, "light"),
    Picture("dashboard-phone", 360, 780, "dark"),
    Picture("health", 1280, 900, "dark", "h"),
)


@contextmanager
def demo() -> Iterator[Iterator[str]]:
    """A demo in an empty workspace; yields the lines it prints."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "TICKTICK_HOME": home, "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, *DEMO]
        child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            yield iter(child.stdout or ())
        finally:
            child.terminate()
            child.wait(10)


def take(browser: Browser, link: str, folder: Path) -> None:
    """Save every picture; one session serves them all, since a start link works once."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    page = context.new_page()
    page.goto(link)
    page.wait_for_timeout(LOOK_MS)
    for picture in PICTURES:
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", picture.theme)
        page.set_viewport_size({"width": picture.width, "height": picture.height})
        if picture.key:
            page.keyboard.press(picture.key)
        page.wait_for_timeout(1_500)
        page.screenshot(path=folder / f"{picture.name}.png")
        print(f"{folder / picture.name}.png", flush=True)
    context.close()


def main(folder: Path) -> int:
    """Take all pictures; return the exit code."""
    program = find_browser()
    if program is None:
        print("no browser: install chromium, or name a Chrome in TICKTICK_CHROMIUM")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with demo() as said, sync_playwright() as playwright:
        link = next((line.split()[1] for line in said if line.startswith("Open ")), None)
        if link is None:
            print("the demo ended before it printed its start link")
            return 1
        browser = playwright.chromium.launch(executable_path=program, args=browser_flags())
        take(browser, link, folder)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")))
