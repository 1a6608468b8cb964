"""The levels of an instrument's book as the page and the API show them."""

import math
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ticktick.domain.metric import METRIC_ROW
from ticktick.domain.sessions import Phase
from ticktick.domain.slots import DEPTH_LEVELS
from ticktick.market.table import SlotTable
from ticktick.web.auction import auction
from ticktick.web.messages import Depth, DepthLevel

Side: TypeAlias = Literal["bid", "ask"]


def depth(table: SlotTable, metrics: NDArray[np.float64], row: int, phase: Phase) -> Depth:
    """The book of a row in price units, and the quantity of the whole book where it was told.

    metrics: float64[len(METRICS), capacity], of the same moment as the table.
    """
    return Depth(
        symbol=table.instruments[row].symbol,
        bids=(*levels(table, row, "bid"), *_deep_levels(table, row, "bid")),
        asks=(*levels(table, row, "ask"), *_deep_levels(table, row, "ask")),
        has_thirty=table.instruments[row].has_volume and _has_thirty(table, row),
        total_bid_quantity=_total(table, row, "bid"),
        total_ask_quantity=_total(table, row, "ask"),
        imbalance_1=_known(metrics[METRIC_ROW["imbalance_1"], row]),
        imbalance=_known(metrics[METRIC_ROW["imbalance"], row]),
        imbalance_w=_known(metrics[METRIC_ROW["imbalance_w"], row]),
        auction=auction(table, row, phase),
    )


def levels(table: SlotTable, row: int, side: Side) -> list[DepthLevel]:
    """The first five levels of one side that are not empty, best first; an index has none."""
    if not table.instruments[row].has_volume:
        return []
    return _levels(table.records[row], side)


def _deep_levels(table: SlotTable, row: int, side: Side) -> list[DepthLevel]:
    if not table.instruments[row].has_volume or not _has_thirty(table, row):
        return []
    return _levels(table.deep[row], side)


def _has_thirty(table: SlotTable, row: int) -> bool:
    return bool(table.records["told_levels"][row] > DEPTH_LEVELS)


def _levels(record: np.void, side: Side) -> list[DepthLevel]:
    prices, quantities = record[f"{side}_price"].tolist(), record[f"{side}_quantity"].tolist()
    pairs = zip(prices, quantities, strict=True)
    return [DepthLevel(price, quantity) for price, quantity in pairs if price]


def _total(table: SlotTable, row: int, side: Side) -> int | None:
    """None where it is 0: a quantity that was not told cannot be told from an empty side."""
    if not table.instruments[row].has_volume:
        return None
    return int(table.records[f"total_{side}_quantity"][row]) or None


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
