"""Blocks: what the page decodes is what the table holds, and nothing that is not known."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from msgspec import to_builtins

from tests.web_stage import MORNING_NS, SmallMarket, instrument, read_block
from ticktick.compiled import missing
from ticktick.domain.clock import ist_day
from ticktick.domain.instrument import Kind
from ticktick.domain.market import Freshness
from ticktick.domain.metric import METRIC_ROW
from ticktick.web import blocks, told
from ticktick.web.blocks import COLUMNS, MISSING, Columns, Press

SPECS = to_builtins(COLUMNS)
ROWS = 9
METRIC_DTYPES = {column.name: column.dtype for column in COLUMNS if column.name in METRIC_ROW}
PRICES = {
    "last_price": "last_price",
    "previous_close": "previous_close",
    "day_high": "day_high",
    "day_low": "day_low",
    "bid": "bid_price",
    "ask": "ask_price",
}
prices = st.integers(0, 2**33)
nothing = st.just(float("nan"))
floats = st.one_of(nothing, st.floats(-1e9, 1e9))


@st.composite
def markets(draw: st.DrawFn) -> SmallMarket:
    kinds = [draw(st.sampled_from([Kind.EQUITY, Kind.INDEX])) for _ in range(ROWS)]
    market = SmallMarket([instrument(f"S{row}", kind) for row, kind in enumerate(kinds)])
    for record in market.table.records[:ROWS]:
        record["exchange_ns"] = draw(st.just(0) | st.integers(MORNING_NS, 2 * MORNING_NS))
        record["last_trade_ns"] = draw(st.just(0) | st.integers(MORNING_NS, 2 * MORNING_NS))
        record["received_ns"] = draw(st.just(0) | st.integers(MORNING_NS, 2 * MORNING_NS))
        record["seq"] = draw(st.integers(0, 2**50))
        record["volume"] = draw(st.just(0) | st.integers(0, 2**50))
        for field in PRICES.values():
            record[field] = draw(prices)
    shape = (len(market.metrics), ROWS)
    market.metrics[:, :ROWS] = draw(arrays(np.float64, shape, elements=floats, fill=nothing))
    for row in range(ROWS):
        market.freshness[row] = draw(st.sampled_from(Freshness))
    market.warm[:ROWS] = draw(st.lists(st.booleans(), min_size=ROWS, max_size=ROWS))
    return market


def block_of(market: SmallMarket, rows: list[int], seq: int = 7) -> bytes:
    state = Columns(market.table, market.metrics, market.freshness, market.warm)
    return Press(state).block(np.array(rows, np.int32), seq, 1_700_000_000_123)


@given(markets(), st.lists(st.integers(0, ROWS - 1), unique=True).map(sorted))
def test_decoding_a_block_gives_the_table_or_missing(market: SmallMarket, rows: list[int]) -> None:
    read = read_block(SPECS, block_of(market, rows))
    assert read["row"].tolist() == rows
    assert read["head"].tolist() == [1, 1, len(COLUMNS), 7, 1_700_000_000_123]
    for at, row in enumerate(rows):
        record = market.table.records[row]
        heard = record["exchange_ns"] > 0
        _same(read["exchange_ms"][at], record["exchange_ns"] // 1_000_000 if heard else None)
        for name in ("received", "last_trade"):
            at_ms = record[f"{name}_ns"] // 1_000_000
            _same(read[f"{name}_ms"][at], at_ms if at_ms else None)
        _same(read["seq"][at], record["seq"] if record["received_ns"] else None)
        assert read["warm"][at] == market.warm[row]
        is_today = ist_day(int(record["exchange_ns"])) == ist_day(int(record["last_trade_ns"]))
        counted = heard and market.table.instruments[row].has_volume
        counted = counted and (is_today or record["volume"] == 0)
        _same(read["volume"][at], record["volume"] if counted else None)
        for name, field in PRICES.items():
            price = int(np.ravel(record[field])[0])
            is_known = 0 < price < 2**31 and (is_today or not name.startswith("day_"))
            expected = price if is_known else MISSING
            assert read[name][at] == expected
        for name, dtype in METRIC_DTYPES.items():
            value = market.metrics[METRIC_ROW[name], row]
            if dtype == "i4":
                assert read[name][at] == (MISSING if np.isnan(value) else round(value))
            else:
                np.testing.assert_equal(read[name][at], np.dtype(dtype).type(value))
        assert list(Freshness)[read["freshness"][at]] is market.freshness[row]


@given(markets(), st.lists(st.integers(0, ROWS - 1), unique=True).map(sorted))
def test_both_forms_print_the_same_bytes(market: SmallMarket, rows: list[int]) -> None:
    if missing():
        pytest.skip("plain Python serves")
    compiled = block_of(market, rows)
    with patch.object(blocks, "_Plate", told.Plate):
        assert block_of(market, rows) == compiled


def _same(value: float, expected: int | None) -> None:
    assert np.isnan(value) if expected is None else value == expected


@given(st.integers(0, ROWS))
def test_every_column_starts_at_a_multiple_of_its_width(count: int) -> None:
    market = SmallMarket([instrument(f"S{row}") for row in range(ROWS)])
    at = -(-(24 + 4 * count) // 8) * 8
    for column in COLUMNS:
        width = int(column.dtype[1])
        assert at % width == 0
        at += width * count
    assert len(block_of(market, list(range(count)))) == at


def test_a_symbol_that_was_never_heard_of_is_missing_everywhere() -> None:
    market = SmallMarket([instrument("RELIANCE")])
    read = read_block(SPECS, block_of(market, [0]))
    for column in COLUMNS:
        value = read[column.name][0]
        if column.name == "freshness":
            assert list(Freshness)[value] is Freshness.UNKNOWN
        elif column.name == "warm":
            assert value == 0
        else:
            assert value == MISSING if column.dtype == "i4" else np.isnan(value)


def test_the_sequence_number_wraps_instead_of_failing() -> None:
    market = SmallMarket([instrument("RELIANCE")])
    assert read_block(SPECS, block_of(market, [0], seq=2**32 + 5))["head"][3] == 5


def test_given_browsers_that_are_owed_the_same_then_the_newest_state_is_made_once() -> None:
    market = SmallMarket([instrument("RELIANCE"), instrument("M&M")])
    market.trade("RELIANCE", 100_00)
    state = Columns(market.table, market.metrics, market.freshness, market.warm)
    both, one = (np.array(rows, np.int32) for rows in ([0, 1], [0]))
    press = Press(state)
    first = press.block(both, 7, 1.5)
    assert first == Press(state).block(both, 7, 1.5)
    market.trade("RELIANCE", 101_00)
    assert press.block(both, 7, 1.5) == first  # nobody said that anything changed
    press.turn()
    assert press.block(both, 7, 1.5) != first
    for rows, seq in ((both, 9), (one, 2**32 + 1)):
        assert press.block(rows, seq, 2.5) == Press(state).block(rows, seq, 2.5)
