"""The depth that is shown: the levels of the slot record, nothing added, nothing lost."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from tests.web_stage import SmallMarket, instrument, slot_depth
from ticktick.domain.instrument import Kind
from ticktick.web.depth import depth
from ticktick.web.messages import Depth
from ticktick.web.status import symbol_statuses

BIDS = [(140_000, 10), (139_995, 20), (139_990, 30), (139_985, 40), (139_980, 50)]
ASKS = [(140_005, 60), (140_010, 70), (140_015, 80), (140_020, 90), (140_025, 100)]

prices = st.one_of(st.just(0), st.integers(1, 10**8))
sides = st.lists(st.tuples(prices, st.integers(0, 10**9)), max_size=5)
totals = st.tuples(st.integers(0, 10**10), st.integers(0, 10**10))


def wire(sent: Depth) -> Any:
    """The message as a page reads it."""
    return json.decode(json.encode(sent))


@given(sides, sides, totals)
def test_what_is_shown_equals_the_slot_record(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]], whole: tuple[int, int]
) -> None:
    market = SmallMarket([instrument("M&M"), instrument("RELIANCE")])
    market.book("RELIANCE", bids, asks, whole)
    row = market.table.row_of_symbol["RELIANCE"]
    assert wire(depth(market.table, row)) == slot_depth(market, "RELIANCE")
    (status,) = symbol_statuses(market, [row], 0)
    in_units = [(round(level.price * 100), level.quantity) for level in status.bids + status.asks]
    assert in_units == [level for level in bids + asks if level[0]]


def test_five_levels_a_side_come_best_first() -> None:
    market = SmallMarket([instrument("RELIANCE")])
    market.book("RELIANCE", BIDS, ASKS, (1_000, 2_000))
    shown = wire(depth(market.table, 0))
    assert shown["bids"] == [list(level) for level in BIDS]
    assert shown["asks"] == [list(level) for level in ASKS]
    assert (shown["total_bid_quantity"], shown["total_ask_quantity"]) == (1_000, 2_000)


def test_a_book_never_heard_of_is_empty_and_its_totals_unknown() -> None:
    market = SmallMarket([instrument("RELIANCE")])
    assert depth(market.table, 0) == Depth("RELIANCE", (), (), None, None)


def test_an_index_has_no_depth_whatever_was_told() -> None:
    market = SmallMarket([instrument("NIFTY", Kind.INDEX)])
    market.book("NIFTY", BIDS, ASKS, (1_000, 2_000))
    assert depth(market.table, 0) == Depth("NIFTY", (), (), None, None)
    (status,) = symbol_statuses(market, [0], 0)
    assert (status.bids, status.asks) == ([], [])


def test_programs_read_levels_in_rupees_of_the_instruments_own_unit() -> None:
    market = SmallMarket([instrument("USDINR", price_scale=10_000)])
    market.book("USDINR", [(845_675, 3)], [(845_700, 4)])
    told = symbol_statuses(market, [0], 0)[0].model_dump(mode="json")
    assert (told["bids"], told["asks"]) == ([[84.5675, 3]], [[84.57, 4]])
