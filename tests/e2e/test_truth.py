"""Whether the page tells true prices from old ones, whatever breaks, in a real browser."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.page_stage import PATIENCE_MS, PICTURES, SYMBOLS, Desk, desk, facts, rows
from tests.program_stage import eventually

# pages that see nothing in the program's silence, and whose time is the program's alone
TRUSTING = {r"heardAt>\w+": "heardAt>1e12"}
CLOCKLESS = {r"(\.atMs\+)\w+\.rate\*\(\w+-\w+\.wall\)": r"\g<1>0"}

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def shown(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk that runs as long as the module; every test heals what it broke."""
    with desk(browser, tmp_path_factory.mktemp("truth")) as opened:
        expect(rows(opened.page, "fresh")).to_have_count(SYMBOLS, timeout=PATIENCE_MS)
        yield opened


def is_fresh_again(shown: Desk) -> None:
    shown.heal()
    expect(rows(shown.page, "fresh")).to_have_count(SYMBOLS, timeout=60_000)


def all_stale(page: Page, within_ms: float) -> None:
    """Rows, strip, quote and depth say that nothing is true any more."""
    expect(rows(page, "stale")).to_have_count(SYMBOLS, timeout=within_ms)
    for panel in ("feed", "quote", "depth"):
        expect(page.get_by_test_id(panel)).to_have_attribute("data-state", "stale", timeout=1_000)


def test_P04_a_feed_of_pongs_alone_is_stale_within_six_seconds_of_its_last_data(
    shown: Desk,
) -> None:
    with pytest.raises(AssertionError):  # the same check of a feed that has data
        all_stale(shown.page, 6_000)
    shown.fault("ws.silence")
    all_stale(shown.page, 6_000 + 1_000)  # the order itself and its way take time too
    expect(shown.page.locator('[data-id="feed"]')).to_contain_text("No market data for")
    shown.page.screenshot(path=PICTURES / "pongs-only.png")
    is_fresh_again(shown)


