"""What a person changes on the page while the market runs: the list and the link."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page_stage import PATIENCE_MS, PICTURES, SYMBOLS, Desk, desk, rows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

NEW = "BANKNIFTY"


@pytest.fixture(scope="module")
def shown(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(browser, tmp_path_factory.mktemp("steering")) as opened:
        expect(rows(opened.page, "fresh")).to_have_count(SYMBOLS, timeout=PATIENCE_MS)
        yield opened


def row(page: Page, symbol: str) -> str:
    return f'[data-testid="row"][data-symbol="{symbol}"]'


def focused_row(page: Page) -> str | None:
    """The symbol whose row has the keyboard."""
    found: str | None = page.evaluate(
        "() => document.activeElement?.closest('[data-testid=row]')?.dataset.symbol ?? null"
    )
    return found


def test_a_symbol_is_added_and_removed_by_keys_alone(shown: Desk) -> None:
    page = shown.page
    page.mouse.move(0, 0)
    page.keyboard.press("/")
    expect(page.get_by_test_id("add-symbol")).to_be_focused()
    page.keyboard.type("bank nifty", delay=30)
    expect(page.get_by_test_id("found").first).to_have_attribute("data-symbol", NEW)
    page.screenshot(path=PICTURES / "search.png")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("watch-note")).to_contain_text(NEW)
    expect(rows(page)).to_have_count(SYMBOLS + 1)
    added = page.locator(row(page, NEW))
    expect(added).to_have_attribute("data-state", "fresh", timeout=PATIENCE_MS)
    expect(page.get_by_test_id("add-symbol")).to_be_focused()
    page.screenshot(path=PICTURES / "added.png")

    page.keyboard.press("Escape")
    for _ in range(SYMBOLS + 1):
        page.keyboard.press("ArrowDown")
    assert focused_row(page) == NEW
    page.keyboard.press("Delete")
    expect(rows(page)).to_have_count(SYMBOLS)
    assert focused_row(page) == "HCLTECH"
    page.screenshot(path=PICTURES / "removed.png")

    page.keyboard.press("u")
    expect(rows(page)).to_have_count(SYMBOLS + 1)
    expect(added).to_have_attribute("data-state", "fresh", timeout=PATIENCE_MS)


def test_a_change_of_the_list_leaves_the_chart_alone(shown: Desk) -> None:
    page = shown.page
    page.locator(row(page, "TCS")).click()
    page.locator('[data-testid="timeframe"][data-minutes="5"]').click()
    chart = page.get_by_test_id("chart")
    expect(chart).to_have_attribute("data-minutes", "5")
    page.wait_for_function("() => document.querySelector('[data-testid=chart]').dataset.bars > 4")
    page.evaluate("() => { document.querySelector('[data-testid=chart]').dataset.mine = 'kept' }")
    page.locator(f"{row(page, 'ITC')} [data-remove]").click(force=True)
    expect(page.locator(row(page, "ITC"))).to_have_count(0)
    expect(chart).to_have_attribute("data-mine", "kept")
    expect(chart).to_have_attribute("data-symbol", "TCS")
    expect(chart).to_have_attribute("data-minutes", "5")
    page.get_by_test_id("undo").click()
    expect(page.locator(row(page, "ITC"))).to_have_count(1)


def test_a_symbol_that_is_removed_while_it_is_charted_gives_way_to_its_neighbour(
    shown: Desk,
) -> None:
    page = shown.page
    page.locator(row(page, "SBIN")).click()
    expect(page.get_by_test_id("chart")).to_have_attribute("data-symbol", "SBIN")
    page.locator(f"{row(page, 'SBIN')} [data-remove]").click(force=True)
    expect(page.get_by_test_id("chart")).to_have_attribute("data-symbol", "BHARTIARTL")
    page.wait_for_function("() => document.querySelector('[data-testid=chart]').dataset.bars > 4")
    page.get_by_test_id("undo").click()
    expect(page.locator(row(page, "SBIN"))).to_have_count(1)


def test_a_wish_that_cannot_be_met_is_told_in_a_sentence(shown: Desk) -> None:
    page = shown.page
    page.keyboard.press("/")
    page.keyboard.type("no such thing", delay=20)
    expect(page.get_by_test_id("found-text")).to_contain_text("Nothing found")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")


def test_reconnecting_is_an_interruption_that_somebody_asked_for(shown: Desk) -> None:
    panel = shown.open_health()
    panel.get_by_test_id("reconnect").click()
    expect(panel.get_by_test_id("link-said")).to_contain_text("made anew")
    expect(panel.locator('[data-testid="outage"][data-cause="asked"]')).to_have_count(1)
    shown.page.keyboard.press("Escape")
    expect(rows(shown.page, "fresh")).to_have_count(SYMBOLS + 1, timeout=60_000)


def test_a_feed_that_another_program_has_is_taken_over_only_when_asked(shown: Desk) -> None:
    page = shown.page
    shown.fault("ws.close", **{"for": 20})  # every connection, as soon as it is there
    banner = page.locator('[data-id="taken"]')
    expect(banner).to_contain_text("Another program seems to use the feed", timeout=60_000)
    expect(banner).to_contain_text("Prices stopped at")
    page.screenshot(path=PICTURES / "taken.png")
    banner.get_by_role("button", name="Details").click()
    panel = page.get_by_test_id("health")
    expect(panel.locator("#take-over-help")).to_contain_text("ends the other program's connection")
    expect(panel.locator('[data-fact="up"]')).to_contain_text("used elsewhere")
    page.screenshot(path=PICTURES / "taken-panel.png")
    shown.heal()
    panel.get_by_test_id("take-over").click()
    expect(panel.get_by_test_id("link-said")).to_contain_text("taking the feed over")
    page.keyboard.press("Escape")
    expect(rows(page, "fresh")).to_have_count(SYMBOLS + 1, timeout=60_000)
    expect(banner).to_have_count(0)
