"""How a figure is spread: counted in buckets, in fixed memory, without an object per value."""

from bisect import bisect_left
from collections.abc import Sequence


class Distribution:
    """Counts of values by upper bound, with their sum and the greatest.

    `counts` has one place more than `bounds`, for what is greater than all. `worst` is 0 before
    the first value and after `take_worst`.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0
        self.worst = 0.0

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self.counts)

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
        if value > self.worst:
            self.worst = value

    def take_worst(self) -> float:
        """The greatest value since the last call."""
        worst, self.worst = self.worst, 0.0
        return worst