@contextmanager
def stopped(shown: Desk) -> Iterator[None]:
    """The program stands still: its sockets stay open, and nobody speaks."""
    os.kill(shown.demo.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(shown.demo.process.pid, signal.SIGCONT)


def falls_silent(browser: Browser, home: Path, mutant: Mapping[str, str] | None = None) -> None:
    """The program stands still under a page that is fresh."""
    home.mkdir()
    with desk(browser, home, mutant=mutant) as shown:
        expect(rows(shown.page, "fresh")).to_have_count(SYMBOLS, timeout=PATIENCE_MS)
        with stopped(shown):
            all_stale(shown.page, 1_000 + 500)
            expect(shown.page.get_by_test_id("feed")).to_contain_text("no word from the program")
            age = shown.page.locator('[data-testid="quote"] [data-testid="age"]')
            expect(age).to_have_text("stale 3 s", timeout=5_000)
            expect(shown.page.locator('[data-id="lost"]')).to_be_visible(timeout=6_000)
            shown.page.screenshot(path=PICTURES / "cut-off.png")
        expect(rows(shown.page, "fresh")).to_have_count(SYMBOLS, timeout=60_000)


def test_P04_a_browser_whose_program_falls_silent_ages_everything_by_itself(
    browser: Browser, tmp_path: Path
) -> None:
    falls_silent(browser, tmp_path / "sound")


@pytest.mark.slow
def test_P04_fails_for_a_page_that_trusts_in_silence(browser: Browser, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        falls_silent(browser, tmp_path / "silent", TRUSTING)
    with pytest.raises(AssertionError):
        sleeps_three_hours(browser, tmp_path / "asleep", TRUSTING | CLOCKLESS)


def sleeps_three_hours(
    browser: Browser, home: Path, mutant: Mapping[str, str] | None = None
) -> None:
    """The lid was closed, and nobody tells the page how late it is when it opens."""
    home.mkdir()
    with desk(browser, home, owns_clock=True, mutant=mutant) as shown:
        expect(rows(shown.page, "fresh")).to_have_count(SYMBOLS, timeout=PATIENCE_MS)
        with stopped(shown):
            shown.page.clock.fast_forward("03:00:00")
            all_stale(shown.page, 1_000)
            age = shown.page.locator('[data-testid="quote"] [data-testid="age"]')
            expect(age).to_have_text("stale 3 h 0 min", timeout=1_000)
            shown.page.screenshot(path=PICTURES / "slept.png")


def test_P04_a_page_that_slept_looks_at_its_own_clock_first(
    browser: Browser, tmp_path: Path
) -> None:
    sleeps_three_hours(browser, tmp_path / "sound")


def told(status: dict[str, Any]) -> dict[str, str]:
    """What the health panel must hold, read from the API's status alone."""
    feed, health = status["feed"], status["health"]
    repair, pulse = health["repair"], health["pulse"]
    raw = {
        "up": "true" if feed["up"] else "false",
        "reason": feed["reason"],
        "since_ms": feed["since_ms"],
        "fresh": f"{feed['fresh']}/{feed['total']}",
        "repair_symbols": " ".join(repair["symbols"]),
        "unheard": " ".join(health["unheard"]),
        "store": status["store"]["state"],
        "recording": status["recording"]["state"],
        "token": status["token"]["state"],
        "clock_offset_ms": health["clock_offset_ms"],
        "repeats": health["repeats"],
        "corrections": health["corrections"],
        **{name: repair[name] for name in repair if name.startswith("minutes_")},
        **{name: pulse[name] for name in pulse if name != "at_ms"},
        **{f"rejected_{reason}": count for reason, count in health["rejected"].items()},
    }
    return {name: "" if value is None else str(value) for name, value in raw.items()}


def differences(shown: Desk, panel: Locator) -> dict[str, tuple[str | None, str]]:
    """The figures in which panel and API do not agree at this moment."""
    expected, found = told(shown.status()), facts(panel)
    return {
        name: (found.get(name), value)
        for name, value in expected.items()
        if not same(found.get(name), value)
    }


def same(one: str | None, other: str) -> bool:
    """Whether two printed figures are the same number, or the same text."""
    try:
        return abs(float(one or "") - float(other)) < 1e-9
    except ValueError:
        return one == other


def has_been_lost(status: dict[str, Any]) -> bool:
    """Whether the link went away and came back."""
    outages = status["health"]["outages"]
    return bool(outages) and outages[-1]["until_ms"] is not None


def test_the_health_panel_says_what_the_api_says(shown: Desk) -> None:
    shown.fault("ws.close")
    assert eventually(lambda: has_been_lost(shown.status()))
    expect(rows(shown.page, "fresh")).to_have_count(SYMBOLS, timeout=60_000)
    panel = shown.open_health()
    latest: dict[str, Any] = {}

    def agrees() -> bool:  # both move on once a second, not at the same moment
        latest.clear()
        latest.update(differences(shown, panel))
        return not latest

    assert eventually(agrees), latest
    outages = shown.status()["health"]["outages"]
    shown_outages = panel.get_by_test_id("outage")
    expect(shown_outages).to_have_count(len(outages))
    expect(shown_outages.first).to_have_attribute("data-from", str(outages[-1]["from_ms"]))
    expect(shown_outages.first).to_have_attribute("data-cause", outages[-1]["cause"])
    expect(shown_outages.first).to_contain_text(outages[-1]["reason"])
    drawn = panel.get_by_test_id("timeline")
    assert eventually(lambda: int(drawn.get_attribute("data-pulses") or 0) > 5)
    shown.page.screenshot(path=PICTURES / "health.png")
    shown.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_what_the_feed_was_refused_is_counted_and_quoted(shown: Desk) -> None:
    shown.fault("ws.truncate", **{"for": 2})
    panel = shown.open_health()
    count = panel.locator('[data-fact="rejected_unreadable"]')
    expect(count).not_to_have_attribute("data-raw", "0", timeout=PATIENCE_MS)
    expect(panel.get_by_test_id("sample").first).to_contain_text("cannot be read")
    shown.page.keyboard.press("Escape")
    is_fresh_again(shown)


def warnings(page: Page) -> int:
    return page.locator('[data-testid="banner"].warning, [data-testid="feed"] .warns').count()


@pytest.mark.slow
def test_eight_hours_of_a_closed_market_show_no_warning(browser: Browser, tmp_path: Path) -> None:
    closed_hours(browser, tmp_path, hours=8, speed=900)


def test_an_hour_of_a_closed_market_shows_no_warning(browser: Browser, tmp_path: Path) -> None:
    closed_hours(browser, tmp_path, hours=1, speed=900)


def closed_hours(browser: Browser, home: Path, hours: int, speed: int) -> None:
    """Watch from 17:00 on; look every quarter of a second."""
    start = "2026-11-20T17:00"
    with desk(browser, home, "--speed", str(speed), start=start) as shown:
        expect(rows(shown.page, "closed")).to_have_count(SYMBOLS, timeout=PATIENCE_MS)
        began_ms = shown.status()["server_time_ms"]
        seen: list[int] = []

        def is_over() -> bool:
            seen.append(warnings(shown.page))
            return bool(shown.status()["server_time_ms"] - began_ms >= hours * 3_600_000)

        assert eventually(is_over, limit_s=180)
        assert len(seen) > 10
        assert set(seen) == {0}
        expect(shown.page.get_by_test_id("feed")).to_have_attribute("data-state", "closed")
        shown.page.screenshot(path=PICTURES / f"closed-{hours}h.png")
