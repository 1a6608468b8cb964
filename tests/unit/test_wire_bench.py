"""The race from the wire to a browser: both designs show the same, and a wrong one is noticed."""

import pytest

from benchmarks.bench_wire import STEP_MS, OurDesign, agree, read_block, read_json
from benchmarks.dictionary import DictionaryDesign
from benchmarks.frames import START_MS, MovingFeed

COUNT = 7


def shown(ours: OurDesign, theirs: DictionaryDesign, frames: int = 30) -> list[bool]:
    """Whether both show the same after each frame."""
    feed = MovingFeed(COUNT)
    found = []
    for number in range(frames):
        data = feed.frame(START_MS + 1_000 + (number + 1) * STEP_MS)
        block, message = ours.take(data), theirs.take(data)
        found.append(agree(read_block(block), read_json(message)))
    return found


class Careless(DictionaryDesign):
    """A peer that shows a price a paisa off."""

    def take(self, data: bytes) -> str:
        """The JSON with one wrong number."""
        return super().take(data).replace('"bid": ', '"bid": 1')


def test_both_designs_show_the_same_values() -> None:
    assert all(shown(OurDesign(COUNT), DictionaryDesign()))
    with pytest.raises(AssertionError):
        assert all(shown(OurDesign(COUNT), Careless()))
