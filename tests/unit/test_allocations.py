"""Market data leaves nothing behind: no object is kept per tick, and no collection is due."""

import gc
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from benchmarks.frames import START_MS, MovingFeed, instruments
from ticktick.brokers.upstox.decoders import new_decoder
from ticktick.domain.clock import NS_PER_MS
from ticktick.domain.event import FrameArrived, InstrumentsResolved, LinkChanged, TimerFired
from ticktick.domain.sessions import Calendar
from ticktick.engine.engine import Engine
from ticktick.engine.ports import EngineSettings, Outputs
from ticktick.web.blocks import Columns, Press

SYMBOLS, FRAMES, STEP_MS = 20, 300, 100
START_NS = START_MS * NS_PER_MS


class Program:
    """An engine that hears of a moving market, and the block of each frame.

    `keeper` is given what each frame changed; a program whose keeper keeps it grows.
    """

    def __init__(self) -> None:
        self.engine = Engine(new_decoder(), Calendar(), EngineSettings())
        self.engine.process(InstrumentsResolved(START_NS, tuple(instruments(SYMBOLS))))
        self.engine.process(LinkChanged(START_NS, True, "connected"))
        self.engine.process(TimerFired(START_NS))
        market = self.engine.market
        self._press = Press(Columns(market.table, market.metrics, market.freshness, market.warm))
        self._frames = list(MovingFeed(SYMBOLS).frames(FRAMES, STEP_MS))

    def play(self, kept: list[list[float]] | None = None) -> Iterator[Outputs]:
        """Take every frame, within a minute, again and again at later minutes' times."""
        market = self.engine.market
        for number, data in enumerate(self._frames):
            at_ns = START_NS + (1_050 + number * STEP_MS) * NS_PER_MS
            outputs = self.engine.process(FrameArrived(at_ns, number, data))
            self._press.turn()
            self._press.block(outputs.touched, number, at_ns / NS_PER_MS)
            if kept is not None:
                kept.append(market.table.records["last_price"][outputs.touched].tolist())
            yield outputs


def growth(program: Program, kept: list[list[float]] | None = None) -> tuple[int, int]:
    """Blocks that are allocated after the last frame and were not after a third of them.

    And the collections of any generation in between, with the collector as a program has it.
    """
    blocks, collections = list[int](), list[int]()
    gc.collect()
    for number, outputs in enumerate(program.play(kept)):
        assert len(outputs.touched) == SYMBOLS
        del outputs
        if number in {FRAMES // 3, FRAMES - 1}:
            blocks.append(sys.getallocatedblocks())
            collections.append(sum(stats["collections"] for stats in gc.get_stats()))
    return blocks[1] - blocks[0], collections[1] - collections[0]


def check_flat(program: Program, kept: list[list[float]] | None = None) -> None:
    """4,000 ticks may leave no more behind than the interpreter's own unrest."""
    grown, collections = growth(program, kept)
    assert grown < 40
    assert collections == 0


def test_ticks_leave_no_object_behind_and_cause_no_collection() -> None:
    program = Program()
    check_flat(program)
    prices = program.engine.market.table.records["last_price"][:SYMBOLS]
    assert np.all(prices > 0)
    with pytest.raises(AssertionError):
        check_flat(Program(), kept=[])
