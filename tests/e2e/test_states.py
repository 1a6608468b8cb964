"""Every look of the page at once: each freshness, each candle state, each trouble, each dress.

A small market that the test sets stands behind the real server; its time stands still.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect

from tests.page_stage import PICTURES, dress, rows
from tests.program_stage import eventually
from tests.web_stage import MORNING_NS, SmallMarket, Stage, candle, instrument, outputs, running
from ticktick.domain.clock import NS_PER_DAY, NS_PER_MS, NS_PER_S
from ticktick.domain.event import FeedChanged, FreshnessChanged
from ticktick.domain.health import LinkHealth
from ticktick.domain.instrument import Kind
from ticktick.domain.market import CandleState, Freshness
from ticktick.engine.ports import Outputs
from ticktick.market.rejections import Rejection
from ticktick.web.parts import PartState, TokenStatus
from ticktick.web.status import SystemStatus

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

WORDS = {
    Freshness.FRESH: "0 s",
    Freshness.QUIET: "20 s",
    Freshness.STALE: "stale 1 min 15 s",
    Freshness.GAP: "filling gap",
    Freshness.CLOSED: "closed 09:58",
    Freshness.UNKNOWN: "—",
}
SHOWN = "FRESH"
AGES_S = {Freshness.QUIET: 20, Freshness.STALE: 75, Freshness.CLOSED: 100}


class Standing(Stage):
    """A stage whose time stands still, with what the surroundings say."""

    def __init__(self, market: SmallMarket) -> None:
        super().__init__(market)
        self.said = SystemStatus(
            mode="VIEW",
            now_ms=0,
            rate=0.0,
            token=TokenStatus("valid", (MORNING_NS + NS_PER_DAY) // NS_PER_MS),
            store=PartState("on", "Redis is up to date"),
            recording=PartState("on", "recording"),
            link=LinkHealth(ping_ms=38.0, rest_ms=120.0, clock_offset_ms=120.0),
            loop_lag_ms=2.0,
        )

    def system(self) -> SystemStatus:
        return replace(self.said, now_ms=self.now_ns // NS_PER_MS)


class Gallery(threading.Thread):
    """Serves a stage from a thread of its own until `end`."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(daemon=True)
        self.stage = stage
        self.link = ""
        self._ready = threading.Event()
        self._over = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self.start()
        self._ready.wait(30)

    def run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    def do(self, change: Callable[[], None]) -> None:
        """Let something happen between two messages of the server."""
        self._loop.call_soon_threadsafe(change)

    def end(self) -> None:
        self.do(self._over.set)
        self.join(30)

    async def _serve(self) -> None:
        async with running(self.stage) as site:
            self.link = f"{site.url}/#code={self.stage.sessions.new_start_code()}"
            self._ready.set()
            await self._over.wait()


def of_each_freshness() -> Standing:
    """A list with one symbol of each freshness, and an index that is followed."""
    symbols = [instrument(state.value.upper()) for state in Freshness]
    market = SmallMarket([*symbols, instrument("NIFTY", Kind.INDEX)])
    market.extras = {"NIFTY"}
    stage = Standing(market)
    market.trade("NIFTY", 2_574_000)
    market.freshness[market.table.row_of_symbol["NIFTY"]] = Freshness.FRESH
    for row, state in enumerate(Freshness):
        if state is not Freshness.UNKNOWN:
            told_ns = MORNING_NS - AGES_S.get(state, 0) * NS_PER_S
            market.trade(symbols[row].symbol, 140_000 + 35 * row, told_ns)
            market.table.records[row]["previous_close"] = 139_000
            market.table.records[row]["last_trade_ns"] = told_ns
        market.freshness[row] = state
    return stage


def add_candles(stage: Standing) -> None:
    """Candles of every state for the symbol in the chart."""
    states = (
        [CandleState.FINAL] * 30
        + [CandleState.BACKFILLED] * 6
        + [CandleState.FINAL] * 4
        + [CandleState.MISSING] * 11
        + [CandleState.BACKFILLED] * 2
        + [CandleState.FINAL] * 3
        + [CandleState.MISSING]
        + [CandleState.FINAL] * 4
        + [CandleState.PROVISIONAL] * 2
    )
    closed = []
    for number, state in enumerate(states):
        close = 0 if state is CandleState.MISSING else 140_000 + 40 * ((number * 7) % 13)
        one = candle(SHOWN, number - len(states), close, state=state)
        if close:
            one = replace(one, open=close - 60, high=close + 90, low=close - 110)
        closed.append(one)
    stage.market.closed[SHOWN, 1] = closed
    stage.market.running[SHOWN, 1] = candle(SHOWN, 0, 140_200, state=CandleState.FORMING)


