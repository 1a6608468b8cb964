"""A stage for tests of the page in a real browser: what a user sees and does there."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.program_stage import START, Program, exchange, fetch, program

SYMBOLS = 15
PICTURES = Path(__file__).resolve().parents[1] / "build" / "screenshots"
PATIENCE_MS = 30_000


class Desk:
    """A page, the program that serves it and the exchange behind it."""

    def __init__(self, page: Page, demo: Program, exchange_url: str) -> None:
        self.page = page
        self.demo = demo
        self.exchange_url = exchange_url

    def fault(self, verb: str, **more: Any) -> None:
        """Break the exchange; see docs/reference/built-in-exchange.md."""
        fetch(f"{self.exchange_url}/_emu/fault", json.dumps({"verb": verb, **more}).encode())

    def heal(self) -> None:
        """Take every fault away."""
        request = Request(f"{self.exchange_url}/_emu/fault", method="DELETE")
        build_opener(ProxyHandler({})).open(request, timeout=30).close()

    def status(self) -> dict[str, Any]:
        """What the program's API says, asked with the page's own session."""
        status: dict[str, Any] = self.page.evaluate(
            "() => fetch('api/v1/status').then(answer => answer.json())"
        )
        return status

    def open_health(self) -> Locator:
        """The health panel, opened by its key."""
        self.page.keyboard.press("h")
        panel = self.page.get_by_test_id("health")
        expect(panel).to_be_visible()
        return panel


@contextmanager
def desk(
    browser: Browser,
    home: Path,
    *arguments: str,
    start: str = START,
    owns_clock: bool = False,
    mutant: Mapping[str, str] | None = None,
    **context: Any,
) -> Iterator[Desk]:
    """A demo against an exchange of its own, and a page that shows it.

    With `owns_clock` the test may move the browser's time; `mutant` replaces patterns in
    the page's script on its way to the browser.
    """
    (home / "emulator").mkdir()
    with (
        exchange(home / "emulator", "--start", start, *arguments) as (_, url),
        program(home, "demo", "--exchange", url, "--no-browser", "--port", "0") as demo,
    ):
        viewport = {"width": 1600, "height": 1000}
        page = browser.new_page(**{"viewport": viewport, "color_scheme": "dark", **context})
        page.set_default_timeout(PATIENCE_MS)
        if owns_clock:
            page.clock.install()
        if mutant is not None:
            page.route("**/assets/index-*.js", lambda route: _spoil(route, mutant))
        page.goto(demo.line_with("Open ").removeprefix("Open "))
        expect(page.get_by_test_id("mode")).to_have_text("DEMO", timeout=PATIENCE_MS)
        yield Desk(page, demo, url)
        page.close()


def _spoil(route: Route, mutant: Mapping[str, str]) -> None:
    answer = route.fetch()
    script = answer.text()
    for sound, broken in mutant.items():
        script, count = re.subn(sound, broken, script)
        if not count:
            raise ValueError(f"the page's script holds no {sound!r}: the mutant would be none")
    route.fulfill(response=answer, body=script)


def rows(page: Page, state: str | None = None) -> Locator:
    """The rows of the watchlist, or those in a state of freshness."""
    chosen = f'[data-state="{state}"]' if state else ""
    return page.locator(f'[data-testid="row"]{chosen}')


def facts(panel: Locator) -> Mapping[str, str]:
    """The raw figures of the health panel, by name."""
    read: dict[str, str] = panel.locator("[data-fact]").evaluate_all(
        "all => Object.fromEntries(all.map(one => [one.dataset.fact, one.dataset.raw]))"
    )
    return read


def dress(page: Page, theme: str) -> None:
    """Choose a theme as a user does, in the help dialog."""
    page.keyboard.press("?")
    dialog = page.get_by_test_id("help")
    dialog.get_by_role("button", name=theme, exact=True).click()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
