"""The watches on columns, laid out as columns themselves: one look tells whom a frame concerns."""

from collections.abc import Iterator, Sequence

import numpy as np

from ticktick.core.columns import Rows
from ticktick.engine.alerts.columns import COLUMN, Columns, LiveRows
from ticktick.engine.alerts.watches import Watch


class RowWatches:
    """Watches on one number of one row each; `all` are the rows that are watched.

    Every watch has a span of values at which nothing happens. Only what lies outside it is looked
    at one by one; `calm_down` takes over the new span afterwards.
    """

    def __init__(self, market: LiveRows, watches: Sequence[Watch]) -> None:
        self._columns = Columns(market)
        self._watches = watches
        self._place = {id(watch): place for place, watch in enumerate(watches)}
        self._row = np.array([watch.row for watch in watches], np.intp)
        self._column = np.array([COLUMN[watch.source.name] for watch in watches], np.intp)
        self._sign = np.array([watch.sign for watch in watches])
        codes = [np.nan if watch.code is None else watch.code for watch in watches]
        self._code = np.array(codes, np.float64)
        self._calm = np.array([watch.calm for watch in watches]).reshape(-1, 2)
        self._is_watched = np.zeros(market.table.capacity, np.bool_)
        self._is_watched[self._row] = True
        self.all: Rows = np.flatnonzero(self._is_watched).astype(np.int32)

    def stirred(self, rows: Rows) -> Iterator[tuple[Watch, float]]:
        """The watches on these rows whose value left its span, in order, with the value."""
        rows = rows[self._is_watched[rows]]
        if not len(rows):
            return
        self._columns.look(rows)
        is_here = np.zeros_like(self._is_watched)
        is_here[rows] = True
        here = np.flatnonzero(is_here[self._row])
        value = self._columns.values[self._column[here], self._row[here]]
        code, calm = self._code[here], self._calm[here]
        x = np.where(np.isnan(code), self._sign[here] * value, value == code)
        is_calm = (x > calm[:, 0]) & (x <= calm[:, 1])
        is_stirred = ~is_calm & ~np.isnan(value)
        for place, seen in zip(here[is_stirred].tolist(), value[is_stirred].tolist(), strict=True):
            yield self._watches[place], seen

    def calm_down(self, watch: Watch) -> None:
        """Take over the span of a watch that was looked at."""
        self._calm[self._place[id(watch)]] = watch.calm
