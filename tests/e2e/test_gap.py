"""A gap of the feed as a person sees it: what is missing, how far the repair is, what came back."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.page_stage import PATIENCE_MS, PICTURES, SYMBOLS, desk, facts, rows
from tests.program_stage import eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

REPAIR_MS = 120_000


def test_P06_the_repair_of_a_gap_is_visible_and_its_minutes_carry_a_wrench(
    browser: Browser, tmp_path: Path
) -> None:
    with desk(browser, tmp_path, "--speed", "10") as shown:
        page, feed = shown.page, shown.page.get_by_test_id("feed")
        expect(rows(page, "fresh")).to_have_count(SYMBOLS, timeout=PATIENCE_MS)
        shown.fault("rest.delay", args={"s": 4.0}, match="historical-candle")  # a repair to watch
        shown.fault("ws.silence", **{"for": 200})  # the feed itself brings the last minute back
        expect(feed).to_have_attribute("data-state", "stale", timeout=PATIENCE_MS)
        expect(feed).to_have_attribute("data-state", "gap", timeout=60_000)
        expect(feed).to_contain_text("filling the gap")
        expect(feed.get_by_role("progressbar")).to_be_visible()
        expect(rows(page, "gap").first).to_contain_text("filling gap")
        page.screenshot(path=PICTURES / "gap.png")
        panel = shown.open_health()
        expect(panel.get_by_test_id("repair")).to_be_visible()
        assert int(facts(panel)["minutes_open"]) > 0
        page.screenshot(path=PICTURES / "gap-panel.png")
        expect(feed).not_to_have_attribute("data-state", "gap", timeout=REPAIR_MS)
        assert eventually(lambda: facts(panel)["minutes_open"] == "0", limit_s=60)
        assert int(facts(panel)["minutes_backfilled"]) >= SYMBOLS
        page.keyboard.press("Escape")
        expect(rows(page, "gap")).to_have_count(0)
        page.locator("summary", has_text="as a table").click()
        repaired = page.locator('[data-testid="candle"][data-state="backfilled"]')
        expect(repaired.first).to_contain_text("backfilled")
        expect(repaired.first.locator("svg")).to_be_visible()
        page.screenshot(path=PICTURES / "repaired.png")
