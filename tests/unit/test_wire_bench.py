"""The race from the wire to a page: both designs show the same, and a wrong one is noticed."""

import asyncio
import json

import numpy as np
import pytest

from benchmarks.bench_wire import (
    ON_THE_CLOCK,
    OurDesign,
    agree,
    market,
    named,
    read_block,
    read_json,
)
from benchmarks.between import PLAIN, WEBSOCKET, between
from benchmarks.dictionary import DictionaryDesign
from ticktick.web.blocks import COLUMNS, MISSING

COUNT = 7
SHOWN = [column.name for column in COLUMNS if column.name not in ON_THE_CLOCK]


class Unknowing(DictionaryDesign):
    """A peer that leaves a metric out of its rows."""

    def take(self, data: bytes, seq: int, received_ms: int) -> bytes:
        """The JSON without the realised volatility."""
        told = json.loads(super().take(data, seq, received_ms))
        for row in told["data"]:
            del row["rv"]
        return json.dumps(told).encode()


def shown(ours: OurDesign, theirs: DictionaryDesign) -> list[bool]:
    """Whether both show the same after each frame."""
    return [
        agree(named(read_block(ours.take(*sent))), read_json(theirs.take(*sent)))
        for sent in market(COUNT)
    ]


def test_both_designs_show_the_same_values() -> None:
    assert all(shown(OurDesign(COUNT), DictionaryDesign()))
    with pytest.raises(AssertionError):
        assert all(shown(OurDesign(COUNT), Unknowing()))


def test_every_number_is_known_in_the_race_and_compared() -> None:
    ours, theirs = OurDesign(COUNT), DictionaryDesign()
    for sent in market(COUNT):
        block, message = ours.take(*sent), theirs.take(*sent)
    values, rows = named(read_block(block)), read_json(message)
    assert agree(values, rows)
    for name in SHOWN:
        column = values[name].astype(np.float64)
        assert not (np.isnan(column) | (column == MISSING)).any(), name
        wrong = dict(values)
        wrong[name] = values[name] + np.eye(1, COUNT)[0].astype(values[name].dtype)
        assert not agree(wrong, rows), name


@pytest.mark.parametrize("way", [PLAIN, WEBSOCKET])
def test_a_program_between_sends_what_the_design_says(way: str) -> None:
    frames = list(market(COUNT))[:3]

    async def asked() -> list[bytes]:
        arguments = ("benchmarks.bench_wire", way, "ours", str(COUNT))
        async with between(*arguments) as program:
            return [await program.ask(*sent) for sent in frames]

    ours = OurDesign(COUNT)
    assert asyncio.run(asked()) == [ours.take(*sent) for sent in frames]
