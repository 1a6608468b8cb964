"""The page in a real browser, against the real program and the built-in exchange."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.page_stage import PICTURES, SYMBOLS, dress, rows
from tests.program_stage import START, exchange, fetch, program
from tests.upstox_stage import free_port

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The dashboard of a demo that runs as long as the module."""
    home = tmp_path_factory.mktemp("workspace")
    with program(home, "demo", "--no-browser", "--port", "0", "--start", START) as demo:
        page = browser.new_page(viewport={"width": 1600, "height": 1000}, color_scheme="dark")
        page.set_default_timeout(20_000)
        page.goto(demo.line_with("Open ").removeprefix("Open "))
        yield page
        page.close()


def last_price(page: Page, symbol: str) -> Locator:
    return page.locator(f'[data-testid="row"][data-symbol="{symbol}"] [data-testid="last-price"]')


def test_every_symbol_of_the_watchlist_is_fresh_and_in_rupees(page: Page) -> None:
    expect(rows(page)).to_have_count(SYMBOLS)
    expect(rows(page, "fresh")).to_have_count(SYMBOLS)
    expect(page.get_by_test_id("mode")).to_have_text("DEMO")
    expect(last_price(page, "RELIANCE")).to_contain_text(re.compile(r"1,\d{3}\.\d{2}"))
    page.screenshot(path=PICTURES / "fresh.png")


def test_prices_move(page: Page) -> None:
    expect(rows(page, "fresh")).to_have_count(SYMBOLS)
    before = [last_price(page, s).inner_text() for s in ("RELIANCE", "HDFCBANK", "SBIN")]

    def now() -> list[str]:
        return [last_price(page, s).inner_text() for s in ("RELIANCE", "HDFCBANK", "SBIN")]

    page.wait_for_function(
        """([symbols, before]) => symbols.some((symbol, i) => {
            const row = document.querySelector(`[data-testid=row][data-symbol="${symbol}"]`);
            return row.querySelector("[data-testid=last-price]").innerText !== before[i];
        })""",
        arg=[["RELIANCE", "HDFCBANK", "SBIN"], before],
    )
    assert now() != before


def test_the_chart_follows_the_newest_price_and_the_chosen_timeframe(page: Page) -> None:
    chart = page.get_by_test_id("chart")
    page.locator('[data-testid="row"][data-symbol="ICICIBANK"]').click()
    expect(chart).to_have_attribute("data-symbol", "ICICIBANK")
    page.wait_for_function(
        "() => Number(document.querySelector('[data-testid=chart]').dataset.bars) >= 250"
    )
    close = chart.get_attribute("data-last-close")
    page.wait_for_function(
        "close => document.querySelector('[data-testid=chart]').dataset.lastClose !== close",
        arg=close,
    )
    for minutes in (3, 5, 10, 15, 60, 1):
        page.locator(f'[data-testid="timeframe"][data-minutes="{minutes}"]').click()
        expect(chart).to_have_attribute("data-minutes", str(minutes))
        page.wait_for_function(
            "() => Number(document.querySelector('[data-testid=chart]').dataset.bars) >= 4"
        )
    page.screenshot(path=PICTURES / "chart.png")


def rungs(depth: Locator) -> list[list[str]]:
    """The rows of the ladder: bid quantity, price, ask quantity; one cell between the sides."""
    texts: list[list[str]] = depth.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))"
    )
    return texts


def rupees(text: str) -> float:
    return float(text.replace(",", "").replace("LTP", ""))


def test_the_ladder_of_the_selected_symbol_has_its_levels_in_order_and_moves(page: Page) -> None:
    page.locator('[data-testid="row"][data-symbol="HDFCBANK"]').click()
    depth = page.get_by_test_id("depth")
    expect(depth).to_have_attribute("data-symbol", "HDFCBANK")
    expect(depth).to_have_attribute("data-state", "fresh")
    expect(depth.locator("tbody tr").first).to_contain_text(re.compile(r"\d\.\d{2}|—"))
    shown = rungs(depth)
    assert len(shown) == 11
    assert "spread" in shown[5][0]
    prices = [rupees(price) for _, price, _ in shown[:5] + shown[6:] if price != "—"]
    assert prices == sorted(set(prices), reverse=True)
    assert all(bid == "" for bid, _, _ in shown[:5])
    assert all(ask == "" for _, _, ask in shown[6:])
    balances = depth.get_by_test_id("balances").locator("dd").all_inner_texts()
    assert len(balances) == 3
    assert all(re.fullmatch(r"[+−]?[01]\.\d\d", text.strip()) for text in balances)
    page.wait_for_function(
        """before => document.querySelector("[data-testid=depth] tbody").innerText !== before""",
        arg=depth.locator("tbody").inner_text(),
    )
    page.screenshot(path=PICTURES / "depth.png")