def add_history(stage: Standing) -> None:
    """Four minutes of pulses, with two interruptions and some refusals."""
    market, start_ns = stage.market, MORNING_NS - 240 * NS_PER_S
    still, stage.said = stage.said, replace(stage.said, rate=1.0)
    record = market.table.records[market.table.row_of_symbol["NIFTY"]]
    facts = {
        0: FeedChanged(start_ns, True, "data arrived"),
        60: FeedChanged(start_ns + 60 * NS_PER_S, False, "the server closed the feed", "closed"),
        72: FeedChanged(start_ns + 72 * NS_PER_S, True, "data arrived"),
        150: FeedChanged(start_ns + 150 * NS_PER_S, False, "no data while NIFTY moved", "silent"),
        171: FeedChanged(start_ns + 171 * NS_PER_S, True, "data arrived"),
    }
    for second in range(241):
        stage.now_ns = now_ns = start_ns + second * NS_PER_S
        lag_ms = 8 + (second * 37) % 90 + (900 if second % 61 == 0 else 0)
        record["received_ns"], record["exchange_ns"] = now_ns, now_ns - lag_ms * NS_PER_MS
        told = [facts[second]] if second in facts else []
        rows_told = () if 60 <= second < 72 or 150 <= second < 171 else (len(Freshness),)
        touched = outputs(*rows_told).touched
        stage.overview.remember(Outputs(now_ns, touched, told), float(second))
    stage.said = still
    for reason, value in (("jump", "1,812.00 rupees"), ("band", "2,150.00 rupees")):
        market.rejections.add(Rejection(reason, "FRESH", value, MORNING_NS))
    market.counters |= {
        "repeats": 4,
        "candle_corrections": 2,
        "gap_minutes_open": 3,
        "minutes_backfilled": 8,
        "minutes_missing": 12,
    }
    gap = [FreshnessChanged(MORNING_NS, symbol, Freshness.GAP) for symbol in ("GAP", "FRESH")]
    done = FreshnessChanged(MORNING_NS, "FRESH", Freshness.FRESH)
    stage.overview.remember(outputs(facts=[*gap, done]), 241.0)


@pytest.fixture(scope="module")
def gallery() -> Iterator[Gallery]:
    stage = of_each_freshness()
    add_candles(stage)
    add_history(stage)
    opened = Gallery(stage)
    yield opened
    opened.end()


@pytest.fixture(scope="module")
def page(browser: Browser, gallery: Gallery) -> Iterator[Page]:
    shown = browser.new_page(viewport={"width": 1600, "height": 1000}, color_scheme="dark")
    shown.set_default_timeout(20_000)
    shown.goto(gallery.link)
    expect(rows(shown)).to_have_count(len(Freshness))
    shown.locator(f'[data-testid="row"][data-symbol="{SHOWN}"]').click()
    yield shown
    shown.close()


def test_every_freshness_has_its_word_and_its_look(page: Page) -> None:
    for state, words in WORDS.items():
        row = page.locator(f'[data-testid="row"][data-symbol="{state.value.upper()}"]')
        expect(row).to_have_attribute("data-state", state.value)
        expect(row.get_by_test_id("age")).to_have_text(words)
    looks = {
        state: page.locator(f'[data-symbol="{state.value.upper()}"] .last').evaluate(
            "cell => getComputedStyle(cell).backgroundImage !== 'none'"
        )
        for state in WORDS
    }
    assert [state for state, hatched in looks.items() if hatched] == [Freshness.STALE]


def cut_off(page: Page) -> list[str]:
    """The words and prices of the watchlist that do not fit where they stand."""
    cells = page.locator("#watchlist td:visible, #watchlist .symbol")
    found: list[str] = cells.evaluate_all(
        """cells => cells.filter(cell =>
            cell.scrollWidth > cell.clientWidth || cell.scrollHeight > cell.clientHeight + 1)
            .map(cell => cell.innerText)"""
    )
    return found


@pytest.mark.parametrize("width", [360, 1280, 1600])
def test_no_word_and_no_price_is_cut_off(page: Page, width: int) -> None:
    try:
        page.set_viewport_size({"width": width, "height": 800})
        if width < 1024:  # one panel at a time
            page.get_by_role("button", name="Watch", exact=True).click()
        expect(rows(page).first).to_be_visible()
        # the columns follow the width a moment later
        assert eventually(lambda: cut_off(page) == [], limit_s=5), cut_off(page)
        page.screenshot(path=PICTURES / f"states-{width}.png")
    finally:
        page.set_viewport_size({"width": 1600, "height": 1000})


