"""One browser's share of the stream: nothing lost, nothing twice, nothing too often."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.web_stage import (
    MORNING_NS,
    Browser,
    SmallMarket,
    Stage,
    candle,
    instrument,
    outputs,
    slot_depth,
    table_rows,
)
from ticktick.domain.event import (
    CandleChanged,
    Fact,
    FeedChanged,
    FreshnessChanged,
    Noticed,
    PhaseChanged,
    WatchlistChanged,
)
from ticktick.domain.market import CandleState, Freshness
from ticktick.domain.sessions import Phase
from ticktick.web.messages import View

SYMBOLS = ("RELIANCE", "M&M", "INDIA VIX")


def types(texts: list[dict[str, Any]]) -> list[str]:
    return [text["type"] for text in texts]


steps = st.one_of(
    st.tuples(st.sampled_from(SYMBOLS), st.integers(1, 10**6)),
    st.tuples(st.sampled_from(SYMBOLS), st.sampled_from(Freshness)),
    st.just("read"),
    st.sampled_from(["NEW1", "NEW2"]),
)


@given(st.lists(steps, max_size=40))
def test_snapshot_and_deltas_equal_the_state_of_the_server(script: list[Any]) -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    for step in script:
        match step:
            case "read":
                browser.read()
            case str():
                stage.market.table.add([instrument(step)])
            case (symbol, Freshness() as freshness):
                row = stage.market.table.row_of_symbol[symbol]
                stage.market.freshness[row] = freshness
                aged = FreshnessChanged(MORNING_NS, symbol, freshness)
                stage.hub.take(outputs(row, facts=[aged]))
            case (symbol, price):
                stage.hub.take(stage.market.trade(symbol, price))
    browser.read()
    np.testing.assert_equal(browser.rows, table_rows(stage.market))
    assert browser.seqs == list(range(1, len(browser.seqs) + 1))


def test_the_first_batch_is_the_hello_and_then_every_row() -> None:
    stage = Stage()
    stage.hub.take(outputs(facts=[Noticed(MORNING_NS, "info", "the key was repaired")]))
    browser = Browser(stage.hub)
    (hello,) = browser.read()
    data = hello["data"]
    assert (hello["v"], hello["seq"], hello["mode"], hello["type"]) == (1, 1, "DEMO", "hello")
    assert [row["symbol"] for row in data["instruments"]] == list(SYMBOLS)
    assert data["freshness"] == ["unknown", "stale", "gap", "closed", "fresh", "quiet"]
    assert data["timeframes"] == [1, 3, 5, 10, 15, 60]
    assert data["notices"][0]["text"] == "the key was repaired"
    assert data["status"]["counters"]["reconnects"] == 2
    assert sorted(browser.rows) == [0, 1, 2]


def test_nothing_new_sends_nothing() -> None:
    browser = Browser(Stage().hub)
    browser.read(0.0)
    assert browser.client.batch(0.05) == []


def test_only_touched_rows_are_sent_again() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    browser.read()
    browser.rows.clear()
    stage.hub.take(stage.market.trade("M&M", 300_000))
    browser.read()
    assert [row["last_price"] for row in browser.rows.values()] == [300_000]


def test_updates_a_browser_did_not_fetch_are_merged_and_counted() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    browser.read()
    for price in (100, 200, 300):
        stage.hub.take(stage.market.trade("RELIANCE", price))
    browser.read()
    assert browser.rows[0]["last_price"] == 300
    assert stage.overview.counters["client_conflated_total"] == 2


def test_new_instruments_bring_a_new_list_and_their_rows_alone() -> None:
    stage = Stage(SmallMarket([instrument("RELIANCE")]))
    browser = Browser(stage.hub)
    assert types(browser.read()) == ["hello"]
    browser.rows.clear()
    stage.market.table.add([instrument("ITC")])
    (change,) = browser.read()
    assert change["type"] == "instruments"
    assert [row["symbol"] for row in change["data"]["instruments"]] == ["RELIANCE", "ITC"]
    assert list(browser.rows) == [1]
    assert types(browser.read()) == []


def test_a_symbol_that_is_removed_leaves_the_list_and_its_rows_are_owed_no_more() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    browser.client.look_at(View("RELIANCE", 1))
    browser.read()
    browser.rows.clear()
    stage.hub.take(stage.market.trade("RELIANCE", 140_005))
    stage.hub.take(stage.market.trade("M&M", 301_500))
    stage.market.table.follow([instrument("M&M"), instrument("ITC")])
    stage.hub.take(outputs(facts=[WatchlistChanged(MORNING_NS, ("M&M", "ITC"))]))
    (change,) = browser.read()
    assert [row["symbol"] for row in change["data"]["instruments"]] == ["M&M", "ITC"]
    assert sorted(browser.rows) == [1, 3]
    assert types(browser.read(10.0)) == ["status"]


def test_a_chart_whose_past_became_void_is_sent_anew() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    stage.market.closed["RELIANCE", 1] = [candle(close=140_000)]
    browser.client.look_at(View("RELIANCE", 1))
    browser.read()
    stage.market.closed["RELIANCE", 1] = []
    change = WatchlistChanged(MORNING_NS, ("RELIANCE",), restated=("RELIANCE",))
    stage.hub.take(outputs(facts=[change]))
    assert types(browser.read()) == ["candles", "depth"]
    assert browser.candles == {}


def test_a_symbol_that_is_followed_from_now_on_without_being_watched_is_told() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    browser.read()
    stage.market.extras = {"M&M"}
    (change,) = browser.read()
    watched = {row["symbol"]: row["is_watched"] for row in change["data"]["instruments"]}
    assert watched == {"RELIANCE": True, "M&M": False, "INDIA VIX": True}


def test_a_program_that_has_nothing_to_say_beats_four_times_a_second() -> None:
    browser = Browser(Stage().hub)
    browser.read(0.0)
    said = [(at, types(browser.read(at))) for at in (0.2, 0.25, 0.45, 0.5, 0.75, 1.0)]
    beats = [[], ["beat"], [], ["beat"], ["beat"], ["status"]]
    assert [kinds for _, kinds in said] == beats


def test_facts_come_in_order_and_each_once() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    browser.read()
    facts: list[Fact] = [
        Noticed(MORNING_NS, "info", "first"),
        FreshnessChanged(MORNING_NS, "M&M", Freshness.STALE),
        PhaseChanged(MORNING_NS, "NSE_EQ", Phase.CLOSED, "feed"),
        FeedChanged(MORNING_NS, False, "closed by the server", "closed"),
        Noticed(MORNING_NS, "info", "last"),
    ]
    stage.hub.take(outputs(facts=facts))
    texts = browser.read(0.05)
    assert types(texts) == ["notice", "freshness", "phase", "feed", "notice", "status"]
    assert texts[1]["data"] == {"symbol": "M&M", "freshness": "stale"}
    feed = {"up": False, "reason": "closed by the server", "cause": "closed"}
    assert texts[3]["data"] == feed
    assert types(browser.read(0.1)) == []


def test_the_status_comes_once_a_second() -> None:
    browser = Browser(Stage().hub)
    seen = [types(browser.read(0.05 * step)) for step in range(61)]
    assert [step for step, found in enumerate(seen) if "status" in found] == [20, 40, 60]


def test_facts_beyond_the_bound_make_a_browser_fall_behind_for_good() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    browser.read()
    facts = [Noticed(MORNING_NS, "info", "x" * 1000)] * 500
    stage.hub.take(outputs(facts=facts))
    stage.hub.take(outputs(facts=facts))
    assert not browser.client.is_behind
    stage.hub.take(outputs(facts=facts))
    assert browser.client.is_behind
    assert types(browser.read(0.05)) == []
    assert browser.client.is_behind


def test_a_view_brings_the_candles_and_then_only_what_changes() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    browser.read()
    stage.market.closed["RELIANCE", 1] = [candle(minute=0), candle(minute=1)]
    stage.market.running["RELIANCE", 1] = candle(minute=2, state=CandleState.FORMING)
    browser.client.look_at(View("RELIANCE", 1))
    (snapshot,) = browser.read(1.0)[:1]
    assert snapshot["type"] == "candles"
    assert len(snapshot["data"]["candles"]) == 3
    assert snapshot["data"]["candles"][2][6:] == ["forming", True, 0]

    closed = candle(minute=2, state=CandleState.PROVISIONAL, confirmed=False)
    others = [candle("M&M", minute=2), candle(minute=2, minutes=5)]
    changes = [CandleChanged(MORNING_NS, changed) for changed in (*others, closed)]
    stage.hub.take(outputs(facts=changes))
    updates = browser.read(1.05)
    assert types(updates) == ["candle"]
    start_ms = closed.start_ns // 1_000_000
    row = [start_ms, 140_000, 140_000, 140_000, 140_000, 10, "provisional", False, 0]
    assert updates[0]["data"] == {"symbol": "RELIANCE", "minutes": 1, "candle": row}


def test_the_forming_candle_comes_at_most_four_times_a_second() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    browser.client.look_at(View("RELIANCE", 1))
    browser.read(0.0)
    sent = []
    for step in range(1, 41):
        stage.market.running["RELIANCE", 1] = candle(close=140_000 + step)
        sent += [text for text in browser.read(step * 0.05) if text["type"] == "forming"]
    assert len(sent) == 8
    assert sent[-1]["data"]["candle"][4] == 140_040


def test_the_depth_comes_with_the_chart_and_then_with_its_own_symbol_only() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    stage.market.book("RELIANCE", [(139_995, 7)], [(140_005, 9), (140_010, 3)], (70, 90))
    assert types(browser.read(0.0)) == ["hello"]
    browser.client.look_at(View("RELIANCE", 1))
    assert types(browser.read(0.1)) == ["candles", "depth"]
    assert browser.depth == {
        "symbol": "RELIANCE",
        "bids": [[139_995, 7]],
        "asks": [[140_005, 9], [140_010, 3]],
        "has_thirty": False,
        "total_bid_quantity": 70,
        "total_ask_quantity": 90,
        "imbalance_1": None,
        "imbalance": None,
        "imbalance_w": None,
        "auction": None,
    }
    stage.hub.take(stage.market.book("M&M", [(300_000, 1)], []))
    assert types(browser.read(0.5)) == []
    stage.hub.take(stage.market.book("RELIANCE", [], []))
    assert types(browser.read(0.6)) == ["depth"]
    assert (browser.depth["bids"], browser.depth["asks"]) == ([], [])


def test_the_depth_comes_with_the_row_it_belongs_to_and_the_latest_wins() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    browser.client.look_at(View("RELIANCE", 1))
    browser.read(0.0)
    for step in range(1, 4):
        for price in (140_000, 140_000 + step):
            stage.hub.take(stage.market.book("RELIANCE", [(price, step)], []))
        texts = [text for text in browser.read(step * 0.05) if text["type"] == "depth"]
        assert [text["data"]["bids"] for text in texts] == [[[140_000 + step, step]]]
        assert browser.depth == slot_depth(stage.market, "RELIANCE")


def test_a_change_of_freshness_sends_the_depth_again() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    browser.client.look_at(View("RELIANCE", 1))
    browser.read(0.0)
    aged = FreshnessChanged(MORNING_NS, "RELIANCE", Freshness.STALE)
    stage.hub.take(outputs(0, facts=[aged]))
    assert types(browser.read(0.3)) == ["freshness", "depth"]


def test_another_chart_brings_its_depth_at_once() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    stage.market.book("M&M", [(300_000, 1)], [])
    for now_s, symbol in ((0.0, "RELIANCE"), (0.05, "M&M"), (0.1, "INDIA VIX")):
        browser.client.look_at(View(symbol, 1))
        assert "depth" in types(browser.read(now_s))
        assert browser.depth == slot_depth(stage.market, symbol)


def test_a_flood_of_corrected_candles_becomes_one_new_snapshot() -> None:
    stage = Stage()
    browser = Browser(stage.hub)
    browser.client.look_at(View("RELIANCE", 1))
    browser.read()
    stage.market.closed["RELIANCE", 1] = [candle(minute=minute) for minute in range(250)]
    facts = [CandleChanged(MORNING_NS, each) for each in stage.market.closed["RELIANCE", 1]]
    stage.hub.take(outputs(facts=facts))
    (snapshot,) = browser.read(0.05)
    assert snapshot["type"] == "candles"
    assert len(snapshot["data"]["candles"]) == 250


def test_the_last_fifty_notices_greet_a_later_browser() -> None:
    stage = Stage()
    for number in range(60):
        stage.hub.take(outputs(facts=[Noticed(MORNING_NS, "info", str(number))]))
    (hello,) = Browser(stage.hub).read()
    assert [each["text"] for each in hello["data"]["notices"]] == [str(n) for n in range(10, 60)]
