"""Whether everybody can read and use the page: an accessibility scan in a real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page_stage import PATIENCE_MS, PICTURES, SYMBOLS, Desk, desk, dress, rows

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def shown(browser: Browser, tmp_path_factory: pytest.TempPathFactory, axe: str) -> Iterator[Desk]:
    """A desk with the scanner in its page."""
    with desk(browser, tmp_path_factory.mktemp("access")) as opened:
        expect(rows(opened.page, "fresh")).to_have_count(SYMBOLS, timeout=PATIENCE_MS)
        opened.page.evaluate(axe)
        yield opened


@pytest.fixture(scope="module")
def axe(lacking: Callable[[str], NoReturn]) -> str:
    """The scanner's script."""
    if not AXE.is_file():
        lacking(f"no accessibility scanner: {AXE} is missing; run `python3 start.py setup`")
    return AXE.read_text(encoding="utf-8")


def findings(page: Page) -> list[str]:
    """What the scanner calls serious or critical, with the places."""
    found: list[dict[str, Any]] = page.evaluate(
        """() => axe.run(document, { resultTypes: ["violations"] }).then(result =>
            result.violations.map(({ id, impact, help, nodes }) => ({
                id, impact, help, where: nodes.map(node => node.target.join(" ")),
            })))"""
    )
    grave = [one for one in found if one["impact"] in GRAVE]
    return [f"{one['id']}: {one['help']}: {', '.join(one['where'][:5])}" for one in grave]


def test_the_scan_finds_what_is_wrong(shown: Desk) -> None:
    shown.page.evaluate(
        """() => {
            const bad = document.createElement("img");
            bad.id = "bad";
            document.body.append(bad);
        }"""
    )
    try:
        assert any("image-alt" in line for line in findings(shown.page))
    finally:
        shown.page.evaluate("() => document.getElementById('bad').remove()")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_the_page_and_its_dialogs_have_no_grave_findings(
    shown: Desk, width: int, theme: str
) -> None:
    page = shown.page
    try:
        dress(page, theme)
        page.set_viewport_size({"width": width, "height": 740 if width == 360 else 900})
        assert findings(page) == []
        panel = shown.open_health()
        expect(panel.get_by_test_id("timeline")).to_be_visible()
        page.screenshot(path=PICTURES / f"health-{width}-{theme}.png")
        overflow = panel.evaluate("one => one.scrollWidth - one.clientWidth")
        assert overflow <= 0, f"the health panel is {overflow} px too wide at {width}"
        assert findings(page) == []
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        expect(page.get_by_test_id("help")).to_be_visible()
        assert findings(page) == []
        page.keyboard.press("Escape")
        page.keyboard.press("a")
        dialog = page.get_by_test_id("alerts-dialog")
        expect(dialog.get_by_test_id("alert-save")).to_be_visible()
        page.screenshot(path=PICTURES / f"alerts-{width}-{theme}.png")
        overflow = dialog.evaluate("one => one.scrollWidth - one.clientWidth")
        assert overflow <= 0, f"the alerts are {overflow} px too wide at {width}"
        assert findings(page) == []
    finally:
        page.keyboard.press("Escape")
        page.set_viewport_size({"width": 1600, "height": 1000})
        dress(page, "dark")


def test_a_page_full_of_warnings_has_no_grave_findings(shown: Desk) -> None:
    shown.fault("ws.silence")
    try:
        expect(rows(shown.page, "stale")).to_have_count(SYMBOLS, timeout=PATIENCE_MS)
        expect(shown.page.locator('[data-id="feed"]')).to_be_visible()
        assert findings(shown.page) == []
    finally:
        shown.heal()
        expect(rows(shown.page, "fresh")).to_have_count(SYMBOLS, timeout=60_000)