def test_every_candle_state_is_told_apart(page: Page) -> None:
    page.locator("summary", has_text="as a table").click()
    table = page.get_by_test_id("candle")
    expect(table).to_have_count(30)
    for state in ("forming", "provisional", "final", "backfilled", "missing"):
        of_state = page.locator(f'[data-testid="candle"][data-state="{state}"]')
        expect(of_state.first).to_contain_text(state)
    missing = page.locator('[data-testid="candle"][data-state="missing"]').first
    texts = missing.locator("td").all_inner_texts()
    assert texts[:6] == ["—", "—", "—", "—", "—", "missing"]
    page.locator("summary", has_text="as a table").click()


PALETTES = ("green / red", "blue / orange")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("palette", PALETTES)
def test_the_looks_are_pictured_in_every_dress(page: Page, theme: str, palette: str) -> None:
    try:
        dress(page, theme)
        page.keyboard.press("?")
        page.get_by_test_id("help").get_by_role("button", name=palette).click()
        page.keyboard.press("Escape")
        name = f"{theme}-{'classic' if palette == PALETTES[0] else 'colour-blind'}"
        expect(page.get_by_test_id("chart")).to_be_visible()
        expect(page.get_by_test_id("feed")).to_contain_text("STALE silent")
        page.screenshot(path=PICTURES / f"states-{name}.png")
        page.keyboard.press("h")
        panel = page.get_by_test_id("health")
        expect(panel.get_by_test_id("outage")).to_have_count(2)
        expect(panel.get_by_test_id("sample")).to_have_count(2)
        page.screenshot(path=PICTURES / f"states-health-{name}.png")
        page.keyboard.press("Escape")
    finally:
        page.keyboard.press("?")
        page.get_by_test_id("help").get_by_role("button", name=PALETTES[0]).click()
        page.keyboard.press("Escape")
        dress(page, "dark")


def test_every_trouble_has_its_sentence_and_its_offer(gallery: Gallery, page: Page) -> None:
    stage = gallery.stage
    assert isinstance(stage, Standing)
    usual = stage.said

    def say(**more: object) -> None:
        gallery.do(lambda: setattr(stage, "said", replace(usual, **more)))

    ended = TokenStatus("expired", MORNING_NS // NS_PER_MS - 1_000)
    say(token=ended, store=PartState("degraded", "Redis does not answer"))
    expect(page.locator('[data-id="token"]')).to_contain_text("Broker login ended at 09:59.")
    expect(page.locator('[data-id="store"]')).to_contain_text("Prices continue from memory")
    expect(page.get_by_test_id("token")).to_have_attribute("data-state", "expired")
    page.screenshot(path=PICTURES / "states-troubles.png")

    say(link=LinkHealth(can_take_over=True, clock_offset_ms=-3_400.0, unheard=("GAP",)))
    taken = page.locator('[data-id="taken"]')
    expect(taken).to_contain_text("Another program seems to use the feed")
    taken.get_by_role("button", name="Take over").click()
    expect(page.get_by_test_id("banner-said")).to_have_text("Taking the feed over.")
    assert gallery.stage.steering.link == ["take over"]
    taken.get_by_role("button", name="Details").click()
    panel = page.get_by_test_id("health")
    clock = panel.locator('[data-fact="clock_offset_ms"] dd')
    expect(clock).to_contain_text("3.4 s behind the exchange: set it")
    expect(panel.locator('[data-fact="unheard"] dd')).to_contain_text("GAP")
    page.screenshot(path=PICTURES / "states-taken.png")
    page.keyboard.press("Escape")

    gallery.do(lambda: setattr(stage, "said", usual))
    expect(taken).to_have_count(0)
    expect(page.locator(".banner.warning")).to_have_count(0)


def test_an_empty_list_says_so_and_offers_the_search(browser: Browser) -> None:
    empty = Gallery(Standing(SmallMarket([])))
    try:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(empty.link)
        expect(page.locator("#watchlist tbody")).to_contain_text("No instruments yet.")
        page.get_by_role("button", name="Add an instrument", exact=True).click()
        expect(page.get_by_test_id("add-symbol")).to_be_focused()
        page.screenshot(path=PICTURES / "states-empty.png")
        page.close()
    finally:
        empty.end()
