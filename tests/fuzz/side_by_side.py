"""Damaged frames through both decoders alone: the same verdict and values, or a failure."""

from collections.abc import Callable, Sequence
from random import Random

from tests.fuzz.drive import Failure, Tally, Trial
from tests.fuzz.mutations import Fuzz, mutated
from tests.fuzz.supplies import Supply
from tests.fuzz.twins import Twins
from ticktick.brokers.upstox.decoders import new_decoder
from ticktick.engine.ports import Decoder

_GOOD_FRAMES = 8  # between two damaged ones


def compare_decoders(
    supplies: Sequence[Supply],
    seed: int,
    episode: int,
    frames: int,
    tally: Tally,
    make_other: Callable[[], Decoder] = new_decoder,
) -> None:
    """So many damaged frames, each between good ones so that the tables hold something.

    The same seed and episode give the same frames. Raises Failure at the first difference.
    """
    rng = Random(f"{seed} {episode}")
    supply = supplies[episode % len(supplies)]
    others = [good.data for one in supplies for good in one.frames]
    twins = Twins(supply.instruments, make_other())
    for number in range(frames):
        good = supply.frames[number % len(supply.frames)]
        kind, data = mutated(Fuzz(rng, good.data, others, supply.keys))
        told = [("good frame", good.data)] if number % _GOOD_FRAMES == 0 else []
        for name, each in [*told, (kind, data)]:
            found = tuple(twins.differences(each, good.at_ns, number))
            trial = Trial(name, each, twins.slowest_ms, twins.outcome, found)
            if found:
                raise Failure(trial, episode, number)
        tally.add(trial)
