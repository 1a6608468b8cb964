"""The stream of the real engine: what a page holds is what the engine knows."""

import time
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import to_builtins

from tests.market_stage import OPEN, Stage, candle, clock, frame, index, instrument
from tests.web_stage import Browser, slot_depth, table_rows
from ticktick.domain.clock import NS_PER_MINUTE, NS_PER_MS, NS_PER_S
from ticktick.domain.market import Freshness
from ticktick.web.hub import Hub
from ticktick.web.messages import View
from ticktick.web.overview import Overview
from ticktick.web.parts import PartState, Stamp, TokenStatus
from ticktick.web.status import SystemStatus, all_candles, candle_row

SYMBOLS = ("ACME", "BETA")


class Wired:
    """A real engine with its hub, and time that only the script moves."""

    def __init__(self) -> None:
        self.now_ns = OPEN
        self.engine = Stage(*map(instrument, SYMBOLS), index(), canary="NIFTY", up=False)
        overview = Overview(self.engine.market, self.system, self.stamp, "0.1.0")
        self.hub = Hub(overview, self.engine.engine.analytics, time.monotonic)

    def stamp(self) -> Stamp:
        return Stamp("DEMO", self.now_ns // NS_PER_MS)

    def system(self) -> SystemStatus:
        part = PartState("on", "")
        return SystemStatus("DEMO", self.now_ns // NS_PER_MS, 1.0, TokenStatus("valid"), part, part)

    def play(self, step: tuple[str, Any]) -> None:
        """Let one step of a script happen in the engine and tell the hub."""
        match step:
            case ("wait", seconds):
                self.now_ns += seconds * NS_PER_S
                self.hub.take(self.engine.timer(self.now_ns))
            case ("link", up):
                self.hub.take(self.engine.link(self.now_ns, up))
            case ("history", minutes):
                self.hub.take(self.engine.history(self.now_ns, *_minutes_before_now(minutes)))
            case ("book", (bid, quantity)):
                self.now_ns += 10 * NS_PER_MS
                self.hub.take(self.engine.process(frame(self.now_ns, _book(bid, quantity))))
            case (symbol, price):
                self.now_ns += 10 * NS_PER_MS
                self.hub.take(self.engine.trade(self.now_ns, price, symbol=symbol))


def _book(bid: int, quantity: int) -> dict[str, Any]:
    sides = {
        "bid_price": [bid, bid - 1, bid - 2, 0, 0],
        "bid_quantity": [quantity, 2, 3, 0, 0],
        "total_bid_quantity": 10 * quantity,
    }
    return {"ACME": sides}


def _minutes_before_now(count: int) -> list[Any]:
    yesterday = OPEN - 24 * 60 * NS_PER_MINUTE
    return [candle(yesterday + number * NS_PER_MINUTE, 200 + number) for number in range(count)]


steps = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([1, 4, 61, 200])),
    st.tuples(st.just("link"), st.booleans()),
    st.tuples(st.just("history"), st.sampled_from([3, 150])),
    st.tuples(st.sampled_from([*SYMBOLS, "NIFTY"]), st.integers(100, 900)),
    st.tuples(st.just("book"), st.tuples(st.integers(100, 900), st.integers(0, 50))),
    st.tuples(st.just("read"), st.none()),
)


@settings(deadline=None)
@given(st.lists(steps, max_size=30))
def test_a_page_that_reads_now_and_then_ends_with_the_engines_state(
    script: list[tuple[str, Any]],
) -> None:
    wired = Wired()
    browser = Browser(wired.hub)
    browser.client.look_at(View("ACME", 1))
    now_s = 0.0
    for step in script:
        now_s += 0.01
        if step[0] == "read":
            browser.read(now_s)
        else:
            wired.play(step)
    browser.read(now_s + 1)
    np.testing.assert_equal(browser.rows, table_rows(wired.engine.market))
    truth = [to_builtins(candle_row(each)) for each in all_candles(wired.engine.market, "ACME", 1)]
    assert sorted(browser.candles.values()) == truth
    assert browser.depth == slot_depth(wired.engine.market, "ACME")
    assert browser.seqs == list(range(1, len(browser.seqs) + 1))


def test_a_lost_link_makes_every_row_of_the_page_stale_at_once() -> None:
    wired = Wired()
    browser = Browser(wired.hub)
    wired.play(("link", True))
    for symbol in SYMBOLS:
        wired.play((symbol, 100))
    browser.read()
    stale = list(Freshness).index(Freshness.STALE)
    assert stale not in [row["freshness"] for row in list(browser.rows.values())[:2]]
    wired.play(("link", False))
    kinds = [text["type"] for text in browser.read(0.05)]
    assert [row["freshness"] for row in list(browser.rows.values())[:2]] == [stale, stale]
    assert "feed" in kinds
    assert kinds[-1] == "status"


def test_the_chart_is_filled_when_history_arrives_after_the_page() -> None:
    wired = Wired()
    browser = Browser(wired.hub)
    browser.client.look_at(View("ACME", 5))
    browser.read()
    assert browser.candles == {}
    wired.now_ns = clock(10)
    wired.play(("history", 300))
    browser.read(0.05)
    assert len(browser.candles) == 60
