"""P01: wherever a price comes out, it says when it was true, when it was read, how old it is."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import to_builtins

from tests.market_stage import OPEN, JsonDecoder, LiveStage, Stage, clock, instrument
from tests.web_stage import read_block
from ticktick.domain.clock import NS_PER_MS, NS_PER_S
from ticktick.domain.event import FrameArrived, Quote
from ticktick.domain.market import Freshness
from ticktick.engine.ports import Decoded, Outputs
from ticktick.market.table import SlotTable
from ticktick.store.outputs import OutputLog
from ticktick.store.spool import Rows
from ticktick.store.tick_rows import FIELDS, known_values
from ticktick.web.blocks import COLUMNS, Columns, Press
from ticktick.web.status import symbol_statuses

AT = OPEN + NS_PER_S


class Forgets(JsonDecoder):
    """A broken decoder: it leaves out one of the facts."""

    def __init__(self, column: str) -> None:
        self._column = column

    def decode(self, data: bytes, table: SlotTable, received_ns: int, seq: int) -> Decoded:
        """Write everything but the column."""
        kept = table.incoming[self._column].copy()
        decoded = super().decode(data, table, received_ns, seq)
        table.incoming[self._column] = kept
        return decoded


class Wire:
    """One trade of a share through the engine, and every place where it comes out."""

    def __init__(self, decoder: JsonDecoder, folder: Path) -> None:
        self.stage = Stage(instrument(), at_ns=OPEN, decoder=decoder)
        self._path = folder / "outputs"
        log = OutputLog(self._path, self.stage.market)
        self.outputs = self._told()
        log.take(self.outputs)
        log.close()

    def _told(self) -> Outputs:
        event = json.dumps(
            {"at": AT, "rows": {"ACME": {"last_price": 100, "last_trade_ns": AT, "volume": 5}}}
        )
        return self.stage.process(FrameArrived(AT + 7 * NS_PER_MS, 41, event.encode()))

    def facts(self) -> Mapping[str, dict[str, Any]]:
        """What each surface says with the price: exchange and receive time, place, freshness."""
        market, rows = self.stage.market, np.array([0], np.int32)
        (status,) = symbol_statuses(market, [0], AT // NS_PER_MS)
        state = Columns(market.table, market.metrics, market.freshness, market.warm)
        block = read_block(to_builtins(COLUMNS), Press(state).block(rows, 1, 0.0))
        kept = dict(zip(FIELDS, known_values(_copied(self.stage))[:, 0].tolist(), strict=True))
        shown = {
            field.name: field.words[int(value)] if field.words else value
            for field, value in kept.items()
            if not math.isnan(value)
        }
        line = json.loads(self._path.read_text().splitlines()[-1])
        return {
            "api": status.model_dump(),
            "block": {
                **{name: block[name][0] for name in ("exchange_ms", "received_ms", "seq")},
                "freshness": list(Freshness)[block["freshness"][0]],
            },
            "redis": shown,
            "outputs": {
                "exchange_ms": (line.get("exchange_ns") or 0) // NS_PER_MS,
                "received_ms": (line.get("received_ns") or 0) // NS_PER_MS,
                "seq": line.get("seq"),
                "freshness": line.get("freshness"),
            },
        }


def _copied(stage: Stage) -> Rows:
    market = stage.market
    return Rows(
        taken_s=0.0,
        at_ms=np.array([1]),
        full=np.array([True]),
        instruments=market.table.instruments,
        freshness=market.freshness.codes[:1],
        warm=market.warm[:1],
        records=market.table.records[:1],
        metrics=market.metrics[:, :1],
    )


def check(decoder: JsonDecoder, folder: Path) -> None:
    for surface, told in Wire(decoder, folder).facts().items():
        facts = {name: told.get(name) for name in ("exchange_ms", "received_ms", "seq")}
        assert facts == {
            "exchange_ms": AT // NS_PER_MS,
            "received_ms": AT // NS_PER_MS + 7,
            "seq": 41,
        }, surface
        assert told["freshness"] == Freshness.FRESH, surface


def test_P01_every_surface_says_when_a_price_was_true_when_it_was_read_and_how_old_it_is(
    tmp_path: Path,
) -> None:
    check(JsonDecoder(), tmp_path)
    for column in ("exchange_ns", "received_ns", "seq"):
        with pytest.raises(AssertionError):
            check(Forgets(column), tmp_path)


def test_P01_no_row_ever_has_a_price_without_its_times() -> None:
    stage = LiveStage(instrument(), instrument("BOLT"), at_ns=clock(9, 15))
    table = stage.market.table

    def is_told() -> bool:
        priced = table.records[table.records["last_price"] > 0]
        return bool((priced["exchange_ns"] > 0).all() and (priced["received_ns"] > 0).all())

    stage.begin(clock(9, 15, 1))
    assert is_told()
    stage.link(clock(9, 15, 5), up=False)
    at_ns = clock(9, 15, 20)
    stage.quotes(
        at_ns, *(Quote(symbol, at_ns, 105, at_ns - 1, 2_000) for symbol in ("ACME", "BOLT"))
    )
    assert is_told()
    assert table.records["last_price"][:2].tolist() == [105, 105]
    stage.link(clock(9, 15, 30), up=True)
    stage.timer(clock(9, 15, 31))
    assert is_told()
    assert {stage.market.freshness[row] for row in (0, 1)} == {Freshness.STALE}
