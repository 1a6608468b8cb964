"""The depth that is shown: the levels of the slot record, nothing added, nothing lost."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from tests.web_stage import SmallMarket, instrument, slot_depth
from ticktick.domain.instrument import Kind
from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.sessions import Phase
from ticktick.web.depth import depth
from ticktick.web.messages import Auction, Depth
from ticktick.web.status import symbol_statuses

OPEN = Phase.CONTINUOUS
BIDS = [(140_000, 10), (139_995, 20), (139_990, 30), (139_985, 40), (139_980, 50)]
ASKS = [(140_005, 60), (140_010, 70), (140_015, 80), (140_020, 90), (140_025, 100)]

prices = st.one_of(st.just(0), st.integers(1, 10**8))
sides = st.lists(st.tuples(prices, st.integers(0, 10**9)), max_size=5)
totals = st.tuples(st.integers(0, 10**10), st.integers(0, 10**10))


def wire(sent: Depth) -> Any:
    """The message as a page reads it."""
    return json.decode(json.encode(sent))


def nothing(symbol: str) -> Depth:
    """A book of which nothing is known."""
    return Depth(symbol, (), (), False, None, None, None, None, None, None)


@given(sides, sides, totals)
def test_what_is_shown_equals_the_slot_record(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]], whole: tuple[int, int]
) -> None:
    market = SmallMarket([instrument("M&M"), instrument("RELIANCE")])
    market.book("RELIANCE", bids, asks, whole)
    row = market.table.row_of_symbol["RELIANCE"]
    assert wire(depth(market.table, market.metrics, row, OPEN)) == slot_depth(market, "RELIANCE")
    (status,) = symbol_statuses(market, [row], 0)
    in_units = [(round(level.price * 100), level.quantity) for level in status.bids + status.asks]
    assert in_units == [level for level in bids + asks if level[0]]


def test_five_levels_a_side_come_best_first() -> None:
    market = SmallMarket([instrument("RELIANCE")])
    market.book("RELIANCE", BIDS, ASKS, (1_000, 2_000))
    shown = wire(depth(market.table, market.metrics, 0, OPEN))
    assert shown["bids"] == [list(level) for level in BIDS]
    assert shown["asks"] == [list(level) for level in ASKS]
    assert (shown["total_bid_quantity"], shown["total_ask_quantity"]) == (1_000, 2_000)


def test_a_book_never_heard_of_is_empty_and_its_totals_unknown() -> None:
    market = SmallMarket([instrument("RELIANCE")])
    assert depth(market.table, market.metrics, 0, OPEN) == nothing("RELIANCE")


def test_an_index_has_no_depth_whatever_was_told() -> None:
    market = SmallMarket([instrument("NIFTY", Kind.INDEX)])
    market.book("NIFTY", BIDS, ASKS, (1_000, 2_000))
    assert depth(market.table, market.metrics, 0, OPEN) == nothing("NIFTY")
    (status,) = symbol_statuses(market, [0], 0)
    assert (status.bids, status.asks) == ([], [])


def test_programs_read_levels_in_rupees_of_the_instruments_own_unit() -> None:
    market = SmallMarket([instrument("USDINR", price_scale=10_000)])
    market.book("USDINR", [(845_675, 3)], [(845_700, 4)])
    told = symbol_statuses(market, [0], 0)[0].model_dump(mode="json")
    assert (told["bids"], told["asks"]) == ([[84.5675, 3]], [[84.57, 4]])


def test_thirty_levels_come_where_thirty_are_told() -> None:
    market = SmallMarket([instrument("RELIANCE")])
    market.book("RELIANCE", BIDS, ASKS)
    deep = market.table.deep[0]
    for side, away in (("bid", -5), ("ask", 5)):
        last = market.table.records[0][f"{side}_price"][-1]
        deep[f"{side}_price"][:20] = last + away * np.arange(1, 21)
        deep[f"{side}_quantity"][:20] = 7
    assert len(depth(market.table, market.metrics, 0, OPEN).bids) == 5
    market.table.records[0]["told_levels"] = 25
    shown = depth(market.table, market.metrics, 0, OPEN)
    assert shown.has_thirty
    assert [len(shown.bids), len(shown.asks)] == [25, 25]
    assert [level.price for level in shown.bids] == sorted(
        (level.price for level in shown.bids), reverse=True
    )


def test_the_imbalances_are_those_of_the_same_book() -> None:
    market = SmallMarket([instrument("RELIANCE")])
    market.book("RELIANCE", BIDS, ASKS)
    for name, value in (("imbalance_1", -0.7), ("imbalance", -0.45), ("imbalance_w", -0.6)):
        market.metrics[METRIC_ROW[name], 0] = value
    shown = depth(market.table, market.metrics, 0, OPEN)
    assert (shown.imbalance_1, shown.imbalance, shown.imbalance_w) == (-0.7, -0.45, -0.6)


def auctioned(**told: int) -> SmallMarket:
    market = SmallMarket([instrument("RELIANCE"), instrument("NIFTY", Kind.INDEX)])
    for row in (0, 1):
        for name, value in told.items():
            market.table.records[name][row] = value
    return market


ORDERS = {
    "auction_price": 141_250,
    "auction_quantity": 12_000,
    "auction_imbalance": -3_400,
    "auction_imbalance_at_market": 0,
    "reference_price": 140_000,
}


def test_in_an_auction_the_price_at_which_it_would_end_is_told_and_at_no_other_time() -> None:
    market = auctioned(**ORDERS)
    for phase in Phase:
        shown = depth(market.table, market.metrics, 0, phase).auction
        market.row_phases[0] = phase
        (status,) = symbol_statuses(market, [0], 0)
        if phase in (Phase.PRE_OPEN, Phase.AUCTION):
            assert shown == Auction(141_250, 12_000, -3_400, 0, 140_000)
            assert status.auction is not None
            told = status.auction
            assert (told.price, told.reference_price) == (1412.5, 1400.0)
            assert (told.quantity, told.left_over, told.left_over_at_market) == (12_000, -3_400, 0)
        else:
            assert (shown, status.auction) == (None, None)
    assert depth(market.table, market.metrics, 1, Phase.AUCTION).auction is None, (
        "an index has none"
    )


def test_before_orders_meet_an_auction_has_no_price_and_no_quantity() -> None:
    market = auctioned(**ORDERS | {"auction_price": 0, "auction_quantity": 0})
    shown = depth(market.table, market.metrics, 0, Phase.AUCTION).auction
    assert shown == Auction(None, None, None, None, 140_000)
    nothing_told = auctioned()
    assert depth(nothing_told.table, nothing_told.metrics, 0, Phase.AUCTION).auction is None
