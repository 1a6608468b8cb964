"""Points of many families at once, as columns, and their words for Redis."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ticktick.compiled import part
from ticktick.core.columns import Flags, Floats, Ints
from ticktick.store import resp
from ticktick.store.keys import Family

SAMPLES_AT_ONCE: Final = 400
"""Packed in one go, some 0.2 ms: nobody else has the interpreter meanwhile."""
_OTHER_WORDS: Final = 2 * resp.NUMBER_BYTES
_COMPILED: Final = part("ticktick.store._resp")
_write_samples: Final = resp.write_samples if _COMPILED is None else _COMPILED.write_samples


class PointColumns(Struct, frozen=True):
    """The n-th point is of the family with the key `keys[n]`, at `at_ms[n]`.

    `values` is float64[fields, points] in the order of every family's keys, NaN = not known; of
    those whose `kinds` (uint8[fields]) is `resp.UNITS` a rupee has `scales[n]` units, the others
    are `resp.NUMBER`. `family_of` makes the family of a point.
    """

    keys: Sequence[str]
    at_ms: Ints
    values: Floats
    kinds: Flags
    scales: Ints
    family_of: Callable[[int], Family]

    @property
    def counts(self) -> Ints:
        """How many samples each point is: int64[points]."""
        counts: Ints = np.count_nonzero(~np.isnan(self.values), axis=0)
        return counts

    @property
    def plain(self) -> Floats:
        """The values as they are told: rupees."""
        return np.where((self.kinds == resp.UNITS)[:, None], self.values / self.scales, self.values)


class SeriesWords:
    """The keys of every series as Redis reads them, and the samples of points in its words."""

    def __init__(self) -> None:
        self._place_of: dict[str, int] = {}
        self._words: Flags = np.empty(0, np.uint8)
        self._ends: Ints = np.empty(0, np.int64)

    def add(self, families: Sequence[Family]) -> None:
        """Know the keys of these families, which all have the same fields."""
        made = [_bulk(key) for family in families for key in family.keys.values()]
        known = int(self._ends[-1]) if len(self._ends) else 0
        self._words = np.concatenate([self._words, np.frombuffer(b"".join(made), np.uint8)])
        self._ends = np.concatenate([self._ends, known + np.cumsum([len(word) for word in made])])
        for family in families:
            self._place_of[family.key] = len(self._place_of)

    def unknown(self, columns: PointColumns) -> list[int]:
        """Points of families that were not added, one of each."""
        first = {key: n for n, key in enumerate(columns.keys) if key not in self._place_of}
        return list(first.values())

    def commands(self, columns: PointColumns) -> Iterator[bytes]:
        """The TS.MADD that write the points, each of a few hundred samples."""
        counts = columns.counts
        wholes = whole_numbers(columns.values)
        places = np.array([self._place_of[key] for key in columns.keys], np.int64)
        for begin, end in _cuts(counts):
            yield self._command(columns, wholes, places, counts, slice(begin, end))

    def _command(
        self,
        columns: PointColumns,
        wholes: Ints,
        places: Ints,
        counts: Ints,
        of: slice,
    ) -> bytes:
        count = int(counts[of].sum())
        out = np.empty(count * (self._longest + _OTHER_WORDS), np.uint8)
        ends = np.empty(of.stop - of.start, np.int64)
        _write_samples(
            columns.values[:, of],
            wholes[:, of],
            columns.kinds,
            columns.scales[of],
            columns.at_ms[of],
            places[of],
            self._words,
            self._ends,
            out,
            ends,
        )
        return b"*%d\r\n$7\r\nTS.MADD\r\n" % (1 + 3 * count) + out[: int(ends[-1])].tobytes()

    @property
    def _longest(self) -> int:
        return int(np.diff(self._ends, prepend=0).max(initial=0))


def _cuts(counts: Ints) -> Iterator[tuple[int, int]]:
    """Runs of points of so many samples together, each with at least one."""
    runs = np.maximum(np.cumsum(counts) - 1, 0) // SAMPLES_AT_ONCE
    begins: NDArray[np.int64] = np.flatnonzero(np.diff(runs, prepend=-1))
    for begin, end in pairwise([*begins.tolist(), len(counts)]):
        if counts[begin:end].any():
            yield begin, end


def whole_numbers(values: Floats) -> Ints:
    """The values without their fractions, 0 where they are not known."""
    known = np.where(np.isnan(values), 0, np.clip(values, -resp.MOST_EXACT, resp.MOST_EXACT))
    return known.astype(np.int64)


def _bulk(key: str) -> bytes:
    word = key.encode()
    return b"$%d\r\n%b\r\n" % (len(word), word)
