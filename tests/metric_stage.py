"""A stage for the tick metrics alone: updates in, values out, no frames and no clock."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np

from tests.market_stage import instrument
from tests.oracles.metrics import S, Told, Update
from ticktick.core import measure
from ticktick.domain.instrument import Instrument
from ticktick.domain.metric import METRIC_ROW, METRICS
from ticktick.domain.slots import ALL_LEVELS, DEPTH_LEVELS
from ticktick.market import metrics as measuring
from ticktick.market.metrics import TickMetrics
from ticktick.market.table import SlotTable
from ticktick.market.windows import Windows

ROWS = np.zeros(1, np.int32)


class MetricStage:
    """Metrics of one instrument that trades continuously, row 0."""

    def __init__(self, traded: Instrument | None = None, vwap_window_s: int = 300) -> None:
        self.table = SlotTable(2)
        self.table.add([traded or instrument()])
        self.windows = Windows(2)
        self.continuous = np.ones(2, np.uint8)
        self.metrics = TickMetrics(self.table, self.windows, self.continuous, vwap_window_s * S)
        self.metrics.watch()

    def take(self, update: Update) -> None:
        """Hear one update."""
        write(self.table, 0, update)
        self.metrics.take(ROWS, update.at_ns)

    def take_all(self, updates: Iterable[Update]) -> None:
        """Hear one after the other."""
        for update in updates:
            self.take(update)

    def values(self) -> dict[str, float]:
        """Every metric as it is now."""
        return {name: float(self.metrics.values[row, 0]) for name, row in METRIC_ROW.items()}


def write(table: SlotTable, row: int, update: Update) -> None:
    """Let the row of the table say what the update says."""
    record = table.records[row]
    record["exchange_ns"], record["last_trade_ns"] = update.at_ns, update.trade_ns
    record["last_price"], record["average_price"] = update.price, update.average_price
    record["volume"] = update.volume
    record["total_bid_quantity"] = update.total_bid
    record["total_ask_quantity"] = update.total_ask
    for name in ("bid_price", "bid_quantity", "ask_price", "ask_quantity"):
        levels: Sequence[int] = getattr(update, name)
        filled = (*levels, *(ALL_LEVELS - len(levels)) * (0,))
        record[name] = filled[:DEPTH_LEVELS]
        table.deep[name][row] = filled[DEPTH_LEVELS:]
    record["told_levels"] = max(len(update.bid_price), len(update.ask_price))


def differences(
    told: Told, count: int, now_ns: int, values: dict[str, float], close: float = 1e-12
) -> list[str]:
    """What differs from the oracle, each with both values."""
    expected = told.at(count, now_ns)
    named = {metric.name for metric in METRICS if metric.name in expected}
    found = []
    for name in sorted(named):
        ours, theirs = values[name], expected[name]
        tolerance = 1e-9 if name == "rv" else close
        if not np.isclose(ours, theirs, rtol=tolerance, atol=tolerance, equal_nan=True):
            found.append(f"{name}: {ours}, expected {theirs} after {count} updates")
    return found


@contextmanager
def plainly() -> Iterator[None]:
    """Stages that begin here measure with the uncompiled form of every step."""
    with patch.object(measuring, "Gauge", measure.Gauge):
        yield
