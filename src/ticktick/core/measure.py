"""All steps that measure a frame, one after the other over its touched rows."""

from typing import Protocol

import numpy as np

from ticktick.core import flow, moments, prints, quotes, signed, ticks, trade, vwap
from ticktick.core.columns import Flags, Floats, Ints, Rows


class Slots(Protocol):
    """What the feed told, as words of the slot table."""

    words: Ints
    deep_words: Ints


class Lookback(Protocol):
    """What the steps keep of what was told before, by row."""

    base_price: Ints
    base_trade_ns: Ints
    base_volume: Ints
    suspect_volume: Ints
    previous_price: Ints
    volume_delta: Ints
    traded: Flags
    direction: Ints
    signed: Ints
    started_ns: Ints
    tick_head: Ints
    tick_count: Ints
    ticks: Ints
    day: Ints
    trades: Ints
    flow: Ints
    changes: Ints
    moments: Ints
    mids: Floats
    squares: Floats
    waiting: Ints


class Gauge:
    """Measures columns that it was given once: taking hold of them costs more than a small frame.

    `has_volume` and `continuous` are uint8[capacity], `tick_size` and `price_scale`
    int64[capacity], `spans_ns` as in flow.py, `values` float64[metrics, capacity].
    `traded` counts the trades found since the start, `falls` the volume falls.
    """

    def __init__(
        self,
        slots: Slots,
        lookback: Lookback,
        has_volume: Flags,
        continuous: Flags,
        tick_size: Ints,
        price_scale: Ints,
        spans_ns: Ints,
        vwap_ns: int,
        values: Floats,
    ) -> None:
        self.traded = 0
        self.falls = 0
        self._words = slots.words
        self._deep = slots.deep_words
        self._has_volume = has_volume
        self._continuous = continuous
        self._untraded = np.zeros(len(continuous), np.uint8)
        self._tick_size = tick_size
        self._price_scale = price_scale
        self._spans_ns = spans_ns
        self._vwap_ns = vwap_ns
        self._weights = quotes.fading_weights()
        self._values = values
        self._base_price = lookback.base_price
        self._base_trade_ns = lookback.base_trade_ns
        self._base_volume = lookback.base_volume
        self._suspect_volume = lookback.suspect_volume
        self._previous_price = lookback.previous_price
        self._volume_delta = lookback.volume_delta
        self._has_traded = lookback.traded
        self._direction = lookback.direction
        self._signed = lookback.signed
        self._started_ns = lookback.started_ns
        self._tick_head = lookback.tick_head
        self._tick_count = lookback.tick_count
        self._ticks = lookback.ticks
        self._day = lookback.day
        self._trades = lookback.trades
        self._flow = lookback.flow
        self._changes = lookback.changes
        self._moments = lookback.moments
        self._mids = lookback.mids
        self._squares = lookback.squares
        self._waiting = lookback.waiting

    def take(self, rows: Rows, now_ns: int) -> None:
        """Find the trades of the touched rows and measure everything of them."""
        self.falls += trade.detect_trades(
            rows,
            self._has_volume,
            self._words,
            self._base_price,
            self._base_trade_ns,
            self._base_volume,
            self._suspect_volume,
            self._has_traded,
            self._previous_price,
            self._volume_delta,
        )
        for i in range(rows.shape[0]):
            if self._has_traded[rows[i]] != 0:
                self.traded += 1
        moments.settle_before(
            rows,
            self._words,
            self._moments,
            self._mids,
            self._squares,
            self._waiting,
            self._values,
        )
        self._quote(rows)
        prints.measure_prints(
            rows,
            self._has_volume,
            self._has_traded,
            self._previous_price,
            self._words,
            self._direction,
            self._values,
        )
        signed.add_signed_values(
            rows, self._has_traded, self._volume_delta, self._words, self._values, self._signed
        )
        self._follow(rows, now_ns, self._has_traded)
        vwap.take_trades(
            rows,
            now_ns,
            self._vwap_ns,
            self._started_ns,
            self._tick_size,
            self._price_scale,
            self._has_traded,
            self._volume_delta,
            self._words,
            self._day,
            self._trades,
            self._values,
        )
        ticks.push_ticks(
            rows,
            self._volume_delta,
            self._words,
            self._values,
            self._tick_head,
            self._tick_count,
            self._started_ns,
            self._ticks,
        )

    def requote(self, rows: Rows, at_ns: int) -> None:
        """Measure the quotes of rows that began or ceased to trade at the moment."""
        self._settle(rows, at_ns)
        self._quote(rows)
        self._follow(rows, at_ns, self._untraded)

    def expire(self, rows: Rows, now_ns: int, settled_ns: int) -> None:
        """Let time pass: every moment before `settled_ns` is settled."""
        vwap.expire_trades(
            rows,
            now_ns,
            self._vwap_ns,
            self._started_ns,
            self._tick_size,
            self._price_scale,
            self._day,
            self._trades,
            self._values,
        )
        flow.expire_flow(rows, now_ns, self._spans_ns, self._flow, self._changes, self._values)
        self._settle(rows, settled_ns)

    def _quote(self, rows: Rows) -> None:
        quotes.measure_quotes(
            rows,
            self._continuous,
            self._tick_size,
            self._words,
            self._deep,
            self._weights,
            self._values,
        )

    def _follow(self, rows: Rows, now_ns: int, traded: Flags) -> None:
        """Follow the quotes of the rows as they stand now."""
        flow.take_flow(
            rows,
            now_ns,
            self._continuous,
            self._spans_ns,
            self._words,
            self._flow,
            self._changes,
            self._values,
        )
        moments.note_mids(
            rows,
            now_ns,
            self._continuous,
            traded,
            self._words,
            self._moments,
            self._mids,
            self._waiting,
            self._values,
        )

    def _settle(self, rows: Rows, until_ns: int) -> None:
        moments.settle_until(
            rows,
            until_ns,
            self._moments,
            self._mids,
            self._squares,
            self._waiting,
            self._values,
        )