def test_from_the_watchlist_over_the_chart_to_an_alert_by_keys_alone(shown: Desk) -> None:
    page = shown.page
    page.keyboard.press("Escape")
    current = page.locator('tr[aria-current="true"]')
    before = current.get_attribute("data-symbol") or ""
    for _ in range(2):
        page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(current).not_to_have_attribute("data-symbol", before)
    symbol = current.get_attribute("data-symbol")
    page.keyboard.press("c")
    expect(page.get_by_test_id("chart")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    form = page.get_by_test_id("alert-form")
    threshold = form.locator('[name="threshold"]')
    expect(threshold).to_be_focused()
    assert form.locator('[name="symbol"]').input_value() == symbol
    price = float(threshold.input_value())
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")  # from "crosses" to "above"
    expect(form.locator('[name="comparison"]')).to_have_value("above")
    page.keyboard.press("Tab")
    page.keyboard.type(f"{price * 0.9:.2f}")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("alert-said")).to_contain_text(f"is set: {symbol} last price above")
    past = page.get_by_test_id("past-alert").first
    expect(past).to_contain_text(f"{symbol} last price is")
    assert findings(page) == []
    press_until_focused(page, "Seen: alert of")
    page.keyboard.press("Enter")
    expect(past).to_contain_text("seen")
    press_until_focused(page, "Remove alert", key="Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("rule")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("alerts-dialog")).to_be_hidden()
    line = page.get_by_test_id("alert").first
    expect(line).to_contain_text("warning")
    expect(line).to_contain_text(f"{symbol} last price is")


def press_until_focused(page: Page, label: str, key: str = "Tab") -> None:
    """Go on by a key until something whose label begins so has the focus."""
    for _ in range(60):
        page.keyboard.press(key)
        if page.evaluate("() => document.activeElement.ariaLabel ?? ''").startswith(label):
            return
    raise AssertionError(f"no key leads to {label!r}")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("width", [390, 1600])
def test_patterns_ladder_and_columns_have_no_grave_findings(
    shown: Desk, width: int, theme: str
) -> None:
    page = shown.page
    try:
        dress(page, theme)
        page.set_viewport_size({"width": width, "height": 844 if width == 390 else 1000})
        page.keyboard.press("p")
        expect(page.get_by_test_id("pattern").first).to_be_visible()
        assert findings(page) == []
        page.screenshot(path=PICTURES / f"patterns-{width}-{theme}.png")
        if width == 390:  # one panel at a time
            page.get_by_role("button", name="Chart", exact=True).click()
        if not page.get_by_test_id("depth").evaluate("one => one.open"):
            page.get_by_test_id("depth").locator("summary").click()
        expect(page.get_by_test_id("balances")).to_be_visible()
        assert findings(page) == []
        page.keyboard.press("Escape")
        page.keyboard.press("o")
        expect(page.get_by_test_id("columns")).to_be_visible()
        page.screenshot(path=PICTURES / f"columns-{width}-{theme}.png")
        assert findings(page) == []
    finally:
        page.keyboard.press("Escape")
        page.set_viewport_size({"width": 1600, "height": 1000})
        dress(page, "dark")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_candle_table_and_the_search_have_no_grave_findings(shown: Desk, theme: str) -> None:
    page = shown.page
    dress(page, theme)
    page.locator("summary", has_text="as a table").click()
    expect(page.get_by_test_id("candle").first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("inf")
    expect(page.get_by_test_id("found-text")).not_to_be_empty()
    page.screenshot(path=PICTURES / f"search-{theme}.png")
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator("summary", has_text="as a table").click()
    dress(page, "dark")


READ_STUDIES = """async () => {
    const { symbol } = document.querySelector("tr[aria-current=true]").dataset;
    const answer = await fetch(`api/v1/indicators/${symbol}`).then((answer) => answer.json());
    const told = answer.readings.find((reading) => reading.timeframe === "1m");
    const shown = document.querySelector("[data-testid=studies]");
    const values = [...shown.querySelectorAll("[data-name]")].map((one) =>
        [one.dataset.name, one.innerText.trim().split(/\\s+/).at(-1)]);
    return [Number(shown.dataset.start), Date.parse(told.start), Object.fromEntries(values), told];
}"""


def number(text: str) -> float | None:
    """A value of the page; None where it shows a dash."""
    return None if text == "—" else float(text.replace(",", "").replace("−", "-"))


def switch(page: Page, *names: str) -> None:
    """Toggle indicators in the menu as somebody without a pointer does."""
    page.keyboard.press("i")
    expect(page.get_by_test_id("indicators")).to_be_visible()
    for name in names:
        for _ in range(20):
            if page.evaluate("() => document.activeElement.name") == name:
                break
            page.keyboard.press("Tab")
        page.keyboard.press("Space")


def test_overlays_are_switched_by_keys_and_show_what_the_api_says(shown: Desk) -> None:
    page = shown.page
    try:
        switch(page, "bollinger", "rsi", "macd")
        for theme in ("dark", "light"):
            page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            assert findings(page) == []
        page.keyboard.press("Escape")
        page.keyboard.press("c")
        for _ in range(30):  # a minute may end between the walk and the answer
            page.keyboard.press("Escape")
            page.keyboard.press("c")
            page.keyboard.press("ArrowLeft")
            page.keyboard.press("ArrowLeft")
            page.wait_for_timeout(500)
            start_ms, told_ms, values, told = page.evaluate(READ_STUDIES)
            if start_ms == told_ms and len(values) == 16:
                break
        page.screenshot(path=PICTURES / "chart-studies.png")
        assert start_ms == told_ms
        assert {"ema_9", "vwap_upper_3", "bb_lower", "macd_hist"} < values.keys()
        assert "rsi_14" not in values
        for name, text in values.items():
            assert number(text) == pytest.approx(told[name], abs=0.005001), name
        assert findings(page) == []
    finally:
        page.keyboard.press("Escape")
        switch(page, "bollinger", "rsi", "macd")
        page.keyboard.press("Escape")
        page.evaluate("() => { document.documentElement.dataset.theme = 'dark' }")
