"""The plain page in a real browser: it opens the start link and shows what the API says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.web_stage import Site, SmallMarket, Stage, instrument, running
from ticktick.web.server import PLAIN_PAGE

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=document.title='owned'>"


@asynccontextmanager
async def browsing(chromium: Path, complaints: list[str]) -> AsyncIterator[Page]:
    async with async_playwright() as player:
        browser = await player.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        page = await browser.new_page(viewport={"width": 360, "height": 640})
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        await browser.close()


def start_link(site: Site) -> str:
    return f"{site.url}/#code={site.stage.sessions.new_start_code()}"


async def test_the_start_link_shows_the_watchlist_and_a_killed_server_makes_it_stale(
    chromium: Path,
) -> None:
    stage = Stage(SmallMarket([instrument("RELIANCE"), instrument("M&M"), instrument(HOSTILE)]))
    stage.market.trade("M&M", 301_505)
    complaints: list[str] = []
    async with browsing(chromium, complaints) as page:
        async with running(stage, PLAIN_PAGE) as site:
            await page.goto(start_link(site))
            cells = page.locator("#rows tr").nth(1).locator("td")
            await expect(cells.nth(0)).to_have_text("M&M")
            await expect(cells.nth(1)).to_have_text("3,015.05")
            await expect(page.locator("#rows tr").first.locator("td").nth(1)).to_have_text("–")
            await expect(page.locator("#rows tr").nth(2).locator("td").first).to_have_text(HOSTILE)
            await expect(page.locator("#state")).to_contain_text("DEMO · 10:00:00 IST · feed up")
            assert "code" not in page.url
            await page.reload()
            await expect(page.locator("#rows tr")).to_have_count(3)
            assert complaints == []
            assert await page.title() == "Tick-Tick: plain page"
        await expect(cells.last).to_have_text("stale", timeout=1_500)
        await expect(page.locator("#state")).to_contain_text("does not answer")


async def test_without_a_session_the_page_says_what_to_open(chromium: Path) -> None:
    async with browsing(chromium, []) as page, running(Stage(), PLAIN_PAGE) as site:
        await page.goto(site.url)
        await expect(page.locator("#state")).to_contain_text("Open the start link")
        await expect(page.locator("#rows tr")).to_have_count(0)
