"""The five levels of an instrument's book as the page and the API show them."""

from typing import Literal, TypeAlias

from ticktick.market.table import SlotTable
from ticktick.web.messages import Depth, DepthLevel

Side: TypeAlias = Literal["bid", "ask"]


def depth(table: SlotTable, row: int) -> Depth:
    """The book of a row in price units, and the quantity of the whole book where it was told."""
    return Depth(
        symbol=table.instruments[row].symbol,
        bids=tuple(levels(table, row, "bid")),
        asks=tuple(levels(table, row, "ask")),
        total_bid_quantity=_total(table, row, "bid"),
        total_ask_quantity=_total(table, row, "ask"),
    )


def levels(table: SlotTable, row: int, side: Side) -> list[DepthLevel]:
    """The levels of one side that are not empty, best first; an index has none."""
    if not table.instruments[row].has_volume:
        return []
    prices = table.records[f"{side}_price"][row].tolist()
    quantities = table.records[f"{side}_quantity"][row].tolist()
    pairs = zip(prices, quantities, strict=True)
    return [DepthLevel(price, quantity) for price, quantity in pairs if price]


def _total(table: SlotTable, row: int, side: Side) -> int | None:
    """None where it is 0: a quantity that was not told cannot be told from an empty side."""
    if not table.instruments[row].has_volume:
        return None
    return int(table.records[f"total_{side}_quantity"][row]) or None