# an index whose number is cut off shows a wrong number
CUT_INDEX = """() => [...document.querySelectorAll('[data-testid=index]')].filter((one) => {
    const frame = one.parentElement.getBoundingClientRect();
    const box = one.getBoundingClientRect();
    const isSeen = box.width > 0 && box.top < frame.bottom && box.bottom > frame.top;
    return isSeen && (box.left < frame.left || box.right > frame.right);
}).map((one) => one.innerText)"""


CUT_SYMBOL = """() => [...document.querySelectorAll('[data-testid=row] .symbol')]
    .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.innerText)"""


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_page_fits_the_window_in_both_dresses(page: Page, width: int, theme: str) -> None:
    try:
        dress(page, theme)
        page.set_viewport_size({"width": width, "height": 640 if width == 360 else 900})
        expect(page.get_by_test_id("mode")).to_be_visible()
        overflow = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{overflow} px wider than {width}"
        assert page.evaluate(CUT_INDEX) == []
        if width < 1024:  # one panel at a time
            page.get_by_role("button", name="Watch", exact=True).click()
        page.wait_for_function(f"() => ({CUT_SYMBOL})().length === 0", timeout=5_000)
        page.screenshot(path=PICTURES / f"{width}-{theme}.png")
    finally:
        page.set_viewport_size({"width": 1600, "height": 1000})
        dress(page, "dark")


READ_SORTED = """([key, unit]) => [...document.querySelectorAll(`[data-testid=row] td.${key}`)]
    .map((cell) => cell.innerText.trim()).filter((text) => text !== "—")
    .map((text) => Number(text.replace("−", "-").replace(unit, "")))"""


def test_somebody_without_a_pointer_sorts_chooses_columns_opens_a_pattern_and_the_ladder(
    page: Page,
) -> None:
    expect(rows(page, "fresh")).to_have_count(SYMBOLS)
    page.set_viewport_size({"width": 1920, "height": 1000})
    try:
        _sort_by_vwap(page)
        _move_rsi_to_the_front_and_take_vwap_off(page)
        _open_the_second_pattern_of_the_day(page)
        _switch_the_ladder(page)
        assert page.evaluate("() => document.querySelectorAll('*').length") <= 4_000
        page.screenshot(path=PICTURES / "journey.png")
    finally:
        page.evaluate("() => localStorage.clear()")
        page.set_viewport_size({"width": 1600, "height": 1000})
        page.reload()
        expect(rows(page, "fresh")).to_have_count(SYMBOLS)


def _sort_by_vwap(page: Page) -> None:
    """The order stands still while the keyboard is in a row, and follows the values after."""
    page.locator("th.vwap button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("th.vwap")).to_have_attribute("aria-sort", "descending")
    page.keyboard.press("Tab")
    page.keyboard.press("j")
    expect(page.get_by_test_id("sort-paused")).to_have_text("sort paused")
    shown = page.evaluate(READ_SORTED, ["vwap", "%"])
    assert len(shown) == SYMBOLS
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("sort-paused")).to_have_count(0)
    page.wait_for_function(
        f"() => {{ const shown = ({READ_SORTED})(['vwap', '%']);"
        " return shown.every((one, at) => at === 0 || one <= shown[at - 1]); }"
    )


def _move_rsi_to_the_front_and_take_vwap_off(page: Page) -> None:
    """The columns follow at once, and are the same after a reload."""
    page.keyboard.press("o")
    columns = page.get_by_test_id("columns")
    columns.locator('[data-column="vwap"] input').focus()
    page.keyboard.press("Space")
    columns.get_by_label("RSI further left").focus()
    for _ in range(9):
        page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    heads = page.locator("#watchlist thead th").evaluate_all("all => all.map(one => one.className)")
    assert [head.split()[0] for head in heads[:2]] == ["symbol", "rsi"]
    assert page.locator("th.vwap").count() == 0
    page.reload()
    expect(page.locator("#watchlist thead th").nth(1)).to_contain_text("RSI")


def _open_the_second_pattern_of_the_day(page: Page) -> None:
    """The chart shows its symbol and timeframe."""
    expect(page.get_by_test_id("pattern-count")).not_to_have_text("0 listed")
    page.keyboard.press("p")
    first = page.get_by_test_id("pattern").first
    expect(first.locator("button")).to_be_focused()
    page.keyboard.press("ArrowDown")
    chosen = page.get_by_test_id("pattern").nth(1)
    expect(chosen.locator("button")).to_be_focused()
    symbol, minutes = chosen.get_attribute("data-symbol"), chosen.get_attribute("data-minutes")
    page.keyboard.press("Enter")
    chart = page.get_by_test_id("chart")
    expect(chart).to_have_attribute("data-symbol", str(symbol))
    expect(chart).to_have_attribute("data-minutes", str(minutes))


def _switch_the_ladder(page: Page) -> None:
    """It opens or closes by one key, and holds the spread between sellers and buyers."""
    depth = page.get_by_test_id("depth")
    was_open = depth.evaluate("one => one.open")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.wait_for_function(
        "was => document.querySelector('[data-testid=depth]').open !== was", arg=was_open
    )
    if was_open:
        page.keyboard.press("d")
    expect(depth.locator("tbody tr").nth(5)).to_contain_text("spread")


def test_the_patterns_of_the_page_are_those_of_the_api(page: Page) -> None:
    expect(page.get_by_test_id("pattern-count")).not_to_have_text("0 listed")
    if page.get_by_test_id("pattern").count() == 0:
        page.keyboard.press("p")
    page.mouse.move(0, 0)
    page.wait_for_function(
        """async () => {
            const told = await fetch("api/v1/patterns").then((answer) => answer.json());
            const known = new Map(told.patterns.map((one) => {
                const at = one.start.slice(11, 16);
                const price = one.invalidation === null ? "" : one.invalidation.toFixed(2);
                const name = one.pattern.replaceAll("_", " ");
                const words = [one.symbol, one.timeframe, at, name, one.superseded].join("|");
                return [words, [one.confirmed, price].join("|")];
            }));
            const shown = [...document.querySelectorAll("[data-testid=pattern]")];
            const states = { confirmed: true, "not confirmed": false, waiting: null };
            return shown.length > 10 && shown.every((row) => {
                const { symbol, minutes, state, key } = row.dataset;
                if (state === "no direction") return true;
                const at = row.querySelector(".when").firstChild.textContent;
                const name = row.querySelector(".name").innerText.slice(1).trim().toLowerCase();
                const price = row.querySelector(".price").firstChild.textContent;
                const words = [symbol, `${minutes}m`, at, name, state === "superseded"].join("|");
                const story = known.get(words);
                const wanted = [states[state], price.replaceAll(",", "")].join("|");
                return state === "superseded" ? story !== undefined : story === wanted;
            });
        }"""
    )


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_blocked(
    browser: Browser, page: Page
) -> None:
    seen: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.reload()
    expect(rows(page, "fresh")).to_have_count(SYMBOLS)
    origin = page.url.split("#")[0].rstrip("/")
    ours = (origin, origin.replace("http", "ws", 1), "data:", "blob:")
    assert seen
    assert [url for url in seen if not url.startswith(ours)] == []
    assert [text for text in said if "Content Security Policy" in text] == []


def test_the_first_script_is_small_and_panels_come_when_they_are_opened(page: Page) -> None:
    scripts: list[str] = []

    def note(request: Request) -> None:
        if request.resource_type == "script":
            scripts.append(request.url)

    page.on("request", note)
    page.reload()
    expect(rows(page, "fresh")).to_have_count(SYMBOLS)
    first = [url for url in scripts if "/index-" in url]
    weight = sum(len(gzip.compress(page.request.get(url).body())) for url in first)
    assert 0 < weight <= 250_000
    assert not any("/HealthDialog-" in url for url in scripts)
    page.keyboard.press("h")
    expect(page.get_by_test_id("health")).to_be_visible()
    assert any("/HealthDialog-" in url for url in scripts)
    page.keyboard.press("Escape")
    page.remove_listener("request", note)


def test_a_used_start_link_opens_nothing(browser: Browser, tmp_path: Path) -> None:
    with program(tmp_path, "demo", "--no-browser", "--port", "0", "--start", START) as demo:
        link = demo.line_with("Open ").removeprefix("Open ")
        for opens in (True, False):
            page = browser.new_context().new_page()
            page.goto(link)
            wanted = page.get_by_test_id("mode") if opens else page.get_by_test_id("gate")
            expect(wanted).to_be_visible(timeout=20_000)
            page.close()


def test_a_killed_exchange_makes_everything_stale_within_a_second_and_its_return_heals(
    browser: Browser, tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / "emulator").mkdir()
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    with (
        exchange(tmp_path / "emulator", "--start", START, port=port) as (server, url),
        program(tmp_path, "demo", "--exchange", url, "--no-browser", "--port", "0") as demo,
    ):
        page.goto(demo.line_with("Open ").removeprefix("Open "))
        expect(rows(page, "fresh")).to_have_count(SYMBOLS, timeout=20_000)
        now_ns = fetch(f"{url}/_emu/clock")["now_ns"]
        server.process.kill()
        expect(rows(page, "stale")).to_have_count(SYMBOLS, timeout=1_000)
        expect(page.get_by_test_id("feed")).to_have_attribute("data-state", "stale")
        page.screenshot(path=PICTURES / "stale.png")
        with exchange(tmp_path / "emulator", "--start", START, port=port) as (_, again):
            fetch(f"{again}/_emu/clock", b'{"now_ns": %d}' % (now_ns + 5_000_000_000))
            expect(rows(page, "fresh")).to_have_count(SYMBOLS, timeout=45_000)
            page.screenshot(path=PICTURES / "recovered.png")
    page.close()
